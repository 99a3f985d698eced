-- The types of providers are the domain's to know, which checks each name that it reads: a new type needs no migration.
ALTER TABLE providers DROP CONSTRAINT providers_kind_check;

-- The redirect URI of the flow that brought the grant; none where a device flow did, or a version before this one wrote it.
ALTER TABLE authorizations ADD COLUMN redirect_uri text;

-- Runs of the device authorization grant. A poll rewrites a row twice, and none of its indexed columns.
CREATE TABLE device_flows (
    id               uuid             NOT NULL PRIMARY KEY,
    organization_id  uuid             NOT NULL REFERENCES organizations (id),
    account_id       uuid             NOT NULL REFERENCES accounts (id),
    provider_id      uuid             NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    handle_hash      text COLLATE "C" NOT NULL,
    device_code      bytea            NOT NULL,
    scopes           json             NOT NULL,
    endpoints        text             NOT NULL,
    interval_micros  bigint           NOT NULL CHECK (interval_micros >= 0),
    next_poll_at     timestamptz      NOT NULL,
    stage            text             NOT NULL CHECK (stage IN ('pending', 'polling', 'finished')),
    polling_since    timestamptz,
    finished_at      timestamptz,
    outcome          text             CHECK (outcome IN ('authorized', 'refused', 'unavailable')),
    -- No reference: the authorization may be deleted before the flow is purged.
    authorization_id uuid,
    reason           text,
    created_at       timestamptz      NOT NULL,
    expires_at       timestamptz      NOT NULL,
    version          bigint           NOT NULL,
    CHECK ((stage = 'polling') = (polling_since IS NOT NULL)),
    CHECK ((stage = 'finished') = (finished_at IS NOT NULL)),
    CHECK ((stage = 'finished') = (outcome IS NOT NULL)),
    CHECK (coalesce(outcome = 'authorized', false) = (authorization_id IS NOT NULL)),
    CHECK (coalesce(outcome <> 'authorized', false) = (reason IS NOT NULL))
) WITH (fillfactor = 70);

-- The polls under way at a provider are found by it too: an index by the stage would be rewritten twice a poll.
CREATE INDEX device_flows_by_handle ON device_flows (provider_id, handle_hash);
CREATE INDEX device_flows_of_account ON device_flows (account_id);
CREATE INDEX device_flows_by_expiry ON device_flows (expires_at);
