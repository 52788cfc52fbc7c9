-- The copies (cc, bcc) of a message's envelope, as planned: whoever goes on in a message of their own takes them along.
ALTER TABLE message ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
UPDATE message SET copies = max(0, recipients - (SELECT count(*) FROM recipient r
    WHERE r.message = message.id AND (r.state <> 'refused' OR message.state = 'refused')));
