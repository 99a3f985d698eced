-- Whoever waits for a table keeps all others waiting behind: what another program holds for longer is tried again later.
SET LOCAL lock_timeout = '5s';

-- No rows are read here: NOT VALID, and no defaults that are to be worked out. The indexes of what is added come with the next
-- migration, so that nobody waits for them with a table that they may not even read.

-- A table that was altered is held until the end: the busier come later, and `authorizations` last, so that nothing else is
-- waited for while it is held.

-- Whether the service itself asked the provider last, since nobody polled.
ALTER TABLE device_flows ADD COLUMN unattended boolean NOT NULL DEFAULT false;

-- Where the browser goes when the account is linked.
ALTER TABLE flows ADD COLUMN return_to text;

-- The hosts and paths where a provider has its repositories; none: where its type and host tell.
ALTER TABLE providers ADD COLUMN git_hosts json;

-- Tokens that read the access tokens of their account, and nothing else.
ALTER TABLE api_tokens
    DROP CONSTRAINT api_tokens_purpose_check,
    ADD CONSTRAINT api_tokens_purpose_check CHECK (purpose IN ('api', 'agent', 'session')) NOT VALID;

-- When the user last authorized. A version before this one does not write it: those rows were authorized when they were made,
-- as far as can be told. A refresh leaves it alone, for it is going to be indexed.
ALTER TABLE authorizations ADD COLUMN authorized_at timestamptz;
-- When it was last used, as far as was known when its tokens were written. It is not indexed: a refresh writes it.
ALTER TABLE authorizations ADD COLUMN used_at timestamptz;
