-- Whoever waits for a table keeps all others waiting behind: what another program holds for longer is tried again later.
SET LOCAL lock_timeout = '5s';

-- The indexes come first: they take a while, and let others read meanwhile. NOT VALID, further down: the rows that are there
-- need no look.

-- Who else lives by a grant: one person at one provider.
CREATE INDEX authorizations_of_owner ON authorizations (provider_id, subject);
-- For the reference alone, which is looked at when an organization goes.
CREATE INDEX authorizations_of_organization ON authorizations (organization_id);

CREATE INDEX revocations_of_organization ON revocations (organization_id, created_at, id);
CREATE INDEX revocations_of_account ON revocations (account_id, created_at, id);
CREATE INDEX revocations_of_authorization ON revocations (authorization_id, created_at, id);

-- An account or an organization that is being deleted lets nobody in any more.
ALTER TABLE organizations
    ADD COLUMN standing text NOT NULL DEFAULT 'active',
    ADD CONSTRAINT organizations_standing_check CHECK (standing IN ('active', 'deleting')) NOT VALID;
ALTER TABLE accounts
    ADD COLUMN standing text NOT NULL DEFAULT 'active',
    ADD CONSTRAINT accounts_standing_check CHECK (standing IN ('active', 'deleting')) NOT VALID;

-- Two more types of jobs, the operator as one who asks for them (no account), and the account that one is about.
ALTER TABLE jobs
    ALTER COLUMN requested_by DROP NOT NULL,
    DROP CONSTRAINT jobs_kind_check,
    ADD CONSTRAINT jobs_kind_check CHECK (kind IN
        ('DELETE_PROVIDER', 'DELETE_ACCOUNT', 'DELETE_ORGANIZATION', 'STATS')) NOT VALID,
    ADD COLUMN account_id uuid,
    ADD CONSTRAINT jobs_account_check CHECK ((kind = 'DELETE_ACCOUNT') = (account_id IS NOT NULL)) NOT VALID;

-- Receipts know whose grant it was, unless the tokens came before anybody could tell, and where that person can look. They
-- outlive the organization too, so that they no longer refer to it.
ALTER TABLE revocations
    DROP CONSTRAINT revocations_organization_id_fkey,
    ADD COLUMN issuer text,
    ADD COLUMN subject text,
    ADD COLUMN settings_url text,
    ADD CONSTRAINT revocations_owner_check CHECK ((issuer IS NULL) = (subject IS NULL)) NOT VALID;
