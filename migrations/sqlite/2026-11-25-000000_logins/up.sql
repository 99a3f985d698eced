-- Since when an operator keeps an account from doing anything.
ALTER TABLE accounts ADD COLUMN suspended_at INTEGER;

-- Runs of signing in.
CREATE TABLE logins (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    provider_id     BLOB    NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    -- What the configuration calls the provider.
    provider_name   TEXT    NOT NULL,
    route           TEXT    NOT NULL CHECK (route IN ('client', 'browser', 'device')),
    -- What the client asks with: the hash of its state or handle.
    handle_hash     TEXT    UNIQUE,
    -- What goes to the provider's page and comes back.
    state_hash      TEXT,
    redirect_uri    TEXT,
    pkce_verifier   BLOB,
    nonce           BLOB,
    -- Where the browser goes at the end: a client's URL, or a path of ours.
    return_to       TEXT,
    -- The client, as it looked when it asked.
    address         TEXT,
    user_agent      TEXT,
    match_code      TEXT,
    shows_code      INTEGER CHECK (shows_code IN (0, 1)),
    -- What a device is polled with.
    device_code     BLOB,
    interval_micros INTEGER CHECK (interval_micros >= 0),
    next_poll_at    INTEGER,
    scopes          TEXT    NOT NULL CHECK (json_valid(scopes)),
    endpoints       TEXT    NOT NULL,
    browser_hash    TEXT,
    stage           TEXT    NOT NULL CHECK (stage IN
                        ('pending', 'asking', 'identified', 'granted', 'released', 'ended')),
    asking_since    INTEGER,
    person          TEXT    CHECK (json_valid(person)),
    account_id      BLOB    REFERENCES accounts (id),
    -- No reference: the token may be purged before the login.
    token_id        BLOB    CHECK (length(token_id) = 16),
    released_at     INTEGER,
    outcome         TEXT    CHECK (outcome IN ('refused', 'not_allowed', 'unavailable')),
    reason          TEXT,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
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
) STRICT;

-- By it a login is found that a browser comes back with, and all those at a provider that goes.
CREATE INDEX logins_by_state ON logins (provider_id, state_hash);
CREATE INDEX logins_of_account ON logins (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX logins_by_expiry ON logins (expires_at);

-- Who signs in as which account: somebody at a provider, who may be known to several organizations.
CREATE TABLE login_identities (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    account_id      BLOB    NOT NULL REFERENCES accounts (id),
    issuer          TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    UNIQUE (organization_id, issuer, subject)
) STRICT;

CREATE INDEX login_identities_of_account ON login_identities (account_id, created_at, id);
