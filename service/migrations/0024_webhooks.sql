-- Where a tenant wants its events to be sent.
CREATE TABLE webhooks (
    id              TEXT PRIMARY KEY,
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    url             TEXT NOT NULL,
    -- Scheme, host and port of it.
    origin          TEXT NOT NULL,
    -- `,connection.active,key.created,`; empty for all.
    types           TEXT NOT NULL,
    description     TEXT,
    -- Sealed: the secret, and the one before it as long as that signs, too.
    secrets         TEXT NOT NULL,
    -- Since when nothing is sent, and why.
    disabled_at     BIGINT,
    disabled_reason TEXT,
    -- Since when no attempt has succeeded, and how many have failed in a row.
    failing_since   BIGINT,
    failures        BIGINT NOT NULL DEFAULT 0,
    -- Nothing is sent before.
    paused_until    BIGINT NOT NULL DEFAULT 0,
    -- Requests at once: one while it is only probed, and then more with each turn that succeeds.
    concurrency     BIGINT NOT NULL DEFAULT 8,
    -- Whether its last turn failed or took long: such endpoints never take all room.
    is_suspect      BIGINT NOT NULL DEFAULT 0,
    -- Who sends to it, and until when nobody else does. The time stays when the turn has ended: who waited for longest is next.
    lease_owner     TEXT,
    lease_until     BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    -- By the tenant.
    updated_at      BIGINT NOT NULL
);
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id);

-- What is to be sent yet. A row goes when it was received, or given up.
CREATE TABLE webhook_deliveries (
    webhook_id    TEXT NOT NULL,
    tenant_id     TEXT NOT NULL,
    -- The event's, in the tenant's feed.
    position      BIGINT NOT NULL,
    -- That of a link, or empty for the endpoint's own.
    url           TEXT NOT NULL,
    connection_id TEXT,
    attempts      BIGINT NOT NULL DEFAULT 0,
    -- Of the first attempt.
    tried_at      BIGINT,
    -- Not sent before. 0 for a new one, whatever the clock says. What waits for an earlier event has the time of that.
    next_at       BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook_id, position, url)
);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (webhook_id, next_at, position);
CREATE INDEX webhook_deliveries_by_connection ON webhook_deliveries (webhook_id, connection_id, url, next_at)
    WHERE attempts <= 2;

-- What was sent, and what came back.
CREATE TABLE webhook_attempts (
    id         TEXT PRIMARY KEY,
    webhook_id TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    event_type TEXT NOT NULL,
    url        TEXT NOT NULL,
    -- From 1.
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    -- In milliseconds.
    duration   BIGINT NOT NULL,
    status     BIGINT,
    error      TEXT,
    -- The beginning of the response's body, as text.
    response   TEXT,
    -- When it is tried again.
    next_at    BIGINT
);
CREATE INDEX webhook_attempts_by_time ON webhook_attempts (webhook_id, at, id);
CREATE INDEX webhook_attempts_to_remove ON webhook_attempts (at);

-- Where a link's own events go, too: an address at the origin of one of the tenant's endpoints.
ALTER TABLE links ADD COLUMN webhook_origin TEXT;
ALTER TABLE links ADD COLUMN webhook_url TEXT;
