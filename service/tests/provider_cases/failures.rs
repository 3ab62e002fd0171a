//! Refreshes that fail: what ends a grant, and how a provider is left alone.

use std::time::Duration;

use crate::cases;
use crate::world::{ENDED, UNAVAILABLE, World, json, ok, response};

cases! {
    1, "lelylan/simple-oauth2#459", "a refresh refused with status 200" => refused_with_200;
    2, "decocms/studio#3774", "a refresh refused as bad_refresh_token" => bad_refresh_token;
    4, "raycast/extensions#11836", "the client is blamed for a refresh token that is gone" => client_is_blamed;
    6, "linagora/cozy-stack#4751", "a refresh refused as invalid_token" => invalid_token;
    7, "aarondcoleman/Fitbit.NET#320", "invalid_grant in a list of errors" => list_of_errors;
    9, "GoHighLevel/highlevel-api-docs#249", "a refresh refused without a code, for days" => refused_for_days;
    10, "raycast/extensions#10896", "invalid_grant with status 400, 401 or 403" => invalid_grant_in_any_status;
    13, "NangoHQ/nango#5505", "refreshes fail, and the backend asks again and again" => asked_again_and_again;
    15, "NangoHQ/nango#5505", "the provider hangs while the token is good" => hanging_provider;
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn refused_with_200() {
    let world = World::new().await;
    let body = r#"{"error":"bad_refresh_token","error_description":"The refresh token is incorrect"}"#;
    assert_eq!(world.refresh("github", ok(body)).await, ENDED);
    let body = "error=bad_refresh_token&error_description=The+refresh+token+is+incorrect";
    let form = response(200, "application/x-www-form-urlencoded", body);
    assert_eq!(world.refresh("github", form).await, ENDED);
}

async fn bad_refresh_token() {
    let world = World::new().await;
    assert_eq!(world.refresh("gmail", json(400, r#"{"error":"bad_refresh_token"}"#)).await, ENDED);
}

async fn invalid_grant_in_any_status() {
    let world = World::new().await;
    for status in [400, 401, 403] {
        let body = r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#;
        assert_eq!(world.refresh("zoom", json(status, body)).await, ENDED, "{status}");
    }
}

async fn client_is_blamed() {
    let world = World::new().await;
    let blames = |description| {
        json(403, &format!(r#"{{"error":"unauthorized_client","error_description":"{description}"}}"#))
    };
    assert_eq!(world.refresh("gmail", blames("refresh_token is invalid")).await, ENDED);
    assert_eq!(world.refresh("gmail", blames("The client is not allowed to do this")).await, UNAVAILABLE);
}

async fn invalid_token() {
    let world = World::new().await;
    for status in [400, 401] {
        assert_eq!(
            world.refresh("gmail", json(status, r#"{"error":"invalid_token"}"#)).await,
            ENDED,
            "{status}"
        );
    }
}

async fn list_of_errors() {
    let world = World::new().await;
    let body =
        r#"{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: 1f"}],"success":false}"#;
    assert_eq!(world.refresh("gmail", json(400, body)).await, ENDED);
}

/// Ten refusals within four days are for good.
async fn refused_for_days() {
    let world = World::new().await;
    let made = world.due("gmail").await;
    world.provider.will_send(json(400, r#"{"message":"Location is not active"}"#));
    for refusals in 1..10 {
        assert_eq!(world.vend(&made).await.1["code"], UNAVAILABLE, "{refusals}");
        world.advance(4 * DAY / 9);
    }
    assert_eq!(world.vend(&made).await.1["code"], ENDED);
    assert_eq!(world.stage.connection(&made).await["reconnection"]["reason"], "refresh_failed");
}

async fn asked_again_and_again() {
    let world = World::new().await;
    let made = world.due("gmail").await;
    let requests = || world.provider.requests().len();
    let before = requests();
    let head = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n";
    world.provider.will_send(format!("{head}retry-after: 600\r\n\r\n"));
    for _ in 0..200 {
        assert_eq!(world.vend(&made).await.1["code"], UNAVAILABLE);
    }
    assert_eq!(requests(), before + 1, "it said when to come back");

    // Pauses grow to minutes where it does not.
    world.provider.will_send(format!("{head}\r\n"));
    for failures in 2..12 {
        world.advance(Duration::from_secs(600));
        assert_eq!(world.vend(&made).await.1["code"], UNAVAILABLE);
        assert_eq!(requests(), before + failures);
    }
    for _ in 0..50 {
        assert_eq!(world.vend(&made).await.1["code"], UNAVAILABLE);
    }
    assert_eq!(requests(), before + 11);
}

async fn hanging_provider() {
    let world = World::new().await;
    let tokens =
        |n: u32| ok(&format!(r#"{{"access_token":"at-{n}","refresh_token":"rt-{n}","expires_in":600}}"#));
    let made = world.connected_by("gmail", tokens(1)).await;
    let before = world.provider.requests().len();
    world.stage.advance(570);
    world.provider.will_send(tokens(2));
    world.provider.hold(true);
    for _ in 0..5 {
        assert_eq!(world.vend(&made).await.1["access_token"], "at-1");
    }
    world.provider.hold(false);
    let refreshed = async {
        while world.vend(&made).await.1["access_token"] != "at-2" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refreshed).await.expect("the token is refreshed");
    assert_eq!(world.provider.requests().len(), before + 1, "nobody waited until the request was given up");
}
