//! `kill -9` at random moments: whatever was acknowledged is there after the restart.
//!
//! Workers make links, connect customers and refresh tokens without pause, and write down what the service
//! acknowledged. After each kill that journal is held against what the restarted service knows.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connect_tests::provider::{Mode, Options, Reuse};
use connect_tests::service_process::{Home, Settings};
use connect_tests::workload::{Journal, Rotation, Workload};
use connect_tests::{Error, random};
use pabbly_connect::{Client, Customer};

use crate::support::{ALICE, Raw, Stage, access_token, outlive};

const KILLS: usize = 20;
/// How much of each kind of load makes the kills mean something; a busy machine does twice as much.
const MIN_LOAD: usize = 10;
const WORKERS: usize = 6;
/// How long the provider's access tokens live: short, so that almost every round has to refresh.
const LIFETIME: Duration = Duration::from_secs(2);

/// What every worker holds.
#[derive(Clone)]
struct Load {
    customer: Customer,
    workload: Arc<Workload>,
    ending: Arc<AtomicBool>,
}

impl Load {
    /// One thing after another until the service is gone. An error before that is a failure of its own.
    async fn work(self) -> Result<(), Error> {
        while !self.ending.load(Ordering::SeqCst) {
            let result = match random::below(4) {
                0 => self.workload.create_link(&self.customer).await,
                1 => self.workload.connect(&self.customer).await,
                _ => self.refresh().await,
            };
            match result {
                Err(_) if self.ending.load(Ordering::SeqCst) => return Ok(()),
                other => other?,
            }
        }
        Ok(())
    }

    /// A connection that a kill left in doubt does not become idle again.
    async fn refresh(&self) -> Result<(), Error> {
        let Some(id) = self.workload.take_idle() else {
            return self.workload.connect(&self.customer).await;
        };
        self.workload.get_token(&self.customer, &id).await?;
        self.workload.idle().push(id);
        Ok(())
    }

    fn has_something(&self) -> bool {
        let journal = self.workload.journal();
        !journal.links.is_empty() && !journal.connections.is_empty()
    }
}

/// Runs the load for a random while, kills the service in the middle of it, and starts it again.
async fn load_and_kill(
    stage: Stage,
    workload: &Arc<Workload>,
    between: impl FnOnce(&Home),
) -> (Stage, Journal) {
    let load = Load { customer: patient(&stage), workload: workload.clone(), ending: Arc::default() };
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
    let stage = Stage { service: stage.home.start().await.unwrap(), ..stage };
    let journal = std::mem::take(&mut *workload.journal());
    (stage, journal)
}

/// Alice with the patience of a product: 503 is a reason to ask again.
fn patient(stage: &Stage) -> Customer {
    let client =
        Client::builder().api_key(stage.key.as_str()).base_url(stage.service.base_url()).max_retries(6);
    client.build().unwrap().customer(ALICE).unwrap()
}

/// What the journal has and the service does not.
async fn losses(stage: &Stage, journal: &Journal) -> Vec<String> {
    let base_url = stage.service.base_url();
    journal.losses(&patient(stage), &base_url, &stage.provider).await.unwrap()
}

/// A provider that forgives a refresh whose answer was lost: a kill right there is nobody's fault.
pub(crate) async fn stage(database_url: Option<String>) -> Stage {
    let options = Options { lifetime: LIFETIME, reuse: Reuse::UntilSuccessorUsed, ..Options::default() };
    let settings = Settings { database_url, ..Settings::default() };
    Stage::with_settings(options, settings).await
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_twenty_kills() {
    lose_nothing(stage(None).await, KILLS, MIN_LOAD).await;
}

/// Kills the service under load so many times. Whatever it acknowledged is there after each restart, and in the end.
pub(crate) async fn lose_nothing(mut stage: Stage, kills: usize, min_load: usize) {
    let workload = Arc::new(Workload::new(stage.provider.clone()));
    let mut all = Journal::default();
    for kill in 1..=kills {
        let (restarted, mut journal) = load_and_kill(stage, &workload, |_| {}).await;
        stage = restarted;
        all.extend(&journal);
        // Whatever is in doubt may be waiting for the killed refresh; it is looked at in the end.
        journal.tokens.retain(|id, _| workload.idle().contains(id));
        let lost = losses(&stage, &journal).await;
        assert!(lost.is_empty(), "after kill {kill}: {lost:#?}");
    }
    let load = [all.links.len(), all.connections.len(), all.rotated()];
    assert!(load.iter().all(|count| *count >= min_load), "too little load to mean anything: {load:?}");
    outlive(LIFETIME).await;
    let lost = losses(&stage, &all).await;
    assert!(lost.is_empty(), "at the end: {lost:#?}");
}

/// The one that was refreshing is gone; the other waits until that is sure, and then does it.
#[tokio::test]
async fn another_process_takes_over_a_refresh_that_was_killed() {
    take_over(stage(None).await).await;
}

pub(crate) async fn take_over(stage: Stage) {
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
    let mut stage = stage(None).await;
    let id = stage.connected().await;
    let backup = tempfile::tempdir().unwrap();
    stage.service.kill().await.unwrap();
    copy(&stage.home.database_files(), backup.path());
    stage.service = stage.home.start().await.unwrap();

    outlive(LIFETIME).await;
    let token = access_token(&patient(&stage), &id).await;
    let (grant, generation) = stage.provider.generation(&token).unwrap();
    let rotation = Rotation { grant, generation, seen: stage.provider.refreshes().len() };
    let workload = Arc::new(Workload::new(stage.provider.clone()));
    let (stage, mut journal) = load_and_kill(stage, &workload, |home| {
        home.database_files().iter().for_each(|file| fs::remove_file(file).unwrap());
        let saved = fs::read_dir(backup.path()).unwrap().map(|entry| entry.unwrap().path());
        copy(&saved.collect::<Vec<_>>(), &home.path(""));
    })
    .await;
    journal.tokens.insert(id.clone(), rotation);

    let lost = losses(&stage, &journal).await;
    for loss in
        ["link ".to_owned(), "connection ".to_owned(), format!("token of {id}: generation 1 was saved")]
    {
        assert!(lost.iter().any(|lost| lost.starts_with(&loss)), "{loss:?} is not among {lost:#?}");
    }
}

fn copy(files: &[PathBuf], folder: &Path) {
    for file in files {
        fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
}
