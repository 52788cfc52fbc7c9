//! `postroom sandbox` in a process of its own: a server that survives whatever happens to the sender.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::home::Home;

pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    port: u16,
    folder: PathBuf,
}

/// A message that the server took, as its log has it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) message_id: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) file: PathBuf,
}

impl Server {
    /// Starts a server with these further arguments; it keeps what it takes.
    pub(crate) fn start(home: &Home, more: &[&str]) -> Self {
        let folder = home.path("server");
        std::fs::create_dir_all(&folder).unwrap();
        let (certificate, maildir) = (folder.join("cert.pem"), folder.join("Maildir"));
        let mut command = home.command(&["sandbox", "--json", "--certificate"]);
        command
            .arg(&certificate)
            .arg("--maildir")
            .arg(&maildir)
            .args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let address: std::net::SocketAddr = said["address"].as_str().unwrap().parse().unwrap();
        Self {
            child,
            out,
            port: address.port(),
            folder,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// What it has taken so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        let log = std::fs::read_to_string(self.folder.join("received.jsonl")).unwrap_or_default();
        // The last line may still be being written.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole
            .lines()
            .map(|line| received(&self.folder, line))
            .collect()
    }

    /// How often each address was reached.
    pub(crate) fn copies(&self) -> HashMap<String, usize> {
        let mut copies = HashMap::new();
        for address in self
            .received()
            .into_iter()
            .flat_map(|message| message.recipients)
        {
            *copies.entry(address).or_default() += 1;
        }
        copies
    }

    /// Ends it; what it has to say of itself.
    pub(crate) fn stop(mut self) -> Value {
        signal(&self.child, "INT");
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap();
        serde_json::from_str(rest.lines().last().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn received(folder: &Path, line: &str) -> Received {
    let value: Value = serde_json::from_str(line).unwrap();
    let recipients = value["recipients"].as_array().unwrap();
    Received {
        message_id: value["message_id"].as_str().unwrap().to_owned(),
        recipients: recipients
            .iter()
            .map(|address| address.as_str().unwrap().to_owned())
            .collect(),
        file: folder.join(value["file"].as_str().unwrap()),
    }
}

/// Sends a signal by name.
pub(crate) fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}
