//! One-time links by which an account signs in. Each works for ten minutes and once: in the browser that asked for it,
//! or, opened in another one, by a code of six digits that is typed in the first. Of links and codes, only digests are
//! kept.

use std::time::Duration;

use super::database::{Query, Row, Transaction};
use super::{Result, Store};
use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::ids;

/// For how long a link works.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The period in which an email and a network have so many links.
pub const SIGN_IN_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Links that are made for one email from one network within the window, and for a session of that email. Strangers
/// elsewhere do not use them up.
const MAX_PER_EMAIL_AND_NETWORK: i64 = 5;

/// Links that are made for one email within the window, wherever they are asked for by somebody who is not signed in.
const MAX_PER_EMAIL: i64 = 30;

/// Links that are made from one network within the window.
const MAX_PER_NETWORK: i64 = 30;

/// Stands in the place of the network of an email that is signed in already.
const SIGNED_IN: &str = "session";

/// How many codes can be typed for one link.
const MAX_TRIES: i64 = 5;

/// A link to make.
#[derive(Debug, Clone, Copy)]
pub struct NewSignIn<'a> {
    /// Who is to sign in, in the one spelling of emails.
    pub email: &'a str,
    /// The secret in the link.
    pub secret: &'a str,
    /// Who asks; none at the command line.
    pub asker: Option<Asker<'a>>,
    /// Where to go on in the dashboard.
    pub return_to: &'a str,
}

/// The browser that asks for a link.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Its secret.
    pub browser: &'a str,
    /// Its network; none where the email is signed in there already.
    pub network: Option<&'a str>,
}

/// What a link is for, as long as it works.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Who is to sign in.
    pub email: String,
    /// Where to go on in the dashboard.
    pub return_to: String,
    browser_digest: Option<String>,
}

/// What the use of a link did.
#[derive(Debug)]
pub enum LinkUse {
    /// This is the browser that asked: it is signed in.
    SignedIn(SignIn),
    /// Another one asked: this code is to be typed there.
    Code {
        /// Who is to sign in.
        email: String,
        /// Six digits, given here and never again.
        code: String,
    },
    /// The link does not work, or not any more.
    Over,
}

/// What typing a code did.
#[derive(Debug)]
pub enum CodeUse {
    /// It is the code.
    SignedIn(SignIn),
    /// It is not, and so often another one can be typed.
    Wrong(i64),
    /// There is nothing to type a code for, or not any more.
    Over,
}

impl SignIn {
    /// Whether the link signs this browser in, rather than show it a code.
    pub fn is_for(&self, browser: &str) -> bool {
        match &self.browser_digest {
            None => true,
            Some(digest) => *digest == ids::digest(browser),
        }
    }
}

const COLUMNS: &str = "id, email, return_to, browser_digest";

