//! The tables of facts: one file per deployment of a provider, each row with the addresses of the pages that say so, and
//! `unsure` where the provider's own documentation does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Table;

use super::rows::{
    AccessTokenRow, AuthorizeRow, CallbackRow, DeviceRow, DocumentRow, ErrorsRow, IdTokenRow,
    IntrospectionRow, LiveTokensRow, MetadataRow, NothingRow, PkceRow, RateLimitRow, RefreshTokenRow,
    RevocationRow, ScopesRow, SignInRow, TokenRow,
};

/// Where the tables are.
pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/facts/tables")
}

/// What is known of one deployment. A section that is missing is not known, and nothing about it is checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Facts {
    /// The site of the simulator that plays it.
    pub(super) site: String,
    /// The settings of the site that make it this deployment.
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
    pub(super) sign_in: SignInRow,
    pub(super) authorize: AuthorizeRow,
    pub(super) callback: CallbackRow,
    pub(super) token: TokenRow,
    #[serde(default)]
    pub(super) scopes: Vec<ScopesRow>,
    pub(super) pkce: PkceRow,
    pub(super) access_token: AccessTokenRow,
    pub(super) refresh_token: RefreshTokenRow,
    pub(super) live_tokens: Option<LiveTokensRow>,
    pub(super) errors: BTreeMap<String, ErrorsRow>,
    #[serde(default)]
    pub(super) revocations: Vec<RevocationRow>,
    #[serde(default)]
    pub(super) introspections: Vec<IntrospectionRow>,
    pub(super) documents: Vec<DocumentRow>,
    #[serde(default)]
    pub(super) rate_limits: Vec<RateLimitRow>,
    #[serde(default)]
    pub(super) metadata: Vec<MetadataRow>,
    pub(super) id_token: Option<IdTokenRow>,
    pub(super) device: Option<DeviceRow>,
    pub(super) nothing: Option<NothingRow>,
}

impl Facts {
    /// Reads a table; what it inherits comes from another.
    pub(super) fn read(name: &str) -> Self {
        let mut table = inherited(name);
        table.remove("inherits");
        without_evidence(&mut table);
        for key in ["web", "api", "tenant", "issuer"] {
            if let Some(value) = table.remove(key) {
                let value = value.as_str().unwrap_or_else(|| panic!("{name}: {key} is no text")).to_owned();
                table.iter_mut().for_each(|(_, row)| fill_in(row, &format!("{{{key}}}"), &value));
            }
        }
        table.try_into().unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// The topics that this table has rows for and not every table has, in the order of the alphabet.
pub(super) fn own_topics(name: &str) -> Vec<&'static str> {
    let facts = Facts::read(name);
    let refresh = &facts.refresh_token;
    let topics = [
        ("code_lifetime", facts.authorize.code_lifetime.is_some()),
        ("device", facts.device.is_some()),
        ("id_tokens", facts.id_token.is_some()),
        ("introspection", !facts.introspections.is_empty()),
        ("live_tokens", facts.live_tokens.is_some()),
        ("metadata", !facts.metadata.is_empty()),
        ("nothing", facts.nothing.is_some()),
        ("rate_limits", !facts.rate_limits.is_empty()),
        ("refresh_token_lifetime", refresh.lifetime.is_some() || refresh.lifetime_between.is_some()),
        ("revocation", !facts.revocations.is_empty()),
        ("scopes", !facts.scopes.is_empty()),
    ];
    topics.into_iter().filter(|(_, known)| *known).map(|(topic, _)| topic).collect()
}

/// The table itself, before anything is inherited.
pub(super) fn as_written(name: &str) -> Table {
    let path = folder().join(format!("{name}.toml"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn inherited(name: &str) -> Table {
    let table = as_written(name);
    match table.get("inherits").and_then(toml::Value::as_str) {
        Some(parent) => merged(inherited(parent), table),
        None => table,
    }
}

/// Tables grow together, all else is replaced.
fn merged(mut base: Table, changes: Table) -> Table {
    for (key, value) in changes {
        let value = match (base.remove(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(changes)) => {
                toml::Value::Table(merged(base, changes))
            }
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

/// Where a row comes from is for readers, and for the check that every row has it.
fn without_evidence(table: &mut Table) {
    table.remove("sources");
    table.remove("unsure");
    for (_, value) in table.iter_mut() {
        match value {
            toml::Value::Table(row) => without_evidence(row),
            toml::Value::Array(rows) => {
                rows.iter_mut().filter_map(toml::Value::as_table_mut).for_each(without_evidence);
            }
            _ => {}
        }
    }
}

fn fill_in(value: &mut toml::Value, name: &str, with: &str) {
    match value {
        toml::Value::String(text) => *text = text.replace(name, with),
        toml::Value::Array(values) => values.iter_mut().for_each(|value| fill_in(value, name, with)),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| fill_in(value, name, with)),
        _ => {}
    }
}
