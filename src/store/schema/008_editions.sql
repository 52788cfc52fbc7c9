-- What decides the bytes of a campaign's mails, each time that it was planned: the first time, and whenever an edited
-- folder was taken in. What was sent in an edition can be built again from it, whichever is the current one.
CREATE TABLE edition (
    campaign    INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    -- From 1.
    number      INTEGER NOT NULL CHECK (number > 0),
    -- Everything but the files and rows that decides the bytes of its mails, as JSON.
    definition  TEXT    NOT NULL,
    -- Of all inputs, so that an edit after planning is noticed.
    fingerprint BLOB    NOT NULL,
    planned_at  INTEGER NOT NULL,
    PRIMARY KEY (campaign, number)
) WITHOUT ROWID;
INSERT INTO edition SELECT id, 1, definition, fingerprint, planned_at FROM campaign;
ALTER TABLE campaign DROP COLUMN definition;
ALTER TABLE campaign DROP COLUMN fingerprint;
-- The one that what is planned from now on belongs to.
ALTER TABLE campaign ADD COLUMN edition INTEGER NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN edition INTEGER NOT NULL DEFAULT 1;

ALTER TABLE frozen_file RENAME TO frozen_before;
CREATE TABLE frozen_file (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    edition  INTEGER NOT NULL,
    path     TEXT    NOT NULL,
    hash     BLOB    NOT NULL REFERENCES content,
    PRIMARY KEY (campaign, edition, path)
) WITHOUT ROWID;
INSERT INTO frozen_file SELECT campaign, 1, path, hash FROM frozen_before;
DROP TABLE frozen_before;

-- The edition whose list no longer had this person, who was still to get the mail then. It is cancelled, or in hand:
-- then it is cancelled as soon as it is not and was not sent.
ALTER TABLE recipient ADD COLUMN dropped INTEGER;
