-- The root keys that seal data keys. They themselves are in the operator's configuration.
CREATE TABLE root_keys (
    id            TEXT PRIMARY KEY,
    -- The key of pseudonyms, sealed by this root key: it opens with the right one alone.
    pseudonym_key TEXT NOT NULL,
    -- 1: new data keys are sealed by it.
    is_active     BIGINT NOT NULL,
    -- 1: it may have sealed values itself, as versions without data keys do.
    seals_values  BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX root_keys_active ON root_keys (is_active) WHERE is_active = 1;

-- The tenants' data keys. One outlives its tenant for as long as grants of it are to be revoked.
CREATE TABLE data_keys (
    tenant_id   TEXT PRIMARY KEY,
    root_key_id TEXT NOT NULL REFERENCES root_keys (id),
    sealed      TEXT NOT NULL
);
CREATE INDEX data_keys_by_root_key ON data_keys (root_key_id);
