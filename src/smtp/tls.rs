//! The TLS handshake, by the rules of [`trust`](crate::trust).

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::Error as RustlsError;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Endpoint, SessionErrorKind, TlsProblem, Transport};
use crate::trust;

/// Shakes hands on `stream` as a client of the endpoint's host. TLS 1.2 or newer, always verified.
pub(super) async fn handshake(
    endpoint: &Endpoint,
    stream: Box<dyn Transport>,
) -> Result<TlsStream<Box<dyn Transport>>, SessionErrorKind> {
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| TlsProblem::Other(format!("{:?} is no host name", endpoint.host)))?;
    let config = trust::client(&endpoint.extra_roots, endpoint.trust_system_roots).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| explain(&error, &endpoint.host))
}

fn explain(error: &io::Error, host: &str) -> SessionErrorKind {
    let inner = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<RustlsError>());
    match inner {
        Some(error) => TlsProblem::of(error, host).into(),
        None => SessionErrorKind::Closed,
    }
}
