//! Why a TLS session cannot be had or trusted.

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as RustlsError};

/// Why a TLS session cannot be had or trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// Nobody that is trusted vouches for the certificate.
    #[error("the server's certificate was issued by nobody that is trusted")]
    UntrustedIssuer,
    /// The certificate's time is over.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate's time has not begun; often this machine's clock is wrong.
    #[error("the server's certificate is not valid yet, or this machine's clock is wrong")]
    NotYetValid,
    /// The certificate is for other names.
    #[error("the server's certificate is not for {expected} (it is for: {})", listed(.presented))]
    WrongName {
        /// The host that was asked for.
        expected: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// The other side does not speak TLS on this port.
    #[error("the server does not speak TLS at this point")]
    NotTls,
    /// The other side has nothing as new as TLS 1.2, or no cipher in common.
    #[error("the server's TLS is too old (TLS 1.2 or newer is needed)")]
    TooOld,
    /// There is no root to trust at all.
    #[error("there are no trusted root certificates on this machine ({0})")]
    NoRoots(String),
    /// A further root cannot be read.
    #[error("a root certificate cannot be read ({0})")]
    BadRoot(String),
    /// Something else, in the TLS library's words.
    #[error("the TLS handshake failed ({0})")]
    Other(String),
}

impl TlsProblem {
    /// Sorts the TLS library's error in a handshake with `host` by what a person would do about it.
    pub fn of(error: &RustlsError, host: &str) -> Self {
        match error {
            RustlsError::InvalidCertificate(error) => certificate_problem(error, host),
            RustlsError::InvalidMessage(_) | RustlsError::PeerSentOversizedRecord => Self::NotTls,
            RustlsError::PeerIncompatible(_)
            | RustlsError::AlertReceived(
                AlertDescription::ProtocolVersion
                | AlertDescription::HandshakeFailure
                | AlertDescription::InsufficientSecurity,
            ) => Self::TooOld,
            other => Self::Other(other.to_string()),
        }
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

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
