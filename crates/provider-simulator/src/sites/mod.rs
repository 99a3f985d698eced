//! The sites: each provider that the simulator plays, with where it is, how it speaks and how it behaves.
//!
//! One more provider is a file with its [`Dialect`], its settings and its own endpoints, and a row in [`ALL`].

mod bitbucket;
mod bitbucket_data_center;
mod box_com;
mod github;
mod gitlab;
mod google;
mod microsoft;
mod oidc;

use actix_web::web::ServiceConfig;
use serde_json::Value;

use crate::dialect::Dialect;
use crate::place::Place;
use crate::settings::Settings;

/// Every site: the plain provider at the root, and the others.
pub(crate) const ALL: (&SiteRow, &[SiteRow]) = (
    &oidc::SITE,
    &[
        github::CLOUD,
        github::DATA_RESIDENCY,
        github::ENTERPRISE_SERVER,
        gitlab::CLOUD,
        gitlab::SELF_MANAGED,
        bitbucket::SITE,
        bitbucket_data_center::SITE,
        google::SITE,
        box_com::SITE,
        microsoft::GLOBAL,
        microsoft::US_GOVERNMENT,
        microsoft::CHINA,
    ],
);

/// One site.
pub(crate) struct SiteRow {
    /// What it is called in the control plane.
    pub(crate) name: &'static str,
    /// Where its endpoints are: real host names as the first part of the path. Deeper ones stand first.
    pub(crate) mounts: &'static [Mount],
    /// The mount with its pages, and the real name of that host.
    pub(crate) web: Address,
    /// The mount with its API, and the real name of that host.
    pub(crate) api: Address,
    /// Its issuer identifier.
    pub(crate) issuer: Issuer,
    /// How it speaks.
    pub(crate) dialect: &'static Dialect,
    /// How it behaves at the start.
    pub(crate) settings: fn() -> Settings,
}

/// A part of the paths of the simulator, and what is there.
pub(crate) struct Mount {
    /// Such as `/github.com`; empty for the root.
    pub(crate) path: &'static str,
    /// Adds the endpoints below it.
    pub(crate) routes: fn(&mut ServiceConfig),
}

/// A path here and the real address that is played there.
pub(crate) struct Address {
    /// Below the simulator.
    pub(crate) path: &'static str,
    /// The real one; where it has none, what is here is real.
    pub(crate) name: Option<&'static str>,
}

/// An issuer identifier.
pub(crate) enum Issuer {
    /// That of the real provider.
    Real(&'static str),
    /// The pages of the site here, with something behind it.
    Here(&'static str),
}

impl SiteRow {
    /// Its addresses in a simulator at this origin.
    pub(crate) fn place(&self, origin: &str) -> Place {
        let here = |address: &Address| format!("{origin}{}", address.path);
        let named = |address: &Address| address.name.map_or_else(|| here(address), str::to_owned);
        Place {
            origin: origin.to_owned(),
            web: here(&self.web),
            api: here(&self.api),
            web_name: named(&self.web),
            api_name: named(&self.api),
            issuer: match self.issuer {
                Issuer::Real(issuer) => issuer.to_owned(),
                Issuer::Here(path) => format!("{}{path}", here(&self.web)),
            },
        }
    }
}

/// One object with the members of all of these.
fn joined<const N: usize>(parts: [Value; N]) -> Value {
    let members = parts.into_iter().filter_map(|part| match part {
        Value::Object(members) => Some(members),
        _ => None,
    });
    Value::Object(members.flatten().collect())
}

/// The site of this name.
pub(crate) fn row(name: &str) -> Option<&'static SiteRow> {
    let (plain, others) = ALL;
    [plain].into_iter().chain(others).find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_mounts_are_told_apart() {
        let (_, others) = ALL;
        let names: BTreeSet<_> = others.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), others.len());
        assert!(!names.contains("oidc"));
        let mounts: Vec<_> = others.iter().flat_map(|row| row.mounts).map(|mount| mount.path).collect();
        assert_eq!(mounts.iter().collect::<BTreeSet<_>>().len(), mounts.len());
    }

    #[test]
    fn a_site_calls_itself_by_its_real_name_unless_it_is_really_here() {
        let place = |name| row(name).expect("a site").place("http://127.0.0.1:9");
        assert_eq!(place("oidc").issuer, "http://127.0.0.1:9");
        assert_eq!(place("github").issuer, "https://github.com/login/oauth");
        assert_eq!(place("github").api, "http://127.0.0.1:9/api.github.com");
        assert_eq!(place("github-enterprise").issuer, "http://127.0.0.1:9/self-managed/github/login/oauth");
        assert_eq!(place("gitlab").issuer, "https://gitlab.com");
        assert_eq!(place("gitlab-self-managed").issuer, "http://127.0.0.1:9/self-managed/gitlab");
    }
}
