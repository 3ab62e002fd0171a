//! How the service's certificate is verified: which certificate authorities a client trusts.
//!
//! Mozilla's roots are built in, and nothing is read from the machine, which costs milliseconds per client. The
//! environment can replace them (`SSL_CERT_FILE`, `SSL_CERT_DIR`, as OpenSSL has it), and the client's settings can add
//! to them or take the operating system's instead.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, ErrorKind};

const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const DIRECTORIES_VARIABLE: &str = "SSL_CERT_DIR";

/// What a client trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    /// Authorities (PEM) beside all others.
    pub(crate) ca_certificates: Vec<u8>,
    /// Whether the operating system's trust store replaces Mozilla's roots.
    pub(crate) system_trust_store: bool,
    /// The variable of the language's ecosystem that names a file or directory instead of `SSL_CERT_FILE`.
    pub(crate) bundle_variable: Option<&'static str>,
    /// The variable of the language's ecosystem that names a file of authorities beside all others.
    pub(crate) extra_variable: Option<&'static str>,
}

impl Trust {
    /// rustls with ring. Nothing global is installed.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, Error> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::caused(ErrorKind::Other, "no TLS version is available", error))?;
        let extra = self.extra(variable)?;
        let config = match self.bundle(variable)? {
            None if self.system_trust_store => {
                config.dangerous().with_custom_certificate_verifier(system_verifier(extra, provider)?)
            }
            bundle => config.with_root_certificates(roots(bundle, extra)),
        };
        Ok(config.with_no_client_auth())
    }

    /// The authorities that the environment names in the place of Mozilla's or the system's.
    fn bundle(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Vec<CertificateDer<'static>>>, Error> {
        if let Some(name) = self.bundle_variable
            && let Some(path) = variable(name)
        {
            return authorities(name, Path::new(&path)).map(Some);
        }
        let (file, directories) = (variable(FILE_VARIABLE), variable(DIRECTORIES_VARIABLE));
        let mut all = match &file {
            Some(path) => authorities(FILE_VARIABLE, Path::new(path))?,
            None => Vec::new(),
        };
        let Some(directories) = directories else {
            return Ok(file.is_some().then_some(all));
        };
        // OpenSSL passes over directories that do not exist, and the list of a distribution often has some.
        for directory in std::env::split_paths(&directories).filter(|path| path.is_dir()) {
            all.extend(usable(load_certs_from_paths(None, Some(&directory))));
        }
        if all.is_empty() {
            return Err(no_certificate(DIRECTORIES_VARIABLE, &PathBuf::from(directories)));
        }
        Ok(Some(all))
    }

    /// The authorities beside all others.
    fn extra(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Vec<CertificateDer<'static>>, Error> {
        let mut extra = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&self.ca_certificates) {
            let valid = certificate.ok().filter(is_authority);
            extra.push(valid.ok_or_else(|| {
                Error::invalid_argument("the CA certificates are not valid PEM certificates")
            })?);
        }
        if extra.is_empty() && !self.ca_certificates.is_empty() {
            return Err(Error::invalid_argument("the CA certificates hold no PEM certificate"));
        }
        if let Some(name) = self.extra_variable
            && let Some(path) = variable(name)
        {
            extra.extend(authorities(name, Path::new(&path))?);
        }
        Ok(extra)
    }
}

/// The authorities in the file or directory that a variable names; at least one.
///
/// Those that rustls cannot use are left out: bundles of distributions have had some. A file that cannot be read is an
/// error, and so is a damaged one.
fn authorities(variable: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = if path.is_dir() {
        load_certs_from_paths(None, Some(path))
    } else {
        let mut found = load_certs_from_paths(Some(path), None);
        if !found.errors.is_empty() {
            let message = format!("the file {} of {variable} cannot be used", path.display());
            return Err(Error::caused(ErrorKind::InvalidArgument, &message, found.errors.swap_remove(0)));
        }
        found
    };
    let usable = usable(found);
    if usable.is_empty() {
        return Err(no_certificate(variable, path));
    }
    Ok(usable)
}

fn usable(found: CertificateResult) -> Vec<CertificateDer<'static>> {
    found.certs.into_iter().filter(is_authority).collect()
}

fn is_authority(certificate: &CertificateDer<'static>) -> bool {
    RootCertStore::empty().add(certificate.clone()).is_ok()
}

fn no_certificate(variable: &str, path: &Path) -> Error {
    Error::invalid_argument(format!("{} of {variable} holds no PEM certificate", path.display()))
}

