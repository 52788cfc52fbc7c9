-- What there is of a campaign is counted as it changes, so that nobody has to count it to know.

-- The campaigns that are counted: from when their plan is whole on. A plan that is copied in is counted once, in the
-- end, and one that is dropped is not counted down.
CREATE TABLE tallied (
    campaign INTEGER PRIMARY KEY REFERENCES campaign ON DELETE CASCADE,
    -- When something of it was last tried.
    tried_at INTEGER
);

-- Recipients by batch (0: in none) and state.
CREATE TABLE recipient_tally (
    campaign   INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    batch      INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    recipients INTEGER NOT NULL,
    PRIMARY KEY (campaign, batch, state)
) WITHOUT ROWID;

-- Messages by account and state, those that are still to go by their envelope too; of the others it is 0.
-- A message that is claimed or being handed over is 'in_hand'.
CREATE TABLE message_tally (
    campaign   INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    state      TEXT    NOT NULL,
    lane       INTEGER NOT NULL,
    shared     INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    external   INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    PRIMARY KEY (campaign, state, lane, shared, recipients, external)
) WITHOUT ROWID;

INSERT INTO tallied (campaign, tried_at)
SELECT c.id, (SELECT max(t.claimed_at) FROM message m JOIN attempt t ON t.message = m.id WHERE m.campaign = c.id)
FROM campaign c;
INSERT INTO recipient_tally
SELECT r.campaign, coalesce(m.batch, 0), r.state, count(*)
FROM recipient r LEFT JOIN message m ON m.id = r.message GROUP BY 1, 2, 3;
INSERT INTO message_tally
SELECT campaign, CASE WHEN state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE state END, lane, shared,
       iif(state IN ('pending', 'deferred'), recipients, 0), iif(state IN ('pending', 'deferred'), external, 0), count(*)
FROM message GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TRIGGER recipient_added AFTER INSERT ON recipient
WHEN EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
BEGIN
    INSERT INTO recipient_tally
    VALUES (NEW.campaign, coalesce((SELECT batch FROM message WHERE id = NEW.message), 0), NEW.state, 1)
    ON CONFLICT DO UPDATE SET recipients = recipients + 1;
END;

CREATE TRIGGER recipient_changed AFTER UPDATE OF state, message ON recipient
WHEN (OLD.state, OLD.message) IS NOT (NEW.state, NEW.message)
     AND EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
BEGIN
    UPDATE recipient_tally SET recipients = recipients - 1
    WHERE campaign = OLD.campaign AND batch = coalesce((SELECT batch FROM message WHERE id = OLD.message), 0)
    AND state = OLD.state;
    INSERT INTO recipient_tally
    VALUES (NEW.campaign, coalesce((SELECT batch FROM message WHERE id = NEW.message), 0), NEW.state, 1)
    ON CONFLICT DO UPDATE SET recipients = recipients + 1;
END;

CREATE TRIGGER recipient_dropped AFTER DELETE ON recipient
WHEN EXISTS (SELECT 1 FROM tallied WHERE campaign = OLD.campaign)
BEGIN
    UPDATE recipient_tally SET recipients = recipients - 1
    WHERE campaign = OLD.campaign AND batch = coalesce((SELECT batch FROM message WHERE id = OLD.message), 0)
    AND state = OLD.state;
END;

CREATE TRIGGER message_added AFTER INSERT ON message
WHEN EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
BEGIN
    INSERT INTO message_tally
    VALUES (NEW.campaign, CASE WHEN NEW.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE NEW.state END,
            NEW.lane, NEW.shared, iif(NEW.state IN ('pending', 'deferred'), NEW.recipients, 0),
            iif(NEW.state IN ('pending', 'deferred'), NEW.external, 0), 1)
    ON CONFLICT DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER message_changed AFTER UPDATE OF state, lane, shared, recipients, external ON message
WHEN (CASE WHEN OLD.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE OLD.state END,
      OLD.lane, OLD.shared, iif(OLD.state IN ('pending', 'deferred'), OLD.recipients, 0),
      iif(OLD.state IN ('pending', 'deferred'), OLD.external, 0))
     IS NOT
     (CASE WHEN NEW.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE NEW.state END,
      NEW.lane, NEW.shared, iif(NEW.state IN ('pending', 'deferred'), NEW.recipients, 0),
      iif(NEW.state IN ('pending', 'deferred'), NEW.external, 0))
     AND EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
BEGIN
    UPDATE message_tally SET messages = messages - 1
    WHERE campaign = OLD.campaign
    AND state = CASE WHEN OLD.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE OLD.state END
    AND lane = OLD.lane AND shared = OLD.shared
    AND recipients = iif(OLD.state IN ('pending', 'deferred'), OLD.recipients, 0)
    AND external = iif(OLD.state IN ('pending', 'deferred'), OLD.external, 0);
    INSERT INTO message_tally
    VALUES (NEW.campaign, CASE WHEN NEW.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE NEW.state END,
            NEW.lane, NEW.shared, iif(NEW.state IN ('pending', 'deferred'), NEW.recipients, 0),
            iif(NEW.state IN ('pending', 'deferred'), NEW.external, 0), 1)
    ON CONFLICT DO UPDATE SET messages = messages + 1;
END;

CREATE TRIGGER message_moved AFTER UPDATE OF batch ON message
WHEN OLD.batch IS NOT NEW.batch AND EXISTS (SELECT 1 FROM tallied WHERE campaign = NEW.campaign)
BEGIN
    UPDATE recipient_tally SET recipients = recipients -
        (SELECT count(*) FROM recipient r WHERE r.message = OLD.id AND r.state = recipient_tally.state)
    WHERE campaign = OLD.campaign AND batch = coalesce(OLD.batch, 0);
    INSERT INTO recipient_tally
    SELECT NEW.campaign, coalesce(NEW.batch, 0), state, count(*) FROM recipient WHERE message = NEW.id GROUP BY state
    ON CONFLICT DO UPDATE SET recipients = recipients + excluded.recipients;
END;

-- A message takes its recipients with it: as long as it is there, it is known which batch they were in.
CREATE TRIGGER message_going BEFORE DELETE ON message
WHEN EXISTS (SELECT 1 FROM tallied WHERE campaign = OLD.campaign)
BEGIN
    DELETE FROM recipient WHERE message = OLD.id;
END;

CREATE TRIGGER message_dropped AFTER DELETE ON message
WHEN EXISTS (SELECT 1 FROM tallied WHERE campaign = OLD.campaign)
BEGIN
    UPDATE message_tally SET messages = messages - 1
    WHERE campaign = OLD.campaign
    AND state = CASE WHEN OLD.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE OLD.state END
    AND lane = OLD.lane AND shared = OLD.shared
    AND recipients = iif(OLD.state IN ('pending', 'deferred'), OLD.recipients, 0)
    AND external = iif(OLD.state IN ('pending', 'deferred'), OLD.external, 0);
END;

CREATE TRIGGER attempt_begun AFTER INSERT ON attempt
BEGIN
    UPDATE tallied SET tried_at = max(coalesce(tried_at, NEW.claimed_at), NEW.claimed_at)
    WHERE campaign = (SELECT campaign FROM message WHERE id = NEW.message);
END;

-- The last who were refused are found without looking at everybody.
CREATE INDEX recipient_refused ON recipient (campaign, row) WHERE state = 'refused';
