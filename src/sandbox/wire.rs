//! One connection's bytes: lines in, replies out, content, and the step up to TLS.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::content::Content;
use crate::clock::Clock;

/// Anything that can carry a session: a socket, a TLS stream, a pipe in memory.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// The client hung up or the connection broke.
    Closed,
    /// The client was silent for too long.
    Idle,
    /// The server is being stopped.
    Stopping,
    /// The last word has been said.
    Done,
    /// A fault hangs up.
    Dropped,
}

/// A line that arrived.
#[derive(Debug)]
pub(super) enum Line {
    /// Without its line end.
    Whole(Vec<u8>),
    /// Longer than any line may be; it was thrown away up to its end.
    TooLong,
}

/// RFC 5321 4.5.3.2.7: a server waits at least five minutes for the next command.
const IDLE: Duration = Duration::from_mins(5);
/// How long the client may take to hang up after the last word.
const FAREWELL: Duration = Duration::from_secs(1);
/// RFC 4954 4: base64 lines of AUTH may have 12,288 octets; other commands are held to less.
const LONGEST_LINE: usize = 12_288;
const CHUNK: usize = 16 * 1024;

/// Buffered input and output on a stream. Replies go out when no whole line is left to be read, so
/// that a pipelined envelope (RFC 2920) is answered in one write.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
    head: usize,
    output: Vec<u8>,
    clock: Clock,
    delay: Duration,
    stopping: watch::Receiver<bool>,
}

