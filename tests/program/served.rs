//! The preview page in a process of its own, asked as any program can ask it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::home::{Home, repository};
use crate::previews::copy;

/// A page that is served by the program.
pub(crate) struct Served {
    child: Child,
    /// With the key.
    pub(crate) address: String,
    temporary: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        headers
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }
}

impl Served {
    /// Starts `preview --serve` with these arguments.
    pub(crate) fn start(home: &Home, args: &[&str]) -> Self {
        let temporary = home.path("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        let all = [&["preview", "--serve", "--json"], args].concat();
        let mut child = home
            .command(&all)
            .env("TMPDIR", &temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        let address = said["url"].as_str().unwrap().to_owned();
        Self {
            child,
            address,
            temporary,
        }
    }

    /// Ends it as Ctrl-C does; nothing of the preview is left behind.
    pub(crate) fn ends_well(mut self) {
        let pid = self.child.id().to_string();
        let kill = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(kill.unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let left = std::fs::read_dir(&self.temporary).unwrap();
        assert_eq!(left.count(), 0);
    }

    pub(crate) fn host(&self) -> &str {
        let rest = self.address.strip_prefix("http://").unwrap();
        rest.split('/').next().unwrap()
    }

    /// The path of the page, with the key.
    pub(crate) fn path(&self) -> &str {
        let rest = self.address.strip_prefix("http://").unwrap();
        let path = &rest[self.host().len()..];
        path.split('#').next().unwrap()
    }

    /// Asks with a request's first line and headers as they are given.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        Answer {
            status,
            headers: headers
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: answer[end + 4..].to_vec(),
        }
    }

    pub(crate) fn with(&self, path: &str, headers: &str) -> Answer {
        let host = self.host();
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    /// Asks for what stands below the page.
    pub(crate) fn get(&self, below: &str) -> Answer {
        self.with(&format!("{}{below}", self.path()), "")
    }

    /// Waits until the state is as it shall be.
    pub(crate) fn until(&self, what: impl Fn(&Value) -> bool) -> Value {
        let mut state = self.get("api/state").json();
        let mut unchanged = 0;
        while !what(&state) {
            let next = self
                .get(&format!("api/state?seen={}", state["serial"]))
                .json();
            // The program answers after a while in any case.
            unchanged = if next["serial"] == state["serial"] {
                unchanged + 1
            } else {
                0
            };
            assert!(unchanged < 3, "it stays as it is: {next}");
            state = next;
        }
        state
    }

    pub(crate) fn checked(&self) -> Value {
        self.until(|state| state["phase"] == "checked")
    }
}

/// The staff newsletter as the campaign `news` of a home.
pub(crate) fn newsletter(home: &Home) {
    copy(
        &repository().join("samples/staff-newsletter"),
        &home.path("news"),
    );
}
