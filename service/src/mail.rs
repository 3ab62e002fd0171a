//! Mail, by SMTP. What is sent is plain text; the only secret in it is a link to sign in. No address and no text is
//! logged.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::config::{SmtpConfig, SmtpTls};
use crate::state::{Service, SetupError};

/// Maximum time for one attempt.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Pauses between attempts; one more attempt than there are pauses.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// Connections to the server at once.
const MAX_CONNECTIONS: usize = 4;

/// One mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom to.
    pub to: String,
    /// What it is about; without control characters.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Why a mail was not sent. Holds neither its address nor its text.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No server is configured.
    #[error("mail is not configured")]
    NotConfigured,
    /// It cannot be addressed or written.
    #[error("the mail cannot be made")]
    Unwritable,
    /// The server did not take it in time.
    #[error("the mail server did not answer in time")]
    Timeout,
    /// The server did not take it.
    #[error("the mail server {}", kind(.0))]
    Refused(#[from] lettre::transport::smtp::Error),
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    server: Option<Server>,
}

#[derive(Clone)]
struct Server {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    connections: Arc<Semaphore>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("is_configured", &self.is_configured()).finish_non_exhaustive()
    }
}

impl Mailer {
    /// Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be used.
    pub fn new(config: &SmtpConfig) -> Result<Self, SetupError> {
        let (Some(host), Some(from)) = (&config.host, &config.from) else {
            return Ok(Self { server: None });
        };
        let tls = || TlsParameters::new(host.clone());
        let tls = match config.tls {
            SmtpTls::Starttls => Tls::Required(tls()?),
            SmtpTls::Implicit => Tls::Wrapper(tls()?),
            SmtpTls::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(config.port)
            .tls(tls)
            .timeout(Some(SEND_TIMEOUT));
        if let (Some(username), Some(password)) = (&config.username, &config.password) {
            transport = transport
                .credentials(Credentials::new(username.clone(), password.expose_secret().to_owned()));
        }
        let server = Server {
            transport: transport.build(),
            from: from.parse()?,
            connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        };
        Ok(Self { server: Some(server) })
    }

    /// Whether mail can be sent at all.
    pub fn is_configured(&self) -> bool {
        self.server.is_some()
    }

    /// Sends a mail, once.
    ///
    /// # Errors
    ///
    /// When the server does not take it.
    pub async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let server = self.server.as_ref().ok_or(MailError::NotConfigured)?;
        let message = server.message(mail).ok_or(MailError::Unwritable)?;
        let Ok(_connection) = server.connections.acquire().await else {
            return Err(MailError::NotConfigured);
        };
        timeout(SEND_TIMEOUT, server.transport.send(message)).await.map_err(|_| MailError::Timeout)??;
        Ok(())
    }
}

impl Server {
    fn message(&self, mail: &Mail) -> Option<Message> {
        let to = Mailbox::new(None, mail.to.parse().ok()?);
        // Out-of-office replies are not for such mail (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .ok()
    }
}

/// Sends mails while their cause goes on, each up to three times. One that cannot be sent is logged without its text.
pub(crate) fn send_later(service: &Service, mails: Vec<Mail>) {
    if !service.mailer.is_configured() {
        return;
    }
    for mail in mails {
        let (mailer, closing) = (service.mailer.clone(), service.closing.clone());
        service.tasks.spawn(async move {
            let mut pauses = PAUSES.into_iter();
            while let Err(error) = mailer.send(&mail).await {
                let Some(pause) = pauses.next().filter(|_| error.is_temporary()) else {
                    tracing::error!(%error, "a mail was not sent");
                    return;
                };
                tracing::warn!(%error, "a mail is sent again later");
                if closing.run_until_cancelled(sleep(pause)).await.is_none() {
                    return;
                }
            }
        });
    }
}

impl MailError {
    /// Whether another attempt may succeed.
    fn is_temporary(&self) -> bool {
        match self {
            Self::NotConfigured | Self::Unwritable => false,
            Self::Timeout => true,
            Self::Refused(error) => !error.is_permanent(),
        }
    }
}

/// What went wrong, without what the server said: that may repeat the address.
fn kind(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("answered {code}"),
        None if error.is_timeout() => "did not answer in time".to_owned(),
        None if error.is_tls() => "cannot be trusted: TLS failed".to_owned(),
        None => "cannot be reached".to_owned(),
    }
}
