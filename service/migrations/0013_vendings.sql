-- The audit of vending: who asked for which credential, and what became of it. One row counts the calls of one second that
-- have all of that in common.
CREATE TABLE vendings (
    id            TEXT PRIMARY KEY,
    -- Of the last of the calls.
    at            BIGINT NOT NULL,
    tenant_id     TEXT NOT NULL,
    key_id        TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    -- An HMAC of the customer's email, or empty where the call named none.
    customer      TEXT NOT NULL,
    -- `vended`, or the code of the error.
    outcome       TEXT NOT NULL,
    calls         BIGINT NOT NULL
);
CREATE INDEX vendings_by_tenant ON vendings (tenant_id, at);
CREATE INDEX vendings_by_time ON vendings (at);

-- The latest token call, to a second.
ALTER TABLE keys ADD COLUMN last_used_at BIGINT;
