-- When the user last authorized. A version before this one does not write it: those rows were authorized when they were made,
-- as far as can be told.
ALTER TABLE authorizations ADD COLUMN authorized_at INTEGER;
-- When it was last used, as far as was known when its tokens were written.
ALTER TABLE authorizations ADD COLUMN used_at INTEGER;

-- Tokens that read the access tokens of their account, and nothing else. The CHECK names them, and goes
-- with the table alone; nothing refers to this one.
CREATE TABLE new_api_tokens (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id      BLOB    NOT NULL REFERENCES accounts (id),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    hash            TEXT    NOT NULL UNIQUE,
    purpose         TEXT    NOT NULL CHECK (purpose IN ('api', 'agent', 'session')),
    -- No reference: the token may be purged before the sessions that it opened.
    opened_with     BLOB,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    last_used_at    INTEGER,
    revoked_at      INTEGER,
    version         INTEGER NOT NULL,
    CHECK ((purpose = 'session') = (opened_with IS NOT NULL))
) STRICT;

INSERT INTO new_api_tokens (id, account_id, organization_id, hash, purpose, opened_with, created_at, expires_at,
                            last_used_at, revoked_at, version)
SELECT id, account_id, organization_id, hash, purpose, opened_with, created_at, expires_at,
       last_used_at, revoked_at, version
FROM api_tokens;

DROP TABLE api_tokens;
ALTER TABLE new_api_tokens RENAME TO api_tokens;

CREATE INDEX api_tokens_of_account ON api_tokens (account_id, created_at, id);
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;

-- The hosts and paths where a provider has its repositories; none: where its type and host tell.
ALTER TABLE providers ADD COLUMN git_hosts TEXT CHECK (json_valid(git_hosts));

-- Where the browser goes when the account is linked.
ALTER TABLE flows ADD COLUMN return_to TEXT;

-- Whether the service itself asked the provider last, since nobody polled.
ALTER TABLE device_flows ADD COLUMN unattended INTEGER NOT NULL DEFAULT 0 CHECK (unattended IN (0, 1));
