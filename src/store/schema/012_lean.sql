-- A message on its way moves in no index that it does not need: each is of those alone that are looked for by it.
DROP INDEX message_by_state;
CREATE INDEX message_by_number ON message (campaign, number);
-- A forecast of what is pending reads this one alone.
CREATE INDEX message_pending
ON message (campaign, lane, (external > 0), number, recipients, external, shared, attempts, copies, batch)
WHERE state = 'pending';
CREATE INDEX message_deferred ON message (campaign, lane, (external > 0), due_at, number) WHERE state = 'deferred';
CREATE INDEX message_in_hand ON message (campaign) WHERE state IN ('claimed', 'handing_over');
CREATE INDEX message_in_doubt ON message (campaign, number) WHERE state = 'in_doubt';

-- The same of the ledger: what is reserved is in one index, what has a stamp in the others.
DROP INDEX ledger_by_stamp;
DROP INDEX ledger_by_attempt;
DROP INDEX ledger_by_sequence;
DROP INDEX ledger_by_boot;
CREATE INDEX ledger_reserved ON ledger (mailbox) WHERE stamped_at IS NULL;
CREATE INDEX ledger_by_stamp ON ledger (mailbox, stamped_at) WHERE stamped_at IS NOT NULL;
CREATE INDEX ledger_by_sequence ON ledger (mailbox, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX ledger_by_boot ON ledger (mailbox, boot, steady) WHERE steady IS NOT NULL;

-- From the first mark to the second a message stays in the class in which it is counted.
DROP TRIGGER message_changed;
CREATE TRIGGER message_changed AFTER UPDATE OF state, lane, shared, recipients, external ON message
WHEN NOT (OLD.state = 'claimed' AND NEW.state = 'handing_over' AND OLD.lane = NEW.lane AND OLD.shared = NEW.shared)
     AND (CASE WHEN OLD.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE OLD.state END,
          OLD.lane, OLD.shared, iif(OLD.state IN ('pending', 'deferred'), OLD.recipients, 0),
          iif(OLD.state IN ('pending', 'deferred'), OLD.external, 0))
     IS NOT
     (CASE WHEN NEW.state IN ('claimed', 'handing_over') THEN 'in_hand' ELSE NEW.state END,
          NEW.lane, NEW.shared, iif(NEW.state IN ('pending', 'deferred'), NEW.recipients, 0),
          iif(NEW.state IN ('pending', 'deferred'), NEW.external, 0))
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
