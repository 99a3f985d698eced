//! Answers that break the rules of HTTP, or of what should be in them.

use tokio::io::AsyncWriteExt;

use super::{Server, exchange, ok, read_request, refresh, unavailable, userinfo};
use crate::world::{loopback_settings, oidc_client, refused, registration};

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    let (client, _) = oidc_client(loopback_settings());
    for answer in [
        "",
        "\r\n",
        "{}",
        r#"{"access_token":"t"}"#,
        "SSH-2.0-OpenSSH_9.9\r\n",
        "ICY 200 OK\r\n\r\n{}",
        "HTTP/2.0 200 OK\r\n\r\n{}",
        "HTTP/1.1 99 Low\r\n\r\n{}",
        "HTTP/1.1 2000 Long\r\n\r\n{}",
        "HTTP/1.1 OK\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
    ] {
        let server = Server::answering(answer).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("connection_broken"), "{answer:?}");
        assert_eq!(server.hits(), 1, "{answer:?}: it was not sent again");
    }
}

#[tokio::test]
async fn a_length_that_is_not_kept_is_no_answer() {
    let (client, _) = oidc_client(loopback_settings());
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    for rest in [
        "content-length: 10\r\n\r\n{\"a\":1}",
        "content-length: -1\r\n\r\n{}",
        "content-length: +2\r\n\r\n{}",
        "content-length: 2 2\r\n\r\n{}",
        "content-length: 0x2\r\n\r\n{}",
        "content-length: 18446744073709551616\r\n\r\n{}",
        "content-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
        "content-length: 2, 3\r\n\r\n{} ",
        &format!("{chunked}2\r\n{{}}\r\n"),
        &format!("{chunked}2\r\n{{}}\r\n0\r\n"),
        &format!("{chunked}2\r\n{{}}xx0\r\n\r\n"),
        &format!("{chunked}5\r\n{{}}"),
        &format!("{chunked}-2\r\n{{}}\r\n0\r\n\r\n"),
        &format!("{chunked}0x2\r\n{{}}\r\n0\r\n\r\n"),
        &format!("{chunked}10000000000000000\r\n{{}}\r\n0\r\n\r\n"),
        &format!("{chunked}FFFFFFFFFFFFFFFFFFFF\r\n{{}}\r\n0\r\n\r\n"),
        &format!("{chunked}FFFFFFFFFFFFFFFF\r\n{{}}"),
    ] {
        let server = Server::answering(format!("HTTP/1.1 200 OK\r\n{rest}")).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("connection_broken"), "{rest:?}");
        assert_eq!(server.hits(), 1, "{rest:?}: it was not sent again");
    }
}

#[tokio::test]
async fn what_follows_an_answer_is_not_taken_for_the_next_one() {
    let planted = "HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{\"sub\":\"attacker\"}";
    for first in [
        "content-length: 12\r\n\r\n{\"sub\":\"u1\"}",
        "transfer-encoding: chunked\r\n\r\nc\r\n{\"sub\":\"u1\"}\r\n0\r\n\r\n",
        "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{\"sub\":\"u1\"}\r\n0\r\n\r\n",
    ] {
        let server = Server::start(move |mut stream, _| async move {
            let answer = format!("HTTP/1.1 200 OK\r\n{first}{planted}");
            let _ = stream.write_all(answer.as_bytes()).await;
            // Another request on this connection would find its answer there already.
            read_request(&mut stream).await;
        })
        .await;
        let (client, _) = oidc_client(loopback_settings());
        for _ in 0..3 {
            assert_eq!(userinfo(&*client, &server).await.unwrap().subject, "u1", "{first:?}");
        }
        assert_eq!(server.hits(), 3, "each on a connection of its own");
    }
}

#[tokio::test]
async fn compressed_answers_are_not_unpacked() {
    let (client, _) = oidc_client(loopback_settings());
    // Stored without compression, `{"access_token":"t","sub":"u1"}` in gzip (RFC 1952): it would unpack to an answer.
    let json = br#"{"access_token":"t","sub":"u1"}"#;
    let length = u8::try_from(json.len()).unwrap();
    let gzip = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", &[length, 0, !length, 0xff][..], json].concat();
    for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: {}\r\n\r\n",
            gzip.len()
        );
        let server = Server::answering([head.as_bytes(), &gzip].concat()).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("unreadable_answer"), "{encoding}");
        let error = refused(userinfo(&*client, &server).await);
        assert_eq!(error, unavailable("unreadable_answer"), "{encoding}");
    }
}

#[tokio::test]
async fn what_is_no_text_is_no_answer() {
    let (client, _) = oidc_client(loopback_settings());
    for body in [
        &b"\xff\xfe{}"[..],
        b"{\"access_token\":\"\xc3\x28\",\"sub\":\"\xc3\x28\"}",
        b"\0\0\0\0",
        b"\xed\xa0\x80=a",
    ] {
        let server = Server::answering(ok(body)).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("unreadable_answer"), "{body:?}");
        let error = refused(userinfo(&*client, &server).await);
        assert_eq!(error, unavailable("unreadable_answer"), "{body:?}");
    }
}

#[tokio::test]
async fn json_that_is_nested_too_deeply_is_no_answer() {
    let (client, _) = oidc_client(loopback_settings());
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for close in [close.repeat(30_000 / open.len()), String::new()] {
            let deep = format!("{}1{close}", open.repeat(30_000 / open.len()));
            let body = format!(r#"{{"keys":{deep},"access_token":{deep},"sub":{deep}}}"#);
            let server = Server::answering(ok(&body.as_bytes()[..body.len().min(65_536)])).await;
            assert_eq!(refresh(&*client, &server).await, unavailable("unreadable_answer"));
            let error = refused(userinfo(&*client, &server).await);
            assert_eq!(error, unavailable("unreadable_answer"));
            let error = client.register(&registration(Some(&server.url))).await.unwrap_err();
            assert_eq!(error.field, "host", "{error}");
        }
    }
}

#[tokio::test]
async fn keys_that_are_nested_too_deeply_are_none() {
    let (client, _) = oidc_client(loopback_settings());
    let server = Server::start(|mut stream, request| async move {
        let body = if request.starts_with("GET /jwks ") {
            format!(r#"{{"keys":{}"#, "[".repeat(60_000))
        } else {
            r#"{"access_token":"t","id_token":"a.b.c"}"#.to_owned()
        };
        let _ = stream.write_all(&ok(body.as_bytes())).await;
    })
    .await;
    let distrust = exchange(&*client, server.endpoints()).await.ok().unwrap().distrust;
    assert_eq!(distrust, Some(unavailable("unreadable_keys")));
}

#[tokio::test]
async fn a_success_without_an_answer_is_none() {
    let (client, _) = oidc_client(loopback_settings());
    for head in ["204 No Content", "101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c"] {
        let server = Server::answering(format!("HTTP/1.1 {head}\r\n\r\n{{\"access_token\":\"t\"}}")).await;
        assert_eq!(refresh(&*client, &server).await, unavailable("unreadable_answer"), "{head:?}");
    }
}