/// The roots that vouch: those of the environment, else Mozilla's, and the extra ones.
fn roots(bundle: Option<Vec<CertificateDer<'static>>>, extra: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    match bundle {
        Some(certificates) => {
            roots.add_parsable_certificates(certificates);
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    roots.add_parsable_certificates(extra);
    roots
}

fn system_verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<Verifier>, Error> {
    let verifier = Verifier::new_with_extra_roots(extra, provider).map_err(|error| {
        let message = "the operating system's trust store cannot be used";
        Error::caused(ErrorKind::InvalidArgument, message, error)
    })?;
    Ok(Arc::new(verifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment of these variables alone.
    fn environment<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + Copy + 'a {
        move |name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    }

    fn count(trust: &Trust, set: &[(&str, &str)]) -> usize {
        let bundle = trust.bundle(environment(set)).unwrap();
        roots(bundle, trust.extra(environment(set)).unwrap()).len()
    }

    fn authority() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    /// A directory with a file of two authorities and one of a single authority, each file's path, and the directory's.
    fn files() -> (tempfile::TempDir, String, String, String) {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (two, one, all) = (path("two.pem"), path("one.pem"), path(""));
        std::fs::write(&two, authority() + &authority()).unwrap();
        std::fs::write(&one, authority()).unwrap();
        (directory, two, one, all)
    }

    #[test]
    fn the_environment_replaces_the_roots_or_adds_to_them() {
        let (_directory, two, one, all) = files();
        let mozilla = webpki_roots::TLS_SERVER_ROOTS.len();
        let rust = Trust::default();
        assert_eq!(count(&rust, &[]), mozilla);
        assert_eq!(count(&rust, &[("SSL_CERT_FILE", &two)]), 2);
        assert_eq!(count(&rust, &[("SSL_CERT_DIR", &all)]), 3);
        let several = std::env::join_paths(["/nonexistent", &all]).unwrap();
        let several = several.to_str().unwrap();
        assert_eq!(count(&rust, &[("SSL_CERT_DIR", several), ("SSL_CERT_FILE", &two)]), 5);
        // Other ecosystems' variables mean nothing here.
        let foreign = [("NODE_EXTRA_CA_CERTS", "/nonexistent"), ("REQUESTS_CA_BUNDLE", "/nonexistent")];
        assert_eq!(count(&rust, &foreign), mozilla);

        let node = Trust {
            ca_certificates: authority().into(),
            extra_variable: Some("NODE_EXTRA_CA_CERTS"),
            ..Trust::default()
        };
        assert_eq!(count(&node, &[("NODE_EXTRA_CA_CERTS", &two)]), mozilla + 3);
        let both = [("NODE_EXTRA_CA_CERTS", &*two), ("SSL_CERT_FILE", &*one)];
        assert_eq!(count(&node, &both), 4);

        let python = Trust { bundle_variable: Some("REQUESTS_CA_BUNDLE"), ..Trust::default() };
        let both = [("REQUESTS_CA_BUNDLE", &*all), ("SSL_CERT_FILE", &*one)];
        assert_eq!(count(&python, &both), 3);
        assert_eq!(count(&python, &both[1..]), 1);
    }

    #[test]
    fn a_variable_that_names_nothing_usable_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (missing, empty, broken) = (path("missing.pem"), path("empty.pem"), path("broken.pem"));
        std::fs::write(&empty, "no certificate").unwrap();
        let damaged = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        std::fs::write(&broken, damaged).unwrap();
        let trust = Trust {
            bundle_variable: Some("REQUESTS_CA_BUNDLE"),
            extra_variable: Some("NODE_EXTRA_CA_CERTS"),
            ..Trust::default()
        };
        for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            for value in [&missing, &empty, &broken] {
                let set = [(name, value.as_str())];
                let bundle = trust.bundle(environment(&set)).map(drop);
                let error = bundle.and(trust.extra(environment(&set)).map(drop)).expect_err(name);
                assert_eq!(error.kind(), ErrorKind::InvalidArgument);
                let message = error.message();
                assert!(message.contains(name) && message.contains(value), "{message}");
            }
        }
    }

    #[test]
    fn an_authority_that_cannot_be_used_is_left_out_of_a_bundle() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bundle.pem");
        let unusable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, authority() + unusable).unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(count(&Trust::default(), &[("SSL_CERT_FILE", path)]), 1);
    }
}
