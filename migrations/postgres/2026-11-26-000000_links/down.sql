ALTER TABLE device_flows DROP COLUMN unattended;
ALTER TABLE flows DROP COLUMN return_to;
ALTER TABLE providers DROP COLUMN git_hosts;

-- The version before does not know these tokens.
DELETE FROM api_tokens WHERE purpose = 'agent';
ALTER TABLE api_tokens
    DROP CONSTRAINT api_tokens_purpose_check,
    ADD CONSTRAINT api_tokens_purpose_check CHECK (purpose IN ('api', 'session'));

ALTER TABLE authorizations DROP COLUMN used_at;
ALTER TABLE authorizations DROP COLUMN authorized_at;
