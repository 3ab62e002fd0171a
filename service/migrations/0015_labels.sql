-- The tenant's own: a JSON object, and what it calls the customer. Nothing is authorised by them.
ALTER TABLE connections ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connections ADD COLUMN customer_id TEXT;
ALTER TABLE connections ADD COLUMN customer_name TEXT;
CREATE INDEX connections_by_customer_id ON connections (tenant_id, customer, customer_id, created_at, id)
    WHERE customer_id IS NOT NULL;

-- Why the grant stopped working, and since when, where `broken` is 1.
ALTER TABLE connections ADD COLUMN broken_reason TEXT;
ALTER TABLE connections ADD COLUMN broken_since BIGINT;
UPDATE connections SET broken_reason = 'grant_refused', broken_since = updated_at WHERE broken = 1;
CREATE INDEX connections_broken ON connections (tenant_id, customer, created_at, id) WHERE broken = 1;

-- The latest token call that was given the credential, to a second.
ALTER TABLE connections ADD COLUMN last_used_at BIGINT;
-- The latest success of a refresh.
ALTER TABLE credentials ADD COLUMN last_refreshed_at BIGINT;
