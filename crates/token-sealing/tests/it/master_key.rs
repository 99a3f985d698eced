//! The text form of the operator's key.

use grantkeeper_token_sealing::{MasterKey, ParseKeyError};
use proptest::prelude::*;

use crate::support::master_key;

fn refusal(text: &str) -> ParseKeyError {
    match MasterKey::parse(text) {
        Ok(_) => panic!("{text:?} was taken for a key"),
        Err(error) => error,
    }
}

#[test]
fn the_text_form_round_trips() {
    let key = master_key(1);
    let text = key.to_text();
    assert_eq!(text.expose().len(), "gkk_".len() + 43);
    let again = MasterKey::parse(text.expose()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.id(), key.id());
    assert_eq!(again.to_text().expose(), text.expose());
}

#[test]
fn white_space_around_a_key_is_left_out() {
    let key = master_key(1);
    let text = format!("  {}\r\n", key.to_text().expose());
    assert_eq!(MasterKey::parse(&text).unwrap_or_else(|error| panic!("{error}")).id(), key.id());
}

#[test]
fn keys_differ_and_so_do_their_ids() {
    let (one, other) = (master_key(1), master_key(2));
    assert_ne!(one.to_text().expose(), other.to_text().expose());
    assert_ne!(one.id(), other.id());
}

#[test]
fn a_text_that_is_not_a_key_says_why() {
    let key = master_key(1).to_text();
    let key = key.expose();
    let table = [
        ("", ParseKeyError::Missing),
        (" \n", ParseKeyError::Missing),
        ("gkk_", ParseKeyError::Length { found: 0 }),
        (&key[..key.len() - 1], ParseKeyError::Length { found: 31 }),
        (&key[..20], ParseKeyError::Length { found: 12 }),
        (&format!("{key}A"), ParseKeyError::Length { found: 33 }),
        (&key["gkk_".len()..], ParseKeyError::Prefix),
        (&key.to_uppercase(), ParseKeyError::Prefix),
        (&format!("{key}="), ParseKeyError::NotBase64Url),
        (&key.replacen("gkk_", "gkk_+", 1), ParseKeyError::NotBase64Url),
        (&format!("{} {}", &key[..9], &key[9..]), ParseKeyError::NotBase64Url),
        // The last character of 43 has two bits to spare; they must not make a second spelling.
        (&format!("gkk_{}B", "A".repeat(42)), ParseKeyError::NotBase64Url),
    ];
    for (text, expected) in table {
        assert_eq!(refusal(text), expected, "{text:?}");
    }
}

#[test]
fn a_short_key_says_how_many_bytes_there_are() {
    assert_eq!(refusal("gkk_c2hvcnQ").to_string(), "the key has 5 bytes where 32 are needed");
}

proptest! {
    #[test]
    fn errors_do_not_hold_what_was_read(text in "(gkk_)?[A-Za-z0-9_+/=-]{12,60}") {
        if let Err(error) = MasterKey::parse(&text) {
            let said = format!("{error} {error:?}");
            let encoded = text.strip_prefix("gkk_").unwrap_or(&text);
            for window in encoded.as_bytes().windows(8) {
                let part = std::str::from_utf8(window).unwrap();
                prop_assert!(!said.contains(part), "{said:?} holds {part:?}");
            }
        }
    }
}
