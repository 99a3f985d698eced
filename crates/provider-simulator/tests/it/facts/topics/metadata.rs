//! Metadata documents: they name the real issuer, and endpoints of the simulator.

use reqwest::StatusCode;

use super::super::deployment::Deployment;

pub(crate) async fn check(name: &str) {
    let deployment = Deployment::open(name).await;
    for row in &deployment.facts.metadata {
        let answer = deployment.get_anonymously(&row.path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", row.path);
        let document = answer.json();
        let issuer = row.issuer.replace("{origin}", deployment.origin());
        assert_eq!(document["issuer"], issuer, "{}", row.path);
        for (name, path) in &row.endpoints {
            assert_eq!(document[name], format!("{}{path}", deployment.origin()), "{}: {name}", row.path);
        }
        for (name, values) in &row.contains {
            let listed = document[name].as_array().unwrap_or_else(|| panic!("{}: no {name}", row.path));
            for value in values {
                assert!(listed.iter().any(|one| one == value), "{}: {name} without {value}", row.path);
            }
        }
        for name in &row.absent {
            assert!(document.get(name).is_none(), "{}: there is {name}", row.path);
        }
    }
}
