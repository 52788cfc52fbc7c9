//! How a connection is encrypted, and what the server showed for itself.

use tokio_rustls::rustls::ClientConnection;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::clock::Timestamp;

/// A TLS session that came about: the certificate was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// `TLSv1.3`, `TLSv1.2`.
    pub version: String,
    /// The cipher suite by its name at IANA.
    pub cipher: String,
    /// The server's certificate, where it can be read beyond what was verified.
    pub certificate: Option<Certificate>,
}

/// What a certificate says (RFC 5280).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Who vouches for it.
    pub issuer: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Timestamp,
}

impl Encryption {
    pub(super) fn of(connection: &ClientConnection) -> Self {
        let version = connection.protocol_version().and_then(|v| v.as_str());
        let suite = connection.negotiated_cipher_suite();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self {
            version: version.unwrap_or("TLS").replacen('_', ".", 1),
            // The library tells those of TLS 1.3 apart by a number that their names do not have.
            cipher: suite
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or_default()
                .replacen("TLS13_", "TLS_", 1),
            certificate: shown.and_then(|der| Certificate::read(der)),
        }
    }
}

impl Certificate {
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let time = |seconds| Timestamp::from_second(seconds).ok();
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
        Some(Self {
            issuer: legible(&issuer(&certificate)),
            names: names.unwrap_or_default(),
            valid_from: time(certificate.validity().not_before.timestamp())?,
            valid_until: time(certificate.validity().not_after.timestamp())?,
        })
    }
}

/// The organisation and the name, which is how people know an authority.
fn issuer(certificate: &X509Certificate<'_>) -> String {
    let issuer = certificate.issuer();
    let organization = issuer.iter_organization().next();
    let common_name = issuer.iter_common_name().next();
    let parts = [organization, common_name].into_iter().flatten();
    let words: Vec<&str> = parts.filter_map(|part| part.as_str().ok()).collect();
    if words.is_empty() {
        issuer.to_string()
    } else {
        words.join(", ")
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(legible(name)),
        GeneralName::IPAddress(bytes) => {
            let v4: Option<[u8; 4]> = (*bytes).try_into().ok();
            let v6: Option<[u8; 16]> = (*bytes).try_into().ok();
            v4.map(|v4| std::net::Ipv4Addr::from(v4).to_string())
                .or_else(|| v6.map(|v6| std::net::Ipv6Addr::from(v6).to_string()))
        }
        _ => None,
    }
}

/// What a stranger wrote, fit for a terminal.
fn legible(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
