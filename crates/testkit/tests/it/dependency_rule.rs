//! The direction of dependencies: server → adapters → domain, siblings never see each other, and each framework stays
//! in the crates that own it. Dev-dependencies count.

use std::collections::BTreeSet;

use crate::workspace::{Edge, Kind, Node, cargo, declared, folders};

/// What one of our crates may see of the others.
struct Allowed {
    name: &'static str,
    /// In what is built.
    normal: &'static [&'static str],
    /// For tests, examples and benchmarks, beside `normal`.
    dev: &'static [&'static str],
}

/// Every crate has a line here; a new one starts by adding its own. The simulator knows none of us and may play the
/// provider in anybody's tests; the test kit is for tests alone. The domain's tests do without it, since it would bring
/// a second copy of the domain's types into them.
const EDGES: &[Allowed] = &[
    Allowed { name: "domain", normal: &[], dev: &["provider-simulator"] },
    // It measures the server from outside, seeds its database, and plays the provider that is asked.
    Allowed {
        name: "bench",
        normal: &["domain", "provider-simulator", "store-diesel", "token-sealing"],
        dev: &[],
    },
    // It speaks to the service from outside, and knows nothing of it but its API.
    Allowed { name: "client", normal: &[], dev: &[] },
    Allowed { name: "config", normal: &["domain"], dev: FOR_TESTS },
    // It is given what it fuzzes, and nothing else.
    Allowed { name: "fuzz", normal: &["domain", "provider-clients", "token-sealing"], dev: &[] },
    Allowed { name: "provider-clients", normal: &["domain"], dev: FOR_TESTS },
    Allowed { name: "rest", normal: &["domain"], dev: FOR_TESTS },
    Allowed { name: "store-diesel", normal: &["domain"], dev: FOR_TESTS },
    Allowed { name: "token-sealing", normal: &["domain"], dev: FOR_TESTS },
    Allowed { name: "workers", normal: &["domain"], dev: FOR_TESTS },
    Allowed { name: "provider-simulator", normal: &[], dev: &[] },
    Allowed { name: "testkit", normal: &["domain"], dev: &["provider-simulator"] },
    Allowed {
        name: "server",
        normal: &[
            "client",
            "config",
            "domain",
            "provider-clients",
            "provider-simulator",
            "rest",
            "store-diesel",
            "token-sealing",
            "workers",
        ],
        dev: FOR_TESTS,
    },
];

const FOR_TESTS: &[&str] = &["provider-simulator", "testkit"];

/// Packages that only their owners may declare.
struct Confined {
    packages: &'static [&'static str],
    owners: &'static [&'static str],
    /// Those that may use them in tests as well.
    dev: &'static [&'static str],
}

const CONFINED: &[Confined] = &[
    Confined {
        packages: &[
            "diesel",
            "diesel-async",
            "diesel_migrations",
            "libsqlite3-sys",
            "rusqlite",
            "tokio-postgres",
        ],
        owners: &["store-diesel"],
        dev: &[],
    },
    Confined {
        packages: &["actix-http", "actix-rt", "actix-web"],
        // The benchmark compares with a bare handler.
        owners: &["bench", "provider-simulator", "rest", "server"],
        dev: &[],
    },
    Confined {
        packages: &["hyper", "reqwest"],
        owners: &["client", "provider-clients", "server"],
        dev: &["provider-simulator", "rest"],
    },
    Confined { packages: &["oauth2", "openidconnect"], owners: &["provider-clients"], dev: &[] },
    Confined {
        packages: &["aws-lc-rs", "ring"],
        // The server owns the one source of randomness.
        owners: &["provider-simulator", "server", "token-sealing"],
        dev: &[],
    },
    Confined { packages: &["clap"], owners: &["bench", "server"], dev: &[] },
    Confined { packages: &["config"], owners: &["config"], dev: &[] },
    Confined { packages: &["libfuzzer-sys"], owners: &["fuzz"], dev: &[] },
];

/// Edges between our crates that `rules` does not allow, and crates and lines that have no counterpart.
fn wrong_edges(nodes: &[Node], rules: &[Allowed]) -> Vec<String> {
    let stale = rules
        .iter()
        .filter(|rule| nodes.iter().all(|node| node.name != rule.name))
        .map(|rule| format!("{} has a line in EDGES but is no crate", rule.name));
    nodes.iter().flat_map(|node| wrong_edges_of(node, rules)).chain(stale).collect()
}

fn wrong_edges_of(node: &Node, rules: &[Allowed]) -> Vec<String> {
    let Some(rule) = rules.iter().find(|rule| rule.name == node.name) else {
        return vec![format!("{} has no line in EDGES", node.name)];
    };
    let allows = |edge: &Edge| {
        let to = edge.to.as_str();
        rule.normal.contains(&to) || (edge.kind == Kind::Dev && rule.dev.contains(&to))
    };
    node.ours.iter().filter(|edge| !allows(edge)).map(|edge| named(node, edge)).collect()
}

