-- Calls through the proxy stand in the same audit: they use a credential, too. All of these are null for token calls.
ALTER TABLE vendings ADD COLUMN method TEXT;
ALTER TABLE vendings ADD COLUMN host TEXT;
-- Without its query; segments that are not plain words are `*`.
ALTER TABLE vendings ADD COLUMN path TEXT;
-- What the provider answered; null where it did not.
ALTER TABLE vendings ADD COLUMN provider_status BIGINT;
