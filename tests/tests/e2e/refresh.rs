//! Refreshing: once at a time, never losing a rotated token, whatever the provider answers.

use std::collections::HashSet;
use std::time::Duration;

use connect_tests::browser::Browser;
use connect_tests::provider::{Mode, Options, Reuse};
use connect_tests::service_process::Settings;
use futures_util::future::join_all;
use pabbly_connect::{ConnectionStatus, Error};

use crate::support::{
    ALICE, OAUTH_APP, Stage, access_token, api_status, approve, client, outlive, to_provider,
};

/// The shortest life that can be told in whole seconds.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(3600);
/// For which a provider is left alone after a first failure, at most.
const PAUSE: Duration = Duration::from_secs(1);

/// A stage where the first token has run out before anybody needs it.
async fn stage_with_short_tokens() -> Stage {
    stage_on(None).await
}

pub(crate) async fn stage_on(database_url: Option<String>) -> Stage {
    let options = Options { lifetime: SHORT, ..Options::default() };
    let settings = Settings { database_url, ..Settings::default() };
    Stage::with_settings(options, settings).await
}

#[tokio::test]
async fn fifty_callers_at_once_cause_one_refresh() {
    let stage = stage_with_short_tokens().await;
    let id = stage.connected().await;
    let alice = stage.alice();
    outlive(SHORT).await;

    // Slow enough that all fifty are waiting before the provider answers.
    stage.provider.set_lifetime(LONG);
    stage.provider.set_mode(Mode::Slow(Duration::from_millis(700)));
    let tokens = join_all((0..50).map(|_| access_token(&alice, &id))).await;

    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 1, "all get the same token");
    assert_eq!(api_status(&stage.provider, &tokens[0]).await, 200);
    assert_eq!(stage.provider.counts().refreshes, 1);
    assert_eq!(stage.provider.generation(&tokens[0]), Some((1, 1)));
}

#[tokio::test]
async fn two_processes_over_one_database_cause_one_refresh() {
    refresh_once(stage_with_short_tokens().await).await;
}

/// Fifty callers of two processes cause one refresh, and all get its token.
pub(crate) async fn refresh_once(stage: Stage) {
    let second = stage.home.start_another().await.unwrap();
    let id = stage.connected().await;
    let customers = [stage.alice(), client(&second, &stage.key).customer(ALICE).unwrap()];
    outlive(SHORT).await;

    stage.provider.set_lifetime(LONG);
    stage.provider.set_mode(Mode::Slow(Duration::from_millis(700)));
    let tokens = join_all((0..50).map(|n| access_token(&customers[n % 2], &id))).await;

    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 1, "all get the same token");
    assert_eq!(stage.provider.counts().refreshes, 1);
}

#[tokio::test]
async fn the_rotated_token_is_used_the_next_time() {
    // Long enough to be still good when it reaches its caller, on a busy machine too.
    let lifetime = Duration::from_secs(3);
    let stage = Stage::with(Options { lifetime, ..Options::default() }).await;
    let id = stage.connected().await;
    let alice = stage.alice();
    for generation in 1..=3 {
        outlive(lifetime).await;
        let token = access_token(&alice, &id).await;
        assert_eq!(stage.provider.generation(&token), Some((1, generation)));
    }
    let presented: Vec<_> = stage.provider.refreshes().iter().map(|refresh| refresh.presented).collect();
    assert_eq!(presented, [0, 1, 2]);
    assert_eq!(stage.provider.counts().reuses, 0);
}

