use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::fixtures::provider;

fn remote(text: &str) -> GitRemote {
    GitRemote::parse(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
}

fn host(text: &str) -> GitHost {
    GitHost::parse(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
}

/// Host, port and path of a remote.
fn place(text: &str) -> (String, Option<u16>, String) {
    let Place { host, port, path } = remote(text).place;
    (host, port, path.join("/"))
}

fn at(host: &str, port: Option<u16>, path: &str) -> (String, Option<u16>, String) {
    (host.to_owned(), port, path.to_owned())
}

#[test]
fn every_spelling_that_git_takes_is_read() {
    let app = || at("git.example", None, "acme/app");
    for text in [
        "https://git.example/acme/app.git",
        "https://git.example/acme/app",
        "https://git.example/acme/app/",
        "https://git.example/acme/app.git/",
        "https://git.example//acme//app.git",
        "https://GIT.Example/acme/app.git",
        "HTTPS://git.example./acme/app.git",
        "https://ada@git.example/acme/app.git",
        "https://ada:hush@git.example/acme/app.git",
        "http://git.example/acme/app.git",
        "ssh://git@git.example/acme/app.git",
        "git+ssh://git@git.example/acme/app.git",
        "git@git.example:acme/app.git",
        "git@git.example:/acme/app.git",
        "git.example:acme/app.git",
        "git.example/acme/app.git",
        "  https://git.example/acme/app.git\n",
        "https://git.example/acme/other/../app.git",
    ] {
        assert_eq!(place(text), app(), "{text:?}");
    }
    for (text, expected) in [
        ("https://git.example:8443/acme/app", at("git.example", Some(8443), "acme/app")),
        ("https://git.example:443/acme/app", at("git.example", Some(443), "acme/app")),
        ("ssh://git@git.example:2222/acme/app", at("git.example", Some(2222), "acme/app")),
        ("git.example:8443", at("git.example", Some(8443), "")),
        ("git.example", at("git.example", None, "")),
        ("https://git.example", at("git.example", None, "")),
        ("https://git.example/", at("git.example", None, "")),
        ("https://[2001:DB8::1]/app", at("[2001:db8::1]", None, "app")),
        ("https://[2001:db8::1]:8443/app", at("[2001:db8::1]", Some(8443), "app")),
        ("git@[2001:db8::1]:acme/app", at("[2001:db8::1]", None, "acme/app")),
        ("[::1]:8080", at("[::1]", Some(8080), "")),
        // A path that begins with a number, as ssh reads it.
        ("git@git.example:1234/app.git", at("git.example", None, "1234/app")),
        ("https://git.example/acme/my%20app", at("git.example", None, "acme/my%20app")),
        ("https://xn--bcher-kva.example/app", at("xn--bcher-kva.example", None, "app")),
    ] {
        assert_eq!(place(text), expected, "{text:?}");
    }
}

#[test]
fn what_is_no_remote_is_told() {
    for text in [
        "",
        " ",
        "/srv/app.git",
        "./app",
        "../app",
        "https://",
        "https:///acme/app",
        "https://@/acme",
        "https://git.example:70000/app",
        "https://git.example:+443/app",
        "https://git.example:44x/app",
        "https://git.example/a b",
        "https://git.example/a\nhost=evil.example",
        "https://git.example/a\rb",
        "https://git.example\u{0}.evil.example/a",
        "https://git.example\t/a",
        "https://[::1/app",
        "https://git.example../app",
        "https://git..example/app",
        "https://.git.example/app",
        "https://0../app",
        "::1/app",
        &format!("https://git.example/{}", "a".repeat(3000)),
    ] {
        assert_eq!(GitRemote::parse(text), Err(GitRemoteError::Malformed), "{text:?}");
    }
    for text in ["file:///srv/app.git", "git://git.example/app", "ftp://git.example/app", "://git.example"] {
        assert_eq!(GitRemote::parse(text), Err(GitRemoteError::Transport), "{text:?}");
    }
}

#[test]
fn a_host_in_disguise_is_none() {
    for text in [
        "https://github.com\\@evil.example/app",
        "https://evil.example\\.github.com/app",
        "https://github.com%2eevil.example/app",
        "https://github.com%40evil.example/app",
        "https://github.com%00.evil.example/app",
        "https://evil.example?@github.com/app",
        "https://evil.example#@github.com/app",
        "https://ｇithub.com/app",
        "https://github。com/app",
        "https://git\u{ad}hub.com/app",
        "https://gıthub.com/app",
        "git@ｇithub.com:acme/app",
        "https://git.example/acme%2f..%2Fother/app",
        "https://git.example/acme%5Capp",
    ] {
        assert_eq!(GitRemote::parse(text), Err(GitRemoteError::Malformed), "{text:?}");
    }
    // What stands before the last `@` is a user, however much it looks like a host.
    for text in [
        "https://github.com@evil.example/acme/app",
        "https://github.com:443@evil.example/acme/app",
        "https://github.com@github.com@evil.example/acme/app",
        "ssh://github.com@evil.example/acme/app",
        "github.com@evil.example:acme/app",
    ] {
        assert_eq!(place(text), at("evil.example", None, "acme/app"), "{text:?}");
        assert_eq!(host("github.com").fit(&remote(text)), None, "{text:?}");
    }
    for text in [
        "https://github.com.evil.example/app",
        "https://evilgithub.com/app",
        "https://evil.example/github.com/app",
        "evil.example:github.com/app",
        "evil.example:x]@github.com/app",
        "https://evil.example/@github.com/app",
        "https://https://github.com/app",
    ] {
        assert_eq!(host("github.com").fit(&remote(text)), None, "{text:?}");
    }
}

#[test]
fn a_path_does_not_climb_out_of_its_place() {
    let acme = host("git.example/acme");
    for (text, fits) in [
        ("https://git.example/acme/app", true),
        ("https://git.example/acme", true),
        ("https://git.example/ACME/app", true),
        ("https://git.example/acme/../other/app", false),
        ("https://git.example/acme/%2e%2e/other/app", false),
        ("https://git.example/other/../acme/app", true),
        ("https://git.example/acme-evil/app", false),
        ("https://git.example/other/acme/app", false),
        ("git@git.example:acme/../other/app", false),
    ] {
        assert_eq!(acme.fit(&remote(text)).is_some(), fits, "{text:?}");
    }
}

#[test]
fn the_longer_place_fits_better_and_a_host_alone_may_be_meant() {
    let fit = |place: &str, text: &str| host(place).fit(&remote(text));
    let app = "https://git.example/acme/tools/app";
    assert_eq!(fit("git.example", app), Some(Fit::ByPath(0)));
    assert_eq!(fit("git.example/acme", app), Some(Fit::ByPath(1)));
    assert_eq!(fit("git.example/acme/tools", app), Some(Fit::ByPath(2)));
    assert_eq!(fit("git.example/acme/tools/app/more", app), None);
    assert_eq!(fit("git.example/acme", "https://git.example"), Some(Fit::ByHost));
    assert_eq!(fit("git.example", "https://git.example"), Some(Fit::ByPath(0)));
    assert!(Fit::ByHost < Fit::ByPath(0) && Fit::ByPath(0) < Fit::ByPath(1));
}

#[test]
fn a_port_belongs_to_the_place_unless_ssh_has_its_own() {
    for (place, text, fits) in [
        ("git.example", "https://git.example:443/app", true),
        ("git.example:443", "https://git.example/app", true),
        ("git.example", "https://git.example:8443/app", false),
        ("git.example:8443", "https://git.example/app", false),
        ("git.example:8443", "https://git.example:8443/app", true),
        ("git.example:8443", "git.example:8443", true),
        ("git.example:8443", "ssh://git@git.example:2222/app", true),
        ("git.example:8443", "git@git.example:app", true),
        ("http://127.0.0.1:9099", "http://127.0.0.1:9099/app", true),
        ("http://127.0.0.1", "http://127.0.0.1:80/app", true),
        ("http://127.0.0.1:9099", "http://127.0.0.1:9098/app", false),
    ] {
        assert_eq!(host(place).fit(&remote(text)).is_some(), fits, "{place} {text}");
    }
}

#[test]
fn a_token_that_is_meant_for_https_is_not_for_plain_http() {
    for (place, text) in [
        ("git.example", "http://git.example/app"),
        ("git.example", "http://git.example:443/app"),
        ("git.example:80", "http://git.example/app"),
        ("http://localhost:9099", "https://localhost:9099/app"),
    ] {
        assert_eq!(host(place).fit(&remote(text)), None, "{place} {text}");
    }
}

#[test]
fn hosts_that_speak_ssh_for_another_are_that_other_by_ssh_alone() {
    for (alias, of) in SSH_ALIASES {
        for text in [format!("ssh://git@{alias}:443/acme/app"), format!("git@{alias}:acme/app")] {
            assert!(host(of).fit(&remote(&text)).is_some(), "{text}");
        }
        assert_eq!(host(of).fit(&remote(&format!("https://{alias}/acme/app"))), None, "{alias}");
    }
}

#[test]
fn a_place_is_a_host_with_a_port_and_a_path_where_need_be() {
    for (text, shown) in [
        ("git.example", "git.example"),
        (" https://Git.Example./ ", "git.example"),
        ("git.example:8443/acme/", "git.example:8443/acme"),
        ("git.example/acme/app.git", "git.example/acme/app"),
        ("git.example/app.git.git/.git", "git.example/app"),
        ("git.example/acme/..git", "git.example/acme/..git"),
        ("git.example/acme/%2E.git", "git.example/acme/..git"),
        ("git.example/%61cme/%41%2d%5F%7e%20%c3%A9", "git.example/acme/A-_~%20%c3%A9"),
        ("HTTPS://git.example", "git.example"),
        ("Http://localhost", "http://localhost"),
        ("http://localhost:9099/git", "http://localhost:9099/git"),
        ("http://127.8.8.8", "http://127.8.8.8"),
        ("http://[::1]:9099", "http://[::1]:9099"),
    ] {
        assert_eq!(host(text).to_string(), shown, "{text:?}");
    }
    for text in [
        "",
        "/acme",
        "git@git.example",
        "ada:hush@git.example",
        "git.example:acme/app",
        "git.example?acme",
        "git.example/a#b",
        "git.example/a?b",
        "git.example\\acme",
        "git.example acme",
        "git.example/a\nb",
        "*.git.example\u{0}",
        "ssh://git.example",
        "ftp://git.example",
        "git.example:70000",
        "bücher.example",
        "git.example/100%",
        "git.example/%zz",
        "git.example/%%32f",
        "git.example/%2",
        &"a".repeat(3000),
    ] {
        assert_eq!(GitHost::parse(text), Err(GitHostError::Malformed), "{text:?}");
    }
    for text in
        ["http://git.example", "http://10.0.0.1", "http://127.0.0.1.evil.example", "http://localhost.evil"]
    {
        assert_eq!(GitHost::parse(text), Err(GitHostError::PlainHttp), "{text:?}");
    }
}

#[test]
fn what_need_not_be_encoded_is_the_same_either_way() {
    let acme = host("git.example/acme");
    for text in
        ["https://git.example/%61cme/app", "https://git.example/acm%65/app", "git@git.example:%61cme/app"]
    {
        assert_eq!(acme.fit(&remote(text)), Some(Fit::ByPath(1)), "{text:?}");
        assert_eq!(host("git.example/%61%63me").fit(&remote(text)), Some(Fit::ByPath(1)), "{text:?}");
    }
    for text in ["https://git.example/acme%20/app", "https://git.example/%2561cme/app"] {
        assert_eq!(acme.fit(&remote(text)), None, "{text:?}");
    }
    for text in
        ["https://git.example/acme%2fapp", "https://git.example/acme%2Fapp", "https://git.example/%%32f"]
    {
        assert_eq!(GitRemote::parse(text), Err(GitRemoteError::Malformed), "{text:?}");
    }
}

#[test]
fn places_are_told_as_they_are_read() {
    let hosts = GitHosts::parse(["git.example", "https://other.example:8443/acme"]).unwrap();
    assert_eq!(hosts.to_texts(), ["git.example", "other.example:8443/acme"]);
    assert_eq!(GitHosts::parse(hosts.to_texts()).unwrap(), hosts);
    assert_eq!(GitHosts::parse(["git.example", "http://git.example"]), Err(GitHostError::PlainHttp));
    assert_eq!(GitHosts::parse(Vec::<String>::new()).unwrap(), GitHosts::default());
}

/// A provider of a type, registered like that, at an issuer.
fn registered(kind: ProviderKind, host: Option<&str>, issuer: &str, git_hosts: &[&str]) -> Provider {
    let mut at = Provider {
        kind,
        host: host.map(str::to_owned),
        git_hosts: GitHosts::parse(git_hosts).unwrap(),
        ..provider()
    };
    at.endpoints.issuer = issuer.to_owned();
    at
}

#[test]
fn where_a_providers_repositories_are_tells_the_organization_or_else_its_type_and_host() {
    let cloud = registered(ProviderKind::Github, None, "https://github.com", &[]);
    assert_eq!(cloud.fit(&remote("git@github.com:acme/app")), Some(Fit::ByPath(0)));
    assert_eq!(cloud.fit(&remote("https://gitlab.com/acme/app")), None);

    let own = Some("https://git.example:8443/git");
    let own = registered(ProviderKind::Gitlab, own, "https://git.example:8443/git", &[]);
    assert_eq!(own.fit(&remote("https://git.example:8443/git/acme/app")), Some(Fit::ByPath(1)));
    assert_eq!(own.fit(&remote("https://git.example:8443/acme/app")), None);

    let told =
        registered(ProviderKind::Github, None, "https://github.com", &["git.example", "git.example/acme"]);
    assert_eq!(told.fit(&remote("https://github.com/acme/app")), None, "what is told beats what is known");
    assert_eq!(told.fit(&remote("https://git.example/acme/app")), Some(Fit::ByPath(1)), "the better of both");

    for kind in [ProviderKind::Google, ProviderKind::Oidc, ProviderKind::Microsoft, ProviderKind::Box] {
        let other = registered(kind, None, "https://git.example", &[]);
        assert_eq!(other.fit(&remote("https://git.example/acme/app")), None, "{kind:?} has none");
        let told = registered(kind, None, "https://idp.example", &["git.example"]);
        assert!(told.fit(&remote("https://git.example/acme/app")).is_some(), "{kind:?} unless it is told");
    }
}

/// A place, and how it may be spelled.
#[derive(Clone, Debug)]
struct Spelling {
    host: String,
    shouted: bool,
    dot: bool,
    port: Option<u16>,
    user: Option<String>,
    path: Vec<String>,
    suffix: bool,
    slashes: usize,
    form: u8,
}

impl Spelling {
    fn text(&self) -> String {
        let mut host = if self.shouted { self.host.to_uppercase() } else { self.host.clone() };
        if self.dot {
            host.push('.');
        }
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let suffix = if self.suffix { ".git" } else { "" };
        let path = self.path.join("/") + suffix + &"/".repeat(self.slashes);
        match (self.form, self.port) {
            (0, _) => format!("https://{user}{host}{port}/{path}"),
            (1, _) => format!("ssh://{user}{host}{port}/{path}"),
            (2, _) => format!("Git+SSH://{user}{host}{port}//{path}"),
            // These have no place for a port.
            (3, None) => format!("{user}{host}:{path}"),
            (4, None) => format!("{user}{host}:/{path}"),
            (5, None) => format!("{user}{host}/{path}"),
            _ => format!("http://{user}{host}{port}/{path}"),
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    // Without the suffix that counts for nothing.
    "[a-z][a-zA-Z0-9_.-]{0,8}[A-Z0-9_]"
}

fn spellings() -> impl Strategy<Value = Spelling> {
    let host = "[a-z][a-z0-9]{0,8}(\\.[a-z][a-z0-9]{1,5}){0,3}";
    (
        (host, any::<bool>(), any::<bool>(), option::of(1_u16..)),
        (option::of("[a-zA-Z0-9._-]{1,8}"), vec(names(), 1..5), any::<bool>(), 0_usize..3, 0_u8..7),
    )
        .prop_map(|((host, shouted, dot, port), (user, path, suffix, slashes, form))| Spelling {
            host,
            shouted,
            dot,
            port,
            user,
            path,
            suffix,
            slashes,
            form,
        })
}

proptest! {
    #[test]
    fn any_spelling_of_one_place_is_that_place(spelling in spellings()) {
        let text = spelling.text();
        let Spelling { host, port, path, .. } = spelling;
        prop_assert_eq!(GitRemote::parse(&text).map(|remote| remote.place), Ok(Place { host, port, path }), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        let _ = GitRemote::parse(&text);
        let _ = GitHost::parse(&text);
    }

    #[test]
    fn any_text_of_the_marks_that_matter_keeps_to_the_rules(text in "[a-zA-Z0-9/:@.\\[\\]%?#+ -]{0,40}|(https?|ssh)://[a-z0-9/:@.\\[\\]%?#_-]{0,40}") {
        crate::fuzz::git_remote(text.as_bytes());
    }

    #[test]
    fn a_place_that_is_shown_is_read_as_itself(text in "[a-z0-9.]{1,12}(:[0-9]{1,5})?(/[a-zA-Z0-9.%~_\"<>{}|^-]{0,6}(\\.git)?){0,4}") {
        if let Ok(host) = GitHost::parse(&text) {
            prop_assert_eq!(GitHost::parse(&host.to_string()), Ok(host));
        }
    }
}
