-- The types of providers are the domain's to know, which checks each name that it reads: a new type needs no migration.
-- A CHECK goes with its column alone, and no row may go meanwhile, since authorizations and flows refer to it. A column that
-- is added NOT NULL has to have a default; an empty name is no type's, so that a writer who forgets it is found out.
ALTER TABLE providers ADD COLUMN new_kind TEXT NOT NULL DEFAULT '';
UPDATE providers SET new_kind = kind;
ALTER TABLE providers DROP COLUMN kind;
ALTER TABLE providers RENAME COLUMN new_kind TO kind;

-- The redirect URI of the flow that brought the grant; none where a device flow did, or a version before this one wrote it.
ALTER TABLE authorizations ADD COLUMN redirect_uri TEXT;

-- Runs of the device authorization grant.
CREATE TABLE device_flows (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id  BLOB    NOT NULL REFERENCES organizations (id),
    account_id       BLOB    NOT NULL REFERENCES accounts (id),
    provider_id      BLOB    NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    handle_hash      TEXT    NOT NULL,
    device_code      BLOB    NOT NULL,
    scopes           TEXT    NOT NULL CHECK (json_valid(scopes)),
    endpoints        TEXT    NOT NULL,
    interval_micros  INTEGER NOT NULL CHECK (interval_micros >= 0),
    next_poll_at     INTEGER NOT NULL,
    stage            TEXT    NOT NULL CHECK (stage IN ('pending', 'polling', 'finished')),
    polling_since    INTEGER,
    finished_at      INTEGER,
    outcome          TEXT    CHECK (outcome IN ('authorized', 'refused', 'unavailable')),
    -- No reference: the authorization may be deleted before the flow is purged.
    authorization_id BLOB,
    reason           TEXT,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    CHECK ((stage = 'polling') = (polling_since IS NOT NULL)),
    CHECK ((stage = 'finished') = (finished_at IS NOT NULL)),
    CHECK ((stage = 'finished') = (outcome IS NOT NULL)),
    CHECK (coalesce(outcome = 'authorized', 0) = (authorization_id IS NOT NULL)),
    CHECK (coalesce(outcome <> 'authorized', 0) = (reason IS NOT NULL))
) STRICT;

-- The polls under way at a provider are found by it too: an index by the stage would be rewritten twice a poll.
CREATE INDEX device_flows_by_handle ON device_flows (provider_id, handle_hash);
CREATE INDEX device_flows_of_account ON device_flows (account_id);
CREATE INDEX device_flows_by_expiry ON device_flows (expires_at);
