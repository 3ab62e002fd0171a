-- What the provider said about the latest failure to connect, for the backend alone; cleared with last_error.
ALTER TABLE connections ADD COLUMN provider_message TEXT;
