//! The description of the API: complete, true, and committed.

use std::collections::BTreeSet;
use std::path::Path;

use actix_web::http::header::{ALLOW, AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grantkeeper_domain::secret::SecretHash;
use grantkeeper_rest::{EXTERNAL_AUTH_ROUTES, EXTERNAL_OAUTH_ROUTES, LOGIN_ROUTES, PAGES};
use serde_json::{Value, json};

use crate::described::{DESCRIPTION, Operation, resolved};
use crate::schema::fits;
use crate::service::{BASE, Service};

#[actix_web::test]
async fn the_committed_document_is_the_one_that_is_served() {
    let served = Service::start().await.send(TestRequest::get().uri("/openapi.json")).await;
    assert_eq!(served.header(CONTENT_TYPE), "application/json");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &served.body).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    // Not `assert_eq`, which would print both.
    assert!(
        committed == served.body,
        "docs/openapi.json is out of date: renew it with `just openapi` and commit it"
    );
}

#[test]
fn every_path_of_the_router_is_described_or_a_page() {
    let described: BTreeSet<String> = Operation::all().map(|operation| operation.path.to_owned()).collect();
    let mut routed: BTreeSet<String> =
        EXTERNAL_OAUTH_ROUTES.iter().map(|(_, path)| format!("{BASE}{path}/")).collect();
    routed.extend(EXTERNAL_AUTH_ROUTES.iter().map(|(_, path)| (*path).to_owned()));
    routed.extend(LOGIN_ROUTES.iter().map(|(_, path)| (*path).to_owned()));
    routed.extend(["/api/v2/version/", "/healthz", "/readyz", "/openapi.json"].map(str::to_owned));
    assert_eq!(described, routed);
    // Whatever the sources route besides is one of the pages.
    let pages: Vec<&str> = PAGES.iter().map(|(_, path, _)| *path).chain(["/docs"]).collect();
    for path in paths_in_sources() {
        let full = [path.clone(), format!("{path}/"), format!("{BASE}{path}/")];
        let known = full.iter().any(|path| described.contains(path)) || pages.contains(&path.as_str());
        assert!(known, "{path} is neither described nor a page");
    }
}

/// The literals in the sources that are paths.
fn paths_in_sources() -> BTreeSet<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut paths = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(path).unwrap();
                let lines = source.split("#[cfg(test)]").next().unwrap_or_default().lines();
                paths.extend(lines.filter(|line| routes(line)).filter_map(path_in));
            }
        }
    }
    paths
}

/// Whether a line of code declares a route.
fn routes(line: &str) -> bool {
    let line = line.trim_start();
    let called = ["resource(\"/", ".route(\"/", "scope(\"/"].iter().any(|call| line.contains(call));
    let in_table = line.starts_with("\"/") && line.contains("=> {");
    let of_pages = ["get \"/", "post \"/", "put \"/", "patch \"/", "delete \"/", "head \"/"];
    let named = line.contains(": &str = \"/");
    called || in_table || named || of_pages.iter().any(|start| line.starts_with(start))
}

fn path_in(line: &str) -> Option<String> {
    Some(format!("/{}", line.split_once("\"/")?.1.split_once('"')?.0))
}

