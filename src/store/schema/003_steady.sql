-- When a stamp was made by the machine's steady clock, which nobody can set: which start of the machine,
-- and milliseconds since then. `stamped_at` is what the calendar showed, right or wrong.
ALTER TABLE ledger ADD COLUMN boot INTEGER;
ALTER TABLE ledger ADD COLUMN steady INTEGER;
-- When a stamp of another start of the machine was first found to lie ahead of the calendar: it is no later.
ALTER TABLE ledger ADD COLUMN seen_at INTEGER;
ALTER TABLE ledger ADD COLUMN seen_boot INTEGER;
ALTER TABLE ledger ADD COLUMN seen_steady INTEGER;
CREATE INDEX ledger_by_boot ON ledger (mailbox, boot, steady);

-- When a pause was asked for: it is as long as it was then, whatever the calendar is set to.
ALTER TABLE hold ADD COLUMN set_at INTEGER;
ALTER TABLE hold ADD COLUMN boot INTEGER;
ALTER TABLE hold ADD COLUMN steady INTEGER;
