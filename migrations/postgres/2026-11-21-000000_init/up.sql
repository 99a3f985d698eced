-- The twin of SQLite's: the same tables, columns and rules, for PostgreSQL 14 and newer. What differs, and why:
--
-- * Ids are `uuid`, times `timestamptz` (microseconds as well), documents `json`, flags `boolean`: the types check
--   what SQLite has a CHECK for.
-- * Text that is indexed or sorted has the collation "C". It sorts by bytes, as on SQLite, whatever the database's
--   locale is; and its indexes outlive an upgrade of the C library or of ICU, which may change any other order.
-- * Rules of uniqueness have names: a broken one is told by its name.
-- * Rows that are rewritten again and again leave room in their page (`fillfactor`), and what changes in them is not
--   indexed, so that the new row stays in the page and no index is touched (a "heap-only tuple").
-- * Tokens are kept uncompressed (`STORAGE EXTERNAL`): they are ciphertext, which no compression makes smaller.
-- * The audit log is guarded against TRUNCATE too, which SQLite does not have.

-- Tenants: they own providers and accounts.
CREATE TABLE organizations (
    id            uuid             NOT NULL PRIMARY KEY,
    name          text COLLATE "C" NOT NULL,
    redirect_uris json             NOT NULL,
    created_at    timestamptz      NOT NULL,
    version       bigint           NOT NULL,
    CONSTRAINT organizations_name_key UNIQUE (name)
);

-- Users, each of one organization.
CREATE TABLE accounts (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    email           text COLLATE "C" NOT NULL,
    role            text             NOT NULL CHECK (role IN ('admin', 'member')),
    created_at      timestamptz      NOT NULL,
    version         bigint           NOT NULL,
    -- The address comes first, since it is also looked up in all organizations at once.
    CONSTRAINT accounts_email_organization_id_key UNIQUE (email, organization_id)
);

CREATE INDEX accounts_of_organization ON accounts (organization_id, created_at, id);

-- API tokens and browser sessions, known by their SHA-256 alone.
CREATE TABLE api_tokens (
    id              uuid             NOT NULL PRIMARY KEY,
    account_id      uuid             NOT NULL REFERENCES accounts (id),
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    hash            text COLLATE "C" NOT NULL,
    purpose         text             NOT NULL CHECK (purpose IN ('api', 'session')),
    -- No reference: the token may be purged before the sessions that it opened.
    opened_with     uuid,
    created_at      timestamptz      NOT NULL,
    expires_at      timestamptz,
    -- Rewritten as the token is used.
    last_used_at    timestamptz,
    revoked_at      timestamptz,
    version         bigint           NOT NULL,
    CONSTRAINT api_tokens_hash_key UNIQUE (hash),
    CHECK ((purpose = 'session') = (opened_with IS NOT NULL))
) WITH (fillfactor = 80);

CREATE INDEX api_tokens_of_account ON api_tokens (account_id, created_at, id);
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;

-- The keys that seal an organization's secrets, wrapped by the operator's key.
CREATE TABLE data_keys (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    wrapped         bytea       NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE INDEX data_keys_of_organization ON data_keys (organization_id, created_at, id);

-- One known text under the operator's key: it tells the right key from a wrong one.
CREATE TABLE key_canary (
    id     bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    canary bytea  NOT NULL
);

-- OAuth clients that organizations registered at providers.
CREATE TABLE providers (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    slug            text COLLATE "C",
    name            text        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN
                        ('github', 'gitlab', 'bitbucket', 'google', 'box', 'microsoft', 'oidc', 'test')),
    status          text        NOT NULL CHECK (status IN
                        ('active', 'inactive', 'disabled', 'deleting', 'deletion_failed')),
    client_id       text        NOT NULL,
    client_secret   bytea       NOT NULL,
    credential_id   uuid        NOT NULL,
    host            text,
    endpoints       json        NOT NULL,
    scopes          json        NOT NULL,
    device_flow     boolean     NOT NULL,
    app_slug        text,
    skip_consent    boolean,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint      NOT NULL
);

