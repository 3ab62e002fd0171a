-- The tenant's organisation that a connection is for, which it keeps.
ALTER TABLE connections ADD COLUMN organization_id TEXT;
ALTER TABLE connections ADD COLUMN organization_name TEXT;
CREATE INDEX connections_by_organization ON connections (tenant_id, organization_id) WHERE organization_id IS NOT NULL;

-- What a tenant says of an app.
CREATE TABLE app_settings (
    tenant_id           TEXT NOT NULL REFERENCES tenants (id),
    app_id              TEXT NOT NULL,
    -- Whether each organisation brings an OAuth client of its own.
    by_organization     BIGINT NOT NULL,
    -- CommonMark, for whoever enters one.
    instructions        TEXT NOT NULL,
    admin_role_required BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, app_id)
);

-- Ways in to an organisation's clients. Each is for the first browser that opens it.
CREATE TABLE admin_links (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    organization_id TEXT NOT NULL,
    organization_name TEXT NOT NULL,
    customer        TEXT NOT NULL,
    secret_digest   TEXT NOT NULL UNIQUE,
    browser_digest  TEXT,
    -- How many secrets were tried at a provider.
    trials          BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX admin_links_by_expiry ON admin_links (expires_at);
