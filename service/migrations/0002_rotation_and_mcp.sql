-- The account of a tenant itself, to which what is made by an MCP URL belongs.
ALTER TABLE tenants ADD COLUMN email TEXT;

-- Keys that replaced each other are one family, named after its first key; at most two of them are live.
ALTER TABLE keys ADD COLUMN family TEXT NOT NULL DEFAULT '';
UPDATE keys SET family = id;
ALTER TABLE keys ADD COLUMN generation BIGINT NOT NULL DEFAULT 1;
-- The first use: a key that nobody has used yet cannot retire another.
ALTER TABLE keys ADD COLUMN used_at BIGINT;
-- The token of the key's MCP URL.
ALTER TABLE keys ADD COLUMN mcp_digest TEXT;
CREATE UNIQUE INDEX keys_by_mcp ON keys (mcp_digest);
CREATE INDEX keys_by_tenant ON keys (tenant_id);

-- Every change to tenants and keys, and by whom: a key's id, or the command line.
CREATE TABLE audit (
    id        TEXT PRIMARY KEY,
    at        BIGINT NOT NULL,
    tenant_id TEXT NOT NULL,
    key_id    TEXT,
    action    TEXT NOT NULL,
    actor     TEXT NOT NULL
);
CREATE INDEX audit_by_tenant ON audit (tenant_id, at);
