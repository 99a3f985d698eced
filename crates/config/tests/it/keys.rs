//! The operator's key: where it may be, and that it is never shown.

use grantkeeper_config::Settings;

use crate::support::{SettingsFile, from_environment, from_file, from_overrides, lines, pairs};

const KEY: &str = "gkk_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U";

fn key_of(settings: &Settings) -> String {
    settings.keys.text().expect("there is a key").expose().to_owned()
}

#[test]
fn a_key_comes_from_the_environment_or_the_file() {
    let from_short = from_environment(&[("GRANTKEEPER_KEY", KEY)]).unwrap();
    let from_long = from_environment(&[("GRANTKEEPER_KEYS__KEY", KEY)]).unwrap();
    let from_file = from_file(&format!("[keys]\nkey = \"{KEY}\"\n")).unwrap();
    for settings in [from_short, from_long, from_file] {
        assert_eq!(key_of(&settings), KEY);
        assert_eq!(settings.keys.file(), None);
    }
}

#[test]
fn a_key_comes_from_a_file_of_its_own() {
    let key_file = SettingsFile::new(&format!("{KEY}\n"));
    let path = key_file.path.to_str().unwrap();
    for variable in ["GRANTKEEPER_KEY_FILE", "GRANTKEEPER_KEYS__FILE"] {
        let settings = from_environment(&[(variable, path)]).unwrap();
        assert_eq!(settings.keys.file(), Some(key_file.path.as_path()));
        assert_eq!(key_of(&settings), format!("{KEY}\n"));
    }
}

#[test]
fn serving_needs_a_key_and_a_public_url() {
    let nothing = from_overrides(&[]).unwrap();
    assert_eq!(
        nothing.for_serving().unwrap_err().to_string(),
        "public_url: not given; set it, or GRANTKEEPER_PUBLIC_URL, to the origin that browsers reach this service \
         at, such as https://auth.example.com\n\
         keys: there is no key, and secrets are never kept in plaintext; make one with `grantkeeper key generate` \
         and give its file as keys.file or GRANTKEEPER_KEY_FILE, or the key itself as GRANTKEEPER_KEY"
    );
    let both = [("GRANTKEEPER_PUBLIC_URL", "https://auth.example.com"), ("GRANTKEEPER_KEY", KEY)];
    let both = from_environment(&both).unwrap();
    let (public_url, key) = both.for_serving().unwrap();
    assert_eq!((public_url.as_str(), key.expose()), ("https://auth.example.com", KEY));
}

#[test]
fn a_key_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("key");
    let binary = folder.path().join("binary");
    std::fs::write(&binary, [0xff; 32]).unwrap();
    let long = folder.path().join("long");
    std::fs::write(&long, "x".repeat(2_000)).unwrap();

    let table = [
        (
            &missing,
            format!("there is no file {}; make a key with `grantkeeper key generate`", missing.display()),
        ),
        (&binary, format!("{} cannot be read: stream did not contain valid UTF-8", binary.display())),
        (&long, format!("{} is too long for a key file", long.display())),
    ];
    for (path, message) in table {
        let settings = from_environment(&[("GRANTKEEPER_KEY_FILE", path.to_str().unwrap())]).unwrap();
        let error = settings.keys.text().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("keys.file (environment variable GRANTKEEPER_KEY_FILE): {message}")
        );
    }
}

#[test]
fn two_keys_are_one_too_many() {
    let file = SettingsFile::new("[keys]\nfile = \"key\"\n");
    let environment = pairs(&[("GRANTKEEPER_KEY", KEY)]);
    assert_eq!(
        lines(Settings::load(Some(&file.path), environment.into_iter(), &[])),
        [
            "keys.file (file grantkeeper.toml): keys.key is also given (environment variable GRANTKEEPER_KEY): keep \
          one of them"
        ]
    );
    assert_eq!(
        lines(from_environment(&[("GRANTKEEPER_KEY", KEY), ("GRANTKEEPER_KEYS__KEY", KEY)])),
        ["keys.key (environment variable GRANTKEEPER_KEYS__KEY): also given by environment variable \
          GRANTKEEPER_KEY: keep one of them"]
    );
}