/// Answers of no use to a refresh: the caller hears 503 with a time to come back, and nothing is lost.
#[tokio::test]
async fn a_provider_that_answers_nonsense_is_unavailable_and_nothing_is_lost() {
    let stage = stage_with_short_tokens().await;
    let (raw, alice) = (stage.raw(), stage.alice());
    let nonsense = [
        Mode::ServerError,
        Mode::Html,
        Mode::Empty,
        Mode::Truncated,
        Mode::WrongShape,
        Mode::Huge,
        Mode::Redirect,
        Mode::Reset,
        Mode::ErrorInside,
    ];
    // Each with a connection of its own, whose first failure it is.
    for mode in nonsense {
        stage.provider.set_mode(Mode::Normal);
        stage.provider.set_lifetime(SHORT);
        let id = stage.connected().await;
        outlive(SHORT).await;
        stage.provider.set_mode(mode);
        let asked = stage.provider.counts().refreshes;
        let answer = raw.token(&id).await;
        answer.assert_error(503, "upstream_unavailable");
        let seconds: u64 = answer.header("retry-after").expect("Retry-After").parse().expect("whole seconds");
        assert!(seconds >= 1, "{mode:?}");
        assert!(stage.provider.counts().refreshes > asked, "{mode:?} was not asked");
        assert!(!answer.text.contains("refresh-") && !answer.text.contains("Back soon"), "{}", answer.text);

        stage.provider.set_mode(Mode::Normal);
        stage.provider.set_lifetime(LONG);
        outlive(PAUSE).await;
        let generation = stage.provider.generation(&access_token(&alice, &id).await);
        assert_eq!(generation.map(|(_, generation)| generation), Some(1), "{mode:?}: the token was kept");
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_unavailable() {
    let stage = stage_with_short_tokens().await;
    let id = stage.connected().await;
    outlive(SHORT).await;
    stage.provider.set_mode(Mode::Slow(Duration::from_secs(120)));
    stage.raw().token(&id).await.assert_error(503, "upstream_unavailable");
    outlive(PAUSE).await;
    stage.provider.set_mode(Mode::Normal);
    stage.provider.set_lifetime(LONG);
    access_token(&stage.alice(), &id).await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let options = Options { lifetime: SHORT, reuse: Reuse::UntilSuccessorUsed, ..Options::default() };
    let stage = Stage::with(options).await;
    let id = stage.connected().await;
    outlive(SHORT).await;
    stage.provider.set_mode(Mode::LostAnswer);
    stage.raw().token(&id).await.assert_error(503, "upstream_unavailable");
    outlive(PAUSE).await;
    stage.provider.set_mode(Mode::Normal);
    stage.provider.set_lifetime(LONG);
    let token = access_token(&stage.alice(), &id).await;
    assert_eq!(stage.provider.generation(&token), Some((1, 2)));
}

#[tokio::test]
async fn a_token_that_is_still_good_is_vended_while_the_provider_is_down() {
    let stage = Stage::start().await;
    let id = stage.connected().await;
    stage.provider.set_mode(Mode::ServerError);
    let token = access_token(&stage.alice(), &id).await;
    assert_eq!(api_status(&stage.provider, &token).await, 200);
}

#[tokio::test]
async fn a_token_without_an_expiry_is_vended_without_one() {
    let stage = Stage::start().await;
    stage.provider.set_mode(Mode::NoExpiresIn);
    let id = stage.connected().await;
    let token = stage.alice().get_token(&id).await.unwrap();
    assert_eq!(token.expires_in, None);
    assert_eq!(stage.provider.counts().refreshes, 0, "nothing says that it has run out");
}

#[tokio::test]
async fn a_revoked_grant_needs_reconnection_and_comes_back_in_place() {
    let stage = stage_with_short_tokens().await;
    let id = stage.connected().await;
    let alice = stage.alice();
    stage.provider.revoke_all();
    outlive(SHORT).await;

    let error = alice.get_token(&id).await.unwrap_err();
    assert!(matches!(error, Error::NeedsReconnection(_)), "{error:?}");
    assert_eq!((error.status(), error.code()), (Some(401), Some("needs_reconnection")));
    let asked = stage.provider.counts().refreshes;
    let again = alice.get_token(&id).await.unwrap_err();
    assert!(matches!(again, Error::NeedsReconnection(_)), "{again:?}");
    assert_eq!(stage.provider.counts().refreshes, asked, "a grant that is gone is not asked for again");

    let link = alice.create_request_link(OAUTH_APP, "Work Gmail").connection_id(&id).await.unwrap();
    assert_eq!(link.connection_id, id, "re-authorised in place");
    stage.provider.set_lifetime(LONG);
    approve(&Browser::new().unwrap(), &link).await;
    assert_eq!(alice.get_connection(&id).await.unwrap().status, ConnectionStatus::Active);
    let token = access_token(&alice, &id).await;
    assert_eq!(stage.provider.generation(&token).unwrap().0, 2, "the second grant");
}

/// The same nonsense in answer to the code: the customer can try again, and the connection stays pending.
#[tokio::test]
async fn a_connect_flow_survives_a_provider_that_answers_nonsense() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let nonsense = [Mode::ServerError, Mode::Html, Mode::Empty, Mode::Truncated, Mode::Huge, Mode::Reset];
    for mode in nonsense {
        let link = alice.create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
        let browser = Browser::new().unwrap();
        stage.provider.set_mode(mode);
        let failed = approve(&browser, &link).await;
        assert!((400..600).contains(&failed.status), "{mode:?}: {} {}", failed.status, failed.text());
        let (_, body) = failed.html.rsplit_once("</style>").unwrap();
        assert!(!body.contains("code-"), "{mode:?}: the code is on the page");
        let connection = alice.get_connection(&link.connection_id).await.unwrap();
        assert_eq!(connection.status, ConnectionStatus::Pending, "{mode:?}");

        stage.provider.set_mode(Mode::Normal);
        let consent = to_provider(&browser, &link.request_link).await;
        browser.press(&consent, "Allow", &[]).await.unwrap();
        let connection = alice.get_connection(&link.connection_id).await.unwrap();
        assert_eq!(connection.status, ConnectionStatus::Active, "{mode:?}");
    }
}
