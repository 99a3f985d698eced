//! What the API tells about the user, and whom it tells.

use reqwest::header::{AUTHORIZATION, USER_AGENT};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::super::deployment::{Deployment, Visit};
use super::super::rows::{DocumentRow, Shape};
use crate::browser::Answer;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    for row in &deployment.facts.documents {
        let answer = read_as(&deployment, row, "1001").await;
        the_answer_is_as_told(row, &answer);
        subjects_are_as_told(&deployment, row).await;
        less_is_told_to_those_who_may_read_less(&deployment, row).await;
        requests_need_what_is_told(&deployment, row).await;
    }
}

async fn read_as(deployment: &Deployment, row: &DocumentRow, user: &str) -> Answer {
    let tokens = deployment.sign_in(Visit { scope: &row.scope, user, ..deployment.visit() }).await;
    let answer = deployment.get(&row.path, &tokens.access).await;
    assert_eq!(answer.status, StatusCode::OK, "{}: {}", row.path, answer.body);
    answer
}

fn the_answer_is_as_told(row: &DocumentRow, answer: &Answer) {
    let document = answer.json();
    let object = document.pointer(&row.at).unwrap_or_else(|| panic!("{}: {document}", row.path));
    for name in &row.members {
        assert!(object.get(name).is_some(), "{}: no {name}: {object}", row.path);
    }
    for (name, value) in &row.headers {
        assert_eq!(answer.header(name), value, "{}: {name}", row.path);
    }
    for name in &row.header_names {
        assert_ne!(answer.header(name), "", "{}: {name}", row.path);
    }
}

/// Everybody has an identifier of their own, and always the same.
async fn subjects_are_as_told(deployment: &Deployment, row: &DocumentRow) {
    let (Some(pointer), Some(shape)) = (&row.subject, row.shape) else { return };
    let mut subjects = Vec::new();
    for user in ["1001", "1002", "somebody@example.test", "1001"] {
        let document = read_as(deployment, row, user).await.json();
        let subject = document.pointer(pointer).unwrap_or_else(|| panic!("{}: {document}", row.path));
        assert!(has_shape(subject, shape), "{}: {subject} is no {shape:?}", row.path);
        subjects.push(subject.clone());
    }
    assert_eq!(subjects[0], subjects[3], "{}", row.path);
    assert!(subjects[0] != subjects[1] && subjects[0] != subjects[2] && subjects[1] != subjects[2]);
}

pub(crate) fn has_shape(subject: &Value, shape: Shape) -> bool {
    let text = subject.as_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match shape {
        Shape::Number => subject.is_u64(),
        Shape::Digits => digits,
        Shape::Digits21 => digits && text.len() == 21,
        Shape::BracedUuid => {
            text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).is_some_and(is_uuid)
        }
        Shape::Uuid => is_uuid(text),
        Shape::Text => !text.is_empty(),
    }
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

async fn less_is_told_to_those_who_may_read_less(deployment: &Deployment, row: &DocumentRow) {
    let Some(hidden) = &row.hidden else { return };
    let tokens = deployment.sign_in(Visit { scope: &hidden.scope, ..deployment.visit() }).await;
    let document = deployment.get(&row.path, &tokens.access).await.json();
    assert!(document.pointer(row.subject.as_deref().unwrap_or_default()).is_some(), "{document}");
    for name in &hidden.members {
        assert!(document.get(name).is_none(), "{}: {name} without its scope", row.path);
    }
}

async fn requests_need_what_is_told(deployment: &Deployment, row: &DocumentRow) {
    let anonymous = deployment.get_anonymously(&row.path).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED, "{} without a token", row.path);
    if let Some(without) = &row.without_scope {
        let visit = Visit { scope: &without.scope, ..deployment.visit() };
        let tokens = deployment.sign_in(visit).await;
        let status = deployment.get(&row.path, &tokens.access).await.status.as_u16();
        assert!(without.status.contains(&status), "{} without its scope: {status}", row.path);
    }
    for (name, status) in &row.needs {
        let tokens = deployment.sign_in(Visit { scope: &row.scope, ..deployment.visit() }).await;
        let bearer = format!("Bearer {}", tokens.access);
        let mut request = deployment.to(Method::GET, &row.path).header(AUTHORIZATION, bearer);
        if !USER_AGENT.as_str().eq_ignore_ascii_case(name) {
            request = request.header(USER_AGENT, "facts");
        }
        let answer = deployment.send(request).await;
        assert_eq!(answer.status, *status, "{} without {name}: {}", row.path, answer.body);
    }
}
