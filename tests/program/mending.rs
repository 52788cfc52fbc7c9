//! What people change while a campaign is under way, also while another process sends it.

use std::process::Child;

use crate::home::Home;
use crate::server::Server;

const FIVE: &str = "limits = [{ max = 5, per = \"1h\", unit = \"messages\" }]";

/// A send that has sent five of ten and waits for an hour.
fn waiting() -> (Home, Server, Child) {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, FIVE);
    home.campaign("t", 10, true);
    let child = five_sent(&home);
    (home, server, child)
}

/// A send of five messages at a time that has sent the first five and waits.
fn five_sent(home: &Home) -> Child {
    let sending = home.sending(6);
    assert_eq!(sending.seen, 6, "five and a wait");
    sending.child
}

#[test]
fn a_sender_at_work_heeds_who_was_suppressed_and_cancelled_since_it_began() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "limits = [{ max = 5, per = \"4s\", unit = \"messages\" }]",
    );
    home.campaign("t", 15, true);
    let mut child = five_sent(&home);
    // The last ones of the plan: their turn comes in several seconds.
    let said = home
        .run(&["suppress", "add", "p15@contoso.com", "--json"])
        .exits(0);
    assert_eq!(said.json()["campaigns"][0]["withdrawn"], 1);
    home.run(&["cancel", "news", "--to", "p14@contoso.com", "--yes"])
        .exits(0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let copies = server.copies();
    assert_eq!(copies.len(), 13);
    assert!(!copies.contains_key("p14@contoso.com") && !copies.contains_key("p15@contoso.com"));
    assert_eq!(home.status()["state"], "finished");
    assert_eq!(assert_adds_up(&home)["sent"], 13);
}

fn assert_adds_up(home: &Home) -> serde_json::Value {
    let people = home.status()["recipients"].clone();
    let count = |name: &str| people[name].as_u64().unwrap();
    let states = [
        "pending",
        "sent",
        "deferred",
        "refused",
        "in_doubt",
        "suppressed",
        "cancelled",
    ];
    assert_eq!(states.map(count).iter().sum::<u64>(), count("total"));
    people
}

#[test]
fn people_are_suppressed_and_cancelled_while_another_process_sends() {
    let (home, server, mut child) = waiting();
    let sent: Vec<String> = server.copies().into_keys().collect();
    let one = |outcome: &str| {
        let mut all = home.outcomes().into_iter();
        all.find(|(_, found)| found == outcome).unwrap().0
    };
    let (has_it, waits) = (one("sent"), one("pending"));
    let said = home
        .run(&["suppress", "add", &waits.to_uppercase(), "--reason", "left"])
        .exits(0);
    assert!(said.out.contains("withdrawn from 'news': 1"), "{said:?}");
    let late = home.run(&["suppress", "add", &has_it, "--json"]).exits(0);
    assert!(
        late.err.contains("recipient has the mail already"),
        "{late:?}"
    );
    assert_eq!(late.json()["campaigns"][0]["sent"], 1);
    let gone = one("pending");
    home.run(&["cancel", "news", "--to", &gone]).exits(2);
    home.run(&["cancel", "news", "--to", &gone, "--yes"])
        .exits(0);
    home.run(&["cancel", "news", "--to", &gone, "--yes"])
        .exits(2);
    home.run(&["cancel", "news", "--to", &has_it, "--yes"])
        .exits(2);
    let people = assert_adds_up(&home);
    assert_eq!(
        (&people["suppressed"], &people["cancelled"], &people["sent"]),
        (&1.into(), &1.into(), &5.into())
    );
    // Nobody else is left: the sender, which waits for an hour, has nothing to wait for.
    let all = home.run(&["cancel", "news", "--yes", "--json"]).exits(0);
    assert_eq!(all.json()["cancelled"], 3);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(home.status()["state"], "finished");
    home.run(&["send", "news", "--yes"]).exits(0);
    let after: Vec<String> = server.copies().into_keys().collect();
    assert_eq!(after.len(), sent.len(), "nobody was written to since");
    assert!(server.copies().values().all(|count| *count == 1));
}

