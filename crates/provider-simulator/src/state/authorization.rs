//! The authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2).

use std::collections::BTreeMap;

use super::authorization_request::{AuthorizationRequest, Callback};
use super::code_grant::AuthorizationCode;
use super::families::Authorization;
use super::{Decision, ErrorCode, OAuthError, Provider, User, scopes};
use crate::dialect::Offline;
use crate::params::Params;
use crate::randomness;
use crate::settings::CallbackIss;
use crate::stats::AuthorizeCall;

/// The `login_hint` that refuses where nobody is asked.
const DENY: &str = "deny";

/// The issuer that a mix-up attacker would send.
const WRONG_ISSUER: &str = "https://attacker.example";

/// What becomes of an authorization request.
pub(crate) enum AuthorizationAnswer {
    /// The user has to be asked.
    Ask(ConsentQuestion),
    /// Back to the client, with a code or with an error.
    Redirect(String),
    /// It is not known where to send the user back to; this text is shown instead (RFC 6749 section 4.1.2.1).
    Refuse(&'static str),
}

/// What the user is asked.
pub(crate) struct ConsentQuestion {
    /// Goes with the answer; good for one.
    pub(crate) ticket: String,
    /// Who asks.
    pub(crate) client_id: String,
    /// What for.
    pub(crate) scopes: Vec<String>,
    /// Who may be at the keyboard; the first one is preselected.
    pub(crate) users: Vec<User>,
}

impl Provider {
    /// Takes an authorization request.
    pub(crate) fn authorize(
        &mut self,
        params: &Params,
        directory: Option<&'static str>,
    ) -> AuthorizationAnswer {
        self.note_authorize_call(params);
        let callback = match Callback::from_params(params) {
            Ok(callback) => callback,
            Err(reason) => return AuthorizationAnswer::Refuse(reason),
        };
        if scopes::parse(params.get("scope")).iter().any(|scope| self.refuses(scope)) {
            return AuthorizationAnswer::Refuse("invalid_scope: Some requested scopes were invalid.");
        }
        match AuthorizationRequest::from_params(callback.clone(), params, directory, self) {
            Err(error) => AuthorizationAnswer::Redirect(self.error_redirect(&callback, error)),
            Ok(request) if self.auto_consent => {
                let decision = self.decision_without_asking(request.login_hint.as_deref());
                AuthorizationAnswer::Redirect(self.conclude(request, decision))
            }
            Ok(request) if request.prompt.as_deref() == Some("none") => {
                let error = OAuthError::new(ErrorCode::InteractionRequired, "the user has to be asked");
                AuthorizationAnswer::Redirect(self.error_redirect(&callback, error))
            }
            Ok(request) => AuthorizationAnswer::Ask(self.ask(request)),
        }
    }

    /// Takes what the user decided; the ticket is used up by it. Without a ticket there is nowhere to redirect to.
    pub(crate) fn decide(&mut self, ticket: &str, decision: Decision) -> Option<String> {
        let request = self.questions.remove(ticket)?;
        Some(self.conclude(request, decision))
    }

    /// What happens where nobody is asked.
    pub(super) fn decision_without_asking(&self, login_hint: Option<&str>) -> Decision {
        match login_hint.or(self.settings.account.as_deref()) {
            Some(DENY) => Decision::Deny,
            Some(sub) => Decision::Approve(User::with_sub(sub)),
            None => Decision::Approve(User::default_user()),
        }
    }

    fn refuses(&self, scope: &str) -> bool {
        self.dialect.refused_scopes.contains(&scope)
    }

    fn note_authorize_call(&mut self, params: &Params) {
        let shown = params.iter().filter(|(name, _)| *name != "state");
        let params: BTreeMap<_, _> = shown.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let at = self.now();
        self.calls.authorize_calls.push(AuthorizeCall { at, params });
    }

    fn ask(&mut self, request: AuthorizationRequest) -> ConsentQuestion {
        let question = ConsentQuestion {
            ticket: randomness::secret(),
            client_id: request.callback.client_id.clone(),
            scopes: self.granted(&request.scopes),
            users: request.users(),
        };
        self.questions.insert(question.ticket.clone(), request);
        question
    }

    fn conclude(&mut self, request: AuthorizationRequest, decision: Decision) -> String {
        match decision {
            Decision::Approve(user) => {
                let callback = request.callback.clone();
                let scopes = self.granted_to(&request, &user);
                let more = (self.dialect.callback_members)(&scopes);
                let code = self.issue_code(request, user, scopes);
                let more = more.iter().map(|(name, value)| (*name, value.as_str()));
                let answer: Vec<_> = [("code", code.as_str())].into_iter().chain(more).collect();
                callback.answer(&answer, &self.callback_iss())
            }
            Decision::Deny => {
                let error = OAuthError::new(ErrorCode::AccessDenied, "the user refused");
                self.error_redirect(&request.callback, error)
            }
        }
    }

