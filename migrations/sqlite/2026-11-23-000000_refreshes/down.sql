DROP TRIGGER audit_entries_are_not_changed;

ALTER TABLE audit_entries DROP COLUMN count;
ALTER TABLE audit_entries DROP COLUMN last_at;

CREATE TRIGGER audit_entries_are_not_changed BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

ALTER TABLE providers DROP COLUMN keep_alive;
ALTER TABLE authorizations DROP COLUMN lost_refresh;
ALTER TABLE authorizations DROP COLUMN failing_since;

-- No lease is held any more; its fence never goes back.
DELETE FROM refresh_leases;
INSERT INTO refresh_leases SELECT authorization_id, NULL, 0, fence FROM refreshes WHERE fence > 0;

DROP TRIGGER authorizations_have_refreshes;
DROP TABLE refreshes;
