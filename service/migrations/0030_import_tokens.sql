-- What a provider gave for a refresh token that a tenant imports, until a connection holds it: it may honour nothing older.
CREATE TABLE import_tokens (
    -- It does not refer to `tenants`: what was granted is kept first, and removed with the tenant's other rows.
    tenant_id   TEXT NOT NULL,
    -- Of the customer, the app, the OAuth client and the refresh token that was brought.
    digest      TEXT NOT NULL,
    customer    TEXT NOT NULL,
    -- Nothing while the provider is asked for the first time.
    sealed      TEXT,
    lease_owner TEXT,
    lease_until BIGINT,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX import_tokens_by_age ON import_tokens (created_at);
