-- Only the latest journeys of a link are kept.
ALTER TABLE authorizations ADD COLUMN begun_at BIGINT NOT NULL DEFAULT 0;
