//! An authority of the server's own, made at start: no client trusts it unless it is told to.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

pub struct Tls {
    pub acceptor: TlsAcceptor,
    /// The authority's certificate (PEM), for the client option `caPem`.
    pub ca_pem: String,
}

/// A certificate for `localhost` (not for 127.0.0.1: that name must be refused).
///
/// # Errors
/// A text; none is to be expected.
pub fn make() -> Result<Tls, String> {
    let mut params = CertificateParams::new(Vec::new()).map_err(|e| e.to_string())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "scripted server's authority");
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let authority = CertifiedIssuer::self_signed(params, key).map_err(|e| e.to_string())?;

    let leaf_key = KeyPair::generate().map_err(|e| e.to_string())?;
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).map_err(|e| e.to_string())?;
    let leaf = leaf.signed_by(&leaf_key, &authority).map_err(|e| e.to_string())?;

    let private = PrivateKeyDer::try_from(leaf_key.serialize_der()).map_err(ToOwned::to_owned)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .map_err(|e| e.to_string())?;
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: authority.pem() })
}