impl Wire {
    pub(super) fn new(
        stream: Box<dyn Stream>,
        clock: Clock,
        delay: Duration,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            stream,
            input: Vec::new(),
            head: 0,
            output: Vec::new(),
            clock,
            delay,
            stopping,
        }
    }

    /// Puts a reply with the others that wait to be sent; each line of `text` becomes one of the reply.
    pub(super) fn say(&mut self, code: u16, text: &str) {
        let mut lines = text.lines().peekable();
        if lines.peek().is_none() {
            self.output
                .extend_from_slice(format!("{code} \r\n").as_bytes());
        }
        while let Some(line) = lines.next() {
            let mark = if lines.peek().is_some() { '-' } else { ' ' };
            let line = line.replace('\r', " ");
            self.output
                .extend_from_slice(format!("{code}{mark}{line}\r\n").as_bytes());
        }
    }

    /// Sends the replies that wait.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        if self.output.is_empty() {
            return Ok(());
        }
        if !self.delay.is_zero() {
            pause(&self.clock, self.delay).await;
        }
        let (stream, output) = (&mut self.stream, &self.output);
        let sent = self.clock.within(IDLE, async {
            stream.write_all(output).await?;
            stream.flush().await
        });
        let sent = sent.await;
        self.output.clear();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone::Closed),
        }
    }

    /// Sends bytes as they are, whether they are a reply or not.
    pub(super) async fn blurt(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.output.extend_from_slice(bytes);
        self.flush().await
    }

    /// Sends `start` and then `chunk` again and again until `total` bytes have gone out, the client has had
    /// enough, or the server is stopped.
    pub(super) async fn flood(
        &mut self,
        start: &[u8],
        chunk: &[u8],
        total: usize,
    ) -> Result<(), Gone> {
        let mut stopping = self.stopping.clone();
        self.blurt(start).await?;
        for _ in 0..total / chunk.len().max(1) {
            tokio::select! {
                biased;
                () = stopped(&mut stopping) => return Err(Gone::Dropped),
                sent = self.blurt(chunk) => sent?,
            }
        }
        Ok(())
    }

    /// The next line. Bare line feeds end a line too, as with most servers.
    pub(super) async fn line(&mut self) -> Result<Line, Gone> {
        let mut too_long = false;
        let mut looked_at = self.head;
        loop {
            let fresh = &self.input[looked_at..];
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = &self.input[self.head..looked_at + end];
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.head = looked_at + end + 1;
                too_long |= line.len() > LONGEST_LINE;
                return Ok(if too_long {
                    Line::TooLong
                } else {
                    Line::Whole(line)
                });
            }
            if self.input.len() - self.head > LONGEST_LINE {
                too_long = true;
                self.head = self.input.len();
            }
            looked_at = self.input.len() - self.head;
            self.fill(true).await?;
        }
    }

    /// Returns once something of what follows the replies has arrived.
    pub(super) async fn more(&mut self) -> Result<(), Gone> {
        if self.head < self.input.len() {
            self.flush().await
        } else {
            self.fill(false).await
        }
    }

    /// Reads content up to the final dot.
    pub(super) async fn content(&mut self, limit: u64) -> Result<Content, Gone> {
        let mut content = Content::new(limit);
        loop {
            let (taken, done) = content.feed(&self.input[self.head..]);
            self.head += taken;
            if done {
                return Ok(content);
            }
            if content.is_endless() {
                self.say(552, "5.3.4 Message size exceeds fixed maximum message size");
                return Err(Gone::Done);
            }
            self.fill(false).await?;
        }
    }

    /// Sends what waits and reads what comes. Between commands a stop ends the session; in the midst
    /// of content the client gets its verdict first. Leaves unread input at the buffer's start.
    async fn fill(&mut self, between_commands: bool) -> Result<(), Gone> {
        self.flush().await?;
        self.input.drain(..self.head);
        self.head = 0;
        self.input.reserve(CHUNK);
        let read = self
            .clock
            .within(IDLE, self.stream.read_buf(&mut self.input));
        let read = if between_commands {
            tokio::select! {
                biased;
                () = stopped(&mut self.stopping) => return Err(Gone::Stopping),
                read = read => read,
            }
        } else {
            read.await
        };
        match read {
            Ok(Ok(0) | Err(_)) => Err(Gone::Closed),
            Ok(Ok(_)) => Ok(()),
            Err(_) => Err(Gone::Idle),
        }
    }

    /// Turns the connection into TLS. Whatever came before the handshake is thrown away: it was not
    /// protected, and must not count as if it had been (RFC 3207 4.2).
    pub(super) async fn secure(&mut self, acceptor: &TlsAcceptor) -> Result<(), Gone> {
        self.flush().await?;
        self.input.clear();
        self.head = 0;
        let plain = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let shaken = tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => return Err(Gone::Stopping),
            shaken = self.clock.within(IDLE, acceptor.accept(plain)) => shaken,
        };
        match shaken {
            Ok(Ok(secure)) => {
                self.stream = Box::new(secure);
                Ok(())
            }
            Ok(Err(_)) | Err(_) => Err(Gone::Closed),
        }
    }

    /// Answers nothing any more; ends when the client hangs up or the server stops.
    pub(super) async fn hang(&mut self) -> Gone {
        loop {
            self.head = self.input.len();
            if let Err(gone @ (Gone::Closed | Gone::Stopping)) = self.fill(true).await {
                // Nothing is said at a stop either: a server that hangs is silent.
                return if gone == Gone::Closed {
                    gone
                } else {
                    Gone::Dropped
                };
            }
        }
    }

    /// Sends the last replies and hangs up so that the client gets to read them.
    pub(super) async fn close(&mut self) {
        if self.flush().await.is_err() {
            return;
        }
        let stream = &mut self.stream;
        let drain = async {
            let mut sink = vec![0; CHUNK];
            let mut open = stream.shutdown().await.is_ok();
            while open {
                open = matches!(stream.read(&mut sink).await, Ok(1..));
            }
        };
        // With input left unread the system would answer with a reset, which can overtake the reply.
        tokio::select! {
            biased;
            () = stopped(&mut self.stopping) => {}
            _ = self.clock.within(FAREWELL, drain) => {}
        }
    }
}

/// Returns when the server is being stopped, or is gone.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Waits in real time, also under a simulated clock: a slow server is slow for the client's deadlines.
pub(super) async fn pause(clock: &Clock, time: Duration) {
    let _ = clock.within(time, std::future::pending::<()>()).await;
}
