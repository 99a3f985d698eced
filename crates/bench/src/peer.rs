//! The web handler to compare with: the same bytes, from memory.

use std::io::{Read as _, stdin};
use std::thread;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer, rt};

use crate::failure::{Failure, while_doing};
use crate::http::Answer;
use crate::options::Peer;

/// An answer that was recorded.
struct Recorded {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Recorded {
    fn of(answer: &Answer<'_>) -> Result<Self, Failure> {
        let headers = answer
            .headers()?
            .into_iter()
            .map(|(name, value)| Ok((HeaderName::try_from(name)?, HeaderValue::from_bytes(value)?)));
        let headers: Vec<_> = headers.collect::<Result<_, Failure>>()?;
        // The framework writes these by itself.
        let own = [CONTENT_LENGTH, DATE, TRANSFER_ENCODING];
        Ok(Self {
            status: StatusCode::from_u16(answer.status)?,
            headers: headers.into_iter().filter(|(name, _)| !own.contains(name)).collect(),
            body: Bytes::copy_from_slice(&answer.body),
        })
    }

    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(self.body.clone())
    }
}

async fn answer(recorded: Data<Recorded>) -> HttpResponse {
    recorded.response()
}

/// Serves until standard input ends.
pub(crate) fn run(options: &Peer) -> Result<(), Failure> {
    let bytes = std::fs::read(&options.answer).map_err(while_doing("reading the answer to give"))?;
    let recorded = Answer::read(&bytes)?.ok_or("the answer to give is cut off")?;
    let recorded = Data::new(Recorded::of(&recorded)?);
    let path = "/api/v2/externalOAuth/authorizedProviders/{id}/token/";
    rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new().app_data(recorded.clone()).route(path, web::post().to(answer))
        })
        .workers(options.workers)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        let address = server.addrs().first().copied().ok_or("no address was bound")?;
        let server = server.run();
        let handle = server.handle();
        thread::spawn(move || {
            // Whatever comes, or fails to: the end of it is the end.
            let _ = stdin().read_to_end(&mut Vec::new());
            drop(handle.stop(false));
        });
        println!("{}", serde_json::json!({ "listening": format!("http://{address}") }));
        Ok(server.await?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_answer_is_given_again_as_it_was() {
        let bytes = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\ncontent-type: application/json\r\n\
            cache-control: no-store\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n\"abc\"";
        let answer = Answer::read(bytes).unwrap().unwrap();
        let recorded = Recorded::of(&answer).unwrap();
        let response = recorded.response();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers().len(), 2);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
        assert_eq!(recorded.body, "\"abc\"");
    }
}
