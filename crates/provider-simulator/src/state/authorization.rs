//! The authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2).

use std::collections::BTreeMap;

use url::Url;

use super::code_grant::AuthorizationCode;
use super::families::Authorization;
use super::{Decision, ErrorCode, OAuthError, Provider, User, pkce, redirect_uri, scopes};
use crate::params::Params;
use crate::randomness;
use crate::settings::CallbackIss;
use crate::stats::AuthorizeCall;

/// The `login_hint` that refuses where nobody is asked.
const DENY: &str = "deny";

/// The issuer that a mix-up attacker would send.
const WRONG_ISSUER: &str = "https://attacker.example";

/// The longest subject identifier (OpenID Connect Core section 8).
const LONGEST_SUB: usize = 255;

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

/// Where the answer goes, once that is known to be safe.
#[derive(Clone)]
struct Callback {
    client_id: String,
    /// As sent: the token request must repeat it to the letter.
    redirect_uri: String,
    url: Url,
    state: Option<String>,
}

/// A valid authorization request.
pub(super) struct AuthorizationRequest {
    callback: Callback,
    scopes: Vec<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    login_hint: Option<String>,
    prompt: Option<String>,
}

impl Callback {
    fn from_params(params: &Params) -> Result<Self, &'static str> {
        if params.repeats("client_id") || params.repeats("redirect_uri") {
            return Err("client_id and redirect_uri may come only once.");
        }
        let client_id = params.get("client_id").ok_or("The request has no client_id.")?;
        let redirect_uri = params.get("redirect_uri").ok_or("The request has no redirect_uri.")?;
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            url: redirect_uri::loopback(redirect_uri)?,
            state: params.get("state").map(str::to_owned),
        })
    }

    /// The URL of the answer (RFC 6749 section 4.1.2, RFC 9207 section 2).
    fn answer(&self, answer: &[(&str, &str)], iss: Option<&str>) -> String {
        let mut url = self.url.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        let iss = iss.map(|iss| ("iss", iss));
        url.query_pairs_mut().extend_pairs(answer.iter().copied().chain(state).chain(iss));
        url.into()
    }
}

impl AuthorizationRequest {
    fn from_params(callback: Callback, params: &Params) -> Result<Self, OAuthError> {
        if params.repeats_any() {
            return Err(OAuthError::invalid_request("a parameter comes more than once"));
        }
        match params.get("response_type") {
            Some("code") => {}
            Some(_) => {
                return Err(OAuthError::new(
                    ErrorCode::UnsupportedResponseType,
                    "response_type must be code",
                ));
            }
            None => return Err(OAuthError::invalid_request("response_type is missing")),
        }
        pkce::check_challenge(params.get("code_challenge"), params.get("code_challenge_method"))?;
        let login_hint = params.get("login_hint");
        if login_hint.is_some_and(|hint| hint.len() > LONGEST_SUB) {
            return Err(OAuthError::invalid_request("login_hint is longer than a subject identifier may be"));
        }
        Ok(Self {
            callback,
            scopes: scopes::parse(params.get("scope")),
            nonce: params.get("nonce").map(str::to_owned),
            challenge: params.get("code_challenge").map(str::to_owned),
            login_hint: login_hint.map(str::to_owned),
            prompt: params.get("prompt").map(str::to_owned),
        })
    }

    /// What happens where nobody is asked.
    fn decision_without_asking(&self) -> Decision {
        match self.login_hint.as_deref() {
            Some(DENY) => Decision::Deny,
            Some(sub) => Decision::Approve(User::with_sub(sub)),
            None => Decision::Approve(User::default_user()),
        }
    }

    /// Who may be at the keyboard, the one who was hinted at first.
    fn users(&self) -> Vec<User> {
        let hinted = self.login_hint.as_deref().map(User::with_sub);
        let others = User::offered().into_iter().filter(|user| Some(user) != hinted.as_ref());
        hinted.clone().into_iter().chain(others).collect()
    }
}

impl Provider {
    /// Takes an authorization request.
    pub(crate) fn authorize(&mut self, params: &Params) -> AuthorizationAnswer {
        self.note_authorize_call(params);
        let callback = match Callback::from_params(params) {
            Ok(callback) => callback,
            Err(reason) => return AuthorizationAnswer::Refuse(reason),
        };
        match AuthorizationRequest::from_params(callback.clone(), params) {
            Err(error) => AuthorizationAnswer::Redirect(self.error_redirect(&callback, error)),
            Ok(request) if self.auto_consent => {
                let decision = request.decision_without_asking();
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
                let code = self.issue_code(request, user);
                callback.answer(&[("code", &code)], self.callback_iss())
            }
            Decision::Deny => {
                let error = OAuthError::new(ErrorCode::AccessDenied, "the user refused");
                self.error_redirect(&request.callback, error)
            }
        }
    }

    fn issue_code(&mut self, request: AuthorizationRequest, user: User) -> String {
        let code = self.mint_code("sim_code_");
        let authorization = Authorization {
            client_id: request.callback.client_id,
            public_client: false,
            user,
            scopes: self.granted(&request.scopes),
            nonce: request.nonce,
            authenticated_at: self.now(),
        };
        let expires_at = self.after(self.settings.code_lifetime);
        let redirect_uri = request.callback.redirect_uri;
        let record = AuthorizationCode::new(authorization, redirect_uri, request.challenge, expires_at);
        self.codes.insert(code.clone(), record);
        code
    }

    /// The scopes that are granted when these are asked for.
    pub(super) fn granted(&self, asked: &[String]) -> Vec<String> {
        self.settings.granted_scopes.clone().unwrap_or_else(|| asked.to_vec())
    }

    fn error_redirect(&self, callback: &Callback, error: OAuthError) -> String {
        let answer = [("error", error.code.as_str()), ("error_description", error.description)];
        callback.answer(&answer, self.callback_iss())
    }

    fn callback_iss(&self) -> Option<&str> {
        match self.settings.callback_iss {
            CallbackIss::Absent => None,
            CallbackIss::Correct => Some(&self.issuer),
            CallbackIss::Wrong => Some(WRONG_ISSUER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{Bench, REDIRECT_URI, bench, bench_with_people};

    fn ask(bench: &mut Bench, query: &str) -> AuthorizationAnswer {
        bench.provider.authorize(&Params::parse(query.as_bytes()))
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
}
