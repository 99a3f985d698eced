use chrono::TimeDelta;

use super::*;
use crate::Version;
use crate::accounts::{Account, ApiToken, Email, MockApiTokenStore, Standing};
use crate::fixtures::{CountingRandom, START, UseRecord, VirtualClock, caller, unavailable};
use crate::tokens::HandOutRecord;

fn secret() -> ApiTokenSecret {
    ApiTokenSecret::generate(&*CountingRandom::shared())
}

fn token() -> ApiToken {
    ApiToken {
        id: caller().token_id,
        account_id: caller().account_id,
        organization_id: caller().organization_id,
        hash: secret().hash(),
        purpose: TokenPurpose::Api,
        created_at: START,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: Version::FIRST,
    }
}

fn account() -> Account {
    Account {
        id: caller().account_id,
        organization_id: caller().organization_id,
        email: Email::parse("mo@example.com").unwrap(),
        role: Role::Member,
        standing: Standing::Active,
        suspended_at: None,
        created_at: START,
        version: Version::FIRST,
    }
}

fn knowing(token: Option<ApiToken>) -> MockApiTokenStore {
    knowing_of(token, account())
}

fn knowing_of(token: Option<ApiToken>, account: Account) -> MockApiTokenStore {
    let mut tokens = MockApiTokenStore::new();
    tokens
        .expect_token_by_hash()
        .withf(|hash| *hash == secret().hash())
        .times(1)
        .returning(move |_| Ok(token.clone().map(|token| (token, account.clone()))));
    tokens
}

async fn authenticate(tokens: MockApiTokenStore, presented: &str) -> Result<Caller, AuthenticateError> {
    authenticate_noting(tokens, presented, &UseRecord::default()).await
}

