//! The walk: step after step, each of them told.

use super::api_client::ApiClient;
use super::narrator::Narrator;
use super::newcomer_http;
use super::page::Typed;
use super::provider_watch::ProviderWatch;
use super::stage::Scene;
use super::steps::{self, LeftBehind};
use crate::failure::Failure;

/// Who and what the steps have to do with.
pub(super) struct World<'a> {
    pub(super) scene: &'a Scene,
    pub(super) http: reqwest::Client,
    pub(super) admin: ApiClient<'a>,
    pub(super) member: ApiClient<'a>,
    /// A machine that acts for the member.
    pub(super) agent: ApiClient<'a>,
    pub(super) provider: ProviderWatch<'a>,
    pub(super) narrator: &'a Narrator,
}

impl<'a> World<'a> {
    fn of(scene: &'a Scene, narrator: &'a Narrator) -> Result<Self, Failure> {
        let http = newcomer_http::client()?;
        let base_url = scene.base_url.as_str();
        let client = |who, token: &'a str| ApiClient {
            who,
            http: http.clone(),
            base_url,
            token: Some(token),
            narrator,
        };
        Ok(Self {
            scene,
            admin: client("admin", &scene.cast.admin),
            member: client("member", &scene.cast.member),
            agent: client("agent", &scene.cast.agent),
            provider: ProviderWatch { http: http.clone(), url: &scene.simulator_url, narrator },
            http,
            narrator,
        })
    }

    /// Somebody who has no account yet, or one that they got by signing in.
    pub(super) fn newcomer<'t>(&'t self, token: Option<&'t str>) -> ApiClient<'t> {
        let (http, base_url) = (self.http.clone(), self.scene.base_url.as_str());
        ApiClient { who: "newcomer", http, base_url, token, narrator: self.narrator }
    }

    /// What the member types where a page asks.
    pub(super) fn member_types(&self) -> Typed<'a> {
        Typed { secret: &self.scene.cast.member, ..Typed::default() }
    }
}

/// Walks the main job. What is left behind is one live authorization for each type of provider.
pub(super) async fn walk(scene: &Scene, narrator: &Narrator) -> Result<LeftBehind, Failure> {
    let world = World::of(scene, narrator)?;
    let providers = steps::register(&world).await?;
    let authorization = steps::authorize_for_a_moment(&world, &providers.test).await?;
    let expiring = steps::lend(&world, &authorization).await?;
    steps::expire(&world, &expiring).await?;
    let fresh = steps::refresh(&world, &authorization, &expiring).await?;
    steps::look_up_user(&world, &authorization).await?;
    steps::revoke(&world, &authorization, &fresh).await?;
    steps::delete(&world, &providers.test).await?;
    let github = steps::every_type(&world).await?;
    steps::device(&world, &github).await?;
    steps::read_by_agent(&world).await?;
    let by_device = steps::sign_in_by_device(&world).await?;
    let by_browser = steps::sign_in_by_browser(&world, &by_device).await?;
    steps::sign_out(&world, &by_browser).await?;
    steps::leave(&world, providers.oidc).await
}
