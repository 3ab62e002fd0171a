-- What is used up of the budgets that processes share, in lots. One row for each budget that was used lately.
CREATE TABLE budgets (
    holder  TEXT PRIMARY KEY,
    -- Calls that were given out in this window, or asked for in vain.
    taken   BIGINT NOT NULL,
    -- When the window ends, by the database's clock.
    ends_at BIGINT NOT NULL
);
CREATE INDEX budgets_by_end ON budgets (ends_at);

-- Calls a minute of this tenant, in the place of the configured ones.
ALTER TABLE tenants ADD COLUMN token_budget BIGINT;
ALTER TABLE tenants ADD COLUMN default_budget BIGINT;