async fn authenticate_noting(
    tokens: MockApiTokenStore,
    presented: &str,
    record: &UseRecord,
) -> Result<Caller, AuthenticateError> {
    let clock = VirtualClock::start();
    let uses = record.kept_by(&clock, HandOutRecord::Within100Ms);
    let authenticate = AuthenticateCaller { tokens: Arc::new(tokens), uses, clock };
    authenticate.run(presented, Some("request".to_owned())).await
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_token_of_ours_costs_no_read() {
    let typo = secret().expose().replace('0', "1");
    for presented in
        ["", "gk_", "Bearer x", typo.as_str(), &secret().expose()[..40], &secret().expose().to_lowercase()]
    {
        let authenticated = authenticate(MockApiTokenStore::new(), presented).await;
        assert!(matches!(authenticated, Err(AuthenticateError::Unauthenticated)), "{presented:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_known_token_in_its_time_is_let_in() {
    let earlier = START - TimeDelta::seconds(1);
    for (name, token) in [
        ("unknown", None),
        ("expired", Some(ApiToken { expires_at: Some(START), ..token() })),
        ("revoked", Some(ApiToken { revoked_at: Some(earlier), ..token() })),
    ] {
        let authenticated = authenticate(knowing(token), secret().expose()).await;
        assert!(matches!(authenticated, Err(AuthenticateError::Unauthenticated)), "{name}");
    }
    let used = ApiToken { last_used_at: Some(START), ..token() };
    assert_eq!(authenticate(knowing(Some(used)), secret().expose()).await.unwrap(), caller());
}

#[tokio::test(start_paused = true)]
async fn a_use_is_noted_once_a_minute_and_nobody_waits_for_that() {
    for (last_used_at, is_noted) in [
        (None, true),
        (Some(START - TimeDelta::seconds(59)), false),
        (Some(START - TimeDelta::seconds(60)), true),
    ] {
        let record = UseRecord::default();
        let tokens = knowing(Some(ApiToken { last_used_at, ..token() }));
        authenticate_noting(tokens, secret().expose(), &record).await.unwrap();
        assert!(record.pages().is_empty(), "the caller is let in first");
        record.tasks().drain().await;
        let noted: Vec<_> = record.pages().into_iter().flat_map(|page| page.api_tokens).collect();
        let expected = is_noted.then_some((caller().token_id, START));
        assert_eq!(noted, Vec::from_iter(expected), "{last_used_at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_as_good_as_the_token_that_opened_it() {
    let opened_with = ApiTokenId::from_uuid(crate::fixtures::uuid(77));
    let session =
        || ApiToken { purpose: TokenPurpose::Session { opened_with }, last_used_at: Some(START), ..token() };
    for (opener, is_let_in) in [
        (Some(token()), true),
        (Some(ApiToken { expires_at: Some(START), ..token() }), false),
        (Some(ApiToken { revoked_at: Some(START), ..token() }), false),
        (None, false),
    ] {
        let mut tokens = knowing(Some(session()));
        let case = format!("{opener:?}");
        tokens
            .expect_token()
            .withf(move |id| *id == opened_with)
            .times(1)
            .returning(move |_| Ok(opener.clone()));
        assert_eq!(authenticate(tokens, secret().expose()).await.is_ok(), is_let_in, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_does_not_make_a_token_wrong() {
    let mut tokens = MockApiTokenStore::new();
    tokens.expect_token_by_hash().returning(|_| Err(unavailable()));
    let authenticated = authenticate(tokens, secret().expose()).await;
    assert!(matches!(authenticated, Err(AuthenticateError::Store(_))));
}

#[test]
fn only_administrators_pass() {
    assert_eq!(caller().require_admin(), Err(Forbidden));
    assert_eq!(crate::fixtures::admin().require_admin(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_being_deleted_opens_nothing() {
    let closed = Account { standing: Standing::Deleting, ..account() };
    let authenticated = authenticate(knowing_of(Some(token()), closed), secret().expose()).await;
    assert!(matches!(authenticated, Err(AuthenticateError::Unauthenticated)));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_suspended_opens_nothing() {
    let closed = Account { suspended_at: Some(START), ..account() };
    let authenticated = authenticate(knowing_of(Some(token()), closed), secret().expose()).await;
    assert!(matches!(authenticated, Err(AuthenticateError::Unauthenticated)));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_a_random_uuid_is_one_of_ours_in_whichever_case_it_is_written() {
    let secret = ApiTokenSecret::generate_uuid(&*CountingRandom::shared());
    for presented in [secret.expose().to_owned(), secret.expose().to_uppercase()] {
        let mut tokens = MockApiTokenStore::new();
        let hash = secret.hash();
        tokens
            .expect_token_by_hash()
            .withf(move |looked_up| *looked_up == hash)
            .times(1)
            .returning(|_| Ok(Some((token(), account()))));
        let caller = authenticate(tokens, &presented).await.unwrap();
        assert_eq!(caller.account_id, account().id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_opened_at_a_provider_is_as_good_as_itself() {
    for (revoked_at, is_let_in) in [(None, true), (Some(START), false)] {
        let purpose = TokenPurpose::Session { opened_with: token().id };
        let session = ApiToken { purpose, revoked_at, last_used_at: Some(START), ..token() };
        let mut tokens = knowing(Some(session.clone()));
        tokens.expect_token().withf(|id| *id == token().id).returning(move |_| Ok(Some(session.clone())));
        assert_eq!(authenticate(tokens, secret().expose()).await.is_ok(), is_let_in, "{revoked_at:?}");
    }
}

/// One who may read access tokens.
async fn reader(tokens: MockApiTokenStore) -> Result<Caller, AuthenticateError> {
    let clock = VirtualClock::start();
    let uses = UseRecord::default().kept_by(&clock, HandOutRecord::Within100Ms);
    let authenticate = AuthenticateCaller { tokens: Arc::new(tokens), uses, clock };
    authenticate.token_reader(secret().expose(), None).await
}

fn agents() -> ApiToken {
    ApiToken { purpose: TokenPurpose::Agent, last_used_at: Some(START), ..token() }
}

#[tokio::test(start_paused = true)]
async fn an_agents_token_reads_access_tokens_and_opens_nothing_else() {
    let refused = authenticate(knowing(Some(agents())), secret().expose()).await;
    assert!(matches!(refused, Err(AuthenticateError::OnlyReadsTokens)), "{refused:?}");
    let caller = reader(knowing(Some(agents()))).await.unwrap();
    assert_eq!((caller.purpose, caller.account_id), (TokenPurpose::Agent, account().id));
    let everybody = reader(knowing(Some(ApiToken { last_used_at: Some(START), ..token() }))).await;
    assert_eq!(everybody.unwrap().purpose, TokenPurpose::Api, "whoever may do more may do that");
}

#[tokio::test(start_paused = true)]
async fn an_agents_token_that_is_no_longer_good_is_one_like_any_other() {
    for gone in
        [ApiToken { revoked_at: Some(START), ..agents() }, ApiToken { expires_at: Some(START), ..agents() }]
    {
        let refused = authenticate(knowing(Some(gone.clone())), secret().expose()).await;
        assert!(matches!(refused, Err(AuthenticateError::Unauthenticated)), "{refused:?}");
        assert!(matches!(reader(knowing(Some(gone))).await, Err(AuthenticateError::Unauthenticated)));
    }
    let suspended = Account { suspended_at: Some(START), ..account() };
    let refused = reader(knowing_of(Some(agents()), suspended)).await;
    assert!(matches!(refused, Err(AuthenticateError::Unauthenticated)));
}

#[tokio::test(start_paused = true)]
async fn an_administrators_agent_administers_nothing() {
    let admin = || Account { role: Role::Admin, ..account() };
    let caller = reader(knowing_of(Some(agents()), admin())).await.unwrap();
    assert_eq!((caller.role, caller.require_admin()), (Role::Member, Err(Forbidden)));
    let own = ApiToken { last_used_at: Some(START), ..token() };
    assert_eq!(reader(knowing_of(Some(own), admin())).await.unwrap().role, Role::Admin);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_asked_again_whether_their_token_is_good() {
    for (now, is_good) in [
        (Some(agents()), true),
        (Some(ApiToken { revoked_at: Some(START), ..agents() }), false),
        (None, false),
    ] {
        let mut tokens = MockApiTokenStore::new();
        let found = now.clone();
        tokens.expect_token().withf(|id| *id == token().id).returning(move |_| Ok(found.clone()));
        tokens.expect_token_by_hash().returning(move |_| Ok(now.clone().map(|now| (now, account()))));
        let clock = VirtualClock::start();
        let uses = UseRecord::default().kept_by(&clock, HandOutRecord::Within100Ms);
        let authenticate = AuthenticateCaller { tokens: Arc::new(tokens), uses, clock };
        assert_eq!(authenticate.token_still_good(&caller()).await.is_ok(), is_good);
    }
}
