# What a developer does here; `just` alone lists it.

set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    @just --list --unsorted

# Walk the main job against the built-in simulated provider, then keep serving
demo *args:
    cargo run --release -- demo {{ args }}

# Run every test, documentation examples included, with a throw-away PostgreSQL, after installing what the tests need
test *args: e2e-tools
    bash crates/testkit/with-postgres cargo test --workspace --all-features {{ args }}

# Check formatting and lints
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Build the documentation of every crate, refusing broken links
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps

# Measure sealing, hand-outs, starting and refreshing, beside a bare cipher, web handler, PostgreSQL and provider (--quick to see it work)
bench *args: bench-programs
    #!/usr/bin/env bash
    set -euo pipefail
    cargo run --release -p grantkeeper-token-sealing --example seal_bench
    bash crates/testkit/with-postgres --durable bash -euc \
        'for part in hand-out start-up refresh; do "$0" $part --json "target/bench-$part.json" "$@"; done' \
        "${CARGO_TARGET_DIR:-target}/release/grantkeeper-bench" {{ args }}

# Measure hand-outs from PostgreSQL with 1 thousand, 100 thousand and 5 million authorizations (needs 16 GB of disk)
bench-scale *args: bench-programs
    bash crates/testkit/with-postgres --durable \
        "${CARGO_TARGET_DIR:-target}/release/grantkeeper-bench" growth --json target/bench-growth.json {{ args }}

# One build of both, so that they are built with the same features of what they share.
[private]
bench-programs:
    cargo build --release -p grantkeeper-server -p grantkeeper-bench

# Search for bytes that break a parser (token_answer, sealed_header, api_token, redirect_uri, git_remote), for that many seconds
fuzz target seconds="600": cargo-fuzz
    mkdir -p target/fuzz/corpus/{{ target }}
    # Stable Rust and no sanitizer: unsafe code is forbidden here.
    cargo fuzz run --fuzz-dir crates/fuzz --target-dir target/fuzz --sanitizer none {{ target }} \
        target/fuzz/corpus/{{ target }} crates/fuzz/corpus/{{ target }} \
        -- -max_total_time={{ seconds }} -max_len=4096 -timeout=10

# Kill the service at every step of a refresh, a hundred times each, with every refresh model, and tell what came of it
soak rounds="100":
    cargo test -p grantkeeper-server --test it --no-run
    # Most of the time they wait: more of them at once than there are cores.
    SOAK_ROUNDS={{ rounds }} bash crates/testkit/with-postgres \
        cargo test -p grantkeeper-server --test it killed_refreshes:: -- --nocapture --test-threads=6
    REFRESH_RACES=20 cargo test -p grantkeeper-testkit --test it refresh_races::

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

# Renew docs/openapi.json, the committed description of the API, from the code
openapi:
    UPDATE_OPENAPI=1 cargo test -p grantkeeper-rest --test it openapi::the_committed_document_is_the_one_that_is_served

# Renew README's table of providers from what their clients say
readme:
    UPDATE_README=1 cargo test -p grantkeeper-provider-clients --test it readme::the_table_is_the_one_that_the_code_makes

# Format the code
fmt:
    cargo fmt --all

# Install the real OpenID provider and the published SDK that the end-to-end tests run against
e2e-tools:
    @bash crates/server/tests/prepare

# Hold the login API against the published client itself (builds it first: 6 minutes, 2 GB)
golem-client:
    cargo build --locked --manifest-path crates/server/tests/e2e/golem-client/Cargo.toml --target-dir target/golem-client
    GOLEM_CLIENT="$PWD/target/golem-client/debug/grantkeeper-e2e-golem-client" cargo test -p grantkeeper-server --test it golem_client:: -- --include-ignored

[private]
cargo-deny:
    @command -v cargo-deny >/dev/null || { echo "installing cargo-deny (takes minutes)"; cargo install cargo-deny@0.20.2 --locked; }

[private]
cargo-fuzz:
    @command -v cargo-fuzz >/dev/null || { echo "installing cargo-fuzz (takes minutes)"; cargo install cargo-fuzz@0.13.2 --locked; }
