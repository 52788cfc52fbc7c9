//! The way from a sender to the servers.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::SignedDuration;
use postroom::smtp::{Dialled, Dialler, Transport};

use crate::pipe::{self, Fate};
use crate::tally::Kind;
use crate::world::World;

/// A network in which whatever can go wrong does, now and then.
#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) world: Arc<World>,
    pub(crate) connections: AtomicU64,
}

enum Way {
    Refused,
    Nowhere,
    Open { late: u64, up: Fate, down: Fate },
}

impl Wires {
    fn way(&self) -> Way {
        self.world.dice(|dice, quiet| {
            if quiet {
                let (up, down) = (Fate::default(), Fate::default());
                return Way::Open { late: 0, up, down };
            }
            match dice.within(0..=19) {
                0 => return Way::Refused,
                1 if dice.once_in(3) => return Way::Nowhere,
                _ => {}
            }
            let slow = *dice.pick(&[0, 0, 5, 200, 3_000]);
            let mut fate = |often, most: u64| Fate {
                cut: dice.once_in(often).then(|| dice.within(0..=most)),
                hush: dice.once_in(often * 3).then(|| dice.within(0..=most)),
                slow,
            };
            let (up, down) = (fate(6, 2_500), fate(6, 900));
            Way::Open {
                late: slow,
                up,
                down,
            }
        })
    }
}

impl Dialler for Wires {
    fn look_up(&self, _: &str, port: u16) -> Dialled<Vec<SocketAddr>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Box::pin(async move { Ok(vec![address]) })
    }

    fn connect(&self, address: SocketAddr) -> Dialled<Box<dyn Transport>> {
        let world = Arc::clone(&self.world);
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let way = if world.enter() {
            Way::Nowhere
        } else {
            self.way()
        };
        Box::pin(async move {
            let (late, up, down) = match way {
                Way::Open { late, up, down } => (late, up, down),
                Way::Refused => {
                    world.count(Kind::Unreachable);
                    world.note(|| format!("client {number}: refused"));
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                Way::Nowhere => {
                    world.count(Kind::Unreachable);
                    world.note(|| format!("client {number}: no answer"));
                    return pending().await;
                }
            };
            if late > 0 {
                let late = SignedDuration::from_millis(late as i64);
                world.sleep_until(world.now() + late).await;
            }
            if world.enter() {
                return pending().await;
            }
            let [client, server] = pipe::pair(&world, number, up, down);
            let account = usize::from(address.port());
            world.note(|| {
                format!("client {number}: connected to account {account}: {up:?}, {down:?}")
            });
            world
                .sessions
                .admit(world.servers[account].serve(Box::new(server)));
            Ok(Box::new(client) as Box<dyn Transport>)
        })
    }
}