#[actix_web::test]
async fn what_is_not_described_is_not_taken() {
    let service = Service::start().await;
    let methods = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    for (path, item) in DESCRIPTION["paths"].as_object().unwrap() {
        let described: BTreeSet<String> =
            item.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        for method in &methods {
            let request = TestRequest::default()
                .method(method.clone())
                .uri(&path.replace("{id}", "x"))
                .insert_header((AUTHORIZATION, format!("Bearer {}", service.admin)));
            let answer = service.send(request).await;
            let is_login = LOGIN_ROUTES.iter().any(|(_, login)| login == path);
            let refused = if is_login { StatusCode::BAD_REQUEST } else { StatusCode::METHOD_NOT_ALLOWED };
            if described.contains(method.as_str()) {
                assert_eq!(answer.header(ALLOW), "", "{method} {path}");
            } else {
                assert_eq!(answer.status, refused, "{method} {path}");
                let allowed = answer.header(ALLOW).split(", ").map(str::to_owned).collect();
                assert_eq!(described, allowed, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn a_described_body_has_just_the_members_that_are_read() {
    let service = Service::start().await;
    let id = service.register().await;
    for operation in Operation::all() {
        let Some(schema) = operation.value.pointer("/requestBody/content/application~1json/schema") else {
            continue;
        };
        let schema = resolved(schema);
        // The other API passes by what it does not know.
        let Some(path) = operation.path.strip_prefix(BASE) else { continue };
        let path = path.replace("{id}", &id);
        let method = operation.method.to_uppercase();
        let at_fault = async |body| {
            let answer = service.call(&service.admin, &method, &path, Some(body)).await;
            let fields = answer.json()["errorFields"].as_array().cloned().unwrap_or_default();
            let faults = fields.iter().map(|field| (field["name"].clone(), field["message"].clone()));
            faults.map(|(name, message)| (text(&name), text(&message))).collect::<BTreeSet<_>>()
        };
        let names = |faults: BTreeSet<(String, String)>| {
            faults.into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>()
        };
        let required = schema["required"].as_array().into_iter().flatten().map(text).collect::<BTreeSet<_>>();
        assert_eq!(names(at_fault(json!({})).await), required, "{method} {path}");
        let wrong: Value =
            schema["properties"].as_object().unwrap().keys().map(|name| (name.clone(), json!({}))).collect();
        let faults = at_fault(wrong.clone()).await;
        for (name, message) in &faults {
            assert!(message.starts_with("must be"), "{method} {path}: {name} {message}");
        }
        assert_eq!(names(faults).len(), wrong.as_object().unwrap().len(), "{method} {path}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn every_example_fits_its_schema() {
    let mut seen = 0;
    let mut waiting = vec![&*DESCRIPTION];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => waiting.extend(members.values()),
            _ => continue,
        }
        if !value["schema"].is_object() {
            continue;
        }
        let several =
            value["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        for example in value.get("example").into_iter().chain(several) {
            fits(&value["schema"], example).unwrap_or_else(|wrong| panic!("{wrong}: {example:#}"));
            seen += 1;
        }
    }
    assert!(seen > 30, "every body has one: {seen}");
}

#[test]
fn every_operation_has_a_stable_id_and_says_what_it_does() {
    let mut ids = BTreeSet::new();
    for Operation { path, value, .. } in Operation::all() {
        let id = text(&value["operationId"]);
        let is_camel_case =
            id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(is_camel_case, "{path}: {id}");
        assert!(!text(&value["summary"]).is_empty(), "{path}");
        assert!(ids.insert(id), "{path}: its id is taken");
    }
    for Operation { path, value, .. } in Operation::all() {
        for (_, response) in value["responses"].as_object().unwrap() {
            for (_, link) in response["links"].as_object().into_iter().flatten() {
                assert!(ids.contains(&text(&link["operationId"])), "{path}: {link}");
            }
        }
    }
}

#[test]
fn the_document_names_no_host() {
    assert_eq!(DESCRIPTION["servers"], json!([{ "url": "/" }]));
    assert_eq!(DESCRIPTION["openapi"], "3.1.0");
    assert_eq!(DESCRIPTION["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[actix_web::test]
async fn the_page_has_every_operation_and_nothing_from_elsewhere() {
    let page = Service::start().await.send(TestRequest::get().uri("/docs")).await;
    assert_eq!((page.status, page.header(CONTENT_TYPE)), (StatusCode::OK, "text/html; charset=utf-8"));
    for Operation { value, .. } in Operation::all() {
        let id = text(&value["operationId"]);
        assert!(page.body.contains(&format!("<article id=\"{id}\"")), "{id}");
    }
    for elsewhere in ["src=", "href=\"http", "href=\"//", "url(", "@import", "fetch("] {
        assert!(!page.body.contains(elsewhere), "{elsewhere}");
    }
    // A link inside the page leads to something.
    for link in page.body.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.body.contains(&format!("id=\"{link}\"")), "#{link}");
    }
}

#[actix_web::test]
async fn the_page_runs_no_script_and_has_no_style_but_its_own() {
    let page = Service::start().await.send(TestRequest::get().uri("/docs")).await;
    let policy = page.header(CONTENT_SECURITY_POLICY);
    for (directive, element) in [("style-src", "style"), ("script-src", "script")] {
        let (opening, closing) = (format!("<{element}>"), format!("</{element}>"));
        let mut parts = page.body.split(&opening);
        let content = parts.nth(1).unwrap().split(&closing).next().unwrap();
        assert_eq!(parts.next(), None, "one {element}");
        let digest = SecretHash::of(content);
        let bytes = (0..32).map(|i| u8::from_str_radix(&digest.as_str()[2 * i..2 * i + 2], 16).unwrap());
        let hash = STANDARD.encode(bytes.collect::<Vec<u8>>());
        let allowed = format!("{directive} 'sha256-{hash}'");
        assert!(policy.split("; ").any(|directive| directive == allowed), "{policy} lacks {allowed}");
    }
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    // What stands in attributes would need more than a hash.
    for tag in page.body.split('<').filter_map(|rest| rest.split('>').next()) {
        assert!(!tag.contains(" style=") && !tag.contains(" on"), "{tag}");
    }
}
