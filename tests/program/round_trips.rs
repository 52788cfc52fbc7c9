//! A message to 500 recipients takes a handful of round trips, over a line where each takes 50 ms.

#![expect(
    clippy::disallowed_methods,
    reason = "a slow line is made, and measured, in real time"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::home::Home;
use crate::server::Server;

/// Half a round trip.
const ONE_WAY: Duration = Duration::from_millis(25);

/// Passes bytes on, each piece 25 ms after it came, without slowing down those behind it.
fn delayed(mut from: TcpStream, mut to: TcpStream) {
    let (sender, pieces) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, piece) in pieces {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0
            || sender
                .send((Instant::now() + ONE_WAY, buffer[..count].to_vec()))
                .is_err()
        {
            return;
        }
    }
}

/// A line to `port` with 50 ms of round trip; its own port.
fn slow_line(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (client_too, server_too) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || delayed(client, server));
            thread::spawn(move || delayed(server_too, client_too));
        }
    });
    own
}

#[test]
fn five_hundred_recipients_take_a_handful_of_round_trips() {
    let home = Home::new();
    let server = Server::start(&home, &[]);
    home.account(
        &server,
        "max_connections = 1\nmax_recipients_per_message = 500",
    );
    let accounts = home.path("config/postroom/accounts.toml");
    let text = std::fs::read_to_string(&accounts).unwrap();
    let port = slow_line(server.port());
    std::fs::write(
        &accounts,
        text.replace(&server.port().to_string(), &port.to_string()),
    )
    .unwrap();
    let mut took = Vec::new();
    for messages in [1, 3] {
        home.campaign("t", messages * 500, false);
        let toml = std::fs::read_to_string(home.path("news/campaign.toml")).unwrap();
        home.write(
            "news/campaign.toml",
            format!("name = \"news-{messages}\"\n{toml}"),
        );
        home.run(&["plan", "news"]).exits(0);
        let begin = Instant::now();
        home.run(&["send", "news", "--yes"]).exits(0);
        took.push(begin.elapsed());
    }
    assert_eq!(server.received().len(), 4);
    // What two more messages cost: the start of the program and of the session is in both.
    let each = took[1].saturating_sub(took[0]) / 2;
    let round_trips = each.as_secs_f64() / (2.0 * ONE_WAY.as_secs_f64());
    assert!(
        round_trips < 15.0,
        "{round_trips:.1} round trips for a message to 500: {took:?}"
    );
}
