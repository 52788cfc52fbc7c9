//! A plain server that does something of a test's own when the content of a message is there, before it answers.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::home::Home;

/// What is done at a message's final dot, by its number from 1; whether it is answered.
type AtDotDeed = dyn Fn(usize) -> bool + Send + Sync;

pub(crate) struct AtDot {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl AtDot {
    pub(crate) fn start(deed: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (deed, all): (Arc<AtDotDeed>, _) = (Arc::new(deed), Arc::clone(&taken));
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (deed, all) = (Arc::clone(&deed), Arc::clone(&all));
                std::thread::spawn(move || serve(&stream, &*deed, &all));
            }
        });
        Self { port, taken }
    }

    /// An account `t` at it, of one connection.
    pub(crate) fn account(&self, home: &Home) {
        let text = format!(
            "[t]\nprovider = \"custom\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nmax_connections = 1\n",
            self.port
        );
        home.write("config/postroom/accounts.toml", text);
    }

    /// How often each address was reached: what arrived counts, answered or not.
    pub(crate) fn copies(&self) -> HashMap<String, usize> {
        let mut copies = HashMap::new();
        for address in self.taken.lock().unwrap().iter() {
            *copies.entry(address.clone()).or_default() += 1;
        }
        copies
    }
}

/// Returns when the other end is gone.
fn serve(stream: &TcpStream, deed: &AtDotDeed, all: &Mutex<Vec<String>>) -> Option<()> {
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 dot.test ESMTP")?;
    let mut recipients = Vec::new();
    while let Some(Ok(line)) = lines.next() {
        match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                recipients.push(address.to_owned());
                say("250 ok")?;
            }
            "DATA" => {
                say("354 go on")?;
                while lines.next()?.ok()? != "." {}
                let number = {
                    let mut all = all.lock().unwrap();
                    all.append(&mut recipients);
                    all.len()
                };
                if deed(number) {
                    say("250 taken")?;
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 dot.test")?,
        }
    }
    None
}
