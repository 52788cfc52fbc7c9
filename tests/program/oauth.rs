//! Signing in by OAuth 2.0 against a real identity provider: three flows, expiry, rotation, revocation.

use crate::home::{Ended, Home};
use crate::identity::{APP_SECRET, Identity, access_token, kept_file, refresh_token};
use crate::server::Server;

const SCOPE: &str = "https://outlook.office.com/SMTP.Send";

/// No secret of a sign-in is in what the program says, in the store, or in a file that others can read.
fn nothing_leaks(home: &Home, outputs: &[&Ended], secrets: &[String]) {
    let store = std::fs::read(home.path("state/postroom/postroom.db")).unwrap_or_default();
    for secret in secrets {
        assert!(secret.len() > 20, "no secret: {secret}");
        for output in outputs {
            assert!(!output.out.contains(secret) && !output.err.contains(secret));
        }
        let found = store
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "in the store");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = kept_file(home);
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        assert_eq!(mode(&file), 0o600);
    }
}

fn people_sign_in(flow: &str, account: &str) {
    let Some(identity) = Identity::there() else {
        return;
    };
    let home = Home::new();
    let server = Server::start(&home, &["--provider", "microsoft365"]);
    identity.configure(&home, &server, "comms@contoso.com", "postroom", flow);
    home.campaign("t", 3, true);
    let before = home.run(&["send", "news", "--yes"]).exits(77);
    assert!(before.err.contains("postroom login t"), "{}", before.err);
    let signed_in = identity.sign_in(&home, account);
    let ended = signed_in.ended.exits(0);
    assert_eq!(signed_in.step["sign_in_as"], "comms@contoso.com");
    assert_eq!(signed_in.page.status, 200, "{:?}", signed_in.page);
    let last = ended.json();
    assert_eq!(
        (&last["event"], &last["renews"]),
        (&"signed_in".into(), &true.into())
    );
    let told = identity.introspect(&access_token(&home));
    assert_eq!(
        (&told["active"], &told["username"]),
        (&true.into(), &account.into())
    );
    assert!(told["scope"].as_str().unwrap().contains(SCOPE), "{told}");
    let accounts = home.run(&["accounts", "--json"]).exits(0).json();
    assert_eq!(accounts["accounts"][1]["signed_in"], true, "{accounts}");
    let sent = home.run(&["send", "news", "--yes", "-v"]).exits(0);
    assert_eq!(server.copies().len(), 3);
    let secrets = [access_token(&home), refresh_token(&home)];
    nothing_leaks(&home, &[&ended, &sent], &secrets);
    let out = home.run(&["logout", "t"]).exits(0).out;
    assert!(out.contains("sign-in"), "{out}");
    let accounts = home.run(&["accounts", "--json"]).exits(0).json();
    assert_eq!(accounts["accounts"][1]["signed_in"], false);
}

#[test]
fn a_code_on_another_device_signs_in() {
    people_sign_in("device-code", "ann@contoso.com");
}

#[test]
fn the_browser_signs_in() {
    people_sign_in("browser", "bob@contoso.com");
}

#[test]
fn the_application_signs_in_by_itself() {
    let Some(identity) = Identity::there() else {
        return;
    };
    let home = Home::new();
    let server = Server::start(&home, &["--provider", "microsoft365"]);
    let flow = "client-credentials";
    // Its own mailbox, which has the right to send as another.
    identity.configure(&home, &server, identity.app_mailbox(), "postroom-app", flow);
    let file = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    home.campaign("t", 3, true);
    let outside = home.run(&["check", "news"]).exits(78);
    assert!(outside.err.contains("message.from"), "{}", outside.err);
    let text = text.replace("auth =", "from = \"comms@contoso.com\"\nauth =");
    std::fs::write(&file, text).unwrap();
    let run = |args: &[&str], secret: &str| {
        let mut command = home.command(args);
        Ended::of(&command.env(APP_SECRET, secret).output().unwrap())
    };
    let wrong = run(&["login", "t"], "not-the-secret-of-the-app").exits(77);
    assert!(wrong.err.contains("invalid_client"), "{}", wrong.err);
    assert!(!wrong.err.contains("not-the-secret"), "{}", wrong.err);
    let login = run(&["login", "t"], identity.app_secret()).exits(0);
    assert!(login.out.contains("can sign in"), "{}", login.out);
    let sent = run(&["send", "news", "--yes", "-v"], identity.app_secret()).exits(0);
    assert_eq!(server.copies().len(), 3);
    for output in [&login, &sent] {
        assert!(!output.out.contains(identity.app_secret()));
        assert!(!output.err.contains(identity.app_secret()));
    }
    let secrets = home.path("state/postroom/secrets");
    assert!(!secrets.exists(), "it signs in anew each time");
}

