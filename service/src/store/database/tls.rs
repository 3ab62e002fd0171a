//! TLS to PostgreSQL, by the URL's `sslmode` and `sslrootcert`, as in `libpq`: `disable`, `prefer` (the default),
//! `require`, which encrypts and verifies nothing, `verify-ca`, and `verify-full`.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;

use super::bad_url;
use crate::store::Result;

/// What of a server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verification {
    Nothing,
    Issuer,
    IssuerAndName,
}

/// The mode for the driver, and how to make a connection secure.
pub(super) fn config(mode: Option<&str>, authorities: Option<&Path>) -> Result<(SslMode, ClientConfig)> {
    let (mode, verification) = match mode {
        Some("disable") => (SslMode::Disable, Verification::Nothing),
        None | Some("prefer") => (SslMode::Prefer, Verification::Nothing),
        Some("require") => (SslMode::Require, Verification::Nothing),
        Some("verify-ca") => (SslMode::Require, Verification::Issuer),
        Some("verify-full") => (SslMode::Require, Verification::IssuerAndName),
        Some(_) => {
            return Err(bad_url("sslmode is none of disable, prefer, require, verify-ca, verify-full"));
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = authorities {
        let bad_file = |error: &dyn std::fmt::Display| bad_url(format!("{}: {error}", path.display()));
        roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| bad_file(&error))? {
            let certificate = certificate.map_err(|error| bad_file(&error))?;
            roots.add(certificate).map_err(|error| bad_file(&error))?;
        }
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(bad_url)?;
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(bad_url)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { full: verifier, verification, provider }))
        .with_no_client_auth();
    Ok((mode, config))
}

/// Verifies as much as the mode asks for. That the server has the certificate's key is always verified.
#[derive(Debug)]
struct Verifier {
    full: Arc<WebPkiServerVerifier>,
    verification: Verification,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verification == Verification::Nothing {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self.full.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        match verified {
            // The name is looked at last, after the issuer and the dates.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.verification == Verification::Issuer => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_one_of_libpq() {
        let mode = |mode| config(mode, None).map(|(mode, _)| mode).ok();
        assert_eq!(mode(None), Some(SslMode::Prefer));
        assert_eq!(mode(Some("disable")), Some(SslMode::Disable));
        for secure in ["require", "verify-ca", "verify-full"] {
            assert_eq!(mode(Some(secure)), Some(SslMode::Require));
        }
        // Whoever misspells it must not be without it.
        assert_eq!(mode(Some("verify_full")), None);
        assert!(config(Some("verify-full"), Some(Path::new("/nowhere/ca.pem"))).is_err());
    }
}
