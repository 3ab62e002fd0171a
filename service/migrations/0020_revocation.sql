-- Whose account was refused, because the connection is for another one, as JSON.
ALTER TABLE authorizations ADD COLUMN account TEXT;