    fn issue_code(&mut self, request: AuthorizationRequest, user: User, scopes: Vec<String>) -> String {
        let code = self.mint_code(self.dialect.code);
        let redirect_uri = request.callback.redirect_uri.clone();
        let authorization = Authorization {
            offline: self.offline(&request, &user),
            client_id: Some(request.callback.client_id),
            public_client: false,
            user,
            asked: request.scopes,
            scopes,
            nonce: request.nonce,
            authenticated_at: self.now(),
            redirect_uri: Some(redirect_uri.clone()),
            directory: request.directory,
        };
        let expires_at = self.after(self.settings.code_lifetime);
        let record = AuthorizationCode::new(authorization, redirect_uri, request.challenge, expires_at);
        self.codes.insert(code.clone(), record);
        code
    }

    /// Whether a refresh token was asked for, where one has to ask.
    fn offline(&self, request: &AuthorizationRequest, user: &User) -> bool {
        match self.dialect.offline {
            Offline::Scope => scopes::contains(&request.scopes, "offline_access"),
            Offline::AccessType => {
                let consents = request.prompt.as_deref().is_some_and(|prompt| prompt.contains("consent"));
                request.offline
                    && (consents || self.former(&request.callback.client_id, user).next().is_none())
            }
        }
    }

    /// What the user has given the client and not taken back.
    fn former(&self, client_id: &str, user: &User) -> impl Iterator<Item = &Authorization> {
        let alive = self.families.iter().filter(|(_, family)| family.alive);
        let former = alive.map(|(_, family)| &family.authorization);
        former.filter(move |former| former.is_of(client_id) && former.user == *user)
    }

    fn granted_to(&self, request: &AuthorizationRequest, user: &User) -> Vec<String> {
        if !request.scopes.is_empty() || !self.dialect.scope_omitted_means_former {
            return self.granted(&request.scopes);
        }
        let former = self.former(&request.callback.client_id, user);
        let scopes: Vec<&str> = former.flat_map(|former| former.scopes.iter().map(String::as_str)).collect();
        self.granted(&scopes::parse(Some(&scopes.join(" "))))
    }

    /// The scopes that are granted when these are asked for.
    pub(super) fn granted(&self, asked: &[String]) -> Vec<String> {
        if self.settings.github_app {
            return Vec::new();
        }
        (self.dialect.granted)(self.settings.granted_scopes.as_deref().unwrap_or(asked))
    }

    fn error_redirect(&self, callback: &Callback, error: OAuthError) -> String {
        let answer = [("error", error.code.as_str()), ("error_description", error.description)];
        callback.answer(&answer, &self.callback_iss())
    }