impl Store {
    /// Makes a link, and ends those that the same browser asked for before. `false`, with nothing made, where there
    /// were too many lately for the email or from the network.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn create_sign_in(&self, new: &NewSignIn<'_>) -> Result<bool> {
        let now = self.clock.now();
        let (browser, network) =
            new.asker.map(|asker| (ids::digest(asker.browser), asker.network.unwrap_or(SIGNED_IN))).unzip();
        let mut transaction = self.database.begin().await?;
        if let Some(network) = network {
            self.lock_all(&mut transaction).await?;
            if self.asks_too_often(&mut transaction, new.email, network).await? {
                transaction.rollback().await?;
                return Ok(false);
            }
        }
        if let Some(browser) = &browser {
            let end =
                Query::new("UPDATE sign_ins SET state = 'done' WHERE browser_digest = $1").bind(browser);
            transaction.execute(end).await?;
        }
        let insert = Query::new(
            "INSERT INTO sign_ins (id, email, network, link_digest, browser_digest, return_to, state, created_at,
                expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'sent', $7, $8)",
        )
        .bind(ids::prefixed("sin_"))
        .bind(new.email)
        .bind(network)
        .bind(ids::digest(new.secret))
        .bind(browser)
        .bind(new.return_to)
        .bind(now)
        .bind(now + millis(LIFETIME));
        transaction.execute(insert).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn asks_too_often(
        &self,
        transaction: &mut Transaction,
        email: &str,
        network: &str,
    ) -> Result<bool> {
        let count = Query::new(
            "SELECT (SELECT COUNT(*) FROM sign_ins WHERE email = $1 AND network = $2 AND created_at > $3) AS of_both,
                (SELECT COUNT(*) FROM sign_ins WHERE email = $1 AND network <> $4 AND created_at > $3) AS of_email,
                (SELECT COUNT(*) FROM sign_ins WHERE network = $2 AND created_at > $3) AS of_network",
        )
        .bind(email)
        .bind(network)
        .bind(self.clock.now() - millis(SIGN_IN_WINDOW))
        .bind(SIGNED_IN);
        let Some(row) = transaction.fetch_optional(count).await? else { return Ok(false) };
        let is_stranger = network != SIGNED_IN;
        Ok(row.get::<i64>("of_both")? >= MAX_PER_EMAIL_AND_NETWORK
            || is_stranger && row.get::<i64>("of_email")? >= MAX_PER_EMAIL
            || is_stranger && row.get::<i64>("of_network")? >= MAX_PER_NETWORK)
    }

    /// What a link is for, as long as it works. Looking changes nothing.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn sign_in(&self, secret: &str) -> Result<Option<SignIn>> {
        let text = format!(
            "SELECT {COLUMNS} FROM sign_ins
             WHERE link_digest = $1 AND state = 'sent' AND expires_at > $2 AND expires_at <= $3"
        );
        let query = self.in_time(Query::new(&text).bind(ids::digest(secret)));
        let row = self.database.fetch_optional(query).await?;
        row.as_ref().map(read_sign_in).transpose()
    }

    /// Uses a link up.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn use_sign_in(&self, secret: &str, browser: &str) -> Result<LinkUse> {
        let mut transaction = self.database.begin().await?;
        // The one who changes the state is the one who uses the link.
        let text = format!(
            "UPDATE sign_ins SET state = 'done' WHERE link_digest = $1 AND state = 'sent' AND expires_at > $2
                AND expires_at <= $3 RETURNING {COLUMNS}"
        );
        let query = self.in_time(Query::new(&text).bind(ids::digest(secret)));
        let Some(row) = transaction.fetch_optional(query).await? else {
            transaction.rollback().await?;
            return Ok(LinkUse::Over);
        };
        let sign_in = read_sign_in(&row)?;
        if sign_in.is_for(browser) {
            self.join(&mut transaction, &sign_in.email).await?;
            transaction.commit().await?;
            return Ok(LinkUse::SignedIn(sign_in));
        }
        let (id, code) = (row.get::<&str>("id")?, ids::six_digits());
        let show = Query::new("UPDATE sign_ins SET state = 'code_shown', code_digest = $1 WHERE id = $2")
            .bind(code_digest(id, &code))
            .bind(id);
        transaction.execute(show).await?;
        transaction.commit().await?;
        Ok(LinkUse::Code { email: sign_in.email, code })
    }

    /// Whether this browser asked for a link that still works, and so may have a code to type.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn awaits_code(&self, browser: &str) -> Result<bool> {
        let query = Query::new(
            "SELECT 1 AS found FROM sign_ins WHERE browser_digest = $1 AND state <> 'done' AND expires_at > $2
                AND expires_at <= $3 AND tries < $4",
        );
        let query = self.in_time(query.bind(ids::digest(browser))).bind(MAX_TRIES);
        Ok(self.database.fetch_optional(query).await?.is_some())
    }

    /// Tries a code for the link that this browser asked for.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn use_code(&self, browser: &str, code: &str) -> Result<CodeUse> {
        let mut transaction = self.database.begin().await?;
        // Counted before it is compared, so that many at once are no more tries.
        let text = format!(
            "UPDATE sign_ins SET tries = tries + 1 WHERE browser_digest = $1 AND state <> 'done' AND expires_at > $2
                AND expires_at <= $3 AND tries < $4 RETURNING {COLUMNS}, tries, code_digest"
        );
        let query = self.in_time(Query::new(&text).bind(ids::digest(browser))).bind(MAX_TRIES);
        let Some(row) = transaction.fetch_optional(query).await? else {
            transaction.rollback().await?;
            return Ok(CodeUse::Over);
        };
        let (id, shown) = (row.get::<&str>("id")?, row.get::<Option<&str>>("code_digest")?);
        if shown != Some(code_digest(id, code).as_str()) {
            transaction.commit().await?;
            return Ok(CodeUse::Wrong(MAX_TRIES - row.get::<i64>("tries")?));
        }
        let sign_in = read_sign_in(&row)?;
        let end = Query::new("UPDATE sign_ins SET state = 'done' WHERE id = $1").bind(id);
        transaction.execute(end).await?;
        self.join(&mut transaction, &sign_in.email).await?;
        transaction.commit().await?;
        Ok(CodeUse::SignedIn(sign_in))
    }

    /// Whether an email is known as an account: a member of a tenant, or a customer for whom something is connected.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn is_account(&self, email: &str) -> Result<bool> {
        let query = Query::new(
            "SELECT 1 AS found FROM members WHERE email = $1
             UNION ALL SELECT 1 FROM connections c JOIN credentials k ON k.connection_id = c.id WHERE c.customer = $1
             LIMIT 1",
        )
        .bind(email);
        Ok(self.database.fetch_optional(query).await?.is_some())
    }

    /// Forgets links that were made before.
    pub(super) async fn remove_sign_ins(&self, made_before: Millis) -> Result<()> {
        let query = Query::new("DELETE FROM sign_ins WHERE created_at <= $1").bind(made_before);
        self.database.execute(query).await?;
        Ok(())
    }

    /// A member is not only invited any more.
    pub(super) async fn join(&self, transaction: &mut Transaction, email: &str) -> Result<()> {
        let query = Query::new("UPDATE members SET joined_at = $1 WHERE email = $2 AND joined_at IS NULL")
            .bind(self.clock.now())
            .bind(email);
        transaction.execute(query).await?;
        Ok(())
    }

    /// Binds the two bounds of `expires_at`. One that would work for longer than any is from a clock that was wrong.
    fn in_time<'q>(&self, query: Query<'q>) -> Query<'q> {
        let now = self.clock.now();
        query.bind(now).bind(now + millis(LIFETIME) + CLOCK_TOLERANCE)
    }
}

/// Bound to the link, so that equal codes have different digests.
fn code_digest(id: &str, code: &str) -> String {
    ids::digest(&format!("{id} {code}"))
}

fn read_sign_in(row: &Row) -> Result<SignIn> {
    Ok(SignIn {
        email: row.get("email")?,
        return_to: row.get("return_to")?,
        browser_digest: row.get("browser_digest")?,
    })
}
