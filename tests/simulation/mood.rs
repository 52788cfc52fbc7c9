//! What the servers do of their own accord.

use postroom::sandbox::{Act, Fault, Faults, Phase, When};

use crate::dice::Dice;

const PHASES: [Phase; 8] = [
    Phase::Banner,
    Phase::Hello,
    Phase::Mail,
    Phase::Rcpt,
    Phase::Data,
    Phase::Body,
    Phase::Verdict,
    Phase::Answered,
];

const REPLIES: [(u16, &str); 10] = [
    (421, "4.3.2 Service not available"),
    (421, "4.4.2 Connection dropped"),
    (
        432,
        "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
    ),
    (450, "4.2.1 Mailbox busy"),
    (451, "4.7.1 Try again later"),
    (452, "4.3.1 Insufficient system storage"),
    (
        550,
        "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    ),
    (
        550,
        "5.7.703 Your message can't be delivered because one or more recipients are blocked",
    ),
    (552, "5.3.4 Message size exceeds fixed maximum message size"),
    (554, "5.6.0 Corrupt message content"),
];

/// None at all for one server in three; else some, early on.
pub(crate) fn faults(dice: &mut Dice) -> Faults {
    let count = if dice.once_in(3) {
        0
    } else {
        dice.within(1..=5)
    };
    let list = (0..count).map(|_| fault(dice)).collect();
    Faults {
        list,
        ..Faults::default()
    }
}

fn fault(dice: &mut Dice) -> Fault {
    let first = dice.magnitude(16);
    let act = match dice.within(0..=5) {
        0 => Act::Drop,
        1 => Act::Hang,
        _ => {
            let (code, text) = *dice.pick(&REPLIES);
            Act::Reply(code, text.to_owned())
        }
    };
    Fault {
        phase: *dice.pick(&PHASES),
        when: When::Between(first, first + dice.within(0..=3)),
        act,
    }
}
