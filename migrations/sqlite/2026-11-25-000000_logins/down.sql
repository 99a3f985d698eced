DROP TABLE login_identities;
DROP TABLE logins;

-- The version before would let those in again that are suspended.
DELETE FROM api_tokens WHERE account_id IN (SELECT id FROM accounts WHERE suspended_at IS NOT NULL);
ALTER TABLE accounts DROP COLUMN suspended_at;
