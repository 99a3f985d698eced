//! Reading HTTP/1.1 answers (RFC 9112): as much of it as a client needs that sends one request at a time.

use std::borrow::Cow;

use httparse::{EMPTY_HEADER, Header, Status};

/// More headers than any answer of ours has.
const MOST_HEADERS: usize = 64;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// Its body, freed from chunks.
    pub(crate) body: Cow<'a, [u8]>,
    /// How many of the bytes it took.
    pub(crate) length: usize,
    /// Whether the server keeps the connection open.
    pub(crate) keeps_open: bool,
    head: &'a [u8],
}

/// What is no HTTP/1.1 answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// Its status line or its headers.
    #[error("the head of the answer is malformed: {0}")]
    Head(httparse::Error),
    /// Neither a length nor chunks.
    #[error("the answer does not tell where its body ends")]
    Endless,
    /// Not the sizes and line ends that chunks have.
    #[error("the chunks of the body are malformed")]
    Chunks,
}

/// How the end of a body is known (RFC 9112, 6.3).
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

impl<'a> Answer<'a> {
    /// The answer that the bytes begin with; `None` while it is not all there.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let Status::Complete(head) = response.parse(bytes).map_err(Malformed::Head)? else {
            return Ok(None);
        };
        let (head, rest) = bytes.split_at(head);
        let Some((body, taken)) = body(framing(response.headers)?, rest)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            status: response.code.unwrap_or_default(),
            body,
            length: head.len() + taken,
            keeps_open: !has(response.headers, "connection", "close"),
            head,
        }))
    }

    /// Its headers, in their order.
    pub(crate) fn headers(&self) -> Result<Vec<(&'a str, &'a [u8])>, Malformed> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(self.head).map_err(Malformed::Head)?;
        Ok(response.headers.iter().map(|header| (header.name, header.value)).collect())
    }
}

fn framing(headers: &[Header<'_>]) -> Result<Framing, Malformed> {
    if has(headers, "transfer-encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    let length = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    length.map(Framing::Length).ok_or(Malformed::Endless)
}

fn has(headers: &[Header<'_>], name: &str, value: &str) -> bool {
    headers.iter().any(|header| {
        header.name.eq_ignore_ascii_case(name) && header.value.eq_ignore_ascii_case(value.as_bytes())
    })
}

/// The body and how many bytes it took; `None` while it is not all there.
type Body<'a> = Option<(Cow<'a, [u8]>, usize)>;

fn body(framing: Framing, bytes: &[u8]) -> Result<Body<'_>, Malformed> {
    match framing {
        Framing::Length(length) => Ok(bytes.get(..length).map(|body| (Cow::Borrowed(body), length))),
        Framing::Chunked => chunked(bytes),
    }
}

/// Chunks up to the last one, of size 0, after which no trailers are read (RFC 9112, 7.1).
fn chunked(bytes: &[u8]) -> Result<Body<'_>, Malformed> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let size = httparse::parse_chunk_size(&bytes[at..]).map_err(|_| Malformed::Chunks)?;
        let Status::Complete((line, size)) = size else {
            return Ok(None);
        };
        let begin = at + line;
        let size = usize::try_from(size).map_err(|_| Malformed::Chunks)?;
        let end = begin.checked_add(size).ok_or(Malformed::Chunks)?;
        let Some(chunk) = bytes.get(begin..end.saturating_add(2)) else {
            return Ok(None);
        };
        let Some(chunk) = chunk.strip_suffix(b"\r\n") else {
            return Err(Malformed::Chunks);
        };
        body.extend_from_slice(chunk);
        at = end + 2;
        if size == 0 {
            return Ok(Some((Cow::Owned(body), at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH_LENGTH: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello";
    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";

    fn read(bytes: &[u8]) -> Answer<'_> {
        Answer::read(bytes).unwrap().unwrap()
    }

    #[test]
    fn a_body_ends_where_its_length_says() {
        let bytes = [WITH_LENGTH, b"more"].concat();
        let answer = read(&bytes);
        assert_eq!((answer.status, &*answer.body, answer.length), (201, &b"hello"[..], WITH_LENGTH.len()));
        assert!(answer.keeps_open);
        assert_eq!(answer.headers().unwrap(), [("Content-Length", &b"5"[..]), ("X-A", b"b")]);
    }

    #[test]
    fn a_body_in_chunks_ends_with_an_empty_one() {
        let answer = read(CHUNKED);
        assert_eq!((answer.status, &*answer.body, answer.length), (200, &b"hello"[..], CHUNKED.len()));
    }

    #[test]
    fn an_answer_is_waited_for_until_its_last_byte() {
        for whole in [WITH_LENGTH, CHUNKED] {
            for end in 0..whole.len() {
                assert!(Answer::read(&whole[..end]).unwrap().is_none(), "{end} bytes of {whole:?}");
            }
        }
    }

    #[test]
    fn a_server_that_closes_is_noticed() {
        assert!(!read(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").keeps_open);
    }

    #[test]
    fn nonsense_is_refused() {
        let malformed = |bytes: &[u8]| Answer::read(bytes).unwrap_err();
        assert!(matches!(malformed(b"SMTP ready\r\n\r\n"), Malformed::Head(_)));
        assert_eq!(malformed(b"HTTP/1.1 200 OK\r\n\r\n"), Malformed::Endless);
        assert_eq!(malformed(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Malformed::Endless);
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(malformed(&[chunked, &b"z\r\n"[..]].concat()), Malformed::Chunks);
        assert_eq!(malformed(&[chunked, &b"1\r\nabc"[..]].concat()), Malformed::Chunks);
    }
}
