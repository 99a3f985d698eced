-- The version before would let those in again that are being deleted.
DELETE FROM api_tokens WHERE account_id IN (SELECT id FROM accounts WHERE standing = 'deleting');
ALTER TABLE accounts DROP COLUMN standing;
ALTER TABLE organizations DROP COLUMN standing;

DROP INDEX authorizations_of_owner;
DROP INDEX authorizations_of_organization;

-- Without the jobs that the version before does not know.
CREATE TABLE old_jobs (
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

INSERT INTO old_jobs
SELECT id, organization_id, requested_by, kind, provider_id, name, status, created_at, started_at,
       finished_at, details, lease_holder, lease_until, version
FROM jobs WHERE kind IN ('DELETE_PROVIDER', 'STATS');

DROP TABLE jobs;
ALTER TABLE old_jobs RENAME TO jobs;

CREATE INDEX jobs_of_organization ON jobs (organization_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (status, created_at, id);

-- Without the receipts of organizations that are gone.
CREATE TABLE old_revocations (
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

INSERT INTO old_revocations
SELECT id, organization_id, provider_id, authorization_id, account_id, access_token, refresh_token,
       status, last_error, attempts, created_at, next_attempt_at, finished_at, lease_holder,
       lease_until, version
FROM revocations WHERE organization_id IN (SELECT id FROM organizations);

DROP TABLE revocations;
ALTER TABLE old_revocations RENAME TO revocations;

CREATE INDEX revocations_of_provider ON revocations (provider_id, created_at, id);
CREATE INDEX revocations_by_attempt ON revocations (status, next_attempt_at, created_at, id);
CREATE INDEX revocations_by_end ON revocations (finished_at) WHERE finished_at IS NOT NULL;
