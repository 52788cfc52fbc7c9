-- Further rows of a person whose rows are grouped: they are in the message of the person's first row, which is
-- the recipient.
CREATE TABLE joined (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    row      INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    first    INTEGER NOT NULL CHECK (first < row),
    PRIMARY KEY (campaign, row)
) WITHOUT ROWID;
