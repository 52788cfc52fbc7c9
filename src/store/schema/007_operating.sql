-- A person asked that nothing more of it goes: when, and who.
ALTER TABLE campaign ADD COLUMN halted_at INTEGER;
ALTER TABLE campaign ADD COLUMN halted_by TEXT;

-- By which a person is found, however the address is written.
ALTER TABLE recipient ADD COLUMN key TEXT NOT NULL DEFAULT '';
UPDATE recipient SET key = lower(address);
CREATE INDEX recipient_by_key ON recipient (key);

-- People who are never written to. It outlives the campaigns.
CREATE TABLE suppression (
    -- A campaign's name; '' for all.
    campaign TEXT    NOT NULL,
    -- An address as a person is found by, or '@' and a domain in ASCII.
    subject  TEXT    NOT NULL CHECK (length(subject) > 1),
    -- As it was given.
    written  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, subject)
) WITHOUT ROWID;

-- What was done with a campaign, and by whom.
CREATE TABLE history (
    id         INTEGER PRIMARY KEY,
    campaign   INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN
               ('planned', 'started', 'waiting', 'ended', 'halted', 'resumed', 'updated', 'retried', 'cancelled',
                'resolved', 'suppressed', 'forgotten')),
    -- Until when, of a wait.
    until      INTEGER,
    -- How many recipients it was about, where it was about some.
    recipients INTEGER,
    -- Who did it: a user of a machine.
    by         TEXT,
    -- In plain words: why, or how it ended.
    detail     TEXT    NOT NULL DEFAULT '',
    CHECK (until IS NULL OR kind = 'waiting')
);
CREATE INDEX history_by_campaign ON history (campaign, id);
