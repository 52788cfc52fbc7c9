//! A connection in memory, as bad as a network can be: written and read in pieces, slow, cut off at any byte,
//! or silent.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::tally::Kind;
use crate::world::World;

/// What is to become of one direction of a connection; counted in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fate {
    /// The connection breaks when so much has been written.
    pub(crate) cut: Option<u64>,
    /// What is written beyond this never arrives.
    pub(crate) hush: Option<u64>,
    /// The longest that something takes to arrive, in milliseconds.
    pub(crate) slow: u64,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    fate: Fate,
    written: u64,
    on_its_way: VecDeque<(Timestamp, Vec<u8>)>,
    /// Something that was written never arrives.
    hushed: bool,
    /// The writing end is gone: what is on its way still arrives.
    closed: bool,
    /// The connection broke: nothing arrives any more.
    broken: bool,
    reader: Option<Waker>,
}

impl Flow {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One end.
pub(crate) struct End {
    world: Arc<World>,
    name: String,
    is_client: bool,
    incoming: Arc<Mutex<Flow>>,
    outgoing: Arc<Mutex<Flow>>,
    /// Until the next piece arrives.
    sleep: Mutex<Option<Sleep>>,
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The client's end and the server's.
pub(crate) fn pair(world: &Arc<World>, number: u64, to_server: Fate, to_client: Fate) -> [End; 2] {
    let flow = |fate| {
        Arc::new(Mutex::new(Flow {
            fate,
            ..Flow::default()
        }))
    };
    let (up, down) = (flow(to_server), flow(to_client));
    [true, false].map(|is_client| {
        let (incoming, outgoing) = if is_client {
            (&down, &up)
        } else {
            (&up, &down)
        };
        End {
            world: Arc::clone(world),
            name: format!("{}{number}", if is_client { "client " } else { "server " }),
            is_client,
            incoming: Arc::clone(incoming),
            outgoing: Arc::clone(outgoing),
            sleep: Mutex::new(None),
        }
    })
}

impl End {
    /// True when nothing more happens to a sender that is dead.
    fn is_dead(&self) -> bool {
        self.is_client && self.world.enter()
    }

    fn sever(&self) {
        self.world
            .note(|| format!("{}: the line is cut", self.name));
        self.world.count(Kind::Cut);
        for flow in [&self.outgoing, &self.incoming] {
            let mut flow = flow.lock().unwrap();
            flow.broken = true;
            flow.wake();
        }
    }

    /// Some of these bytes, or none for now.
    fn piece(&self, most: usize, cx: &Context<'_>) -> Option<usize> {
        let whole = most.min(8 * 1024);
        self.world.dice(|dice, quiet| {
            if quiet {
                return Some(whole);
            }
            if dice.once_in(12) {
                cx.waker().wake_by_ref();
                return None;
            }
            Some(if dice.once_in(6) {
                dice.within(1..=whole as u64) as usize
            } else {
                whole
            })
        })
    }
}

/// The command or code that begins here. The rest of what is said may have a Message-ID in it, which is random.
fn word(bytes: &[u8]) -> String {
    let word = bytes.split(|byte| b" \r-".contains(byte)).next();
    let word = word.filter(|word| {
        let is_command = word.len() == 4 && word.iter().all(u8::is_ascii_uppercase);
        is_command || (word.len() == 3 && word.iter().all(u8::is_ascii_digit))
    });
    word.map_or_else(String::new, |word| {
        format!(": {}", String::from_utf8_lossy(word))
    })
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_dead() {
            return Poll::Pending;
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let Some(mut count) = this.piece(bytes.len(), cx) else {
            return Poll::Pending;
        };
        let mut flow = this.outgoing.lock().unwrap();
        if flow.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let Fate { cut, hush, slow } = flow.fate;
        let left =
            |until: Option<u64>| until.map(|until| until.saturating_sub(flow.written) as usize);
        let (to_cut, to_hush) = (left(cut), left(hush));
        count = count.min(to_cut.unwrap_or(count));
        let heard = count.min(to_hush.unwrap_or(count));
        let lateness = this.world.dice(|dice, _| dice.within(0..=slow));
        let lateness = SignedDuration::from_millis(lateness as i64);
        let earliest = flow.on_its_way.back().map_or(Timestamp::MIN, |(at, _)| *at);
        let arrives = (this.world.now() + lateness).max(earliest);
        flow.written += count as u64;
        if heard > 0 {
            flow.on_its_way
                .push_back((arrives, bytes[..heard].to_vec()));
            flow.wake();
        }
        let falls_silent = heard < count && !flow.hushed;
        flow.hushed |= falls_silent;
        drop(flow);
        let said = word(&bytes[..count]);
        this.world
            .note(|| format!("{}: {count} of {} bytes{said}", this.name, bytes.len()));
        if falls_silent {
            this.world
                .note(|| format!("{}: the line falls silent", this.name));
            this.world.count(Kind::Silence);
        }
        if to_cut == Some(count) {
            this.sever();
        }
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut flow = self.outgoing.lock().unwrap();
        flow.closed = true;
        flow.wake();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_dead() {
            return Poll::Pending;
        }
        let mut sleep = this.sleep.lock().unwrap();
        let mut flow = this.incoming.lock().unwrap();
        let Some((arrives, _)) = flow.on_its_way.front() else {
            if flow.broken {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if flow.closed {
                return Poll::Ready(Ok(()));
            }
            flow.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if *arrives > this.world.now() {
            let arrives = *arrives;
            let waiting = sleep.get_or_insert_with(|| Box::pin(this.world.sleep_until(arrives)));
            if waiting.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        *sleep = None;
        let Some(count) = this.piece(buffer.remaining().max(1), cx) else {
            return Poll::Pending;
        };
        if let Some((_, piece)) = flow.on_its_way.front_mut() {
            let count = count.min(piece.len()).min(buffer.remaining());
            buffer.put_slice(&piece[..count]);
            piece.drain(..count);
            if piece.is_empty() {
                flow.on_its_way.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut outgoing = self.outgoing.lock().unwrap();
        outgoing.closed = true;
        if self.is_client && self.world.is_dead() {
            // What a machine that died had not yet put on the wire is gone, from any byte on.
            self.world.dice(|dice, _| {
                if dice.once_in(2) {
                    let pieces = outgoing.on_its_way.len() as u64;
                    let kept = dice.within(0..=pieces) as usize;
                    outgoing.on_its_way.truncate(kept);
                    if let Some((_, last)) = outgoing.on_its_way.back_mut() {
                        let kept = dice.within(0..=last.len() as u64) as usize;
                        last.truncate(kept);
                    }
                }
            });
            outgoing.on_its_way.retain(|(_, piece)| !piece.is_empty());
        }
        outgoing.wake();
        drop(outgoing);
        let mut incoming = self.incoming.lock().unwrap();
        incoming.broken = true;
        incoming.wake();
    }
}
