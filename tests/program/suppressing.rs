//! Who is never written to: what files of them may look like, and what is said of those who are on the list or not
//! any more.

use crate::home::Home;
use crate::server::Server;

/// Who is on the list, as it was given.
fn listed(home: &Home) -> Vec<String> {
    let json = home.run(&["suppress", "list", "--json"]).exits(0).json();
    let entries = json["suppressed"].as_array().unwrap();
    let emails = entries
        .iter()
        .map(|one| one["email"].as_str().unwrap().to_owned());
    emails.collect()
}

#[test]
fn a_file_has_remarks_and_addresses_as_mail_programs_write_them() {
    let home = Home::new();
    home.write(
        "left.txt",
        "# asked to be left out\n\n\"Lee, Ann\" <ann@contoso.com>;\nBob Roe <bob@contoso.com>,\n<zoe@contoso.com>\n\
         # a whole company\n@partner.example\n\"kim@contoso.com\"\n",
    );
    home.run(&["suppress", "import", "left.txt"]).exits(0);
    let all = [
        "@partner.example",
        "ann@contoso.com",
        "bob@contoso.com",
        "kim@contoso.com",
        "zoe@contoso.com",
    ];
    assert_eq!(listed(&home), all);
    home.write(
        "left.csv",
        "# exported on Monday\nemail,reason\n\"\"\"Lee, Ann\"\" <ann.lee@contoso.com>\",left\n# two more\n\
         max@contoso.com,\"on leave\n# until May\"\n",
    );
    home.run(&["suppress", "import", "left.csv"]).exits(0);
    let list = home.run(&["suppress", "list"]).exits(0).out;
    assert!(
        list.contains("ann.lee@contoso.com") && list.contains("max@contoso.com"),
        "{list}"
    );
    assert!(list.contains("on leave # until May"), "{list}");
    home.write("heading.txt", "E-Mail\numa@contoso.com\n");
    home.run(&["suppress", "import", "heading.txt"]).exits(0);
    assert_eq!(listed(&home).len(), 8);
}

#[test]
fn each_wrong_line_of_a_file_is_named_and_nothing_of_it_is_taken() {
    let home = Home::new();
    home.write(
        "left.txt",
        "ann@contoso.com\nbob\n# fine\nann@contoso.com, bob@contoso.com\nzoe@contoso.com,left\nx y@contoso.com\n",
    );
    let said = home.run(&["suppress", "import", "left.txt"]).exits(65).err;
    assert!(said.contains("4 lines"), "{said}");
    for words in ["line 2: ", "line 4: ", "line 5: ", "line 6: "] {
        assert_eq!(said.matches(words).count(), 1, "{words}: {said}");
    }
    assert!(said.contains("several addresses"), "{said}");
    assert!(said.contains("email,reason"), "{said}");
    home.write(
        "left.csv",
        "email,reason\nann@contoso.com,left\nbob,left\nzoe@contoso.com,left,again\njohn.smith,left\n",
    );
    let said = home.run(&["suppress", "import", "left.csv"]).exits(65).err;
    for words in ["3 lines", "line 3: ", "line 4: ", "line 5: "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let many: Vec<String> = (1..=50).map(|n| format!("nobody {n}\n")).collect();
    home.write("many.txt", format!("ann@contoso.com\n{}", many.concat()));
    let said = home.run(&["suppress", "import", "many.txt"]).exits(65).err;
    assert!(
        said.contains("50 lines") && said.contains("and 30 more"),
        "{said}"
    );
    assert!(listed(&home).is_empty());
}

#[test]
fn whoever_comes_off_the_list_is_queued_or_comes_in_with_an_update() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    home.run(&["suppress", "add", "p1@contoso.com", "@contoso.com"])
        .exits(0);
    home.run(&["suppress", "remove", "@contoso.com"]).exits(0);
    home.run(&["suppress", "add", "p2@contoso.com"]).exits(0);
    home.run(&["plan", "news"]).exits(0);
    let said = home.run(&["suppress", "remove", "p1@contoso.com"]).exits(0);
    for words in ["`postroom retry --suppressed`", "`postroom plan --update`"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    // Both are true.
    let dry = home
        .run(&["plan", "news", "--update", "--dry-run", "--json"])
        .exits(0)
        .json();
    let newcomers = &dry["update"]["difference"]["newcomers"];
    assert_eq!(newcomers["first"][0], "p1@contoso.com", "{dry}");
    let queued = home
        .run(&["retry", "news", "--suppressed", "--yes", "--json"])
        .exits(0);
    assert_eq!(queued.json()["queued"], 1);
    // Another entry still holds.
    home.run(&["suppress", "add", "@contoso.com"]).exits(0);
    let said = home.run(&["suppress", "remove", "p2@contoso.com"]).exits(0);
    assert!(
        said.err.contains("still not written to")
            && said.err.contains("@contoso.com is on the list"),
        "{}",
        said.err
    );
}

#[test]
fn an_update_says_which_newcomers_are_on_the_list() {
    let home = Home::new();
    home.campaign("sandbox", 2, true);
    home.run(&["plan", "news"]).exits(0);
    home.run(&["suppress", "add", "p3@contoso.com", "p1@contoso.com"])
        .exits(0);
    let list = "email,first_name\np1@contoso.com,P1\np2@contoso.com,P2\np3@contoso.com,P3\np4@contoso.com,P4\n";
    home.write("news/staff.csv", list);
    let update = ["plan", "news", "--update", "--dry-run"];
    let said = home.run(&update).exits(0).out;
    assert!(said.contains("1 is added: p4@contoso.com"), "{said}");
    assert!(
        said.contains("1 more is new, but on the suppression list, and left out: p3@contoso.com"),
        "{said}"
    );
    let json = home
        .run(&[&update[..], &["--json"]].concat())
        .exits(0)
        .json();
    let difference = &json["update"]["difference"];
    assert_eq!(difference["newcomers_suppressed"]["count"], 1, "{json}");
    assert_eq!(difference["newcomers"]["count"], 1, "{json}");
}

#[test]
fn whoever_is_in_doubt_and_on_the_list_is_not_promised_a_mail() {
    let home = Home::new();
    // Taken, and nobody is told.
    let server = Server::start(&home, &["--fault", "dot@1=drop"]);
    home.account(&server, "max_connections = 1");
    home.campaign("t", 3, false);
    home.run(&["send", "news", "--yes"]).exits(1);
    assert_eq!(home.status()["recipients"]["in_doubt"], 3);
    home.run(&["suppress", "add", "p1@contoso.com"]).exits(0);
    home.write(
        "news/staff.csv",
        "email,first_name\np1@contoso.com,P1\np3@contoso.com,P3\n",
    );
    home.run(&["plan", "news", "--update", "--yes"]).exits(0);
    let gone = "1 recipient who is on the suppression list and 1 recipient who is no longer in the list get";
    let listed = home.run(&["resolve", "news"]).exits(0).out;
    assert!(listed.contains(gone), "{listed}");
    let said = home.run(&["resolve", "news", "--resend", "--yes"]).exits(0);
    assert!(
        said.err.contains(&format!("{gone} no mail")),
        "{}",
        said.err
    );
    assert!(
        said.out.contains("`postroom send` sends to them, but") && said.out.contains(gone),
        "{}",
        said.out
    );
    // As it was said.
    let people = &home.status()["recipients"];
    let counts = ["pending", "suppressed", "cancelled", "in_doubt"].map(|one| people[one].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1), Some(0)], "{people}");
}
