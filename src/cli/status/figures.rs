//! The object of `status --json`.

use serde_json::{Value, json};

use super::refused::Reason;
use super::standing::Standing;
use crate::cli::timetable::{batch_json, limit_json, others_json};
use crate::limits::Quota;
use crate::plan::AccountQuota;
use crate::store::{BatchProgress, CampaignRecord, Counts, NewBatch, RunState};

/// The object of `status --json`, which `send --json` ends with too.
pub(in crate::cli) fn status_json(record: &CampaignRecord, standing: &Standing) -> Value {
    let because = match &standing.state {
        RunState::Stopped(because) => Some(because),
        _ => None,
    };
    let halted = record.halted.as_ref();
    let sent_by = standing.sent_by.as_ref();
    json!({
        "campaign": record.name,
        "state": standing.state.as_str(),
        "recipients": counts_json(&standing.people),
        "messages": counts_json(&standing.messages),
        "next_send_at": standing.next_send_at,
        "finishes_at": standing.finishes_at,
        "planned_finishes_at": record.finishes_at,
        "to_come": standing.forecast.as_ref().map(|forecast| {
            forecast.laid.batches.iter().map(to_come_json).collect::<Vec<_>>()
        }),
        "limited_by": standing.forecast.as_ref().and_then(|forecast| limit_json(&forecast.laid, standing.withdrawn.as_ref())),
        "counted_first": others_json(standing.forecast.as_ref()),
        "stopped_because": because,
        "halted": halted.map(|halt| json!({ "at": halt.at, "by": halt.by })),
        "sent_by": sent_by.map(|at_work| json!({ "who": at_work.who, "since": at_work.since })),
        "sender_gone": standing.gone.as_ref().map(|gone| {
            json!({ "who": gone.who, "since": gone.since, "in_hand": gone.in_hand })
        }),
        "batches": standing.batches.iter().map(progress_json).collect::<Vec<_>>(),
        "quota": standing.quotas.iter().map(account_json).collect::<Vec<_>>(),
        "refusals": standing.refused.reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

/// Recipients or messages, by outcome.
pub(in crate::cli) fn counts_json(counts: &Counts) -> Value {
    json!({
        "total": counts.total(),
        "pending": counts.pending,
        "sent": counts.sent,
        "deferred": counts.deferred,
        "refused": counts.refused,
        "in_doubt": counts.in_doubt,
        "suppressed": counts.suppressed,
        "cancelled": counts.cancelled,
    })
}

/// A day of what is still to come.
fn to_come_json(batch: &NewBatch) -> Value {
    json!({
        "account": batch.account,
        "date": batch.date,
        "messages": batch.messages,
        "recipients": batch.recipients,
        "starts_at": batch.starts_at,
        "ends_at": batch.ends_at,
    })
}

/// A batch as `plan` has it, and what has become of its recipients.
fn progress_json(batch: &BatchProgress) -> Value {
    let mut value = batch_json(batch);
    value["outcomes"] = counts_json(&batch.outcomes);
    value
}

fn account_json(account: &AccountQuota) -> Value {
    json!({
        "account": account.account,
        "limits": account.quotas.iter().map(quota_json).collect::<Vec<_>>(),
        "held_until": account.hold.as_ref().map(|hold| hold.until),
        "held_because": account.hold.as_ref().map(|hold| &hold.reply),
    })
}

/// A limit as `accounts` has it, and when it frees.
fn quota_json(quota: &Quota) -> Value {
    let mut value = json!(quota.rule);
    value["used"] = quota.used.into();
    value["left"] = quota.rule.max.saturating_sub(quota.used).into();
    value["next_free"] = json!(quota.next.map(|(_, share)| share));
    value["next_free_at"] = json!(quota.next.map(|(at, _)| at));
    value["full_at"] = json!(quota.full_at);
    value
}

fn reason_json(reason: &Reason) -> Value {
    json!({
        "meaning": reason.meaning,
        "recipients": reason.recipients,
        "row": reason.example.row,
        "email": reason.example.address,
        "reply": reason.example.reply,
    })
}
