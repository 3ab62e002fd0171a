-- What is known of a connection beside its credential, as JSON: the public values that calls need, whose account it is at
-- the provider, and the scopes that were granted.
ALTER TABLE connections ADD COLUMN provider_data TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connections ADD COLUMN account TEXT;
ALTER TABLE connections ADD COLUMN scopes TEXT;

-- The secret values that calls need, sealed.
ALTER TABLE credentials ADD COLUMN secret_data TEXT;

-- How often what the customer entered was checked at the provider.
ALTER TABLE links ADD COLUMN verifications BIGINT NOT NULL DEFAULT 0;
