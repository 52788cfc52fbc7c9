-- Times are milliseconds since 1970 in UTC.

-- Frozen files, by what they contain.
CREATE TABLE content (
    hash   BLOB PRIMARY KEY CHECK (length(hash) = 32),
    bytes  BLOB NOT NULL
);

CREATE TABLE campaign (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    folder          TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    mode            TEXT    NOT NULL CHECK (mode IN ('auto', 'shared', 'individual')),
    -- Everything but the files and rows that decides the bytes of its mails, as JSON.
    definition      TEXT    NOT NULL,
    -- Of all inputs, so that an edit after planning is noticed.
    fingerprint     BLOB    NOT NULL,
    time_zone       TEXT    NOT NULL,
    planned_at      INTEGER NOT NULL,
    finishes_at     INTEGER,
    listed          INTEGER NOT NULL DEFAULT 0,
    run_state       TEXT    NOT NULL DEFAULT 'planned'
                    CHECK (run_state IN ('planned', 'sending', 'waiting', 'stopped', 'finished')),
    next_send_at    INTEGER,
    stopped_because TEXT,
    CHECK ((run_state = 'stopped') = (stopped_because IS NOT NULL))
);

CREATE TABLE frozen_file (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    path     TEXT    NOT NULL,
    hash     BLOB    NOT NULL REFERENCES content,
    PRIMARY KEY (campaign, path)
) WITHOUT ROWID;

CREATE TABLE batch (
    campaign   INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    account    TEXT    NOT NULL,
    date       TEXT    NOT NULL,
    starts_at  INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    PRIMARY KEY (campaign, number)
) WITHOUT ROWID;

CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    campaign   INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    batch      INTEGER,
    shared     INTEGER NOT NULL CHECK (shared IN (0, 1)),
    state      TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN
               ('pending', 'claimed', 'handing_over', 'sent', 'deferred', 'refused', 'in_doubt', 'cancelled')),
    -- With its angle brackets, as in the header. Chosen once; every attempt has the same.
    message_id TEXT    NOT NULL,
    -- Of the rendered content: what is rendered again for sending must have the same.
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    -- The envelope: listed recipients and copies.
    recipients INTEGER NOT NULL CHECK (recipients > 0),
    external   INTEGER NOT NULL CHECK (external BETWEEN 0 AND recipients),
    attempts   INTEGER NOT NULL DEFAULT 0,
    -- Attempts that failed by the message's or a recipient's own fault: those use up the back-off.
    failures   INTEGER NOT NULL DEFAULT 0,
    -- Of the first attempt: the Date header of every attempt.
    dated_at   INTEGER,
    due_at     INTEGER,
    sent_at    INTEGER,
    reply      TEXT,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK ((state = 'deferred') = (due_at IS NOT NULL)),
    CHECK (state IN ('pending', 'cancelled') OR attempts > 0),
    CHECK ((attempts > 0) = (dated_at IS NOT NULL))
);
CREATE INDEX message_by_state ON message (campaign, state, due_at, number);

CREATE TABLE recipient (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    -- The data row of the list, from 1.
    row      INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    -- The row's cells, a JSON array in the order of the columns.
    cells    TEXT    NOT NULL,
    state    TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN
             ('pending', 'sent', 'deferred', 'refused', 'in_doubt', 'suppressed', 'cancelled')),
    message  INTEGER REFERENCES message ON DELETE CASCADE,
    sent_at  INTEGER,
    reply    TEXT,
    PRIMARY KEY (campaign, row),
    CHECK ((state = 'suppressed') = (message IS NULL)),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX recipient_by_message ON recipient (message);

-- Rows of the list that became no recipient.
CREATE TABLE left_out (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    row      INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    reason   TEXT    NOT NULL CHECK (reason IN ('duplicate', 'invalid', 'filtered')),
    PRIMARY KEY (campaign, row)
) WITHOUT ROWID;

-- Every attempt of every message, with how far it came.
CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    message     INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    account     TEXT    NOT NULL,
    claimed_at  INTEGER NOT NULL,
    handover_at INTEGER,
    finished_at INTEGER,
    outcome     TEXT CHECK (outcome IN ('sent', 'deferred', 'refused', 'in_doubt', 'released')),
    phase       TEXT,
    reply       TEXT,
    UNIQUE (message, number),
    CHECK ((finished_at IS NULL) = (outcome IS NULL)),
    CHECK (outcome NOT IN ('sent', 'in_doubt') OR handover_at IS NOT NULL)
);

-- What each mailbox has handed over, across all campaigns; it outlives them. Without a stamp: reserved.
CREATE TABLE ledger (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox    TEXT    NOT NULL,
    attempt    INTEGER,
    stamped_at INTEGER,
    recipients INTEGER NOT NULL,
    external   INTEGER NOT NULL
);
CREATE INDEX ledger_by_stamp ON ledger (mailbox, stamped_at);
CREATE INDEX ledger_by_attempt ON ledger (attempt);
