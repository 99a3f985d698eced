-- Whoever waits for a table keeps all others waiting behind: what another program holds for longer is tried again later.
SET LOCAL lock_timeout = '5s';

-- Since when an operator keeps an account from doing anything. First of all: the references further down take `accounts` too,
-- but not all of it, and whoever takes more of a table than it has may wait for one who waits for it.
ALTER TABLE accounts ADD COLUMN suspended_at timestamptz;

-- Runs of signing in. A row is rewritten at every stage; but for the account, its indexed columns stay.
CREATE TABLE logins (
    id              uuid        NOT NULL PRIMARY KEY,
    organization_id uuid        NOT NULL REFERENCES organizations (id),
    provider_id     uuid        NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    -- What the configuration calls the provider.
    provider_name   text        NOT NULL,
    route           text        NOT NULL CHECK (route IN ('client', 'browser', 'device')),
    -- What the client asks with: the hash of its state or handle.
    handle_hash     text COLLATE "C",
    -- What goes to the provider's page and comes back.
    state_hash      text COLLATE "C",
    redirect_uri    text,
    pkce_verifier   bytea,
    nonce           bytea,
    -- Where the browser goes at the end: a client's URL, or a path of ours.
    return_to       text,
    -- The client, as it looked when it asked.
    address         text,
    user_agent      text,
    match_code      text,
    shows_code      boolean,
    -- What a device is polled with.
    device_code     bytea,
    interval_micros bigint      CHECK (interval_micros >= 0),
    next_poll_at    timestamptz,
    scopes          json        NOT NULL,
    endpoints       text        NOT NULL,
    browser_hash    text,
    stage           text        NOT NULL CHECK (stage IN
                        ('pending', 'asking', 'identified', 'granted', 'released', 'ended')),
    asking_since    timestamptz,
    person          json,
    account_id      uuid        REFERENCES accounts (id),
    -- No reference: the token may be purged before the login.
    token_id        uuid,
    released_at     timestamptz,
    outcome         text        CHECK (outcome IN ('refused', 'not_allowed', 'unavailable')),
    reason          text,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    version         bigint      NOT NULL,
    CONSTRAINT logins_handle_hash_key UNIQUE (handle_hash),
    CHECK ((route = 'browser') = (handle_hash IS NULL)),
    CHECK ((route = 'device') = (state_hash IS NULL)),
    CHECK ((route = 'device') = (redirect_uri IS NULL)),
    CHECK ((route = 'device') = (nonce IS NULL)),
    CHECK (route <> 'device' OR pkce_verifier IS NULL),
    CHECK (CASE route WHEN 'browser' THEN return_to IS NOT NULL WHEN 'device' THEN return_to IS NULL ELSE true END),
    CHECK (route = 'client' OR (address IS NULL AND user_agent IS NULL)),
    CHECK ((route = 'client') = (match_code IS NOT NULL)),
    CHECK ((route = 'client') = (shows_code IS NOT NULL)),
    CHECK ((route = 'device') = (device_code IS NOT NULL)),
    CHECK ((route = 'device') = (interval_micros IS NOT NULL)),
    CHECK ((route = 'device') = (next_poll_at IS NOT NULL)),
    CHECK ((stage = 'asking') = (asking_since IS NOT NULL)),
    CHECK ((stage = 'identified') = (person IS NOT NULL)),
    CHECK ((stage IN ('granted', 'released')) = (account_id IS NOT NULL)),
    CHECK ((stage = 'released') = (token_id IS NOT NULL)),
    CHECK ((stage = 'released') = (released_at IS NOT NULL)),
    CHECK ((stage = 'ended') = (outcome IS NOT NULL)),
    CHECK ((stage = 'ended') = (reason IS NOT NULL))
) WITH (fillfactor = 70);

-- By it a login is found that a browser comes back with, and all those at a provider that goes.
CREATE INDEX logins_by_state ON logins (provider_id, state_hash);
CREATE INDEX logins_of_account ON logins (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX logins_by_expiry ON logins (expires_at);

-- Who signs in as which account: somebody at a provider, who may be known to several organizations.
CREATE TABLE login_identities (
    id              uuid             NOT NULL PRIMARY KEY,
    organization_id uuid             NOT NULL REFERENCES organizations (id),
    account_id      uuid             NOT NULL REFERENCES accounts (id),
    issuer          text COLLATE "C" NOT NULL,
    subject         text COLLATE "C" NOT NULL,
    created_at      timestamptz      NOT NULL,
    version         bigint           NOT NULL,
    CONSTRAINT login_identities_identity_key UNIQUE (organization_id, issuer, subject)
);

CREATE INDEX login_identities_of_account ON login_identities (account_id, created_at, id);
