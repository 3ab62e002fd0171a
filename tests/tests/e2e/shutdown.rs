//! SIGTERM: what is in flight is answered, then the process ends well.

use std::time::Duration;

use connect_tests::provider::{Mode, Options};
use reqwest::Method;

use crate::support::{OAUTH_APP, Stage, answer, outlive};

#[tokio::test]
async fn a_refresh_in_flight_is_finished_and_saved() {
    let lifetime = Duration::from_secs(4);
    let stage = Stage::with(Options {
        lifetime,
        ..Options::default()
    })
    .await;
    let id = stage.connected().await;
    outlive(lifetime).await;
    stage.provider.set_mode(Mode::Slow(Duration::from_millis(1500)));
    let raw = stage.raw();
    let in_flight = {
        let id = id.clone();
        tokio::spawn(async move { raw.token(&id).await })
    };
    while stage.provider.counts().refreshes == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    stage.service.ask_to_end().unwrap();
    let answer = in_flight.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let Stage {
        provider,
        home,
        service,
        key,
    } = stage;
    assert!(service.ended().await.unwrap().success());

    provider.set_mode(Mode::Normal);
    let stage = Stage {
        service: home.start().await.unwrap(),
        provider,
        home,
        key,
    };
    outlive(lifetime).await;
    assert_eq!(stage.raw().token(&id).await.status, 200);
    assert_eq!(stage.provider.counts().reuses, 0, "the rotated token was saved");
}

#[tokio::test]
async fn a_held_get_does_not_hold_up_the_end() {
    let stage = Stage::start().await;
    let link = stage
        .alice()
        .create_request_link(OAUTH_APP, "Work Gmail")
        .await
        .unwrap();
    let path = format!("/connections/{}", link.connection_id);
    let held = stage
        .raw()
        .request(Method::GET, &path)
        .header("prefer", "wait=60");
    let held = tokio::spawn(answer(held));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!held.is_finished());

    stage.service.ask_to_end().unwrap();
    let answer = held.await.unwrap();
    assert_eq!(
        (answer.status, answer.data()["status"].as_str()),
        (200, Some("pending")),
        "{}",
        answer.text
    );
    assert!(stage.service.ended().await.unwrap().success());
}
