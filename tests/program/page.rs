//! The preview page as any program on the machine meets it: who is let in, what is answered.

use crate::home::{Home, repository};
use crate::served::{Served, newsletter};

#[test]
fn only_the_page_itself_with_its_key_is_answered() {
    let home = Home::new();
    home.campaign("sandbox", 3, true);
    let served = Served::start(&home, &["news"]);
    let (host, path) = (served.host().to_owned(), served.path().to_owned());
    let port = host.split(':').nth(1).unwrap();
    assert!(path.len() > 30, "{path}");
    for good in [host.clone(), format!("localhost:{port}")] {
        let answer = served.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {good}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 200, "{good}");
    }
    for bad in [
        "evil.example",
        &format!("evil.example:{port}"),
        "127.0.0.1",
        "localhost:1",
        "",
    ] {
        let answer = served.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {bad}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, 421, "{bad}");
    }
    let refused = [
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Origin: http://localhost:1\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        (
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
            403,
        ),
        ("Sec-Fetch-Site: same-origin\r\n", 200),
        (
            "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
            200,
        ),
        // A click on the address, wherever it was shown.
        (
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
            200,
        ),
    ];
    for (headers, status) in refused {
        assert_eq!(served.with(&path, headers).status, status, "{headers}");
    }
    let navigates =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let state = format!("{path}api/state");
    assert_eq!(served.with(&state, navigates).status, 403);
    assert_eq!(
        served
            .with(&state, &format!("Origin: http://{host}\r\n"))
            .status,
        200
    );
    let guessed = format!("/{}/api/state", "A".repeat(32));
    for elsewhere in [
        "/",
        "/api/state",
        &guessed,
        &path.trim_end_matches('/')[..30],
    ] {
        assert_eq!(served.with(elsewhere, "").status, 404, "{elsewhere}");
    }
    let posted = served.raw(&format!(
        "POST {path}api/state HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    ));
    assert_eq!(posted.status, 405);
}

#[test]
fn every_answer_is_private_and_the_mail_may_do_nothing() {
    let home = Home::new();
    newsletter(&home);
    let served = Served::start(&home, &["news"]);
    served.checked();
    for below in [
        "",
        "page.js",
        "api/state",
        "api/row/1",
        "mail/1/html",
        "mail/1/mail.eml",
        "nothing",
    ] {
        let answer = served.get(below);
        assert_eq!(answer.header("cache-control"), "no-store", "{below}");
        assert_eq!(
            answer.header("x-content-type-options"),
            "nosniff",
            "{below}"
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{below}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{below}"
        );
        assert!(
            !answer
                .headers
                .iter()
                .any(|(name, _)| name.starts_with("access-control")),
            "{below}"
        );
    }
    let page = served.get("");
    assert!(
        page.header("content-security-policy")
            .contains("script-src 'self'; style-src 'self'")
    );
    assert!(
        !page.text().contains("<script>") && !page.text().contains("style="),
        "nothing stands in the page itself"
    );
    let mail = served.get("mail/1/html");
    let policy = mail.header("content-security-policy");
    assert!(policy.starts_with("sandbox; "), "{policy}");
    assert!(
        !policy.contains("allow") && !policy.contains("script-src"),
        "{policy}"
    );
    let file = served.get("api/row/1").json()["mail"]["attached"][0]["part"].to_string();
    let file = served.get(&format!("mail/1/part/{file}"));
    assert!(
        file.header("content-disposition")
            .starts_with("attachment; filename*=UTF-8''agenda.pdf")
    );
    let agenda = repository().join("samples/staff-newsletter/files/agenda.pdf");
    assert!(file.body == std::fs::read(agenda).unwrap());
    served.ends_well();
}

#[test]
fn nothing_outside_the_campaign_is_reached() {
    let home = Home::new();
    home.campaign("sandbox", 1, false);
    home.write("secret.txt", "the secret");
    home.write(
        "news/staff.csv",
        "email,file\na@contoso.com,../secret.txt\nb@contoso.com,link.txt\nc@contoso.com,own.txt\n",
    );
    home.write("news/own.txt", "their own");
    std::os::unix::fs::symlink(home.path("secret.txt"), home.path("news/link.txt")).unwrap();
    let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
    home.write(
        "news/campaign.toml",
        toml.replace("[recipients]", "attach = [\"{{file}}\"]\n[recipients]"),
    );
    let served = Served::start(&home, &["news"]);
    served.checked();
    for row in [1, 2] {
        let answer = served.get(&format!("api/row/{row}"));
        assert!(answer.json()["none"].is_string(), "{}", answer.text());
        assert!(
            answer.json()["findings"][0]["message"]
                .as_str()
                .unwrap()
                .contains("leads out")
        );
        for part in 0..4 {
            assert_eq!(served.get(&format!("mail/{row}/part/{part}")).status, 404);
        }
        assert_eq!(served.get(&format!("mail/{row}/mail.eml")).status, 404);
    }
    let attached = served.get("api/row/3").json()["mail"]["attached"][0].clone();
    assert_eq!(
        served
            .get(&format!("mail/3/part/{}", attached["part"]))
            .body,
        b"their own"
    );
    for path in [
        "../secret.txt",
        "..%2fsecret.txt",
        "mail/../../../secret.txt",
        "mail/3/part/../../../../secret.txt",
        "mail/3/part/secret.txt",
        "mail/3/part/-1",
        "mail/3/part/99999999999999999999",
        "mail/0/html",
        "api/row/4",
        "api/row/x",
        "assets/page.html",
        "%00",
        "api/row/3/unfolded?from=9&to=1",
        "api/row/3/unfolded?from=0&to=99999999999",
    ] {
        let answer = served.get(path);
        assert!(
            [400, 404].contains(&answer.status) || answer.body.len() < 20_000,
            "{path}: {answer:?}"
        );
        assert!(!answer.text().contains("the secret"), "{path}");
    }
}
