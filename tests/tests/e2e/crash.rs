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
use connect_tests::provider::{Options, Provider, Refresh, Reuse};
use connect_tests::service_process::Home;
use connect_tests::{Error, random};
use pabbly_connect::ExposeSecret as _;
use pabbly_connect::{ConnectionStatus, Customer, RequestLink};
use reqwest::Method;

use crate::support::{CONTINUE, OAUTH_APP, Raw, Stage, answer, outlive};

const KILLS: usize = 20;
const WORKERS: usize = 6;

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
        self.journal.lock().unwrap().connections.push(connection.id);
        Ok(())
    }

    async fn refresh(&self) -> Result<(), Error> {
        let id = {
            let connections = &self.journal.lock().unwrap().connections;
            connections
                .get(usize::try_from(random::below(connections.len() as u64))?)
                .cloned()
        };
        let Some(id) = id else { return self.connect().await };
        let token = self.customer.get_token(&id).await?;
        let token = token.access_token.ok_or("no access token")?;
        let seen = self.provider.refreshes().len();
        let (grant, generation) = self
            .provider
            .generation(token.expose_secret())
            .ok_or("a token nobody issued")?;
        let rotation = Rotation {
            grant,
            generation,
            seen,
        };
        let mut journal = self.journal.lock().unwrap();
        let known = journal.tokens.entry(id).or_insert(rotation);
        if generation > known.generation {
            *known = rotation;
        }
        Ok(())
    }
}

/// Runs the load for a random while, kills the service in the middle of it, and starts it again.
async fn load_and_kill(stage: Stage, journal: &Arc<Mutex<Journal>>, between: impl FnOnce(&Home)) -> Stage {
    let load = Load {
        customer: stage.alice(),
        provider: stage.provider.clone(),
        journal: journal.clone(),
        ending: Arc::default(),
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(load.clone().work())).collect();
    tokio::time::sleep(Duration::from_millis(200 + random::below(800))).await;
    load.ending.store(true, Ordering::SeqCst);
    stage.service.kill().await.unwrap();
    for worker in workers {
        worker.await.unwrap().expect("nothing goes wrong before the kill");
    }
    between(&stage.home);
    Stage {
        service: stage.home.start().await.unwrap(),
        ..stage
    }
}

/// What the journal has and the service does not.
async fn losses(stage: &Stage, journal: &Journal) -> Vec<String> {
    let (alice, raw) = (stage.alice(), stage.raw());
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
    for (id, rotation) in &journal.tokens {
        if let Err(error) = check_rotation(&alice, &stage.provider, id, *rotation).await {
            losses.push(format!("token of {id}: {error}"));
        }
    }
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
    let lifetime = Duration::from_secs(1);
    Stage::with(Options {
        lifetime,
        reuse: Reuse::UntilSuccessorUsed,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_twenty_kills() {
    let mut stage = stage().await;
    let journal = Arc::new(Mutex::new(Journal::default()));
    let mut all = Journal::default();
    for kill in 1..=KILLS {
        stage = load_and_kill(stage, &journal, |_| {}).await;
        let seen = take(&journal);
        let lost = losses(&stage, &seen).await;
        assert!(lost.is_empty(), "after kill {kill}: {lost:#?}");
        // The next round refreshes these connections further; links and connections are looked at again at the end.
        journal.lock().unwrap().connections.clone_from(&seen.connections);
        all.links.extend(seen.links);
        all.connections.extend(seen.connections);
        all.tokens.extend(seen.tokens);
    }
    assert!(
        all.links.len() >= 20,
        "too little load: {} links",
        all.links.len()
    );
    assert!(
        all.connections.len() >= 20,
        "too little load: {} connections",
        all.connections.len()
    );
    assert!(
        all.tokens.values().filter(|token| token.generation > 0).count() >= 20,
        "too few rotations"
    );
    let lost = losses(&stage, &all).await;
    assert!(lost.is_empty(), "at the end: {lost:#?}");
}

/// The proof that the comparison can fail: the service comes back with the database of a while ago.
#[tokio::test]
async fn an_older_database_is_noticed() {
    let mut stage = stage().await;
    let journal = Arc::new(Mutex::new(Journal::default()));
    for id in [stage.connected().await, stage.connected().await] {
        journal.lock().unwrap().connections.push(id);
    }
    let backup = tempfile::tempdir().unwrap();
    stage.service.kill().await.unwrap();
    copy(&stage.home.database_files(), backup.path());
    stage.service = stage.home.start().await.unwrap();

    outlive(Duration::from_secs(1)).await;
    stage = load_and_kill(stage, &journal, |home| {
        home.database_files()
            .iter()
            .for_each(|file| fs::remove_file(file).unwrap());
        let saved = fs::read_dir(backup.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        copy(&saved.collect::<Vec<_>>(), &home.path(""));
    })
    .await;
    let lost = losses(&stage, &take(&journal)).await;
    for kind in ["link", "connection", "token"] {
        assert!(
            lost.iter().any(|loss| loss.starts_with(kind)),
            "no lost {kind} was noticed: {lost:#?}"
        );
    }
}

fn take(journal: &Mutex<Journal>) -> Journal {
    std::mem::take(&mut *journal.lock().unwrap())
}

fn copy(files: &[PathBuf], folder: &Path) {
    for file in files {
        fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
}
