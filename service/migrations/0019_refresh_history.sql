-- What is remembered of a credential's refreshes, until one succeeds: how many failed one after the other, and before when
-- the provider is not asked again.
ALTER TABLE credentials ADD COLUMN refresh_failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN refresh_retry_at BIGINT;

-- The unbroken run of refusals by a 4xx: how many there were, and when the first was.
ALTER TABLE credentials ADD COLUMN refusals BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN refused_since BIGINT;

-- When the provider was last asked because a backend named the token as rejected.
ALTER TABLE credentials ADD COLUMN forced_at BIGINT;
