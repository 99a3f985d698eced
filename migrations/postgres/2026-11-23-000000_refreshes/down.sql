DROP TRIGGER audit_entries_are_not_changed ON audit_entries;
DROP TRIGGER audit_entries_are_not_removed ON audit_entries;
DROP FUNCTION refuse_to_rewrite_audit_entries;

ALTER TABLE audit_entries RESET (fillfactor, autovacuum_vacuum_scale_factor);
ALTER TABLE audit_entries DROP COLUMN count, DROP COLUMN last_at;

CREATE TRIGGER audit_entries_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_entries();

ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_are_append_only;

ALTER TABLE providers DROP COLUMN keep_alive;
ALTER TABLE authorizations DROP COLUMN lost_refresh, DROP COLUMN failing_since;

-- No lease is held any more; its fence never goes back.
DELETE FROM refresh_leases;
INSERT INTO refresh_leases SELECT authorization_id, NULL, 'epoch', fence FROM refreshes WHERE fence > 0;

DROP TRIGGER authorizations_have_refreshes ON authorizations;
DROP FUNCTION add_refreshes;
DROP TABLE refreshes;
