-- What is known of the refreshes of an authorization: when the next one is due, who may ask its provider, and what was asked
-- without an answer so far. A row beside every authorization, so that none of it rewrites the tokens.
CREATE TABLE refreshes (
    authorization_id BLOB    NOT NULL PRIMARY KEY CHECK (length(authorization_id) = 16)
                             REFERENCES authorizations (id) ON DELETE CASCADE,
    -- None: not by itself.
    due_at           INTEGER,
    -- The lease. None: nobody has it. The fence grows with every lease, the beat while a holder lives.
    holder           TEXT,
    fence            INTEGER NOT NULL,
    beat             INTEGER NOT NULL,
    -- The journal: the request that no answer was written down for, by the fence of its lease.
    asked_fence      INTEGER,
    asked_at         INTEGER,
    asked_given_up   INTEGER NOT NULL CHECK (asked_given_up IN (0, 1)),
    -- When a token was last handed out, to the hour or so.
    last_used_at     INTEGER,
    CHECK ((asked_fence IS NULL) = (asked_at IS NULL)),
    CHECK (asked_fence IS NOT NULL OR NOT asked_given_up)
) STRICT;

-- Refreshes go on from the fence they were at. What is alive is due a minute before its access token ends; what nobody has
-- refreshed for a week, at some time in the week to come, not all of it at once.
INSERT INTO refreshes (authorization_id, due_at, holder, fence, beat, asked_given_up)
SELECT
    a.id,
    CASE
        WHEN a.grant_state = 'dead' OR a.refresh_token IS NULL THEN NULL
        WHEN a.issued_at < unixepoch('now', '-7 days') * 1000000
            THEN unixepoch('now') * 1000000 + abs(random() % 604800000000)
        ELSE a.expires_at - 60000000
    END,
    NULL,
    coalesce(l.fence, 0),
    0,
    0
FROM authorizations AS a LEFT JOIN refresh_leases AS l ON l.authorization_id = a.id;

CREATE INDEX refreshes_by_due_time ON refreshes (due_at, authorization_id) WHERE due_at IS NOT NULL;

-- Whoever adds an authorization: another version, or another program.
CREATE TRIGGER authorizations_have_refreshes AFTER INSERT ON authorizations
BEGIN
    INSERT INTO refreshes (authorization_id, fence, beat, asked_given_up) VALUES (NEW.id, 0, 0, 0);
END;

-- `refresh_leases` stays for the version before. A later migration drops it.

-- The fence of the refresh whose answer was lost, where the grant died of that.
ALTER TABLE authorizations ADD COLUMN lost_refresh INTEGER;
-- Since when refreshes fail.
ALTER TABLE authorizations ADD COLUMN failing_since INTEGER;

-- Whether refresh tokens that nobody uses are kept from dying of it.
ALTER TABLE providers ADD COLUMN keep_alive INTEGER NOT NULL DEFAULT 1 CHECK (keep_alive IN (0, 1));

-- How often it happened, and when last: equal hand-outs of one second are one entry.
ALTER TABLE audit_entries ADD COLUMN count INTEGER NOT NULL DEFAULT 1 CHECK (count > 0);
ALTER TABLE audit_entries ADD COLUMN last_at INTEGER;

-- The log stays append-only, but for this: an entry about a hand-out may come to count more of the same.
DROP TRIGGER audit_entries_are_not_changed;

CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE ON audit_entries
WHEN (
    OLD.action = 'token.handed_out'
    AND NEW.count > OLD.count
    AND NEW.last_at >= coalesce(OLD.last_at, OLD.at)
    AND (NEW.id, NEW.at, NEW.organization_id, NEW.actor, NEW.action, NEW.outcome)
        IS (OLD.id, OLD.at, OLD.organization_id, OLD.actor, OLD.action, OLD.outcome)
    AND (NEW.actor_account_id, NEW.actor_token_id, NEW.reason, NEW.provider_id)
        IS (OLD.actor_account_id, OLD.actor_token_id, OLD.reason, OLD.provider_id)
    AND (NEW.authorization_id, NEW.subject, NEW.token, NEW.request_id)
        IS (OLD.authorization_id, OLD.subject, OLD.token, OLD.request_id)
) IS NOT TRUE
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
