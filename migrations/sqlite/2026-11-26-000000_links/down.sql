ALTER TABLE device_flows DROP COLUMN unattended;
ALTER TABLE flows DROP COLUMN return_to;
ALTER TABLE providers DROP COLUMN git_hosts;

-- Without the tokens that the version before does not know.
CREATE TABLE old_api_tokens (
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

INSERT INTO old_api_tokens
SELECT id, account_id, organization_id, hash, purpose, opened_with, created_at, expires_at,
       last_used_at, revoked_at, version
FROM api_tokens WHERE purpose IN ('api', 'session');

DROP TABLE api_tokens;
ALTER TABLE old_api_tokens RENAME TO api_tokens;

CREATE INDEX api_tokens_of_account ON api_tokens (account_id, created_at, id);
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE authorizations DROP COLUMN used_at;
ALTER TABLE authorizations DROP COLUMN authorized_at;
