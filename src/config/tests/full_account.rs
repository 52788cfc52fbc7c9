use std::path::Path;
use std::time::Duration;

use super::accounts;
use crate::config::{Account, Auth, Deadlines, Reserve, SecretSource, Tls};
use crate::delivery::Backoff;
use crate::limits::Unit;
use crate::provider::Flow;

/// An account with every key that there is.
const FULL: &str = r#"
[comms]
provider = "custom"
region = "eu"
withdrawn_limits = false
username = "comms@contoso.com"
auth = "password"
reserve = { messages = 5, recipients = 500, external_recipients = 0 }
host = "smtp.contoso.com"
port = 2525
tls = "implicit"
max_recipients_per_message = 100
max_message_size = 25_000_000
max_connections = 2
limits = [
  { max = 30, per = "1m", unit = "messages" },
  { max = 0x10, per = "24h", unit = "external-recipients" },
]
ca_file = "corp-ca.pem"
retry = ["30s", "2m"]
deadlines = { connect = "10s", command = "5m", data = "6m", final = "10m" }
[comms.oauth2]
tenant = "contoso.onmicrosoft.com"
client_id = "1234"
flow = "device-code"
authority = "http://127.0.0.1:8080/x"
[comms.password]
env = "COMMS_PASSWORD"
[comms.client_secret]
command = ["pass", "show", "mail"]
"#;

fn full() -> Account {
    accounts(FULL).unwrap().get("comms").unwrap().clone()
}

#[test]
fn every_key_of_an_account_is_read() {
    let account = full();
    assert_eq!(
        (account.name.as_str(), account.provider.as_str()),
        ("comms", "custom")
    );
    assert_eq!(account.username.as_deref(), Some("comms@contoso.com"));
    assert_eq!(
        (account.region.as_deref(), account.withdrawn_limits),
        (Some("eu"), false)
    );
    assert_eq!(account.auth, Auth::Password);
    let reserve = Reserve {
        messages: 5,
        recipients: 500,
        external_recipients: 0,
    };
    assert_eq!(account.reserve, reserve);
    assert_eq!(account.host.as_deref(), Some("smtp.contoso.com"));
    assert_eq!(
        (account.port, account.tls),
        (Some(2525), Some(Tls::Implicit))
    );
    assert_eq!(account.max_recipients_per_message, Some(100));
    assert_eq!(account.max_message_size, Some(25_000_000));
    assert_eq!(account.max_connections, Some(2));
}

#[test]
fn limits_and_times_of_an_account_are_read() {
    let account = full();
    let limits = account.limits.unwrap();
    assert_eq!(limits[0].to_string(), "30 messages per 1m");
    assert_eq!(
        (limits[1].max, limits[1].unit),
        (16, Unit::ExternalRecipients)
    );
    assert_eq!(
        account.ca_file.as_deref(),
        Some(Path::new("/etc/postroom/corp-ca.pem"))
    );
    let seconds = |n| Some(Duration::from_secs(n));
    assert_eq!(
        account.retry,
        Some(Backoff::new([30, 120].map(Duration::from_secs).to_vec()))
    );
    let deadlines = Deadlines {
        connect: seconds(10),
        command: seconds(300),
        data: seconds(360),
        final_: seconds(600),
    };
    assert_eq!(account.deadlines, deadlines);
}

#[test]
fn every_way_to_sign_in_is_read() {
    let account = full();
    let oauth2 = account.oauth2.unwrap();
    assert_eq!(oauth2.tenant.as_deref(), Some("contoso.onmicrosoft.com"));
    assert_eq!(oauth2.client_id.as_deref(), Some("1234"));
    assert_eq!(oauth2.flow, Some(Flow::DeviceCode));
    assert_eq!(oauth2.authority.as_deref(), Some("http://127.0.0.1:8080/x"));
    assert_eq!(
        account.password,
        Some(SecretSource::Env("COMMS_PASSWORD".to_owned()))
    );
    let words = ["pass", "show", "mail"].map(str::to_owned).to_vec();
    assert_eq!(account.client_secret, Some(SecretSource::Program(words)));
}
