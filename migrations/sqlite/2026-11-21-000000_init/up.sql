-- Ids are UUIDs in 16 bytes, times are microseconds since 1970, secrets are sealed before they come here.
-- A row that is changed has a version, which its next writer must know. Enumerations are checked against the names
-- in the domain: a new name is a new migration.

-- Tenants: they own providers and accounts.
CREATE TABLE organizations (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name          TEXT    NOT NULL UNIQUE,
    redirect_uris TEXT    NOT NULL CHECK (json_valid(redirect_uris)),
    created_at    INTEGER NOT NULL,
    version       INTEGER NOT NULL
) STRICT;

-- Users, each of one organization.
CREATE TABLE accounts (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    email           TEXT    NOT NULL,
    role            TEXT    NOT NULL CHECK (role IN ('admin', 'member')),
    created_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    -- The address comes first, since it is also looked up in all organizations at once.
    UNIQUE (email, organization_id)
) STRICT;

CREATE INDEX accounts_of_organization ON accounts (organization_id, created_at, id);

-- API tokens and browser sessions, known by their SHA-256 alone.
CREATE TABLE api_tokens (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id      BLOB    NOT NULL REFERENCES accounts (id),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    hash            TEXT    NOT NULL UNIQUE,
    purpose         TEXT    NOT NULL CHECK (purpose IN ('api', 'session')),
    -- No reference: the token may be purged before the sessions that it opened.
    opened_with     BLOB,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    last_used_at    INTEGER,
    revoked_at      INTEGER,
    version         INTEGER NOT NULL,
    CHECK ((purpose = 'session') = (opened_with IS NOT NULL))
) STRICT;

CREATE INDEX api_tokens_of_account ON api_tokens (account_id, created_at, id);
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;

-- The keys that seal an organization's secrets, wrapped by the operator's key.
CREATE TABLE data_keys (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    wrapped         BLOB    NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX data_keys_of_organization ON data_keys (organization_id, created_at, id);

-- One known text under the operator's key: it tells the right key from a wrong one.
CREATE TABLE key_canary (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    canary BLOB    NOT NULL
) STRICT;

-- OAuth clients that organizations registered at providers.
CREATE TABLE providers (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    slug            TEXT,
    name            TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN
                        ('github', 'gitlab', 'bitbucket', 'google', 'box', 'microsoft', 'oidc', 'test')),
    status          TEXT    NOT NULL CHECK (status IN
                        ('active', 'inactive', 'disabled', 'deleting', 'deletion_failed')),
    client_id       TEXT    NOT NULL,
    client_secret   BLOB    NOT NULL,
    credential_id   BLOB    NOT NULL CHECK (length(credential_id) = 16),
    host            TEXT,
    endpoints       TEXT    NOT NULL CHECK (json_valid(endpoints)),
    scopes          TEXT    NOT NULL CHECK (json_valid(scopes)),
    device_flow     INTEGER NOT NULL CHECK (device_flow IN (0, 1)),
    app_slug        TEXT,
    skip_consent    INTEGER CHECK (skip_consent IN (0, 1)),
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX providers_by_slug ON providers (organization_id, slug) WHERE slug IS NOT NULL;
CREATE INDEX providers_of_organization ON providers (organization_id, created_at, id);

-- What users granted at providers, with the sealed tokens.
CREATE TABLE authorizations (
    id                       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id          BLOB    NOT NULL REFERENCES organizations (id),
    account_id               BLOB    NOT NULL REFERENCES accounts (id),
    -- Whoever deletes a provider has seen to the revocation of each of its authorizations first.
    provider_id              BLOB    NOT NULL REFERENCES providers (id) ON DELETE RESTRICT,
    credential_id            BLOB    NOT NULL CHECK (length(credential_id) = 16),
    issuer                   TEXT    NOT NULL,
    subject                  TEXT    NOT NULL,
    user_info                TEXT    NOT NULL CHECK (json_valid(user_info)),
    requested_scopes         TEXT    NOT NULL CHECK (json_valid(requested_scopes)),
    granted_scopes           TEXT    NOT NULL CHECK (json_valid(granted_scopes)),
    access_token             BLOB    NOT NULL,
    issued_at                INTEGER NOT NULL,
    expires_at               INTEGER,
    refresh_token            BLOB,
    refresh_token_expires_at INTEGER,
    grant_state              TEXT    NOT NULL CHECK (grant_state IN ('live', 'dead')),
    dead_reason              TEXT,
    grant_since              INTEGER NOT NULL,
    last_failure             TEXT,
    next_attempt_at          INTEGER,
    last_refreshed_at        INTEGER,
    created_at               INTEGER NOT NULL,
    version                  INTEGER NOT NULL,
    UNIQUE (account_id, provider_id, issuer, subject),
    CHECK ((grant_state = 'dead') = (dead_reason IS NOT NULL))
) STRICT;

CREATE INDEX authorizations_at_provider ON authorizations (provider_id, id);

-- Runs of the authorization code flow.
CREATE TABLE flows (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id  BLOB    NOT NULL REFERENCES organizations (id),
    account_id       BLOB    NOT NULL REFERENCES accounts (id),
    provider_id      BLOB    NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    route            TEXT    NOT NULL CHECK (route IN ('caller', 'browser')),
    cookie_hash      TEXT,
    state_hash       TEXT,
    redirect_uri     TEXT    NOT NULL,
    pkce_verifier    BLOB,
    nonce            BLOB    NOT NULL,
    scopes           TEXT    NOT NULL CHECK (json_valid(scopes)),
    force_consent    INTEGER NOT NULL CHECK (force_consent IN (0, 1)),
    endpoints        TEXT    NOT NULL,
    stage            TEXT    NOT NULL CHECK (stage IN ('unconfirmed', 'pending', 'exchanging', 'finished')),
    code_hash        TEXT,
    code_since       INTEGER,
    finished_at      INTEGER,
    outcome          TEXT    CHECK (outcome IN ('authorized', 'refused', 'unavailable')),
    authorization_id BLOB,
    reason           TEXT,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    CHECK ((code_hash IS NULL) = (code_since IS NULL)),
    CHECK ((stage = 'finished') = (finished_at IS NOT NULL)),
    CHECK ((stage = 'finished') = (outcome IS NOT NULL)),
    CHECK (coalesce(outcome = 'authorized', 0) = (authorization_id IS NOT NULL)),
    CHECK (coalesce(outcome <> 'authorized', 0) = (reason IS NOT NULL))
) STRICT;

CREATE INDEX flows_by_state ON flows (provider_id, state_hash, created_at, id);
CREATE INDEX flows_of_account ON flows (account_id);
CREATE INDEX flows_by_expiry ON flows (expires_at);

-- Who may refresh an authorization; a row stays after its release, for the fence never goes back.
CREATE TABLE refresh_leases (
    authorization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(authorization_id) = 16),
    -- None: given back.
    holder           TEXT,
    held_until       INTEGER NOT NULL,
    fence            INTEGER NOT NULL
) STRICT;

