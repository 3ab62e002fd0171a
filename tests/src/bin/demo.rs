//! `make demo`: the whole product on one machine, one line per step. Any surprise ends it with a non-zero code.
//!
//! It starts a small OAuth provider with an API behind it and the real service with a temporary database, then does
//! what a product would do through the Rust SDK. With `OPEN=1` a person plays the customer in their own browser.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever runs it")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use connect_tests::Error;
use connect_tests::browser::{Browser, Page, plain_http};
use connect_tests::provider::{Options, Provider};
use connect_tests::service_process::{AppSettings, Home, Settings};
use pabbly_connect::{
    Client, ConnectionStatus, Customer, Error as ConnectError, ExposeSecret, RequestLink, Token,
};

/// How long the provider's access tokens live: long enough to be used, short enough to be seen expiring.
const SHORT_LIFE: Duration = Duration::from_secs(4);
/// Between two looks at something that is about to happen.
const PAUSE: Duration = Duration::from_millis(100);
/// How long everybody waits for the customer.
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> ExitCode {
    let open = std::env::var("OPEN").is_ok_and(|value| !matches!(value.as_str(), "" | "0"));
    match run(open).await {
        Ok(()) => {
            println!("\nEverything went as it should.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("\nThis should not have happened: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(open: bool) -> Result<(), Error> {
    let provider = Provider::start(Options { lifetime: SHORT_LIFE, ..Options::default() }).await?;
    say("", "provider", format!("{}, standing in for Google", provider.url()));
    let settings = Settings { apps: vec![AppSettings::local("gmail", &provider)], ..Settings::default() };
    let home = Home::new(&settings)?;
    let service = home.start().await?;
    say("", "service", format!("{}, with a temporary database", service.url()));
    let key = home.tenant_key("Acme").await?;
    say("", "tenant key", "made with connect-service's command line, kept secret\n".into());

    let client = Client::builder().api_key(key).base_url(service.base_url()).build()?;
    let demo = Demo { alice: client.customer("alice@example.com")?, client, provider, open };
    let result = demo.walk().await;
    service.ask_to_end()?;
    if result.is_err() {
        eprintln!("\nWhat the service logged:\n{}", home.logs()?);
        return result;
    }
    let ended = service.ended().await?;
    check(ended.success(), format!("the service ended with {ended}"))
}

struct Demo {
    client: Client,
    alice: Customer,
    provider: Provider,
    open: bool,
}

impl Demo {
    async fn walk(&self) -> Result<(), Error> {
        let id = self.connect_gmail().await?;
        let token = self.vend(&id).await?;
        self.expire_and_refresh(&id, token).await?;
        self.revoke(&id).await?;
        self.reconnect(&id).await?;
        let key_id = self.connect_with_api_key().await?;
        self.delete(&id, &key_id).await
    }

    /// The guide's steps 1 to 4.
    async fn connect_gmail(&self) -> Result<String, Error> {
        let apps = self.client.list_apps().search("gmail").await?;
        let app = apps.items.first().ok_or("the catalogue has no Gmail")?;
        say("1", "find the app", format!("{} (id {})", app.name, app.id));

        let link = self.alice.create_request_link(&app.id, "Work Gmail").await?;
        let connection = self.alice.get_connection(&link.connection_id).await?;
        expect_status(&connection.status, &ConnectionStatus::Pending)?;
        say(
            "2",
            "create a link",
            format!("{} is pending, the link expires at {}", link.connection_id, link.expires_at),
        );

        let how = self.customer_acts(&link, &[]).await?;
        say("3", "customer authorises", how);

        let connection = self.alice.wait_for_connection(&link.connection_id).timeout(PATIENCE).await?;
        expect_status(&connection.status, &ConnectionStatus::Active)?;
        say("4", "wait until active", format!("{} is active", connection.id));
        Ok(connection.id)
    }

    /// The guide's step 5: a token, and a call of the provider's API with it.
    async fn vend(&self, id: &str) -> Result<Token, Error> {
        let token = self.alice.get_token(id).await?;
        let answer = self.call_api(&token).await?;
        check(answer == 200, format!("the provider's API answers {answer} to a fresh token"))?;
        let left = token.expires_in.map_or("no expiry".into(), |seconds| format!("good for {seconds} s"));
        say("5", "vend a token", format!("{left}, and the provider's API takes it: {answer}"));
        Ok(token)
    }

    async fn expire_and_refresh(&self, id: &str, old: Token) -> Result<(), Error> {
        let start = Instant::now();
        while self.call_api(&old).await? != 401 {
            check(start.elapsed() < 10 * SHORT_LIFE, "the token does not expire".into())?;
            tokio::time::sleep(PAUSE).await;
        }
        let new = self.alice.get_token(id).await?;
        let answer = self.call_api(&new).await?;
        check(answer == 200, format!("the provider's API answers {answer} to a refreshed token"))?;
        let refreshes = self.provider.counts().refreshes;
        check(refreshes == 1, format!("the provider saw {refreshes} refreshes"))?;
        say(
            "6",
            "expired, refreshed",
            format!("the old token: 401, the new one: {answer}, after one refresh"),
        );
        Ok(())
    }

    /// The customer takes the grant back at the provider; the service hears of it when it refreshes next.
    async fn revoke(&self, id: &str) -> Result<(), Error> {
        self.provider.revoke_all();
        let start = Instant::now();
        let error = loop {
            match self.alice.get_token(id).await {
                Ok(_) => check(start.elapsed() < 10 * SHORT_LIFE, "a revoked grant goes on".into())?,
                Err(error) => break error,
            }
            tokio::time::sleep(PAUSE).await;
        };
        let ConnectError::NeedsReconnection(_) = error else {
            return Err(error.into());
        };
        let code = error.code().unwrap_or_default();
        say("7", "revoked grant", format!("NeedsReconnection ({code}): the customer has to connect again"));
        Ok(())
    }

    async fn reconnect(&self, id: &str) -> Result<(), Error> {
        let link = self.alice.create_request_link("gmail", "Work Gmail").connection_id(id).await?;
        check(link.connection_id == id, "reconnecting gave another connection".into())?;
        let how = self.customer_acts(&link, &[]).await?;
        let connection = self.alice.wait_for_connection(id).timeout(PATIENCE).await?;
        expect_status(&connection.status, &ConnectionStatus::Active)?;
        let answer = self.call_api(&self.alice.get_token(id).await?).await?;
        check(answer == 200, format!("the provider's API answers {answer} after reconnecting"))?;
        say("8", "connect again", format!("{how}; the same connection is active, its token works: {answer}"));
        Ok(())
    }

    async fn connect_with_api_key(&self) -> Result<String, Error> {
        let link = self.alice.create_request_link("sendgrid", "Newsletter").await?;
        self.customer_acts(&link, &[("api_key", "SG.a-key-of-the-customers")]).await?;
        let connection = self.alice.wait_for_connection(&link.connection_id).timeout(PATIENCE).await?;
        expect_status(&connection.status, &ConnectionStatus::Active)?;
        let fields = self.alice.get_token(&connection.id).await?.fields.ok_or("no fields were vended")?;
        let key = fields.get("api_key").ok_or("the field api_key is missing")?;
        let as_entered = self.open || key.expose_secret() == "SG.a-key-of-the-customers";
        check(as_entered, "the vended key is not the one that was entered".into())?;
        let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        say("9", "API-key app", format!("SendGrid vends the fields: {}", names.join(", ")));
        Ok(connection.id)
    }

    async fn delete(&self, id: &str, key_id: &str) -> Result<(), Error> {
        for id in [id, key_id] {
            self.alice.delete_connection(id).await?;
        }
        match self.alice.get_connection(id).await {
            Err(ConnectError::ConnectionDeleted(_)) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Err("a deleted connection is still there".into()),
        }
        let left = self.alice.list_connections().await?.items.len();
        check(left == 0, format!("{left} connections are left"))?;
        say("10", "delete", "both connections are gone".into());
        Ok(())
    }

    /// The customer's part, in the demo's own browser or in a person's.
    async fn customer_acts(&self, link: &RequestLink, filled: &[(&str, &str)]) -> Result<String, Error> {
        if self.open {
            println!("\n    Open this in your browser: {}\n", link.request_link);
            self.alice.wait_for_connection(&link.connection_id).timeout(PATIENCE).await?;
            return Ok("you did".into());
        }
        let browser = Browser::new()?;
        let hosted = arrived(browser.open(&link.request_link).await?)?;
        let page = arrived(browser.press(&hosted, "Connect", filled).await?)?;
        if page.url.as_str().starts_with(self.provider.url()) {
            arrived(browser.press(&page, "Allow", &[]).await?)?;
            return Ok("on the hosted page, then at the provider".into());
        }
        Ok("on the hosted page".into())
    }

    async fn call_api(&self, token: &Token) -> Result<u16, Error> {
        let authorization = token.authorization().ok_or("no access token was vended")?;
        let request = plain_http().build()?.get(self.provider.api_url());
        Ok(request.header("authorization", authorization.expose_secret()).send().await?.status().as_u16())
    }
}

fn say(number: &str, step: &str, outcome: String) {
    println!("{number:>4}  {step:<20}  {outcome}");
}

fn check(holds: bool, surprise: String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(surprise.into()) }
}

fn expect_status(found: &ConnectionStatus, expected: &ConnectionStatus) -> Result<(), Error> {
    check(found == expected, format!("the connection is {found:?} and not {expected:?}"))
}

fn arrived(page: Page) -> Result<Page, Error> {
    match page.status {
        200 => Ok(page),
        status => Err(format!("{} answered {status}: {}", page.url.path(), page.text()).into()),
    }
}