-- An index, for no constraint can be partial; a broken one is told by its name all the same.
CREATE UNIQUE INDEX providers_by_slug ON providers (organization_id, slug) WHERE slug IS NOT NULL;
CREATE INDEX providers_of_organization ON providers (organization_id, created_at, id);

-- What users granted at providers, with the sealed tokens. A refresh rewrites a row, and none of its indexed columns.
CREATE TABLE authorizations (
    id                       uuid             NOT NULL PRIMARY KEY,
    organization_id          uuid             NOT NULL REFERENCES organizations (id),
    account_id               uuid             NOT NULL REFERENCES accounts (id),
    -- Whoever deletes a provider has seen to the revocation of each of its authorizations first.
    provider_id              uuid             NOT NULL REFERENCES providers (id) ON DELETE RESTRICT,
    credential_id            uuid             NOT NULL,
    issuer                   text COLLATE "C" NOT NULL,
    subject                  text COLLATE "C" NOT NULL,
    user_info                json             NOT NULL,
    requested_scopes         json             NOT NULL,
    granted_scopes           json             NOT NULL,
    access_token             bytea            NOT NULL,
    issued_at                timestamptz      NOT NULL,
    expires_at               timestamptz,
    refresh_token            bytea,
    refresh_token_expires_at timestamptz,
    grant_state              text             NOT NULL CHECK (grant_state IN ('live', 'dead')),
    dead_reason              text,
    grant_since              timestamptz      NOT NULL,
    last_failure             text,
    next_attempt_at          timestamptz,
    last_refreshed_at        timestamptz,
    created_at               timestamptz      NOT NULL,
    version                  bigint           NOT NULL,
    CONSTRAINT authorizations_identity_key UNIQUE (account_id, provider_id, issuer, subject),
    CHECK ((grant_state = 'dead') = (dead_reason IS NOT NULL))
) WITH (fillfactor = 70);

ALTER TABLE authorizations
    ALTER COLUMN access_token SET STORAGE EXTERNAL,
    ALTER COLUMN refresh_token SET STORAGE EXTERNAL;

CREATE INDEX authorizations_at_provider ON authorizations (provider_id, id);

-- Runs of the authorization code flow. A row is rewritten at every stage; its indexed columns stay.
CREATE TABLE flows (
    id               uuid        NOT NULL PRIMARY KEY,
    organization_id  uuid        NOT NULL REFERENCES organizations (id),
    account_id       uuid        NOT NULL REFERENCES accounts (id),
    provider_id      uuid        NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    route            text        NOT NULL CHECK (route IN ('caller', 'browser')),
    cookie_hash      text,
    state_hash       text COLLATE "C",
    redirect_uri     text        NOT NULL,
    pkce_verifier    bytea,
    nonce            bytea       NOT NULL,
    scopes           json        NOT NULL,
    force_consent    boolean     NOT NULL,
    endpoints        text        NOT NULL,
    stage            text        NOT NULL CHECK (stage IN ('unconfirmed', 'pending', 'exchanging', 'finished')),
    code_hash        text,
    code_since       timestamptz,
    finished_at      timestamptz,
    outcome          text        CHECK (outcome IN ('authorized', 'refused', 'unavailable')),
    authorization_id uuid,
    reason           text,
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    version          bigint      NOT NULL,
    CHECK ((code_hash IS NULL) = (code_since IS NULL)),
    CHECK ((stage = 'finished') = (finished_at IS NOT NULL)),
    CHECK ((stage = 'finished') = (outcome IS NOT NULL)),
    CHECK (coalesce(outcome = 'authorized', false) = (authorization_id IS NOT NULL)),
    CHECK (coalesce(outcome <> 'authorized', false) = (reason IS NOT NULL))
) WITH (fillfactor = 70);

CREATE INDEX flows_by_state ON flows (provider_id, state_hash, created_at, id);
CREATE INDEX flows_of_account ON flows (account_id);
CREATE INDEX flows_by_expiry ON flows (expires_at);

