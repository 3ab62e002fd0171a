//! `kill -9` at random moments: whatever was acknowledged is there after the restart.
//!
//! Workers make links, connect customers and refresh tokens without pause, and write down what the service
//! acknowledged. After each kill that journal is held against what the restarted service knows.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_tests::browser::Browser;
use connect_tests::provider::{Mode, Options, Provider, Refresh, Reuse};
use connect_tests::service_process::Home;
use connect_tests::{Error, random};
use futures_util::future::join_all;
use pabbly_connect::ExposeSecret as _;
use pabbly_connect::{Client, ConnectionStatus, Customer, RequestLink};
use reqwest::Method;

use crate::support::{ALICE, CONTINUE, OAUTH_APP, Raw, Stage, access_token, answer, outlive};

const KILLS: usize = 20;
const WORKERS: usize = 6;
/// How long the provider's access tokens live: short, so that almost every round has to refresh.
const LIFETIME: Duration = Duration::from_secs(2);

/// What the service acknowledged.
#[derive(Debug, Default)]
struct Journal {
    links: Vec<RequestLink>,
    connections: Vec<String>,
    tokens: HashMap<String, Rotation>,
}

/// A refreshed token that reached its caller.
#[derive(Debug, Clone, Copy)]
struct Rotation {
    grant: u64,
    generation: u32,
    /// How many refreshes the provider had seen by then.
    seen: usize,
}

/// What every worker holds.
#[derive(Clone)]
struct Load {
    customer: Customer,
    provider: Arc<Provider>,
    journal: Arc<Mutex<Journal>>,
    /// Connections whose token nobody is asking for; those that a kill left in doubt are missing.
    idle: Arc<Mutex<Vec<String>>>,
    ending: Arc<AtomicBool>,
}

impl Load {
    /// One thing after another until the service is gone. An error before that is a failure of its own.
    async fn work(self) -> Result<(), Error> {
        while !self.ending.load(Ordering::SeqCst) {
            let result = match random::below(4) {
                0 => self.make_link().await.map(drop),
                1 => self.connect().await,
                _ => self.refresh().await,
            };
            match result {
                Err(_) if self.ending.load(Ordering::SeqCst) => return Ok(()),
                other => other?,
            }
        }
        Ok(())
    }

    async fn make_link(&self) -> Result<RequestLink, Error> {
        let link = self.customer.create_request_link(OAUTH_APP, "Work Gmail").await?;
        self.journal.lock().unwrap().links.push(link.clone());
        Ok(link)
    }

    async fn connect(&self) -> Result<(), Error> {
        let link = self.customer.create_request_link(OAUTH_APP, "Work Gmail").await?;
        let browser = Browser::new()?;
        let hosted = browser.open(&link.request_link).await?;
        let consent = browser.press(&hosted, CONTINUE, &[]).await?;
        browser.press(&consent, "Allow", &[]).await?;
        let connection = self.customer.get_connection(&link.connection_id).await?;
        if connection.status != ConnectionStatus::Active {
            return Err(format!("approved, yet {:?}", connection.status).into());
        }
        self.idle.lock().unwrap().push(connection.id.clone());
        self.journal.lock().unwrap().connections.push(connection.id);
        Ok(())
    }

    async fn refresh(&self) -> Result<(), Error> {
        let Some(id) = self.choose() else {
            return self.connect().await;
        };
        let token = self.customer.get_token(&id).await?;
        let token = token.access_token.ok_or("no access token")?;
        let seen = self.provider.refreshes().len();
        let (grant, generation) = self
            .provider
            .generation(token.expose_secret())
            .ok_or("nobody issued this token")?;
        self.journal.lock().unwrap().tokens.insert(
            id.clone(),
            Rotation {
                grant,
                generation,
                seen,
            },
        );
        self.idle.lock().unwrap().push(id);
        Ok(())
    }

    fn has_something(&self) -> bool {
        let journal = self.journal.lock().unwrap();
        !journal.links.is_empty() && !journal.connections.is_empty()
    }

