-- An authorization request stays after its callback, so that a repeat by the same browser is shown the same outcome.
ALTER TABLE authorizations ADD COLUMN taken_at BIGINT;
-- The code of what went wrong, and the provider's own words where it declined.
ALTER TABLE authorizations ADD COLUMN error TEXT;
ALTER TABLE authorizations ADD COLUMN reason TEXT;

-- The code of the latest failure to connect; cleared by success and by a new link.
ALTER TABLE connections ADD COLUMN last_error TEXT;