    fn callback_iss(&self) -> Vec<&str> {
        match self.settings.callback_iss {
            CallbackIss::Absent => Vec::new(),
            CallbackIss::Correct => vec![&self.place.issuer],
            CallbackIss::Wrong => vec![WRONG_ISSUER],
            CallbackIss::Duplicate => vec![&self.place.issuer; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::dialect::{Dialect, PLAIN};
    use crate::state::testing::{Bench, REDIRECT_URI, bench, bench_with_people};

    fn ask(bench: &mut Bench, query: &str) -> AuthorizationAnswer {
        bench.provider.authorize(&Params::parse(query.as_bytes()), None)
    }

    fn redirect(bench: &mut Bench, query: &str) -> BTreeMap<String, String> {
        let AuthorizationAnswer::Redirect(url) = ask(bench, query) else { panic!("no redirect") };
        assert!(url.starts_with(REDIRECT_URI), "{url}");
        Url::parse(&url).expect("a URL").query_pairs().into_owned().collect()
    }

    fn query(rest: &str) -> String {
        format!("client_id=c&redirect_uri={REDIRECT_URI}&state=s1&{rest}")
    }

    #[test]
    fn consent_without_asking_answers_with_code_state_and_iss() {
        let answer = redirect(&mut bench(), &query("response_type=code"));
        assert!(answer["code"].starts_with("sim_code_"));
        assert_eq!(answer["state"], "s1");
        assert_eq!(answer["iss"], "http://sim.test");
    }

    #[test]
    fn the_iss_parameter_follows_the_setting() {
        let mut bench = bench();
        bench.provider.settings.callback_iss = CallbackIss::Absent;
        assert!(!redirect(&mut bench, &query("response_type=code")).contains_key("iss"));
        bench.provider.settings.callback_iss = CallbackIss::Wrong;
        assert_eq!(redirect(&mut bench, &query("response_type=code&login_hint=deny"))["iss"], WRONG_ISSUER);
    }

    #[test]
    fn mistakes_go_back_to_the_client() {
        let mut bench = bench();
        let challenge = "a".repeat(43);
        for (rest, error) in [
            ("scope=a".to_owned(), "invalid_request"),
            ("response_type=token".to_owned(), "unsupported_response_type"),
            ("response_type=code&scope=a&scope=b".to_owned(), "invalid_request"),
            (format!("response_type=code&code_challenge={challenge}"), "invalid_request"),
            (format!("response_type=code&login_hint={}", "x".repeat(256)), "invalid_request"),
            ("response_type=code&login_hint=deny".to_owned(), "access_denied"),
        ] {
            let answer = redirect(&mut bench, &query(&rest));
            assert_eq!((answer["error"].as_str(), answer["state"].as_str()), (error, "s1"), "{rest}");
            assert!(!answer.contains_key("code"));
        }
    }

    #[test]
    fn nobody_is_redirected_to_an_unsafe_place() {
        let mut bench = bench();
        for query in [
            format!("response_type=code&redirect_uri={REDIRECT_URI}"),
            "response_type=code&client_id=c".to_owned(),
            "response_type=code&client_id=c&redirect_uri=https://example.com/".to_owned(),
            format!("response_type=code&client_id=c&redirect_uri={REDIRECT_URI}&redirect_uri={REDIRECT_URI}"),
        ] {
            assert!(matches!(ask(&mut bench, &query), AuthorizationAnswer::Refuse(_)), "{query}");
        }
    }

    #[test]
    fn a_ticket_is_good_for_one_decision() {
        let mut bench = bench_with_people();
        let AuthorizationAnswer::Ask(question) = ask(&mut bench, &query("response_type=code&login_hint=eve"))
        else {
            panic!("not asked")
        };
        assert_eq!(question.users[0].sub, "eve");
        assert_eq!(question.users.len(), 4);
        let approve = Decision::Approve(question.users[0].clone());
        assert!(
            bench.provider.decide(&question.ticket, approve.clone()).is_some_and(|url| url.contains("code="))
        );
        assert!(bench.provider.decide(&question.ticket, approve).is_none());
    }

    #[test]
    fn prompt_none_asks_nobody() {
        let answer = redirect(&mut bench_with_people(), &query("response_type=code&prompt=none"));
        assert_eq!(answer["error"], "interaction_required");
    }

    #[test]
    fn calls_are_recorded_without_state() {
        let mut bench = bench();
        redirect(&mut bench, &query("response_type=code&prompt=consent"));
        let params = &bench.provider.stats().authorize_calls[0].params;
        assert_eq!(params["prompt"], "consent");
        assert!(!params.contains_key("state"));
    }

    #[test]
    fn the_iss_parameter_can_come_twice() {
        let mut bench = bench();
        bench.provider.settings.callback_iss = CallbackIss::Duplicate;
        let AuthorizationAnswer::Redirect(url) = ask(&mut bench, &query("response_type=code")) else {
            panic!("no redirect")
        };
        assert_eq!(url.matches("iss=").count(), 2);
    }

    #[test]
    fn the_account_of_the_settings_agrees_unless_another_one_is_hinted_at() {
        let mut bench = bench();
        bench.provider.settings.account = Some("1003".to_owned());
        let tokens = bench.tokens("profile");
        assert_eq!(bench.sub_of(&tokens.access_token).as_deref(), Some("1003"));
        let code = redirect(&mut bench, &query("response_type=code&login_hint=1002"))["code"].clone();
        assert!(bench.provider.codes.contains_key(&code));
        bench.provider.settings.account = Some("deny".to_owned());
        assert_eq!(redirect(&mut bench, &query("response_type=code"))["error"], "access_denied");
    }

    #[test]
    fn a_scope_that_is_refused_is_refused_on_a_page() {
        const STRICT: Dialect = Dialect { refused_scopes: &["offline_access"], ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &STRICT;
        let asked = query("response_type=code&scope=openid+offline_access");
        assert!(matches!(ask(&mut bench, &asked), AuthorizationAnswer::Refuse(_)));
    }

    #[test]
    fn where_offline_access_is_a_parameter_it_takes_the_first_consent_or_a_new_one() {
        const BY_PARAMETER: Dialect = Dialect { offline: Offline::AccessType, ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &BY_PARAMETER;
        bench.provider.settings.always_refresh_token = false;
        bench.client_id = "c".to_owned();
        let mut gives = |more: &str| {
            let asked = query(&format!("response_type=code{more}"));
            let code = redirect(&mut bench, &asked)["code"].clone();
            let tokens = bench.token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
            ]);
            tokens.expect("tokens").refresh_token.is_some()
        };
        assert!(gives("&access_type=offline"));
        assert!(!gives("&access_type=offline"));
        assert!(!gives("&prompt=consent"));
        assert!(gives("&access_type=offline&prompt=consent"));
    }

    #[test]
    fn where_a_scope_left_out_means_the_former_ones_they_come_back() {
        const FORMER: Dialect = Dialect { scope_omitted_means_former: true, ..PLAIN };
        let mut bench = bench();
        bench.provider.dialect = &FORMER;
        assert!(bench.tokens("").scopes.is_empty());
        bench.tokens("repo gist");
        bench.tokens("gist user");
        assert_eq!(bench.tokens("").scopes, ["repo", "gist", "user"]);
        bench.provider.dialect = &PLAIN;
        assert!(bench.tokens("").scopes.is_empty());
    }
}