    fn choose(&self) -> Option<String> {
        let mut idle = self.idle.lock().unwrap();
        let chosen = usize::try_from(random::below(idle.len() as u64)).ok()?;
        (!idle.is_empty()).then(|| idle.swap_remove(chosen))
    }
}

/// Runs the load for a random while, kills the service in the middle of it, and starts it again.
async fn load_and_kill(
    stage: Stage,
    idle: &Arc<Mutex<Vec<String>>>,
    between: impl FnOnce(&Home),
) -> (Stage, Journal) {
    let load = Load {
        customer: patient(&stage),
        provider: stage.provider.clone(),
        journal: Arc::default(),
        idle: idle.clone(),
        ending: Arc::default(),
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(load.clone().work())).collect();
    tokio::time::sleep(Duration::from_millis(random::below(1000))).await;
    while !load.has_something() && workers.iter().any(|worker| !worker.is_finished()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    load.ending.store(true, Ordering::SeqCst);
    stage.service.kill().await.unwrap();
    for worker in workers {
        worker.await.unwrap().expect("nothing goes wrong before the kill");
    }
    between(&stage.home);
    let stage = Stage {
        service: stage.home.start().await.unwrap(),
        ..stage
    };
    let journal = std::mem::take(&mut *load.journal.lock().unwrap());
    (stage, journal)
}

/// Alice with the patience of a product: 503 is a reason to ask again.
fn patient(stage: &Stage) -> Customer {
    let client = Client::builder()
        .api_key(stage.key.as_str())
        .base_url(stage.service.base_url())
        .max_retries(6);
    client.build().unwrap().customer(ALICE).unwrap()
}

/// What the journal has and the service does not.
async fn losses(stage: &Stage, journal: &Journal) -> Vec<String> {
    let (alice, raw) = (patient(stage), stage.raw());
    let mut losses = Vec::new();
    for link in &journal.links {
        if let Err(error) = check_link(&alice, &raw, link).await {
            losses.push(format!("link {}: {error}", link.connection_id));
        }
    }
    for id in &journal.connections {
        match alice.get_connection(id).await {
            Ok(connection) if connection.status == ConnectionStatus::Active => {}
            Ok(connection) => losses.push(format!("connection {id}: {:?}", connection.status)),
            Err(error) => losses.push(format!("connection {id}: {error}")),
        }
    }
    let checks = journal.tokens.iter().map(async |(id, rotation)| {
        let checked = check_rotation(&alice, &stage.provider, id, *rotation).await;
        checked.err().map(|error| format!("token of {id}: {error}"))
    });
    losses.extend(join_all(checks).await.into_iter().flatten());
    losses
}

/// A link that nobody has used yet opens, and its token still reads its status.
async fn check_link(alice: &Customer, raw: &Raw, link: &RequestLink) -> Result<(), Error> {
    let id = &link.connection_id;
    let connection = alice.get_connection(id).await?;
    if connection.status != ConnectionStatus::Pending {
        return Err(format!("{:?}", connection.status).into());
    }
    let status = raw.request(Method::GET, &format!("/connections/{id}/status"));
    let status = answer(status.header("x-request-token", link.request_token.expose_secret())).await;
    let page = Browser::new()?.open(&link.request_link).await?;
    if (status.status, page.status) != (200, 200) {
        return Err(format!("status {}, page {}", status.status, page.status).into());
    }
    Ok(())
}

/// The service can still refresh, and since the acknowledgement it never came back with an older refresh token.
async fn check_rotation(
    alice: &Customer,
    provider: &Provider,
    id: &str,
    acknowledged: Rotation,
) -> Result<(), Error> {
    let token = alice.get_token(id).await?.access_token.ok_or("no access token")?;
    let vended = provider
        .generation(token.expose_secret())
        .ok_or("a token nobody issued")?;
    if vended < (acknowledged.grant, acknowledged.generation) {
        return Err(format!(
            "generation {} was acknowledged, {} is vended",
            acknowledged.generation, vended.1
        )
        .into());
    }
    let older = |refresh: &Refresh| {
        refresh.grant == acknowledged.grant && refresh.presented < acknowledged.generation
    };
    match provider.refreshes()[acknowledged.seen..]
        .iter()
        .find(|refresh| older(refresh))
    {
        Some(Refresh { presented, .. }) => Err(format!(
            "generation {} was saved, {presented} came back",
            acknowledged.generation
        )
        .into()),
        None => Ok(()),
    }
}

/// A provider that forgives a refresh whose answer was lost: a kill right there is nobody's fault.
async fn stage() -> Stage {
    Stage::with(Options {
        lifetime: LIFETIME,
        reuse: Reuse::UntilSuccessorUsed,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_twenty_kills() {
    let mut stage = stage().await;
    let idle = Arc::default();
    let mut all = Journal::default();
    for kill in 1..=KILLS {
        let (restarted, mut journal) = load_and_kill(stage, &idle, |_| {}).await;
        stage = restarted;
        all.links.extend(journal.links.clone());
        all.connections.extend(journal.connections.clone());
        all.tokens.extend(journal.tokens.clone());
        // Whatever is in doubt may be waiting for the killed refresh; it is looked at in the end.
        journal.tokens.retain(|id, _| idle.lock().unwrap().contains(id));
        let lost = losses(&stage, &journal).await;
        assert!(lost.is_empty(), "after kill {kill}: {lost:#?}");
    }
    let rotated = all.tokens.values().filter(|token| token.generation > 0).count();
    let load = [all.links.len(), all.connections.len(), rotated];
    assert!(
        load.iter().all(|count| *count >= 20),
        "too little load to mean anything: {load:?}"
    );
    outlive(LIFETIME).await;
    let lost = losses(&stage, &all).await;
    assert!(lost.is_empty(), "at the end: {lost:#?}");
}

/// The one that was refreshing is gone; the other waits until that is sure, and then does it.
#[tokio::test]
async fn another_process_takes_over_a_refresh_that_was_killed() {
    let stage = stage().await;
    let other = stage.home.start_another().await.unwrap();
    let id = stage.connected().await;
    outlive(LIFETIME).await;
    stage.provider.set_lifetime(Duration::from_secs(3600));
    stage.provider.set_mode(Mode::Slow(Duration::from_secs(120)));
    let (raw, killed) = (stage.raw(), id.clone());
    let killed = tokio::spawn(async move { raw.try_token(&killed).await });
    while stage.provider.counts().refreshes == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stage.service.kill().await.unwrap();
    assert!(killed.await.unwrap().is_err(), "it died with the process");

    stage.provider.set_mode(Mode::Normal);
    let answer = Raw::new(&other, &stage.key).token(&id).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The proof that the comparison can fail: the service comes back with the database of a while ago.
#[tokio::test]
async fn an_older_database_is_noticed() {
    let mut stage = stage().await;
    let id = stage.connected().await;
    let backup = tempfile::tempdir().unwrap();
    stage.service.kill().await.unwrap();
    copy(&stage.home.database_files(), backup.path());
    stage.service = stage.home.start().await.unwrap();

    outlive(LIFETIME).await;
    let token = access_token(&patient(&stage), &id).await;
    let (grant, generation) = stage.provider.generation(&token).unwrap();
    let rotation = Rotation {
        grant,
        generation,
        seen: stage.provider.refreshes().len(),
    };
    let (stage, mut journal) = load_and_kill(stage, &Arc::default(), |home| {
        home.database_files()
            .iter()
            .for_each(|file| fs::remove_file(file).unwrap());
        let saved = fs::read_dir(backup.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        copy(&saved.collect::<Vec<_>>(), &home.path(""));
    })
    .await;
    journal.tokens.insert(id.clone(), rotation);

    let lost = losses(&stage, &journal).await;
    for loss in [
        "link ".to_owned(),
        "connection ".to_owned(),
        format!("token of {id}: generation 1 was saved"),
    ] {
        assert!(
            lost.iter().any(|lost| lost.starts_with(&loss)),
            "{loss:?} is not among {lost:#?}"
        );
    }
}

fn copy(files: &[PathBuf], folder: &Path) {
    for file in files {
        fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
}
