-- Calls a minute of this tenant to the feed of events and through the proxy, in the place of the configured ones.
ALTER TABLE tenants ADD COLUMN events_budget BIGINT;
ALTER TABLE tenants ADD COLUMN proxy_budget BIGINT;
