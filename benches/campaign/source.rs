//! Postfix's `smtp-source`: the same body for all, nothing kept.

use std::process::{Command, Stdio};
use std::time::Instant;

/// Mails of so many bytes a second over so many connections; none where it is not installed.
pub(crate) fn rate(port: u16, connections: usize, mails: usize, size: usize) -> Option<f64> {
    let begin = Instant::now();
    let ended = Command::new("smtp-source")
        .args([
            "-d",
            "-s",
            &connections.to_string(),
            "-m",
            &mails.to_string(),
        ])
        .args([
            "-l",
            &size.to_string(),
            "-f",
            "comms@contoso.com",
            "-t",
            "ann@contoso.com",
        ])
        .arg(format!("inet:127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    ended
        .success()
        .then(|| mails as f64 / begin.elapsed().as_secs_f64())
}
