//! The network, handed down as the clock is: names looked up, and streams to what they stand for.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::{TcpStream, lookup_host};

use super::Transport;

/// What a network is asked for, some time later.
pub type Dialled<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Whoever connects names to streams.
pub trait Dialler: fmt::Debug + Send + Sync {
    /// The addresses of a host, in the order in which they are to be tried.
    fn look_up(&self, host: &str, port: u16) -> Dialled<Vec<SocketAddr>>;

    /// A stream to what listens at this address.
    fn connect(&self, address: SocketAddr) -> Dialled<Box<dyn Transport>>;
}

/// A network. Cloning is cheap; clones are the same network.
#[derive(Debug, Clone)]
pub struct Network(Arc<dyn Dialler>);

impl Network {
    /// The machine's own: its resolver, and TCP.
    pub fn system() -> Self {
        Self::by(Tcp)
    }

    /// Whatever this dialler reaches.
    pub fn by(dialler: impl Dialler + 'static) -> Self {
        Self(Arc::new(dialler))
    }

    pub(super) async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.0.look_up(host, port).await
    }

    pub(super) async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Transport>> {
        self.0.connect(address).await
    }
}

#[derive(Debug)]
struct Tcp;

impl Dialler for Tcp {
    fn look_up(&self, host: &str, port: u16) -> Dialled<Vec<SocketAddr>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> Dialled<Box<dyn Transport>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Commands are written in one go; waiting for an acknowledgement would cost 40 ms each.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Transport>)
        })
    }
}
