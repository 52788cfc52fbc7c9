-- Every attempt is told of every person whom it concerned, and of nobody else.

-- The attempts of their message from this number on concern them; NULL: none does any more, though the message may
-- go on for others.
ALTER TABLE recipient ADD COLUMN since INTEGER DEFAULT 1;

-- The attempts that concerned a person and that their message does not tell of: those of a message that they left, and
-- those that ended otherwise for them than for the others.
CREATE TABLE past_attempt (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    -- By which the person is found: their row changes with the list.
    key      TEXT    NOT NULL,
    attempt  INTEGER NOT NULL REFERENCES attempt ON DELETE CASCADE,
    -- How it ended for this person, where it ended otherwise for them.
    outcome  TEXT CHECK (outcome IN ('deferred', 'refused', 'released')),
    phase    TEXT,
    reply    TEXT,
    PRIMARY KEY (campaign, key, attempt)
) WITHOUT ROWID;
CREATE INDEX past_attempt_by_attempt ON past_attempt (attempt);

CREATE TRIGGER recipient_named_anew AFTER UPDATE OF key ON recipient WHEN OLD.key <> NEW.key
BEGIN
    UPDATE OR REPLACE past_attempt SET key = NEW.key WHERE campaign = NEW.campaign AND key = OLD.key;
END;

-- When it was put off: a clock that has been set back since is known by it.
ALTER TABLE message ADD COLUMN put_off_at INTEGER;
UPDATE message SET put_off_at = (SELECT max(finished_at) FROM attempt WHERE message = message.id)
WHERE due_at IS NOT NULL;

-- Whoever went on in a message of their own took copies of the attempts so far along: they refer to them now.
CREATE TABLE copied AS
SELECT id, message, number, original FROM (
    SELECT t.id, t.message, t.number,
           min(t.id) OVER (PARTITION BY m.campaign, m.message_id, t.number, t.claimed_at, t.account) AS original
    FROM attempt t JOIN message m ON m.id = t.message)
WHERE id <> original;
CREATE INDEX copied_by_message ON copied (message);
INSERT OR IGNORE INTO past_attempt
SELECT r.campaign, r.key, c.original, t.outcome, t.phase, t.reply
FROM copied c JOIN attempt t ON t.id = c.id JOIN recipient r ON r.message = c.message;
UPDATE recipient SET since = 1 + (SELECT max(number) FROM copied c WHERE c.message = recipient.message)
WHERE message IN (SELECT message FROM copied);
DELETE FROM attempt WHERE id IN (SELECT id FROM copied);
DROP TABLE copied;

-- Who was refused or dropped alone. In which attempt is not known where there were several: in the last so far.
INSERT OR IGNORE INTO past_attempt
SELECT campaign, key, attempt, iif(is_last, 'refused', NULL), iif(is_last, 'rcpt-to', NULL), iif(is_last, reply, NULL)
FROM (SELECT r.campaign, r.key, t.id AS attempt, r.reply,
             r.state = 'refused' AND t.number = m.attempts - (m.state = 'claimed') AS is_last
      FROM recipient r JOIN message m ON m.id = r.message
      JOIN attempt t ON t.message = m.id AND t.number >= r.since AND t.number <= m.attempts - (m.state = 'claimed')
      WHERE r.state = 'cancelled' OR r.state = 'refused' AND (m.state <> 'refused' OR r.reply IS NOT m.reply));
UPDATE recipient SET since = NULL WHERE state = 'cancelled' OR state = 'refused' AND EXISTS
    (SELECT 1 FROM message m WHERE m.id = recipient.message AND (m.state <> 'refused' OR recipient.reply IS NOT m.reply));

-- A message that nobody is in any more is nobody's: it is counted as long as somebody is in it.
CREATE VIEW message_class AS
SELECT id, campaign, CASE WHEN state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE state END AS state, lane, shared,
       iif(state IN ('pending', 'deferred'), recipients, 0) AS recipients,
       iif(state IN ('pending', 'deferred'), external, 0) AS external
FROM message;

DROP TRIGGER message_added;
DROP TRIGGER message_changed;
DROP TRIGGER message_dropped;
DELETE FROM message_tally;
INSERT INTO message_tally
SELECT campaign, state, lane, shared, recipients, external, count(*)
FROM message_class c WHERE EXISTS (SELECT 1 FROM recipient r WHERE r.message = c.id) GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TRIGGER message_entered AFTER INSERT ON recipient
WHEN NEW.message IS NOT NULL AND EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
     AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = NEW.message AND row <> NEW.row)
BEGIN
    INSERT INTO message_tally
    SELECT campaign, state, lane, shared, recipients, external, 1 FROM message_class WHERE id = NEW.message
    ON CONFLICT DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER message_exchanged AFTER UPDATE OF message ON recipient
WHEN OLD.message IS NOT NEW.message AND EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
BEGIN
    UPDATE message_tally SET messages = messages - 1
    WHERE NOT EXISTS (SELECT 1 FROM recipient WHERE message = OLD.message)
    AND (campaign, state, lane, shared, recipients, external) =
        (SELECT campaign, state, lane, shared, recipients, external FROM message_class WHERE id = OLD.message);
    INSERT INTO message_tally
    SELECT campaign, state, lane, shared, recipients, external, 1 FROM message_class WHERE id = NEW.message
    AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = NEW.message AND row <> NEW.row)
    ON CONFLICT DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER message_left AFTER DELETE ON recipient
WHEN OLD.message IS NOT NULL AND EXISTS (SELECT 1 FROM tallied WHERE campaign = OLD.campaign)
     AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = OLD.message)
BEGIN
    UPDATE message_tally SET messages = messages - 1
    WHERE (campaign, state, lane, shared, recipients, external) =
        (SELECT campaign, state, lane, shared, recipients, external FROM message_class WHERE id = OLD.message);
END;

CREATE TRIGGER message_changed AFTER UPDATE OF state, lane, shared, recipients, external ON message
WHEN (CASE WHEN OLD.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE OLD.state END,
      OLD.lane, OLD.shared, iif(OLD.state IN ('pending', 'deferred'), OLD.recipients, 0),
      iif(OLD.state IN ('pending', 'deferred'), OLD.external, 0))
     IS NOT
     (SELECT state, lane, shared, recipients, external FROM message_class WHERE id = NEW.id)
     AND EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
     AND EXISTS (SELECT 1 FROM recipient WHERE message = NEW.id)
BEGIN
    UPDATE message_tally SET messages = messages - 1
    WHERE campaign = OLD.campaign
    AND state = CASE WHEN OLD.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE OLD.state END
    AND lane = OLD.lane AND shared = OLD.shared
    AND recipients = iif(OLD.state IN ('pending', 'deferred'), OLD.recipients, 0)
    AND external = iif(OLD.state IN ('pending', 'deferred'), OLD.external, 0);
    INSERT INTO message_tally
    SELECT campaign, state, lane, shared, recipients, external, 1 FROM message_class WHERE id = NEW.id
    ON CONFLICT DO UPDATE SET messages = messages + 1;
END;
