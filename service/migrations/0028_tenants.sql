-- Since when the tenant's keys, MCP URLs and links open nothing.
ALTER TABLE tenants ADD COLUMN disabled_at BIGINT;
