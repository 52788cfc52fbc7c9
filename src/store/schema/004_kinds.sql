-- Messages with external recipients and those without stand in lines of their own: who waits for a rule that
-- counts external recipients lets the others pass.
DROP INDEX message_by_state;
CREATE INDEX message_by_state ON message (campaign, state, lane, (external > 0), due_at, number);
