//! nginx with the files of `deploy/nginx`, on free ports of loopback. Only addresses and folders differ from what
//! ships.
//!
//! `scripts/nginx` installs the program where it is missing.

use std::fs;
use std::net::{IpAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::CertificateDer;

use crate::Error;
use crate::service_process::free_port;

/// Maximum time for it to listen. Generous, since test machines are busy.
const TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Where Debian installs it, which is not in everybody's `PATH`.
const SBIN: &str = "/usr/sbin";
/// The processes of `upstream.conf` as it ships. A line with the first one is there once for each process instead.
const FIRST_PROCESS: &str = "127.0.0.1:8081";
const SECOND_PROCESS: &str = "127.0.0.1:8082";

/// For how long a process that could not be reached gets nothing. So long a process has to run before the next one may
/// end.
pub const FAIL_TIMEOUT: Duration = Duration::from_secs(2);

/// A running nginx. Dropping it ends it.
#[derive(Debug)]
pub struct Nginx {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
    certificate: CertificateDer<'static>,
}

impl Nginx {
    /// Starts it before the processes at these addresses (`host:port`).
    ///
    /// # Errors
    /// When it is not installed or does not start; the text holds what it said.
    pub async fn start(processes: &[String]) -> Result<Nginx, Error> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let tls = folder.path().join("tls");
        fs::create_dir(&tls)?;
        fs::write(tls.join("certificate.pem"), certified.cert.pem())?;
        fs::write(tls.join("key.pem"), certified.signing_key.serialize_pem())?;
        fs::write(folder.path().join("upstream.conf"), upstream(processes)?)?;
        fs::write(folder.path().join("nginx.conf"), configuration(&folder, port)?)?;
        let search = format!("{}:{SBIN}", std::env::var("PATH").unwrap_or_default());
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .args(["-g", "daemon off;"])
            .env("PATH", search)
            .stdin(Stdio::null())
            .stderr(fs::File::create(folder.path().join("stderr"))?)
            .spawn()
            .map_err(|error| format!("nginx: {error}; scripts/nginx installs it"))?;
        let mut nginx = Nginx { folder, process, port, certificate: certified.cert.der().clone() };
        nginx.until_listening().await?;
        Ok(nginx)
    }

    async fn until_listening(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + TIMEOUT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if self.process.try_wait()?.is_some() || Instant::now() > deadline {
                return Err(format!("nginx did not start:\n{}", self.errors()?).into());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// The base address of the platform's API behind it.
    pub fn base_url(&self) -> String {
        format!("https://127.0.0.1:{}/platform/v1", self.port)
    }

    /// The process id of its master.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it said on stderr.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn errors(&self) -> Result<String, Error> {
        Ok(fs::read_to_string(self.folder.path().join("stderr"))?)
    }

    /// An HTTP client that trusts its certificate and calls from this address. Its limits are for each address.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn client(&self, from: IpAddr) -> Result<reqwest::Client, Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().local_address(from);
        Ok(client.build()?)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if let Some(master) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(master, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

/// `nginx.conf` with this port, and this folder in place of those of the image.
fn configuration(folder: &tempfile::TempDir, port: u16) -> Result<String, Error> {
    let folder = folder.path().display();
    let replacements = [
        ("listen 8080;", format!("listen 127.0.0.1:{};", free_port()?)),
        ("listen 8443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
        ("/tmp/", format!("{folder}/")),
        ("/dev/stdout", format!("{folder}/access.log")),
    ];
    let mut text = fs::read_to_string(file("nginx.conf"))?;
    for (shipped, here) in replacements {
        if !text.contains(shipped) {
            return Err(format!("deploy/nginx/nginx.conf has no `{shipped}` any more").into());
        }
        text = text.replace(shipped, &here);
    }
    Ok(text)
}

/// `upstream.conf` with these processes.
fn upstream(processes: &[String]) -> Result<String, Error> {
    let shipped = fs::read_to_string(file("upstream.conf"))?;
    if !shipped.contains(FIRST_PROCESS) || !shipped.contains(SECOND_PROCESS) {
        return Err("deploy/nginx/upstream.conf names other processes than it did".into());
    }
    if !shipped.contains(&format!("fail_timeout={}s;", FAIL_TIMEOUT.as_secs())) {
        return Err("deploy/nginx/upstream.conf has another fail_timeout than it had".into());
    }
    let mut text = String::new();
    for line in shipped.lines().filter(|line| !line.contains(SECOND_PROCESS)) {
        let copies = if line.contains(FIRST_PROCESS) { processes } else { &[FIRST_PROCESS.to_owned()] };
        for process in copies {
            text += &line.replace(FIRST_PROCESS, process);
            text.push('\n');
        }
    }
    Ok(text)
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "deploy", "nginx", name].iter().collect()
}
