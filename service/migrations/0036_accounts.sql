-- Who may see and change a tenant in the dashboard. An account is an email; it has no row of its own.
CREATE TABLE members (
    tenant_id  TEXT NOT NULL REFERENCES tenants (id),
    email      TEXT NOT NULL,
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- The first sign-in as a member.
    joined_at  BIGINT,
    PRIMARY KEY (tenant_id, email)
);
CREATE INDEX members_by_email ON members (email);
-- A tenant is itself an account.
INSERT INTO members (tenant_id, email, role, created_at) SELECT id, email, 'owner', created_at FROM tenants WHERE email IS NOT NULL;

-- One-time links to sign in.
CREATE TABLE sign_ins (
    id             TEXT PRIMARY KEY,
    email          TEXT NOT NULL,
    -- Where it was asked for, to limit how often; none for those of the command line.
    network        TEXT,
    link_digest    TEXT NOT NULL UNIQUE,
    -- The browser that asked; none for those of the command line, which work in any.
    browser_digest TEXT,
    -- The digest of the code that another browser shows.
    code_digest    TEXT,
    -- How many codes were typed.
    tries          BIGINT NOT NULL DEFAULT 0,
    return_to      TEXT NOT NULL,
    -- sent, code_shown or done
    state          TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_email ON sign_ins (email, created_at);
CREATE INDEX sign_ins_by_network ON sign_ins (network, created_at);
CREATE INDEX sign_ins_by_browser ON sign_ins (browser_digest);
CREATE INDEX sign_ins_by_time ON sign_ins (created_at);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    email        TEXT NOT NULL,
    digest       TEXT NOT NULL UNIQUE,
    -- What the browser says of itself.
    user_agent   TEXT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    -- To a minute.
    seen_at      BIGINT NOT NULL
);
CREATE INDEX sessions_by_email ON sessions (email);
CREATE INDEX sessions_by_seen ON sessions (seen_at);

ALTER TABLE keys ADD COLUMN name TEXT;

-- The dashboard's lists: of a tenant, of an account, and the events of one connection.
CREATE INDEX connections_by_time ON connections (tenant_id, created_at DESC, id);
CREATE INDEX connections_by_app ON connections (tenant_id, app_id, created_at DESC, id);
CREATE INDEX connections_by_account ON connections (customer, created_at DESC, id);
CREATE INDEX events_by_connection ON events (tenant_id, connection_id, position) WHERE connection_id IS NOT NULL;
