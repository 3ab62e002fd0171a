-- OAuth clients beside the operator's: those of tenants, and of their organisations.
CREATE TABLE oauth_clients (
    id              TEXT PRIMARY KEY,
    -- It outlives its tenant until what was granted to it is revoked.
    tenant_id       TEXT NOT NULL,
    app_id          TEXT NOT NULL,
    -- Empty where it is the tenant's own.
    organization_id TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    -- The secret and the parameters, together with where they belong.
    sealed          TEXT NOT NULL,
    -- JSON; the catalogue's where absent.
    scopes          TEXT,
    sandbox         BIGINT NOT NULL,
    -- `pending` until an authorization succeeded, `current`, `retired` (its connections go on), `removed` (they end).
    state           TEXT NOT NULL,
    -- The link by which a customer entered it, if one did.
    link_id         TEXT,
    -- A key's id, or the customer's email.
    set_by          TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX oauth_clients_current ON oauth_clients (tenant_id, app_id, organization_id) WHERE state = 'current';
CREATE INDEX oauth_clients_by_place ON oauth_clients (tenant_id, organization_id, app_id);
CREATE INDEX oauth_clients_not_current ON oauth_clients (state) WHERE state <> 'current';

-- The client that a grant belongs to; the operator's where absent.
ALTER TABLE credentials ADD COLUMN oauth_client_id TEXT;
CREATE INDEX credentials_by_oauth_client ON credentials (oauth_client_id) WHERE oauth_client_id IS NOT NULL;
ALTER TABLE revocations ADD COLUMN oauth_client_id TEXT;