/// Edges to packages that `rules` confines to other crates.
fn strays(nodes: &[Node], rules: &[Confined]) -> Vec<String> {
    let is_stray = |node: &Node, edge: &Edge| {
        rules.iter().filter(|rule| rule.packages.contains(&edge.to.as_str())).any(|rule| {
            let owner = rule.owners.contains(&node.name.as_str());
            let tester = edge.kind == Kind::Dev && rule.dev.contains(&node.name.as_str());
            !owner && !tester
        })
    };
    nodes
        .iter()
        .flat_map(|node| {
            node.theirs.iter().filter(move |edge| is_stray(node, edge)).map(move |edge| named(node, edge))
        })
        .collect()
}

fn named(node: &Node, edge: &Edge) -> String {
    let how = if edge.kind == Kind::Dev { "in its tests" } else { "" };
    format!("{} must not depend on {} {how}", node.name, edge.to).trim_end().to_owned()
}

/// The packages of a `cargo tree --prefix none` that do input and output, or serve, or store.
fn worldly(tree: &str) -> Vec<&str> {
    const FAMILIES: &[&str] =
        &["actix", "diesel", "hyper", "libsqlite3", "mio", "openidconnect", "reqwest", "rustls", "socket2"];
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|package| FAMILIES.iter().any(|family| package.starts_with(family)))
        .collect()
}

#[test]
fn every_folder_is_looked_at() {
    let looked_at: BTreeSet<String> = declared().into_iter().map(|node| node.name).collect();
    assert_eq!(looked_at, folders());
}

#[test]
fn only_allowed_edges() {
    let wrong = wrong_edges(&declared(), EDGES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn frameworks_stay_with_their_owners() {
    let strays = strays(&declared(), CONFINED);
    assert!(strays.is_empty(), "{strays:#?}");
}

#[test]
fn domain_brings_no_framework_and_no_io() {
    let tree = cargo(&[
        "tree",
        "--package",
        "grantkeeper-domain",
        "--edges",
        "normal",
        "--all-features",
        "--prefix",
        "none",
    ]);
    assert!(tree.starts_with("grantkeeper-domain "), "{tree}");
    assert_eq!(worldly(&tree), [""; 0]);
}

mod the_rule_itself {
    use super::*;

    fn node(name: &str, ours: &[(&str, Kind)], theirs: &[(&str, Kind)]) -> Node {
        let edges =
            |of: &[(&str, Kind)]| of.iter().map(|&(to, kind)| Edge { to: to.to_owned(), kind }).collect();
        Node { name: name.to_owned(), ours: edges(ours), theirs: edges(theirs) }
    }

    const RULES: &[Allowed] = &[
        Allowed { name: "domain", normal: &[], dev: &[] },
        Allowed { name: "rest", normal: &["domain"], dev: &["testkit"] },
    ];

    const OWNERS: &[Confined] =
        &[Confined { packages: &["reqwest"], owners: &["provider-clients"], dev: &["rest"] }];

    #[test]
    fn allowed_edges_pass() {
        let rest =
            node("rest", &[("domain", Kind::Normal), ("domain", Kind::Dev), ("testkit", Kind::Dev)], &[]);
        assert_eq!(wrong_edges(&[node("domain", &[], &[]), rest], RULES), [""; 0]);
    }

    #[test]
    fn a_wrong_edge_is_reported() {
        let domain = node("domain", &[("rest", Kind::Normal)], &[]);
        let rest = node("rest", &[("testkit", Kind::Normal)], &[]);
        assert_eq!(
            wrong_edges(&[domain, rest], RULES),
            ["domain must not depend on rest", "rest must not depend on testkit"]
        );
    }

    #[test]
    fn a_wrong_dev_edge_is_reported() {
        let rest = node("rest", &[("store-diesel", Kind::Dev)], &[]);
        assert_eq!(
            wrong_edges(&[node("domain", &[], &[]), rest], RULES),
            ["rest must not depend on store-diesel in its tests"]
        );
    }

    #[test]
    fn a_crate_without_a_line_and_a_line_without_a_crate_are_reported() {
        let nodes = [node("domain", &[], &[]), node("newcomer", &[("domain", Kind::Normal)], &[])];
        assert_eq!(
            wrong_edges(&nodes, RULES),
            ["newcomer has no line in EDGES", "rest has a line in EDGES but is no crate"]
        );
    }

    #[test]
    fn a_stray_package_is_reported() {
        let nodes = [
            node("provider-clients", &[], &[("reqwest", Kind::Normal), ("reqwest", Kind::Dev)]),
            node("rest", &[], &[("reqwest", Kind::Dev), ("serde", Kind::Normal)]),
            node("domain", &[], &[("reqwest", Kind::Dev)]),
            node("rest", &[], &[("reqwest", Kind::Normal)]),
        ];
        assert_eq!(
            strays(&nodes, OWNERS),
            ["domain must not depend on reqwest in its tests", "rest must not depend on reqwest"]
        );
    }

    #[test]
    fn a_framework_below_the_domain_is_found() {
        let tree = "grantkeeper-domain v0.1.0 (/somewhere)\nserde v1.0.0\nreqwest v0.13.5\nserde v1.0.0 (*)\nmio v1.0.0\n";
        assert_eq!(worldly(tree), ["reqwest", "mio"]);
    }
}
