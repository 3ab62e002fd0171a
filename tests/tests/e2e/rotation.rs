//! Keys are exchanged under load, as the operators' page says, and nobody notices.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use connect_tests::service_process::{Home, Settings};
use futures_util::future::join_all;
use reqwest::Method;

use crate::support::{ALICE, Raw, answer, client};

const CALLS: usize = 10_000;
const CALLERS: usize = 16;

/// Rotate, give the new key to one deployment after the other, wait for what is under way, promote; again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_outlive_their_keys() {
    rotate_under_load(&Settings::default(), CALLS).await;
}

/// Two processes over one database serve the calls.
pub(crate) async fn rotate_under_load(settings: &Settings, calls: usize) {
    let home = Home::new(settings).unwrap();
    let service = home.start().await.unwrap();
    let second = home.start_another().await.unwrap();
    let tenant = home.run(&["tenant", "create", "Acme"]).await.unwrap();
    let first = home.key(&tenant, "apps,connections,admin").await.unwrap();
    let deployments = [client(&service, &first), client(&second, &first)];

    let begun = AtomicUsize::new(0);
    let finished: Vec<AtomicUsize> = (0..CALLERS).map(|_| AtomicUsize::new(0)).collect();
    let caller = async |number: usize| {
        let client = &deployments[number % deployments.len()];
        let alice = client.customer(ALICE).unwrap();
        let mut failures = Vec::new();
        while begun.fetch_add(1, Ordering::Relaxed) < calls {
            let ended = if number % 4 < 2 {
                client.get_app("gmail").await.map(drop)
            } else {
                alice.list_connections().await.map(drop)
            };
            failures.extend(ended.err());
            finished[number].fetch_add(1, Ordering::Relaxed);
        }
        finished[number].store(usize::MAX, Ordering::Relaxed);
        failures
    };
    // What began before now has ended once every caller has finished two more.
    let drained = async || {
        let before: Vec<_> = finished.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let behind = || {
            let mut counts = finished.iter().zip(&before);
            counts.any(|(count, before)| count.load(Ordering::Relaxed) < before.saturating_add(2))
        };
        while behind() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let rotations = async {
        let (mut rotations, mut key) = (0, first.clone());
        while begun.load(Ordering::Relaxed) < calls {
            let rotated = answer(Raw::new(&service, &key).request(Method::POST, "/keys/rotate")).await;
            assert_eq!(rotated.status, 200, "{}", rotated.text);
            let new = rotated.data()["api_key"].as_str().unwrap().to_owned();
            for deployment in &deployments {
                deployment.set_api_key(new.as_str()).unwrap();
                // In between, both keys are in use.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drained().await;
            let raw = Raw::new(&service, &new);
            let promoted = answer(raw.request(Method::POST, "/keys/promote")).await;
            assert_eq!(promoted.status, 200, "{}", promoted.text);
            let refused = Raw::new(&service, &key).get("/apps").await;
            refused.assert_error(401, "invalid_api_key");
            (rotations, key) = (rotations + 1, new);
        }
        rotations
    };
    let (failures, rotations) = tokio::join!(join_all((0..CALLERS).map(&caller)), rotations);
    let failures: Vec<_> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{} failed: {:?}", failures.len(), failures[0]);
    assert!(rotations >= 3, "{rotations} rotations");
    let live = home.run(&["--json", "key", "list", "--tenant", &tenant]).await.unwrap();
    let live = live.lines().filter(|line| line.contains("\"revoked_at\":null"));
    assert_eq!(live.count(), 1);
}
