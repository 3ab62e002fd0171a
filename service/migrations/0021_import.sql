-- How the connection came by its credential: `link` or `import`.
ALTER TABLE connections ADD COLUMN origin TEXT NOT NULL DEFAULT 'link';
