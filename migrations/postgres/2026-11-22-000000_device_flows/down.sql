DROP TABLE device_flows;
ALTER TABLE authorizations DROP COLUMN redirect_uri;

-- A type that the version before does not know is refused.
ALTER TABLE providers ADD CONSTRAINT providers_kind_check CHECK (kind IN
    ('github', 'gitlab', 'bitbucket', 'google', 'box', 'microsoft', 'oidc', 'test'));
