-- How the hosted page looks for a tenant's customers: JSON, public as the page is.
CREATE TABLE sdk_configs (
    tenant_id  TEXT PRIMARY KEY REFERENCES tenants (id),
    config     TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The picture on that page. Of its own, because pages need its address and not its bytes.
CREATE TABLE sdk_logos (
    tenant_id  TEXT PRIMARY KEY REFERENCES tenants (id),
    -- SHA-256 of the picture: its address.
    digest     TEXT NOT NULL,
    width      BIGINT NOT NULL,
    height     BIGINT NOT NULL,
    -- Base64.
    png        TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX sdk_logos_by_digest ON sdk_logos (digest);
