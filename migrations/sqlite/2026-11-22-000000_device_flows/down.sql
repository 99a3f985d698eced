DROP TABLE device_flows;
ALTER TABLE authorizations DROP COLUMN redirect_uri;

-- The default is for the moment before the copy. A type that the version before does not know is refused.
ALTER TABLE providers ADD COLUMN old_kind TEXT NOT NULL DEFAULT 'oidc' CHECK (old_kind IN
    ('github', 'gitlab', 'bitbucket', 'google', 'box', 'microsoft', 'oidc', 'test'));
UPDATE providers SET old_kind = kind;
ALTER TABLE providers DROP COLUMN kind;
ALTER TABLE providers RENAME COLUMN old_kind TO kind;
