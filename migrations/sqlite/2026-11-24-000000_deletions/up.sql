-- An account or an organization that is being deleted lets nobody in any more.
ALTER TABLE organizations ADD COLUMN standing TEXT NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'deleting'));
ALTER TABLE accounts ADD COLUMN standing TEXT NOT NULL DEFAULT 'active' CHECK (standing IN ('active', 'deleting'));

-- Who else lives by a grant: one person at one provider.
CREATE INDEX authorizations_of_owner ON authorizations (provider_id, subject);
-- For the reference alone, which is looked at when an organization goes.
CREATE INDEX authorizations_of_organization ON authorizations (organization_id);

-- Two more types of jobs, the operator as one who asks for them, and the account that one is about. A CHECK of a table goes
-- with the table alone; nothing refers to this one.
CREATE TABLE new_jobs (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    -- No references: the report outlives them. None: the operator.
    requested_by    BLOB    CHECK (length(requested_by) = 16),
    kind            TEXT    NOT NULL CHECK (kind IN
                        ('DELETE_PROVIDER', 'DELETE_ACCOUNT', 'DELETE_ORGANIZATION', 'STATS')),
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
    account_id      BLOB,
    CHECK ((kind = 'DELETE_PROVIDER') = (provider_id IS NOT NULL)),
    CHECK ((kind = 'DELETE_ACCOUNT') = (account_id IS NOT NULL)),
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL))
) STRICT;

INSERT INTO new_jobs (id, organization_id, requested_by, kind, provider_id, name, status, created_at, started_at,
                      finished_at, details, lease_holder, lease_until, version)
SELECT id, organization_id, requested_by, kind, provider_id, name, status, created_at, started_at,
       finished_at, details, lease_holder, lease_until, version
FROM jobs;

DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;

CREATE INDEX jobs_of_organization ON jobs (organization_id, created_at, id);
CREATE INDEX jobs_by_status ON jobs (status, created_at, id);

-- Receipts know whose grant it was and where that person can look. They outlive the organization too, so that they no longer
-- refer to it: a reference goes with its table alone as well.
CREATE TABLE new_revocations (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- No references: the receipt outlives them.
    organization_id  BLOB    NOT NULL CHECK (length(organization_id) = 16),
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
    -- Not known of tokens that came before anybody could tell whose they were.
    issuer           TEXT,
    subject          TEXT,
    settings_url     TEXT,
    CHECK ((lease_holder IS NULL) = (lease_until IS NULL)),
    CHECK ((issuer IS NULL) = (subject IS NULL))
) STRICT;

INSERT INTO new_revocations (id, organization_id, provider_id, authorization_id, account_id, access_token, refresh_token,
                             status, last_error, attempts, created_at, next_attempt_at, finished_at, lease_holder,
                             lease_until, version)
SELECT id, organization_id, provider_id, authorization_id, account_id, access_token, refresh_token,
       status, last_error, attempts, created_at, next_attempt_at, finished_at, lease_holder,
       lease_until, version
FROM revocations;

DROP TABLE revocations;
ALTER TABLE new_revocations RENAME TO revocations;

CREATE INDEX revocations_of_provider ON revocations (provider_id, created_at, id);
CREATE INDEX revocations_by_attempt ON revocations (status, next_attempt_at, created_at, id);
CREATE INDEX revocations_by_end ON revocations (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX revocations_of_organization ON revocations (organization_id, created_at, id);
CREATE INDEX revocations_of_account ON revocations (account_id, created_at, id);
CREATE INDEX revocations_of_authorization ON revocations (authorization_id, created_at, id);
