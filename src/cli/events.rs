//! The events of a send as `--json` has them, one a line.

use serde_json::{Value, json};

use super::sending::reason;
use crate::send::Event;

/// None for the end, of which the command's last line says more.
pub(super) fn event_json(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Ended(_) => return None,
        Event::Recovered { in_doubt } => json!({ "event": "recovered", "in_doubt": in_doubt }),
        Event::Sent {
            account,
            number,
            message_id,
            recipients,
            reply,
        } => json!({
            "event": "sent", "account": account, "message": number, "message_id": message_id, "recipients": recipients, "reply": reply,
        }),
        Event::Refused {
            row,
            address,
            reply,
            meaning,
        } => json!({
            "event": "refused", "row": row, "email": address, "reply": reply, "meaning": meaning,
        }),
        Event::Deferred {
            number,
            recipients,
            until,
            reply,
            ..
        } => json!({
            "event": "deferred", "message": number, "recipients": recipients, "until": until, "reply": reply,
        }),
        Event::Paused {
            account,
            until,
            because,
        } => json!({
            "event": "paused", "account": account, "until": until, "because": because,
        }),
        Event::InDoubt {
            number,
            message_id,
            recipients,
            reply,
        } => json!({
            "event": "in_doubt", "message": number, "message_id": message_id, "recipients": recipients, "reply": reply,
        }),
        Event::Reconnecting {
            account,
            because,
            until,
        } => json!({
            "event": "reconnecting", "account": account, "because": because, "until": until,
        }),
        Event::AccountStopped { account, trouble } => json!({
            "event": "account_stopped", "account": account, "because": trouble.meaning, "reply": trouble.reply,
            "remedy": trouble.remedy,
        }),
        Event::AccountWaiting {
            account,
            until,
            why,
        } => json!({
            "event": "account_waiting", "account": account, "until": until, "for": reason(why),
        }),
        Event::Waiting { until, why } => {
            json!({ "event": "waiting", "until": until, "for": reason(why) })
        }
    })
}
