//! The documents that providers are known to give, and what they mean.

use std::path::Path;

use grantkeeper_domain::authorizations::UserInfo;
use serde_json::{Map, Value, json};

use super::*;

/// How a document of a provider is read; the names are those of the files.
type Read = fn(&str) -> Option<UserInfo>;

/// Every expected result, the document it is about, and what reads it.
const GOLDENS: [(&str, &str, Read); 13] = [
    ("github", "github_user", |user| github(object(user), Some(document("github_emails")))),
    ("github_no_email_scope", "github_user", |user| github(object(user), None)),
    ("gitlab_api", "gitlab_user", |user| gitlab_api(object(user))),
    ("gitlab_oidc", "gitlab_userinfo", |user| gitlab_oidc(object(user), ClaimsSource::Userinfo)),
    ("bitbucket_cloud", "bitbucket_cloud_user", |user| {
        bitbucket_cloud(object(user), Some(document("bitbucket_cloud_emails")))
    }),
    ("bitbucket_data_center", "bitbucket_dc_user", |user| bitbucket_data_center(object(user))),
    ("google", "google_userinfo", |user| google(object(user), ClaimsSource::Userinfo)),
    ("google_id_token", "google_id_token_claims", |user| google(object(user), ClaimsSource::IdToken)),
    ("box", "box_user", |user| box_com(object(user))),
    ("microsoft_idtoken", "microsoft_id_token_claims", |user| microsoft_id_token(object(user))),
    ("microsoft_graph", "microsoft_graph_me", |user| microsoft_graph(object(user))),
    ("microsoft_graph_personal", "microsoft_graph_me_personal", |user| microsoft_graph(object(user))),
    ("oidc", "oidc_userinfo", |user| oidc(object(user), ClaimsSource::Userinfo)),
];

fn file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/users").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn document(name: &str) -> Value {
    file(&format!("{name}.json"))
}

fn object(name: &str) -> Map<String, Value> {
    match document(name) {
        Value::Object(object) => object,
        other => panic!("{name} is no object: {other}"),
    }
}

/// The expected result, with the documents that it names in their place.
fn expected(name: &str) -> Value {
    let mut expected = document(&format!("normalised/{name}"));
    for document in expected["raw"].as_object_mut().unwrap().values_mut() {
        *document = file(document.as_str().unwrap());
    }
    expected
}

#[test]
fn every_document_means_what_it_should() {
    for (name, document, read) in GOLDENS {
        let found = read(document).unwrap_or_else(|| panic!("{document} is about nobody"));
        assert_eq!(serde_json::to_value(found).unwrap(), expected(name), "{name}");
    }
}

#[test]
fn every_expected_result_has_a_reader() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/users/normalised");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut read = GOLDENS.map(|(name, ..)| name.to_owned()).to_vec();
    there.sort();
    read.sort();
    assert_eq!(there, read);
}

#[test]
fn both_accounts_of_gitlab_and_both_documents_of_microsoft_are_one_person() {
    let subject = |name: &str| {
        let (_, document, read) = GOLDENS.into_iter().find(|(golden, ..)| *golden == name).unwrap();
        read(document).unwrap().sub
    };
    assert_eq!(subject("gitlab_api"), subject("gitlab_oidc"));
    assert_eq!(subject("microsoft_idtoken"), subject("microsoft_graph"));
    assert_eq!(json!(subject("google")), json!(subject("google_id_token")));
}
