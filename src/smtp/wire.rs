//! What lies between lettre's connection and the socket: replays a greeting, keeps the replies as
//! they came, counts what went out.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::content::Outgoing;
use super::replies::{self, Found, Unreadable, Watch};

/// Any stream that a session can run over: a socket, TLS over one, or a pipe in memory.
pub trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug> Transport for T {}

/// What has passed over a wire; shared between the wire and the session that runs over it.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Arc<Mutex<Passed>>);

#[derive(Default)]
struct Passed {
    /// Bytes that came and were not yet taken as replies.
    heard: Vec<u8>,
    /// Tells when what comes is no longer fit to be read.
    watch: Watch,
    /// Bytes that the stream below has accepted.
    written: u64,
    /// What goes out with the next flush.
    queued: Outgoing,
    /// What of it the stream does not take at once goes out while replies are read.
    goes_on: bool,
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passed")
            .field("heard", &self.heard.len())
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, Passed> {
        // Nothing here panics while it holds the lock; what is recorded is whole in any case.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first reply off; none when it is not complete.
    pub(super) fn take_reply(&self) -> Result<Option<Found>, Unreadable> {
        let mut passed = self.lock();
        let found = replies::find(&passed.heard)?;
        if let Some(found) = &found {
            passed.heard.drain(..found.length);
        }
        Ok(found)
    }

    /// True when more than `count` replies, or something that is none, have come and were not taken.
    pub(super) fn holds_more_than(&self, count: usize) -> bool {
        let passed = self.lock();
        let mut rest = passed.heard.as_slice();
        for _ in 0..=count {
            match replies::find(rest) {
                Ok(Some(found)) => rest = rest.get(found.length..).unwrap_or_default(),
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
        true
    }

    /// The beginning of a reply that has not ended, if something of one has come.
    pub(super) fn unfinished(&self) -> Option<String> {
        let passed = self.lock();
        let begun = !passed.heard.is_empty();
        begun.then(|| replies::excerpt(&passed.heard))
    }

    /// True when bytes have come that nobody took.
    pub(super) fn has_leftover(&self) -> bool {
        !self.lock().heard.is_empty()
    }

    /// How many bytes the stream below has accepted so far.
    pub(super) fn written(&self) -> u64 {
        self.lock().written
    }

    /// These bytes go out, as they are, with the next flush: lettre has no way to write what is no command.
    pub(super) fn queue(&self, bytes: Outgoing) {
        let mut passed = self.lock();
        (passed.queued, passed.goes_on) = (bytes, false);
    }

    /// These commands go out with the next flush; what the stream does not take then follows while their replies are
    /// read. However many there are, neither side waits for the other to read first (RFC 2920 3.1).
    pub(super) fn queue_commands(&self, text: String) {
        let mut bytes = Outgoing::default();
        *bytes.text() = text.into_bytes();
        let mut passed = self.lock();
        (passed.queued, passed.goes_on) = (bytes, true);
    }

    /// True when something that was queued has not gone out: a reply to it is none.
    pub(super) fn has_unsent(&self) -> bool {
        self.lock().queued.len() > 0
    }

    /// Notes bytes that came; how many of them are fit to be read on. From the first that is not, they are no
    /// reply, or a reply has grown beyond bounds.
    fn hear(&self, bytes: &[u8]) -> usize {
        let mut passed = self.lock();
        passed.heard.extend_from_slice(bytes);
        let unfit = bytes.iter().position(|byte| !passed.watch.see(*byte));
        unfit.unwrap_or(bytes.len())
    }
}

fn no_reply() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no reply")
}

/// A stream with a record of what passes over it.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// Read before the stream: lettre waits for a greeting, which is long past after STARTTLS.
    replay: Vec<u8>,
    record: Record,
    /// What has come is no longer fit to be read on.
    unfit: bool,
}

impl<S> Wire<S> {
    pub(super) fn new(stream: S, replay: Vec<u8>, record: Record) -> Self {
        Self {
            stream,
            replay,
            record,
            unfit: false,
        }
    }
}

impl<S: Transport> Wire<S> {
    fn goes_on(&self) -> bool {
        self.record.lock().goes_on
    }

    /// Writes what is queued, and has it sent.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut passed = self.record.lock();
        loop {
            let (slices, count) = passed.queued.slices();
            let Some(slices) = slices.get(..count).filter(|slices| !slices.is_empty()) else {
                break;
            };
            let count = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            passed.queued.advance(count);
            passed.written += count as u64;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        passed.goes_on = false;
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.unfit {
            return Poll::Ready(Err(no_reply()));
        }
        if this.goes_on() && matches!(this.poll_send(cx), Poll::Ready(Err(_))) {
            // Whoever hangs up may have said why, and has answered what came before.
            this.record.lock().goes_on = false;
        }
        let before = buf.filled().len();
        if this.replay.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let count = this.replay.len().min(buf.remaining());
            buf.put_slice(&this.replay[..count]);
            this.replay.drain(..count);
        }
        let came = buf.filled_mut().get_mut(before..).unwrap_or_default();
        let fit = this.record.hear(came);
        // The replies before it count: each is somebody's answer.
        this.unfit = fit < came.len();
        // lettre gives up on a reply that is not UTF-8, even on a verdict; the record keeps the text.
        for byte in came.iter_mut().filter(|byte| !byte.is_ascii()) {
            *byte = b'?';
        }
        buf.set_filled(before + fit);
        if this.unfit && fit == 0 {
            // Nothing at all would be taken for the end.
            return Poll::Ready(Err(no_reply()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(Pin::new(&mut this.stream).poll_write(cx, buf))?;
        this.record.lock().written += count as u64;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let goes_on = this.goes_on();
        match this.poll_send(cx) {
            Poll::Pending if goes_on => Poll::Ready(Ok(())),
            sent => sent,
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: Transport> AsyncTokioStream for Wire<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
