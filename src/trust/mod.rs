//! Whom to trust in TLS: the machine's roots and a company's own, and why a certificate was refused, in
//! words that tell what to do.
//!
//! Must not open connections or know what is said over them. Called by `smtp` and `oauth`, which each
//! shake hands by the same rules: TLS 1.2 or newer, always verified.

mod problem;

pub use problem::TlsProblem;

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Reads the certificates of a PEM text, such as a company's own root, each into DER.
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

/// A client that trusts `extra_roots` (each a certificate in DER) and, with `system_roots`, the machine's.
///
/// # Errors
/// [`TlsProblem::NoRoots`] when there is nobody to trust; [`TlsProblem::BadRoot`] for a root that is none.
pub async fn client(
    extra_roots: &[Vec<u8>],
    system_roots: bool,
) -> Result<ClientConfig, TlsProblem> {
    let config = with_roots(roots(extra_roots, system_roots).await?);
    config.map_err(|error| TlsProblem::Other(error.to_string()))
}

/// A client that trusts nobody, for one that needs no TLS and must not get any by mistake.
///
/// # Errors
/// [`TlsProblem::Other`] when the TLS library cannot be set up.
pub fn nobody() -> Result<ClientConfig, TlsProblem> {
    with_roots(RootCertStore::empty()).map_err(|error| TlsProblem::Other(error.to_string()))
}

fn with_roots(roots: RootCertStore) -> Result<ClientConfig, tokio_rustls::rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

async fn roots(extra: &[Vec<u8>], system: bool) -> Result<RootCertStore, TlsProblem> {
    let mut store = RootCertStore::empty();
    let mut reason = "the machine's own are not asked for".to_owned();
    if system {
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
    for root in extra {
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
