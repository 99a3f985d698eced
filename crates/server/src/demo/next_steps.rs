//! What to try after the walk: lines that work as they are printed.

use std::fmt;

use super::stage::{LOGIN_PROVIDER, Scene};
use super::steps::LeftBehind;

/// The credentials for a git remote at GitHub, which the member has linked.
const BY_REMOTE: &str =
    "api/v2/workspaceagents/me/external-auth?match=https%3A%2F%2Fgithub.com%2Facme%2Fapp.git";

/// The lines.
pub(super) struct NextSteps<'a> {
    pub(super) scene: &'a Scene,
    pub(super) left_behind: &'a LeftBehind,
}

impl NextSteps<'_> {
    /// What each line does, and the arguments of curl.
    fn lines(&self) -> [(&'static str, String); 12] {
        let Self { scene, left_behind } = self;
        let api = format!("{}/api/v2/externalOAuth", scene.base_url);
        let admin = format!("-H 'Authorization: Bearer {}'", scene.cast.admin);
        let member = format!("-H 'Authorization: Bearer {}'", scene.cast.member);
        let agent = format!("-H 'Coder-Session-Token: {}'", scene.cast.agent);
        let stranger = format!("-H 'Authorization: Bearer {}'", scene.cast.stranger);
        let (test, oidc) = (&left_behind.test, &left_behind.oidc);
        [
            ("The providers", format!("{member} {api}/providers/")),
            ("What the member has authorized", format!("{member} {api}/authorizedProviders/")),
            ("An access token", format!("{member} -X POST {api}/authorizedProviders/{test}/token/")),
            (
                "One that lives for half an hour at least",
                format!("{member} -X POST '{api}/authorizedProviders/{oidc}/token/?min_ttl=1800'"),
            ),
            (
                "Link an account by hand: open the redirectUrl in a browser, sign in with the token of this line",
                format!("{member} -X POST {api}/providers/{}/authorize/", left_behind.oidc_provider),
            ),
            ("Whose account it is", format!("{member} {api}/authorizedProviders/{oidc}/userinfo/")),
            (
                "Sign in at GitHub: open the url in a browser, and poll /v1/login/oauth2/web/poll with the state",
                format!("'{}/v1/login/oauth2/web/authorize?provider={LOGIN_PROVIDER}'", scene.base_url),
            ),
            (
                "Count things, as an administrator",
                format!(
                    "{admin} -H 'Content-Type: application/json' -d '{{\"type\":\"STATS\"}}' {api}/jobs/"
                ),
            ),
            ("The jobs and what came of them", format!("{admin} {api}/jobs/")),
            ("A stranger sees nothing of it", format!("{stranger} {api}/authorizedProviders/{test}/")),
            ("What the provider was asked", format!("{}/control/stats", scene.simulator_url)),
            ("What a workspace gets for a git remote", format!("{agent} '{}/{BY_REMOTE}'", scene.base_url)),
        ]
    }

    /// What git does with this program for a credential helper.
    fn asked_by_git(&self) -> String {
        let Scene { base_url, cast, .. } = self.scene;
        let program = std::env::current_exe();
        let program = program.map_or_else(|_| "grantkeeper".to_owned(), |path| path.display().to_string());
        format!(
            "printf 'protocol=https\\nhost=github.com\\n\\n' | GRANTKEEPER_URL={base_url} GRANTKEEPER_TOKEN={} '{program}' \
             git-credential get",
            cast.agent
        )
    }
}

impl fmt::Display for NextSteps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Now it serves on. What to try next:\n")?;
        for (what, arguments) in self.lines() {
            writeln!(f, "# {what}\ncurl -s {arguments}")?;
        }
        writeln!(f, "# The same as git asks for it\n{}", self.asked_by_git())?;
        let Self { scene, .. } = self;
        writeln!(
            f,
            "\nIn a browser: {}/external-auth has the links of the member, who signs in with",
            scene.base_url
        )?;
        write!(f, "    {}\n\nCtrl-C ends it.", scene.cast.member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cast::Cast;

    #[test]
    fn every_quote_is_closed_and_every_url_whole() {
        let scene = Scene {
            base_url: "http://127.0.0.1:8080".to_owned(),
            simulator_url: "http://127.0.0.1:9099".to_owned(),
            database: "sqlite::memory:".to_owned(),
            is_temporary: true,
            auto_consent: false,
            cast: Cast {
                admin: "gk_admin".to_owned(),
                member: "gk_member".to_owned(),
                agent: "gk_agent".to_owned(),
                stranger: "gk_stranger".to_owned(),
            },
        };
        let left_behind =
            LeftBehind { test: "t".to_owned(), oidc: "o".to_owned(), oidc_provider: "p".to_owned() };
        let next = NextSteps { scene: &scene, left_behind: &left_behind };
        for (what, arguments) in next.lines() {
            assert!(!what.contains(['\'', '"']), "not every shell takes the line for a comment: {what}");
            assert_eq!(arguments.matches('\'').count() % 2, 0, "{what}");
            assert_eq!(arguments.matches("http://127.0.0.1:").count(), 1, "{what}");
            // A shell would take these for itself.
            let unquoted: String = arguments.split('\'').step_by(2).collect();
            assert!(!unquoted.contains(['?', '&', '"', '{', '$']), "{what}: {unquoted}");
        }
        let line = next.asked_by_git();
        assert!(
            line.starts_with(r"printf 'protocol=https\nhost=github.com\n\n' | GRANTKEEPER_URL=http://"),
            "{line}"
        );
        assert!(
            line.ends_with("' git-credential get") && line.contains("GRANTKEEPER_TOKEN=gk_agent '/"),
            "{line}"
        );
    }
}
