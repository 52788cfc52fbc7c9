-- Which machine and which file this store is: a copy is noticed, and asks before it sends.
CREATE TABLE home (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    -- Of the store itself, at random; a copy has it too.
    identity   BLOB    NOT NULL CHECK (length(identity) = 16),
    machine    TEXT    NOT NULL,
    path       TEXT    NOT NULL,
    -- The file's number on its disk; 0 where the system has none.
    file       INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL
);

-- Until when a mailbox may not send because its provider said so, and how often in a row it did.
CREATE TABLE hold (
    mailbox  TEXT    PRIMARY KEY,
    until    INTEGER NOT NULL,
    reply    TEXT    NOT NULL,
    refusals INTEGER NOT NULL CHECK (refusals > 0)
) WITHOUT ROWID;

-- Numbers the stamps of a mailbox as they are written: who has read up to one reads on from there.
ALTER TABLE ledger ADD COLUMN sequence INTEGER;
UPDATE ledger SET sequence = id WHERE stamped_at IS NOT NULL;
CREATE INDEX ledger_by_sequence ON ledger (mailbox, sequence);

-- When a campaign may be sent at all, as JSON.
ALTER TABLE campaign ADD COLUMN calendar TEXT NOT NULL DEFAULT '{}';
-- How many shared messages were cut to use what is left of a window, and when it would end without that.
ALTER TABLE campaign ADD COLUMN cuts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN uncut_finishes_at INTEGER;

-- The accounts that send a campaign; each has a lane of its messages.
CREATE TABLE campaign_account (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    lane     INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    PRIMARY KEY (campaign, lane)
) WITHOUT ROWID;
INSERT INTO campaign_account SELECT id, 0, account FROM campaign;

ALTER TABLE message ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
DROP INDEX message_by_state;
CREATE INDEX message_by_state ON message (campaign, state, lane, due_at, number);
