-- The rows that between them show every case, as JSON.
ALTER TABLE campaign ADD COLUMN cases TEXT NOT NULL DEFAULT '[]';
