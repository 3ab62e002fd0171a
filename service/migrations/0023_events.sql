-- Every change that a tenant hears of, in the order in which the changes were committed.
CREATE TABLE events (
    tenant_id     TEXT NOT NULL,
    -- From 1, without gaps.
    position      BIGINT NOT NULL,
    id            TEXT NOT NULL UNIQUE,
    type          TEXT NOT NULL,
    connection_id TEXT,
    customer      TEXT,
    created_at    BIGINT NOT NULL,
    -- The event's data, as JSON.
    payload       TEXT NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
CREATE INDEX events_by_time ON events (created_at);

-- The position of each tenant's latest event. Whoever writes one holds this row until the commit, so that positions become
-- visible in their order.
CREATE TABLE event_positions (
    tenant_id TEXT PRIMARY KEY,
    last      BIGINT NOT NULL
);

-- A pending link that expired is one of which no event tells yet, unless it has an end. Those from before there were events
-- need none.
UPDATE links SET ended_at = expires_at WHERE status = 'pending';
CREATE INDEX links_to_expire ON links (expires_at) WHERE status = 'pending' AND ended_at IS NULL;

-- The known end of the grant of which an event told.
ALTER TABLE credentials ADD COLUMN announced_end BIGINT;
CREATE INDEX credentials_to_end ON credentials (expires_at)
    WHERE auth_type = 'o_auth' AND refresh_token IS NULL AND announced_end IS NULL;
