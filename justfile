# What a developer does here; `just` alone lists it.

set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    @just --list --unsorted

# Walk the main job against the built-in simulated provider, then keep serving
demo *args:
    cargo run --release -- demo {{ args }}

# Run every test, documentation examples included, after installing what the end-to-end tests need
test *args: e2e-tools
    cargo test --workspace --all-features {{ args }}

# Check formatting and lints
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Build the documentation of every crate, refusing broken links
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps

# Measure sealing, as a ratio to the bare cipher on the same machine
bench:
    cargo run --release -p grantkeeper-token-sealing --example seal_bench

# Check dependencies: who may use what, licenses, sources and, where their database can be had, advisories
audit: cargo-deny
    #!/usr/bin/env bash
    set -euo pipefail
    cargo deny check --hide-inclusion-graph bans licenses sources
    limit=$(command -v timeout >/dev/null && echo "timeout 60" || true)
    if refusal=$(GIT_TERMINAL_PROMPT=0 $limit cargo deny fetch db 2>&1); then
        cargo deny check --hide-inclusion-graph advisories
    else
        echo "$refusal" >&2
        echo "*** SKIPPED: security advisories were NOT checked; their database cannot be reached from here ***" >&2
    fi

# Format the code
fmt:
    cargo fmt --all

# Install the real OpenID provider and the published SDK that the end-to-end tests run against
e2e-tools:
    @bash crates/server/tests/prepare

[private]
cargo-deny:
    @command -v cargo-deny >/dev/null || { echo "installing cargo-deny (takes minutes)"; cargo install cargo-deny@0.20.2 --locked; }
