//! The TLS handshake: whom to trust, and why it failed in words that tell what to do.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, Error as RustlsError, RootCertStore,
};

use super::{Endpoint, SessionErrorKind, TlsProblem};

/// Reads the certificates of a PEM text, such as a company's own root, for
/// [`Endpoint::extra_roots`].
///
/// # Errors
/// [`TlsProblem::BadRoot`] when there is none in it or one cannot be read.
pub fn roots_from_pem(pem: &[u8]) -> Result<Vec<Vec<u8>>, TlsProblem> {
    let mut roots = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsProblem::BadRoot(error.to_string()))?;
        add(&mut RootCertStore::empty(), certificate.clone())?;
        roots.push(certificate.to_vec());
    }
    if roots.is_empty() {
        return Err(TlsProblem::BadRoot("no certificate in PEM form".into()));
    }
    Ok(roots)
}

/// Shakes hands on `stream` as a client of the endpoint's host. TLS 1.2 or newer, always verified.
pub(super) async fn handshake(
    endpoint: &Endpoint,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, SessionErrorKind> {
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| TlsProblem::Other(format!("{:?} is no host name", endpoint.host)))?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsProblem::Other(error.to_string()))?
        .with_root_certificates(roots(endpoint).await?)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| explain(&error, &endpoint.host))
}

async fn roots(endpoint: &Endpoint) -> Result<RootCertStore, TlsProblem> {
    let mut store = RootCertStore::empty();
    let mut reason = "the machine's own are not asked for".to_owned();
    if endpoint.trust_system_roots {
        // Reads a hundred files or so, which must not hold up the other connections.
        let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let loaded = loaded.map_err(|error| TlsProblem::NoRoots(error.to_string()))?;
        // One odd certificate among the system's must not make the others useless.
        let (_, _) = store.add_parsable_certificates(loaded.certs);
        reason = loaded
            .errors
            .first()
            .map_or_else(|| "none found".to_owned(), ToString::to_string);
    }
    for root in &endpoint.extra_roots {
        add(&mut store, CertificateDer::from(root.clone()))?;
    }
    if store.is_empty() {
        return Err(TlsProblem::NoRoots(reason));
    }
    Ok(store)
}

fn add(store: &mut RootCertStore, certificate: CertificateDer<'static>) -> Result<(), TlsProblem> {
    store
        .add(certificate)
        .map_err(|error| TlsProblem::BadRoot(error.to_string()))
}

fn explain(error: &io::Error, host: &str) -> SessionErrorKind {
    let inner = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<RustlsError>());
    match inner {
        Some(error) => problem(error, host).into(),
        None => SessionErrorKind::Closed,
    }
}

/// Sorts the TLS library's error by what a person would do about it.
pub(super) fn problem(error: &RustlsError, host: &str) -> TlsProblem {
    match error {
        RustlsError::InvalidCertificate(error) => certificate_problem(error, host),
        RustlsError::InvalidMessage(_) | RustlsError::PeerSentOversizedRecord => TlsProblem::NotTls,
        RustlsError::PeerIncompatible(_)
        | RustlsError::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => TlsProblem::TooOld,
        other => TlsProblem::Other(other.to_string()),
    }
}

fn certificate_problem(error: &CertificateError, host: &str) -> TlsProblem {
    match error {
        // A bad signature is what a stranger's certificate has that bears the name of a trusted issuer.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsProblem::UntrustedIssuer
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsProblem::NotYetValid
        }
        CertificateError::NotValidForName => TlsProblem::WrongName {
            expected: host.to_owned(),
            presented: Vec::new(),
        },
        CertificateError::NotValidForNameContext { presented, .. } => TlsProblem::WrongName {
            expected: host.to_owned(),
            presented: presented.iter().map(|name| plain_name(name)).collect(),
        },
        other => TlsProblem::Other(other.to_string()),
    }
}

/// The name alone, out of the library's `DnsName("…")`.
fn plain_name(name: &str) -> String {
    let quoted = name.split('"').nth(1);
    quoted.unwrap_or(name).to_owned()
}