#[test]
fn a_key_is_not_taken_from_a_flag() {
    assert_eq!(
        lines(from_overrides(&[("keys.key", KEY)])),
        [
            "keys.key (flag): a flag can be read by every user of this machine; use GRANTKEEPER_KEY or keys.file"
        ]
    );
}

#[test]
fn a_key_in_place_of_a_path_is_not_repeated() {
    assert_eq!(
        lines(from_environment(&[("GRANTKEEPER_KEY_FILE", KEY)])),
        [
            "keys.file (environment variable GRANTKEEPER_KEY_FILE): this is a key where the path of a file is wanted; \
          give the key as GRANTKEEPER_KEY"
        ]
    );
}

#[test]
fn debug_shows_neither_the_key_nor_the_database() {
    let settings = from_environment(&[
        ("GRANTKEEPER_KEY", KEY),
        ("GRANTKEEPER_DATABASE_URL", "sqlite:///var/lib/private.db"),
    ])
    .unwrap();
    let shown = format!("{settings:?} {settings:#?} {:?}", settings.keys.text());
    assert!(!shown.contains(&KEY[4..12]) && !shown.contains("private"), "{shown}");
    assert!(shown.contains("KeyText(…)") && shown.contains("DatabaseUrl(sqlite:…)"), "{shown}");
}

#[test]
fn no_error_shows_the_key_that_stands_beside_it() {
    let broken = [
        format!("[keys]\nkey = {KEY}\n"),
        format!("[keys]\nkey = \"{KEY}\n"),
        format!("[keys]\nkey = '{KEY}\"\n"),
        format!("[keys]\nkey = \"{KEY}\" \"\n"),
        format!("[keys]\nkey \"{KEY}\"\n"),
        format!("[keys]\n\"{KEY}\"\n"),
        format!("[keys]\nkey = \"{KEY}\"\nkey = \"{KEY}\"\n"),
        format!("[keys]\nkey = [\"{KEY}\"]\n"),
        format!("[keys]\nkeys = \"{KEY}\"\n"),
        format!("keys = \"{KEY}\"\n"),
        format!("[keys.key]\na = \"{KEY}\"\n"),
    ];
    for text in broken {
        let error = from_file(&text).expect_err(&text);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&KEY[4..12]), "{text}: {shown}");
    }
}

#[cfg(unix)]
#[test]
fn files_with_a_key_that_others_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let chmod = |file: &SettingsFile, mode| {
        std::fs::set_permissions(&file.path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let load = |file: &SettingsFile, variables: &[(&str, &str)]| {
        Settings::load(Some(&file.path), pairs(variables).into_iter(), &[]).unwrap().warnings
    };
    let warning = |key, file: &SettingsFile, mode| {
        let path = file.path.display();
        vec![format!(
            "{key}: {path} can be read by other users of this machine (mode {mode}); run chmod 600 {path}"
        )]
    };
    let nothing = Vec::<String>::new();

    let key_file = SettingsFile::new(KEY);
    let settings_file = SettingsFile::new(&format!("[keys]\nfile = \"{}\"\n", key_file.path.display()));
    for (mode, expected) in [(0o600, nothing.clone()), (0o644, warning("keys.file", &key_file, "644"))] {
        chmod(&key_file, mode);
        assert_eq!(load(&settings_file, &[]), expected);
    }

    let with_key = SettingsFile::new(&format!("[keys]\nkey = \"{KEY}\"\n"));
    for (mode, expected) in [(0o600, nothing.clone()), (0o640, warning("keys.key", &with_key, "640"))] {
        chmod(&with_key, mode);
        assert_eq!(load(&with_key, &[]), expected);
    }

    // The key is elsewhere: the settings may be read by anybody.
    let without_key = SettingsFile::new("workers = 1\n");
    chmod(&without_key, 0o644);
    assert_eq!(load(&without_key, &[("GRANTKEEPER_KEY", KEY)]), nothing);
}
