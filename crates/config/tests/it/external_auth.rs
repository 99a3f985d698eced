//! `[external_auth]`.

use std::time::Duration;

use grantkeeper_config::ExternalAuth;

use crate::support::{from_environment, from_file, from_overrides};

const LISTEN_LIMIT: &str = "external_auth.listen_limit";

#[test]
fn tokens_stay_out_of_urls_and_machines_wait_for_five_minutes() {
    let settings = from_overrides(&[]).unwrap();
    let expected = ExternalAuth { tokens_in_query: false, listen_limit: Duration::from_secs(300) };
    assert_eq!(settings.external_auth, expected);
    assert_eq!(settings.warnings, Vec::<String>::new());
}

#[test]
fn the_file_and_the_environment_say_otherwise() {
    let expected = ExternalAuth { tokens_in_query: true, listen_limit: Duration::from_secs(45) };
    let file = from_file("[external_auth]\ntokens_in_query = true\nlisten_limit = 45\n").unwrap();
    assert_eq!(file.external_auth, expected);
    let environment = from_environment(&[
        ("GRANTKEEPER_EXTERNAL_AUTH__TOKENS_IN_QUERY", "true"),
        ("GRANTKEEPER_EXTERNAL_AUTH__LISTEN_LIMIT", "45"),
    ]);
    assert_eq!(environment.unwrap().external_auth, expected);
}

#[test]
fn a_wait_lasts_from_a_second_to_an_hour() {
    for seconds in [1, 3_600] {
        let settings = from_overrides(&[(LISTEN_LIMIT, &seconds.to_string())]).unwrap();
        assert_eq!(settings.external_auth.listen_limit, Duration::from_secs(seconds));
    }
}

#[test]
fn tokens_in_urls_are_warned_of() {
    let settings = from_overrides(&[("external_auth.tokens_in_query", "true")]).unwrap();
    let [warning] = settings.warnings.as_slice() else { panic!("{:?}", settings.warnings) };
    assert!(warning.starts_with("external_auth.tokens_in_query is on"), "{warning}");
}
