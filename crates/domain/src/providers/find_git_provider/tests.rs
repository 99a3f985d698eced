use super::*;
use crate::fixtures::{caller, provider, unavailable, uuid};
use crate::ids::ProviderId;
use crate::providers::{GitHosts, MockProviderCatalog, Slug};

/// A provider by its slug, with repositories at these places.
fn at(slug: &str, places: &[&str]) -> Provider {
    Provider {
        id: ProviderId::from_uuid(uuid(slug.bytes().map(u128::from).sum())),
        slug: Slug::parse(slug).ok(),
        git_hosts: GitHosts::parse(places).unwrap(),
        ..provider()
    }
}

fn paused(provider: Provider) -> Provider {
    Provider { status: ProviderStatus::Inactive, ..provider }
}

/// The slug of the provider that is found, or why none is.
async fn found(providers: &[Provider], remote: &str) -> String {
    let providers = providers.to_vec();
    let mut catalog = MockProviderCatalog::new();
    catalog
        .expect_providers()
        .withf(|organization| *organization == caller().organization_id)
        .returning(move |_| Ok(providers.clone()));
    match (FindGitProvider { catalog: Arc::new(catalog) }).run(&caller(), remote).await {
        Ok(provider) => provider.named(),
        Err(FindGitProviderError::Remote(error)) => error.to_string(),
        Err(FindGitProviderError::NotFound) => "not found".to_owned(),
        Err(FindGitProviderError::Several(named)) => format!("several: {}", named.join(", ")),
        Err(FindGitProviderError::Store(_)) => "store".to_owned(),
    }
}

#[tokio::test]
async fn a_remote_that_matches_several_providers_takes_the_most_specific_host_and_path() {
    let providers = [
        at("all", &["git.example"]),
        at("acme", &["git.example/acme"]),
        at("tools", &["other.example", "git.example/acme/tools"]),
        at("elsewhere", &["elsewhere.example"]),
    ];
    for (remote, expected) in [
        ("https://git.example/someone/app.git", "all"),
        ("https://git.example/acme/app.git", "acme"),
        ("git@git.example:acme/tools/app.git", "tools"),
        ("https://other.example/app", "tools"),
        ("https://git.example", "all"),
        ("https://git.example:8443/acme/app", "not found"),
        ("https://unknown.example/app", "not found"),
    ] {
        assert_eq!(found(&providers, remote).await, expected, "{remote}");
        let mut reversed = providers.clone();
        reversed.reverse();
        assert_eq!(found(&reversed, remote).await, expected, "{remote}, in whichever order");
    }
}

#[tokio::test]
async fn a_tie_names_the_candidates() {
    let unnamed = Provider { slug: None, ..at("unnamed", &["git.example/acme"]) };
    let id = unnamed.id.to_string();
    let providers = [at("one", &["git.example/acme"]), unnamed, at("all", &["git.example"])];
    let expected = format!("several: one, {id}");
    assert_eq!(found(&providers, "https://git.example/acme/app").await, expected);
    let error = FindGitProviderError::Several(vec!["one".to_owned(), "two".to_owned()]);
    assert!(error.to_string().ends_with("one, two"));
    // A host alone may mean either.
    let providers = [at("one", &["git.example/acme"]), at("two", &["git.example/beta"])];
    assert_eq!(found(&providers, "git.example").await, "several: one, two");
}

#[tokio::test]
async fn one_that_is_paused_does_not_make_a_tie() {
    let [one, two] = ["one", "two"].map(|slug| at(slug, &["git.example"]));
    let remote = "https://git.example/app";
    assert_eq!(found(&[paused(one.clone()), two.clone()], remote).await, "two");
    assert_eq!(found(&[one.clone(), paused(two.clone())], remote).await, "one");
    assert_eq!(found(&[paused(one), paused(two)], remote).await, "several: one, two");
}

#[tokio::test]
async fn one_that_is_paused_is_found_where_no_other_fits_as_well() {
    let providers = [paused(at("acme", &["git.example/acme"])), at("all", &["git.example"])];
    assert_eq!(found(&providers, "https://git.example/acme/app").await, "acme");
    assert_eq!(found(&providers, "https://git.example/app").await, "all");
}

#[tokio::test]
async fn one_that_is_being_deleted_is_not_there() {
    let deleting = Provider { status: ProviderStatus::Deleting, ..at("one", &["git.example"]) };
    let remote = "https://git.example/app";
    assert_eq!(found(std::slice::from_ref(&deleting), remote).await, "not found");
    assert_eq!(found(&[deleting, at("two", &["git.example"])], remote).await, "two");
}

#[tokio::test]
async fn what_is_no_remote_costs_no_read() {
    let find = FindGitProvider { catalog: Arc::new(MockProviderCatalog::new()) };
    let answer = find.run(&caller(), "https://github.com\\@evil.example/app").await;
    assert!(matches!(answer, Err(FindGitProviderError::Remote(GitRemoteError::Malformed))));
    let answer = find.run(&caller(), "file:///srv/app.git").await;
    assert!(matches!(answer, Err(FindGitProviderError::Remote(GitRemoteError::Transport))));
}

#[tokio::test]
async fn a_store_that_is_away_is_told() {
    let mut catalog = MockProviderCatalog::new();
    catalog.expect_providers().returning(|_| Err(unavailable()));
    let answer = FindGitProvider { catalog: Arc::new(catalog) }.run(&caller(), "git.example").await;
    assert!(matches!(answer, Err(FindGitProviderError::Store(_))));
}
