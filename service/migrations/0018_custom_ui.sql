-- The tenant's website, whose origin is the default for `allowed_origin` of its links.
ALTER TABLE tenants ADD COLUMN website_url TEXT;

-- When the link ended, other than by its expiry.
ALTER TABLE links ADD COLUMN ended_at BIGINT;
