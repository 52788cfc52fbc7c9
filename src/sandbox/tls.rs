//! A throw-away certificate, made at each start and never written to disk.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Error;

/// What the server shows for itself.
#[derive(Clone)]
pub(super) struct Identity {
    /// The certificate, for clients that are to trust it.
    pub(super) pem: String,
    /// Does the handshakes; TLS 1.2 or later.
    pub(super) acceptor: TlsAcceptor,
}

impl Identity {
    /// Makes a key and a certificate for `localhost` and the loopback addresses.
    pub(super) fn make() -> Result<Self, Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut params = CertificateParams::new(names.to_vec())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Postroom sandbox");
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], secret)?;
        Ok(Self {
            pem: certificate.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}
