-- A grant that waits until the tenant's backend confirms whose it is.
CREATE TABLE unconfirmed (
    link_id     TEXT PRIMARY KEY REFERENCES links (id) ON DELETE CASCADE,
    -- Of the code that the consenting browser carries to the tenant.
    code_digest TEXT NOT NULL,
    wrong_codes BIGINT NOT NULL,
    -- The grant; empty once it is confirmed.
    sealed      TEXT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX unconfirmed_by_expiry ON unconfirmed (expires_at);