#[test]
fn the_list_holds_from_plan_to_send_and_is_shown_imported_and_cleared() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.campaign("t", 4, false);
    home.write(
        "left.csv",
        "name;email;reason\nAnn;P1@contoso.com;left\nAll;@partner.example;\n",
    );
    let first = home
        .run(&["suppress", "import", "left.csv", "--json"])
        .exits(0);
    assert_eq!(
        (&first.json()["added"], &first.json()["known"]),
        (&2.into(), &0.into())
    );
    home.write(
        "lines.txt",
        "p1@contoso.com\np2@contoso.com\nno address\n@\n",
    );
    let bad = home.run(&["suppress", "import", "lines.txt"]).exits(65);
    assert!(
        bad.err.contains("2 lines") && bad.err.contains("line 3:") && bad.err.contains("line 4:"),
        "{}",
        bad.err
    );
    home.write("lines.txt", "p1@contoso.com\np2@contoso.com\n");
    let said = home
        .run(&["suppress", "import", "lines.txt", "--campaign", "news"])
        .exits(0);
    assert!(said.out.contains("2 new entries"), "{}", said.out);
    let list = home
        .run(&["suppress", "list", "--format", "csv"])
        .exits(0)
        .out;
    assert_eq!(list.lines().count(), 5, "{list}");
    assert!(list.contains("@partner.example,,,"), "{list}");
    assert!(list.contains("P1@contoso.com,,left,"), "{list}");
    home.run(&["suppress", "list", "--campaign", "nwes"])
        .exits(66);

    let check = home.run(&["check", "news", "--json"]).exits(0).json();
    assert_eq!(check["recipients"]["suppressed"], 2, "{check}");
    let rehearsal = home.run(&["rehearse", "news", "--json"]).exits(0).json();
    assert_eq!(rehearsal["received"]["recipients"], 2, "{rehearsal}");
    let plan = home.run(&["plan", "news", "--json"]).exits(0).json();
    assert_eq!(plan["recipients"]["planned"], 2, "{plan}");
    home.run(&["suppress", "add", "@contoso.com", "--campaign", "other"])
        .exits(66);
    // A rehearsal of what is planned leaves out who was put on the list since.
    home.run(&["suppress", "add", "p3@contoso.com"]).exits(0);
    let rehearsal = home.run(&["rehearse", "news", "--json"]).exits(0).json();
    assert_eq!(rehearsal["received"]["recipients"], 1, "{rehearsal}");
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.copies().len(), 1);
    assert!(server.copies().contains_key("p4@contoso.com"));

    let wrong = home.run(&["suppress", "remove", "p5@contoso.com"]).exits(2);
    assert!(wrong.err.contains("is meant"), "{}", wrong.err);
    let elsewhere = home.run(&["suppress", "remove", "p2@contoso.com"]).exits(2);
    assert!(
        elsewhere.err.contains("--campaign 'news'"),
        "{}",
        elsewhere.err
    );
    let removed = home.run(&["suppress", "remove", "p3@contoso.com"]).exits(0);
    assert!(
        removed.err.contains("retry --suppressed"),
        "{}",
        removed.err
    );
    home.run(&["send", "news", "--yes"]).exits(0);
    assert_eq!(server.copies().len(), 1, "nobody is queued by that alone");
    let queued = home
        .run(&["retry", "news", "--suppressed", "--yes", "--json"])
        .exits(0)
        .json();
    assert_eq!(
        (&queued["queued"], &queued["suppressed"]),
        (&1.into(), &2.into())
    );
    home.run(&["send", "news", "--yes"]).exits(0);
    assert!(server.copies().contains_key("p3@contoso.com"));
    assert_eq!(assert_adds_up(&home)["sent"], 2);
}

#[test]
fn refused_people_get_the_same_mail_again_and_nobody_else_does() {
    let home = Home::new();
    let server = Server::start(&home, &["--refuse", "p2@*", "--refuse", "p3@*"]);
    home.account(&server, "");
    home.campaign("t", 4, false);
    home.run(&["send", "news", "--yes"]).exits(1);
    let first = server.received()[0].message_id.clone();
    drop(server);
    let none = home
        .run(&["retry", "news", "--reason", "5.1.1", "--yes"])
        .exits(2);
    assert!(none.err.contains("5.1.10"), "{}", none.err);
    let nobody = home
        .run(&["retry", "news", "--to", "p22@contoso.com", "--yes"])
        .exits(2);
    assert!(
        nobody.err.contains("did you mean p2@contoso.com"),
        "{}",
        nobody.err
    );
    home.run(&["retry", "news", "--to", "p1@contoso.com", "--yes"])
        .exits(2);
    home.run(&["retry", "news"]).exits(2);
    let dry = home.run(&["retry", "news", "--dry-run"]).exits(0);
    assert!(
        dry.err.contains("p2@contoso.com (550 5.1.10"),
        "{}",
        dry.err
    );
    assert_eq!(home.status()["state"], "finished");
    let done = home
        .run(&[
            "retry",
            "news",
            "--to",
            "P2@contoso.com",
            "--reason",
            "5.1.10",
            "--yes",
            "--json",
        ])
        .exits(0)
        .json();
    assert_eq!(done["queued"], 1);
    assert_eq!(home.status()["state"], "planned");
    std::fs::remove_dir_all(home.path("server")).unwrap();
    let server = Server::start(&home, &[]);
    home.account(&server, "");
    home.run(&["send", "news", "--yes"]).exits(1);
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].recipients, ["p2@contoso.com"]);
    assert_eq!(received[0].message_id, first);
    let people = assert_adds_up(&home);
    assert_eq!(
        (&people["sent"], &people["refused"]),
        (&3.into(), &1.into())
    );
}

#[test]
fn a_condition_chooses_who_is_dropped() {
    let home = Home::new();
    home.campaign("sandbox", 4, true);
    home.run(&["plan", "news"]).exits(0);
    let cancel = |condition: &str, code| {
        home.run(&["cancel", "news", "--where", condition, "--yes", "--json"])
            .exits(code)
    };
    assert!(cancel("frist_name == 'P2'", 2).err.contains("first_name"));
    cancel("first_name = = 'P2'", 2);
    let done = cancel("first_name in ('P2', 'p3')", 0).json();
    assert_eq!(done["rows"], serde_json::json!([2, 3]));
    assert_eq!(cancel("first_name == 'P2'", 0).json()["cancelled"], 0);
    assert_eq!(assert_adds_up(&home)["cancelled"], 2);
}

#[test]
fn a_doubt_that_is_named_wrongly_is_told_what_was_meant() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["resolve", "news"]).exits(66);
    home.run(&["plan", "news"]).exits(0);
    let nobody = home
        .run(&["resolve", "news", "--delivered", "--to", "p3@contoso.com"])
        .exits(2);
    assert!(nobody.err.contains("did you mean"), "{}", nobody.err);
    let known = home
        .run(&["resolve", "news", "--delivered", "--to", "p1@contoso.com"])
        .exits(2);
    assert!(known.err.contains("'pending'"), "{}", known.err);
    home.run(&["resolve", "news", "--resend", "--message", "<x@y>"])
        .exits(2);
    let none = home.run(&["resolve", "news", "--delivered"]).exits(0);
    assert!(none.out.contains("nothing is in doubt"));
}
