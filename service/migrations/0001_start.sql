-- Runs on SQLite and PostgreSQL alike: times are milliseconds since 1970 as BIGINT, sealed values and digests are TEXT.

-- Marks the database as belonging to one encryption key.
CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE tenants (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE keys (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL REFERENCES tenants (id),
    digest       TEXT NOT NULL UNIQUE,
    capabilities TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    revoked_at   BIGINT
);

CREATE TABLE connections (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    customer    TEXT NOT NULL,
    app_id      TEXT,
    auth_type   TEXT,
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    -- The grant stopped working; cleared by the next one.
    broken      BIGINT NOT NULL,
    -- The latest link, which decides how long the connection is pending.
    link_id     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX connections_by_customer ON connections (tenant_id, customer, created_at, id);

CREATE TABLE links (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL,
    customer        TEXT NOT NULL,
    connection_id   TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    secret_digest   TEXT NOT NULL UNIQUE,
    -- A second way in, given out when a custom UI hands over to the provider.
    handoff_digest  TEXT UNIQUE,
    token_digest    TEXT NOT NULL,
    operation       TEXT NOT NULL,
    status          TEXT NOT NULL,
    phase           TEXT NOT NULL,
    app_id          TEXT,
    auth_option_key TEXT,
    inputs          TEXT,
    -- Everything else that the tenant asked for, as JSON.
    options         TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX links_by_connection ON links (connection_id);

-- One journey to a provider and back.
CREATE TABLE authorizations (
    state_digest    TEXT PRIMARY KEY,
    browser_digest  TEXT NOT NULL,
    link_id         TEXT NOT NULL REFERENCES links (id) ON DELETE CASCADE,
    app_id          TEXT NOT NULL,
    auth_option_key TEXT NOT NULL,
    sealed          TEXT NOT NULL
);
CREATE INDEX authorizations_by_link ON authorizations (link_id);

CREATE TABLE credentials (
    connection_id   TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE,
    tenant_id       TEXT NOT NULL,
    auth_type       TEXT NOT NULL,
    auth_option_key TEXT NOT NULL,
    -- Sealed, each bound to this row and its column.
    inputs          TEXT NOT NULL,
    access_token    TEXT,
    refresh_token   TEXT,
    token_type      TEXT,
    obtained_at     BIGINT NOT NULL,
    expires_at      BIGINT,
    -- Grows with every change, so that a refresh cannot overwrite a newer grant.
    version         BIGINT NOT NULL,
    -- Who refreshes now, and until when others leave it to them.
    lease_owner     TEXT,
    lease_until     BIGINT
);

CREATE TABLE usages (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    usage_id      TEXT NOT NULL,
    tenant_id     TEXT NOT NULL,
    customer      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (connection_id, usage_id)
);
CREATE INDEX usages_by_customer ON usages (tenant_id, customer);

CREATE TABLE answers (
    tenant_id   TEXT NOT NULL,
    key_digest  TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    sealed      TEXT NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, key_digest)
);
CREATE INDEX answers_by_expiry ON answers (expires_at);
