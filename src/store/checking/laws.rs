//! What every commit keeps, and how it is asked whether it is kept.

/// What holds after every commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Recipients are as many as the tally says.
    RecipientTally,
    /// Messages are as many as the tally says.
    MessageTally,
    /// A campaign was last tried when its last attempt was made, or later: a claim may have been given back.
    LastTried,
    /// Messages and recipients are in one of their states, with what belongs to it.
    States,
    /// What has become of a recipient can have become of one of that message.
    Recipients,
    /// A message in hand has one attempt without an end, and no other has one.
    Attempts,
    /// A message is being handed over when its attempt is.
    Handover,
    /// A message that was sent has an attempt that was handed over.
    Sent,
    /// What is in hand has a share of the limits reserved, and nothing else has.
    Reserved,
    /// What was handed over counts against the limits.
    Counted,
}

impl Law {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecipientTally => "recipient_tally",
            Self::MessageTally => "message_tally",
            Self::LastTried => "last_tried",
            Self::States => "states",
            Self::Recipients => "recipients",
            Self::Attempts => "attempts",
            Self::Handover => "handover",
            Self::Sent => "sent",
            Self::Reserved => "reserved",
            Self::Counted => "counted",
        }
    }
}

/// Each law, and the query that tells who breaks it: a campaign's id, or none, and how often.
pub(super) const LAWS: [(Law, &str); 10] = [
    (
        Law::RecipientTally,
        "SELECT campaign, count(*) FROM (
             SELECT campaign FROM (
                 SELECT campaign, batch, state, recipients AS n FROM recipient_tally
                 UNION ALL
                 SELECT r.campaign, coalesce(m.batch, 0), r.state, -count(*)
                 FROM recipient r LEFT JOIN message m ON m.id = r.message GROUP BY 1, 2, 3)
             GROUP BY campaign, batch, state HAVING sum(n) <> 0)
         GROUP BY 1",
    ),
    (
        Law::MessageTally,
        "SELECT campaign, count(*) FROM (
             SELECT campaign FROM (
                 SELECT campaign, state, lane, shared, recipients, external, messages AS n FROM message_tally
                 UNION ALL
                 SELECT campaign, state, lane, shared, recipients, external, -count(*) FROM message_class c
                 WHERE EXISTS (SELECT 1 FROM recipient r WHERE r.message = c.id) GROUP BY 1, 2, 3, 4, 5, 6)
             GROUP BY campaign, state, lane, shared, recipients, external HAVING sum(n) <> 0)
         GROUP BY 1",
    ),
    (
        Law::LastTried,
        "SELECT c.id, 1 FROM campaign c LEFT JOIN tallied n ON n.campaign = c.id
         WHERE n.campaign IS NULL OR coalesce(n.tried_at, -1) < coalesce((SELECT max(t.claimed_at)
             FROM message m JOIN attempt t ON t.message = m.id WHERE m.campaign = c.id), -1)",
    ),
    // The schema holds this too, for whatever is written through SQLite.
    (
        Law::States,
        "SELECT campaign, count(*) FROM (
             SELECT campaign FROM message
             WHERE state NOT IN
                 ('pending', 'claimed', 'handing_over', 'sent', 'deferred', 'refused', 'in_doubt', 'cancelled')
                OR (state = 'sent') <> (sent_at IS NOT NULL) OR (state = 'deferred') <> (due_at IS NOT NULL)
             UNION ALL
             SELECT campaign FROM recipient
             WHERE state NOT IN ('pending', 'sent', 'deferred', 'refused', 'in_doubt', 'suppressed', 'cancelled')
                OR (state = 'sent') <> (sent_at IS NOT NULL) OR (state = 'suppressed') <> (message IS NULL))
         GROUP BY 1",
    ),
    (
        Law::Recipients,
        "SELECT r.campaign, count(*) FROM recipient r JOIN message m ON m.id = r.message
         WHERE m.campaign <> r.campaign
            OR r.state NOT IN ('refused', 'cancelled') AND CASE m.state
                 WHEN 'sent' THEN r.state <> 'sent'
                 WHEN 'in_doubt' THEN r.state <> 'in_doubt'
                 WHEN 'refused' THEN 1
                 WHEN 'cancelled' THEN 1
                 ELSE r.state NOT IN ('pending', 'deferred') END
         GROUP BY 1",
    ),
    (
        Law::Attempts,
        "SELECT m.campaign, count(*) FROM message m
         WHERE (m.state IN ('claimed', 'handing_over')) <>
               (SELECT count(*) FROM attempt t WHERE t.message = m.id AND t.finished_at IS NULL)
         GROUP BY 1",
    ),
    (
        Law::Handover,
        "SELECT m.campaign, count(*) FROM message m JOIN attempt t ON t.message = m.id
         WHERE t.finished_at IS NULL AND (m.state = 'handing_over') <> (t.handover_at IS NOT NULL) GROUP BY 1",
    ),
    (
        Law::Sent,
        "SELECT m.campaign, count(*) FROM message m
         WHERE m.state = 'sent' AND NOT EXISTS
             (SELECT 1 FROM attempt t WHERE t.message = m.id AND t.outcome IN ('sent', 'in_doubt'))
         GROUP BY 1",
    ),
    (
        Law::Reserved,
        "SELECT campaign, count(*) FROM (
             SELECT m.campaign FROM attempt t JOIN message m ON m.id = t.message WHERE t.finished_at IS NULL
             AND (SELECT count(*) FROM ledger l WHERE l.attempt = t.id AND l.stamped_at IS NULL) <> 1
             UNION ALL
             SELECT NULL FROM ledger l LEFT JOIN attempt t ON t.id = l.attempt
             WHERE l.stamped_at IS NULL AND l.attempt IS NOT NULL AND (t.id IS NULL OR t.finished_at IS NOT NULL))
         GROUP BY 1",
    ),
    (
        Law::Counted,
        "SELECT m.campaign, count(*) FROM attempt t JOIN message m ON m.id = t.message
         WHERE t.outcome IN ('sent', 'in_doubt') AND t.id NOT IN
             (SELECT attempt FROM ledger WHERE stamped_at IS NOT NULL AND attempt IS NOT NULL)
         GROUP BY 1",
    ),
];
