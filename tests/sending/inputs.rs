//! What the campaigns of these tests have in common: a list, a text, and nothing that is not asked for. The simulated
//! ones begin with it too.

use std::path::Path;

use jiff::tz::TimeZone;
use postroom::limits::Schedule;
use postroom::plan::{AccountLimits, Inputs, Mode};
use postroom::recipients::{ListOptions, SuppressedPeople};

/// `list.csv` and `mail.txt.hbs` in this folder, sent by these accounts.
pub(crate) fn inputs(folder: &Path, name: &str, accounts: Vec<AccountLimits>) -> Inputs {
    Inputs {
        folder: folder.to_owned(),
        name: name.to_owned(),
        accounts,
        from: "comms@contoso.com".to_owned(),
        to: None,
        reply_to: None,
        cc: vec![],
        bcc: vec![],
        subject: "News".to_owned(),
        html: None,
        text: Some("mail.txt.hbs".into()),
        data: None,
        attach: vec![],
        inline: vec![],
        headers: vec![],
        list_unsubscribe: None,
        unsubscribe_mailto: None,
        unsubscribe_url: None,
        suppressed: SuppressedPeople::default(),
        inline_css: true,
        list: "list.csv".into(),
        address_column: None,
        filter: None,
        grouped: false,
        reading: ListOptions::default(),
        internal: vec![],
        mode: Mode::Auto,
        schedule: Schedule::default(),
        time_zone: Some(TimeZone::UTC),
    }
}