-- Who may refresh an authorization; a row stays after its release, for the fence never goes back.
-- Every refresh rewrites a row twice. SQLite's index by `held_until` would cost each of them an index entry and save
-- the clean-up nothing, for nearly all rows have lapsed: the clean-up reads this small table as a whole.
CREATE TABLE refresh_leases (
    authorization_id uuid        NOT NULL PRIMARY KEY,
    -- None: given back.
    holder           text,
    held_until       timestamptz NOT NULL,
    fence            bigint      NOT NULL
) WITH (fillfactor = 50);

-- Work for later, and its report.
CREATE TABLE jobs (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    -- No references: the report outlives them.
    requested_by    uuid             NOT NULL,
    kind            text             NOT NULL CHECK (kind IN ('DELETE_PROVIDER', 'STATS')),
    provider_id     uuid,
    name            text             NOT NULL,
    status          text COLLATE "C" NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'ERROR')),
    created_at      timestamptz      NOT NULL,
    started_at      timestamptz,
    finished_at     timestamptz,
    details         json             NOT NULL,
    lease_holder    text,
    lease_until     timestamptz,
    version         bigint           NOT NULL,
    CHECK ((kind = 'DELETE_PROVIDER') = (provider_id IS NOT NULL)),
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
);

CREATE INDEX jobs_of_organization ON jobs (organization_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (status, created_at, id);

-- Tokens of deleted authorizations until they are revoked, then the receipts of it.
CREATE TABLE revocations (
    id               uuid             NOT NULL PRIMARY KEY,
    organization_id  uuid             NOT NULL REFERENCES organizations (id),
    -- No references: the receipt outlives them.
    provider_id      uuid             NOT NULL,
    authorization_id uuid             NOT NULL,
    account_id       uuid             NOT NULL,
    access_token     bytea,
    refresh_token    bytea,
    status           text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'revoked', 'not_supported', 'failed')),
    last_error       text,
    attempts         bigint           NOT NULL CHECK (attempts >= 0),
    created_at       timestamptz      NOT NULL,
    next_attempt_at  timestamptz      NOT NULL,
    finished_at      timestamptz,
    lease_holder     text,
    lease_until      timestamptz,
    version          bigint           NOT NULL,
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
);

ALTER TABLE revocations
    ALTER COLUMN access_token SET STORAGE EXTERNAL,
    ALTER COLUMN refresh_token SET STORAGE EXTERNAL;

CREATE INDEX revocations_of_provider ON revocations (provider_id, created_at, id);
CREATE INDEX revocations_by_attempt ON revocations (status, next_attempt_at, created_at, id);
CREATE INDEX revocations_by_end ON revocations (finished_at) WHERE finished_at IS NOT NULL;

-- Who did what to which thing, and how it ended: rows are appended, and nothing else.
CREATE TABLE audit_entries (
    -- No references: the log outlives all it tells of.
    id               uuid             NOT NULL PRIMARY KEY,
    at               timestamptz      NOT NULL,
    organization_id  uuid             NOT NULL,
    actor            text             NOT NULL CHECK (actor IN ('account', 'operator', 'service')),
    actor_account_id uuid,
    actor_token_id   uuid,
    -- The tally is sorted by these two.
    action           text COLLATE "C" NOT NULL,
    outcome          text COLLATE "C" NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    reason           text,
    provider_id      uuid,
    authorization_id uuid,
    subject          text,
    token            text,
    request_id       text,
    -- The service may act for an account; without one it acts on its own.
    CHECK (CASE actor WHEN 'account' THEN actor_account_id IS NOT NULL WHEN 'operator' THEN actor_account_id IS NULL ELSE true END),
    CHECK ((actor = 'account') = (actor_token_id IS NOT NULL))
);

CREATE INDEX audit_entries_of_organization ON audit_entries (organization_id, at, id);

CREATE FUNCTION refuse_to_change_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;

-- Once per statement: it refuses before any row is looked for, and INSERT … ON CONFLICT DO UPDATE and MERGE as well.
CREATE TRIGGER audit_entries_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_entries();

-- In sessions as well that have switched triggers off (`session_replication_role`).
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_are_append_only;