CREATE INDEX refresh_leases_by_end ON refresh_leases (held_until);

-- Work for later, and its report.
CREATE TABLE jobs (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    -- No references: the report outlives them.
    requested_by    BLOB    NOT NULL CHECK (length(requested_by) = 16),
    kind            TEXT    NOT NULL CHECK (kind IN ('DELETE_PROVIDER', 'STATS')),
    provider_id     BLOB,
    name            TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'ERROR')),
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    details         TEXT    NOT NULL CHECK (json_valid(details)),
    lease_holder    TEXT,
    lease_until     INTEGER,
    version         INTEGER NOT NULL,
    CHECK ((kind = 'DELETE_PROVIDER') = (provider_id IS NOT NULL)),
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
) STRICT;

CREATE INDEX jobs_of_organization ON jobs (organization_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (status, created_at, id);

-- Tokens of deleted authorizations until they are revoked, then the receipts of it.
CREATE TABLE revocations (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id  BLOB    NOT NULL REFERENCES organizations (id),
    -- No references: the receipt outlives them.
    provider_id      BLOB    NOT NULL CHECK (length(provider_id) = 16),
    authorization_id BLOB    NOT NULL CHECK (length(authorization_id) = 16),
    account_id       BLOB    NOT NULL CHECK (length(account_id) = 16),
    access_token     BLOB,
    refresh_token    BLOB,
    status           TEXT    NOT NULL CHECK (status IN ('pending', 'revoked', 'not_supported', 'failed')),
    last_error       TEXT,
    attempts         INTEGER NOT NULL CHECK (attempts >= 0),
    created_at       INTEGER NOT NULL,
    next_attempt_at  INTEGER NOT NULL,
    finished_at      INTEGER,
    lease_holder     TEXT,
    lease_until      INTEGER,
    version          INTEGER NOT NULL,
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
) STRICT;

CREATE INDEX revocations_of_provider ON revocations (provider_id, created_at, id);
CREATE INDEX revocations_by_attempt ON revocations (status, next_attempt_at, created_at, id);
CREATE INDEX revocations_by_end ON revocations (finished_at) WHERE finished_at IS NOT NULL;

-- Who did what to which thing, and how it ended: rows are appended, and nothing else.
CREATE TABLE audit_entries (
    -- No references: the log outlives all it tells of.
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at               INTEGER NOT NULL,
    organization_id  BLOB    NOT NULL CHECK (length(organization_id) = 16),
    actor            TEXT    NOT NULL CHECK (actor IN ('account', 'operator', 'service')),
    actor_account_id BLOB,
    actor_token_id   BLOB,
    action           TEXT    NOT NULL,
    outcome          TEXT    NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    reason           TEXT,
    provider_id      BLOB,
    authorization_id BLOB,
    subject          TEXT,
    token            TEXT,
    request_id       TEXT,
    -- The service may act for an account; without one it acts on its own.
    CHECK (CASE actor WHEN 'account' THEN actor_account_id IS NOT NULL WHEN 'operator' THEN actor_account_id IS NULL ELSE 1 END),
    CHECK ((actor = 'account') = (actor_token_id IS NOT NULL))
) STRICT;

CREATE INDEX audit_entries_of_organization ON audit_entries (organization_id, at, id);

CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_entries_are_not_deleted BEFORE DELETE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- INSERT OR REPLACE would delete without asking the trigger above. Worded as the broken uniqueness rule that it is.
CREATE TRIGGER audit_entries_are_not_replaced BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'UNIQUE constraint failed: audit_entries.id');
END;