#[test]
fn a_person_who_declines_is_believed() {
    let Some(identity) = Identity::there() else {
        return;
    };
    let home = Home::new();
    for flow in ["device-code", "browser"] {
        let account = identity.account("", "comms@contoso.com", "postroom", flow);
        home.write("config/postroom/accounts.toml", account);
        let signed_in = identity.sign_in(&home, "no.thanks@contoso.com");
        let ended = signed_in.ended.exits(77);
        assert!(ended.err.contains("declined"), "{}", ended.err);
        assert!(ended.err.contains("postroom login t"), "{}", ended.err);
    }
}

#[test]
fn an_expired_token_is_renewed_by_every_process_and_a_revoked_one_ends_the_run() {
    let Some(identity) = Identity::there() else {
        return;
    };
    let home = Home::new();
    let server = Server::start(&home, &["--provider", "microsoft365"]);
    let who = "cleo@contoso.com";
    identity.configure(
        &home,
        &server,
        "comms@contoso.com",
        "postroom-short",
        "browser",
    );
    home.campaign("t", 3, true);
    identity.sign_in(&home, who).ended.exits(0);
    let mut used = Vec::new();
    for max in ["1", "1"] {
        used.push((access_token(&home), refresh_token(&home)));
        identity.let_expire(&home);
        // Another process each time: what is kept is all that it has.
        home.run(&["send", "news", "--yes", "--max", max]).exits(0);
        assert_ne!(
            used.last(),
            Some(&(access_token(&home), refresh_token(&home)))
        );
    }
    assert_eq!(server.copies().len(), 2);
    // Two at the same time: a refresh token that was used twice would end the sign-in.
    identity.let_expire(&home);
    let mut others = Vec::new();
    for name in ["one", "two"] {
        let folder = home.path(name);
        std::fs::create_dir(&folder).unwrap();
        for file in std::fs::read_dir(home.path("news")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
        let mut command = home.command(&["send", name, "--yes", "--max", "1"]);
        let command = command.stdout(std::process::Stdio::piped());
        others.push(
            command
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap(),
        );
    }
    for other in others {
        Ended::of(&other.wait_with_output().unwrap()).exits(0);
    }
    used.push((access_token(&home), refresh_token(&home)));
    identity.let_expire(&home);
    identity.revoke(who);
    let first = home.run(&["send", "news", "--yes"]).exits(77);
    assert!(
        first.err.contains("run `postroom login t`"),
        "{}",
        first.err
    );
    assert!(first.err.contains("invalid_grant"), "{}", first.err);
    let text = std::fs::read_to_string(kept_file(&home)).unwrap();
    for (access, refresh) in &used {
        assert!(!text.contains(access) && !text.contains(refresh), "{text}");
    }
    let again = home.run(&["send", "news", "--yes"]).exits(77);
    assert!(
        again.err.contains("run `postroom login t`"),
        "{}",
        again.err
    );
    assert_eq!(
        home.status()["recipients"]["pending"],
        1,
        "nobody is blamed"
    );
    let secrets: Vec<String> = used.into_iter().flat_map(|(a, r)| [a, r]).collect();
    nothing_leaks(&home, &[&first, &again], &secrets);
    let accounts = home.run(&["accounts"]).exits(0).out;
    assert!(accounts.contains("ended by the provider"), "{accounts}");
    identity.sign_in(&home, who).ended.exits(0);
    home.run(&["send", "news", "--yes"]).exits(0);
}
