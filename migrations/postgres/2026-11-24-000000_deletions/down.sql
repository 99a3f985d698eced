-- The version before would let those in again that are being deleted.
DELETE FROM api_tokens WHERE account_id IN (SELECT id FROM accounts WHERE standing = 'deleting');
ALTER TABLE accounts DROP COLUMN standing;
ALTER TABLE organizations DROP COLUMN standing;

DROP INDEX authorizations_of_owner;
DROP INDEX authorizations_of_organization;

-- The version before does not know these jobs.
DELETE FROM jobs WHERE kind IN ('DELETE_ACCOUNT', 'DELETE_ORGANIZATION');
ALTER TABLE jobs
    ALTER COLUMN requested_by SET NOT NULL,
    DROP CONSTRAINT jobs_kind_check,
    ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('DELETE_PROVIDER', 'STATS')),
    DROP COLUMN account_id;

DROP INDEX revocations_of_organization;
DROP INDEX revocations_of_account;
DROP INDEX revocations_of_authorization;
-- Nor receipts of organizations that are gone.
DELETE FROM revocations WHERE organization_id NOT IN (SELECT id FROM organizations);
ALTER TABLE revocations
    DROP COLUMN issuer,
    DROP COLUMN subject,
    DROP COLUMN settings_url,
    ADD CONSTRAINT revocations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations (id);
