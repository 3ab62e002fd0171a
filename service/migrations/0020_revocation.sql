-- Whose account was refused, because the connection is for another one, as JSON.
ALTER TABLE authorizations ADD COLUMN account TEXT;

-- An HMAC of the account at the provider and the OAuth client, the same for all tenants: where revoking ends all that an
-- account granted to a client, the others that are left are counted by it. All unknown accounts of a client have the same;
-- empty where nothing is revoked, and in rows of earlier versions.
ALTER TABLE credentials ADD COLUMN account_digest TEXT;
CREATE INDEX credentials_by_account ON credentials (account_digest) WHERE account_digest IS NOT NULL;
CREATE INDEX credentials_without_account ON credentials (connection_id)
    WHERE account_digest IS NULL AND auth_type = 'o_auth';
ALTER TABLE unconfirmed ADD COLUMN account_digest TEXT;

-- Grants that nobody needs any more, to be ended at their providers.
CREATE TABLE revocations (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    -- The grant.
    sealed     TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    -- When it is tried next; whoever tries it puts this off first, so that nobody else does.
    next_at    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX revocations_by_time ON revocations (next_at);
