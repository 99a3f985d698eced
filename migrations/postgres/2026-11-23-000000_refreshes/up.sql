-- Whoever waits for a table keeps all others waiting behind: what another program holds for longer is tried again later.
SET LOCAL lock_timeout = '5s';

-- What is known of the refreshes of an authorization: when the next one is due, who may ask its provider, and what was asked
-- without an answer so far. A row beside every authorization, so that none of it rewrites the tokens.
-- When it is due is rewritten once a refresh, and indexed; all else is rewritten in its page.
CREATE TABLE refreshes (
    authorization_id uuid        NOT NULL PRIMARY KEY,
    -- None: not by itself.
    due_at           timestamptz,
    -- The lease. None: nobody has it. The fence grows with every lease, the beat while a holder lives.
    holder           text,
    fence            bigint      NOT NULL,
    beat             bigint      NOT NULL,
    -- The journal: the request that no answer was written down for, by the fence of its lease.
    asked_fence      bigint,
    asked_at         timestamptz,
    asked_given_up   boolean     NOT NULL,
    -- When a token was last handed out, to the hour or so.
    last_used_at     timestamptz,
    CHECK ((asked_fence IS NULL) = (asked_at IS NULL)),
    CHECK (asked_fence IS NOT NULL OR NOT asked_given_up)
) WITH (
    fillfactor = 60,
    -- Every refresh leaves two dead entries in the index of what is due. They are passed over quickly, but not for ever.
    autovacuum_vacuum_scale_factor = 0.05
);

-- Whoever adds an authorization: another version, or COPY. Nobody adds one from here to the end of this migration.
CREATE FUNCTION add_refreshes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO refreshes (authorization_id, fence, beat, asked_given_up) SELECT id, 0, 0, false FROM added;
    RETURN NULL;
END
$$;

CREATE TRIGGER authorizations_have_refreshes AFTER INSERT ON authorizations
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION add_refreshes();

-- Refreshes go on from the fence they were at. What is alive is due a minute before its access token ends; what nobody has
-- refreshed for a week, at some time in the week to come, not all of it at once.
INSERT INTO refreshes (authorization_id, due_at, holder, fence, beat, asked_given_up)
SELECT
    a.id,
    CASE
        WHEN a.grant_state = 'dead' OR a.refresh_token IS NULL THEN NULL
        WHEN a.issued_at < now() - interval '7 days' THEN now() + random() * interval '7 days'
        ELSE a.expires_at - interval '1 minute'
    END,
    NULL,
    coalesce(l.fence, 0),
    0,
    false
FROM authorizations AS a LEFT JOIN refresh_leases AS l ON l.authorization_id = a.id;

-- After they are in: one by one, the reference would lock and rewrite every authorization.
ALTER TABLE refreshes
    ADD CONSTRAINT refreshes_authorization_id_fkey
    FOREIGN KEY (authorization_id) REFERENCES authorizations (id) ON DELETE CASCADE;

CREATE INDEX refreshes_by_due_time ON refreshes (due_at, authorization_id) WHERE due_at IS NOT NULL;

-- `refresh_leases` stays for replicas of the version before. A later migration drops it.

ALTER TABLE authorizations
    -- The fence of the refresh whose answer was lost, where the grant died of that.
    ADD COLUMN lost_refresh bigint,
    -- Since when refreshes fail.
    ADD COLUMN failing_since timestamptz;

-- Whether refresh tokens that nobody uses are kept from dying of it.
ALTER TABLE providers ADD COLUMN keep_alive boolean NOT NULL DEFAULT true;

-- How often it happened, and when last: equal hand-outs of one second are one entry. NOT VALID: the rows that are there need
-- no look, and there may be very many.
ALTER TABLE audit_entries
    ADD COLUMN count bigint NOT NULL DEFAULT 1,
    ADD COLUMN last_at timestamptz,
    ADD CONSTRAINT audit_entries_count_check CHECK (count > 0) NOT VALID;

-- Entries that come to count more are rewritten in their page, and the dead ones go before they are a fifth of all.
ALTER TABLE audit_entries SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01);

-- The log stays append-only, but for this: an entry about a hand-out may come to count more of the same.
DROP TRIGGER audit_entries_are_append_only ON audit_entries;

CREATE FUNCTION refuse_to_rewrite_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counted audit_entries := OLD;
BEGIN
    counted.count := NEW.count;
    counted.last_at := NEW.last_at;
    -- "*=" compares every column, byte by byte, a later migration's too.
    IF OLD.action = 'token.handed_out' AND NEW *= counted
        AND NEW.count > OLD.count AND NEW.last_at >= coalesce(OLD.last_at, OLD.at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;

-- Once per row, and so only where one is to be changed: INSERT … ON CONFLICT DO UPDATE is what writes hand-outs.
CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE ON audit_entries
FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite_audit_entries();

-- Once per statement: it refuses before any row is looked for, and MERGE as well.
CREATE TRIGGER audit_entries_are_not_removed BEFORE DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_entries();

-- In sessions as well that have switched triggers off (`session_replication_role`).
ALTER TABLE audit_entries
    ENABLE ALWAYS TRIGGER audit_entries_are_not_changed,
    ENABLE ALWAYS TRIGGER audit_entries_are_not_removed;
