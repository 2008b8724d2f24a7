//! Remote servers that go away, and come back.

use super::far::{Far, Scene, WAYS, Way, When};
use super::{BACK_OFF, LIMIT, SLACK, doors};
use crate::client::outcome;
use crate::still::rest;

#[tokio::test(start_paused = true)]
async fn a_server_that_is_killed_in_the_middle_of_a_call_loses_it_and_is_found_again() {
    for way in WAYS {
        let far = Far::start(way, "never answers", When::Calls, doors::door).await;
        let mut scene = Scene::set(&far).await;
        scene.client.call("1", "echo", "{}");
        scene.still.at_once("the call", far.caught()).await;
        far.rogue.kill().await;
        let answer = scene.still.at_once("its end", scene.client.answer("1")).await;
        assert_eq!(outcome(&answer), "!lost", "{way:?}: {answer}");
        far.rogue.revive().await;
        scene.recovers(&far).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_killed_while_nobody_calls_is_not_to_be_had_until_it_is_back() {
    for way in WAYS {
        let far = Far::start(way, "never answers", When::Calls, doors::door).await;
        let mut scene = Scene::set(&far).await;
        far.rogue.kill().await;
        let calling = scene.client.outcome("1", "echo", "{}");
        assert_eq!(scene.still.within("a refusal", LIMIT, calling).await, "!down", "{way:?}");
        let fine = scene.other.outcome("1", "echo", "{}");
        assert_eq!(scene.still.at_once("the other", fine).await, "well");
        far.rogue.revive().await;
        scene.recovers(&far).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_there_yet_is_found_when_it_is() {
    for way in WAYS {
        let far = Far::start(way, "never answers", When::Always, doors::door).await;
        far.rogue.kill().await;
        let mut scene = Scene::set(&far).await;
        let calling = scene.client.outcome("1", "echo", "{}");
        assert_eq!(scene.still.within("a refusal", LIMIT, calling).await, "!down", "{way:?}");
        far.rogue.revive().await;
        scene.recovers(&far).await;
    }
}

/// A server that goes away in good order takes nothing new, and ends what it has.
#[tokio::test(start_paused = true)]
async fn a_call_in_flight_has_its_answer_though_a_later_one_is_refused() {
    for way in [Way::Legacy, Way::Modern] {
        let far = Far::start(way, "stopped", When::Calls, doors::door).await;
        let mut scene = Scene::set(&far).await;
        scene.client.call("1", "echo", "{}");
        scene.still.at_once("the call", far.caught()).await;
        far.rogue.deafen();
        // The connections that it does not need any more are closed by now.
        rest().await;
        let late = scene.still.within("a refusal", BACK_OFF, scene.client.outcome("9", "echo", "{}")).await;
        assert_eq!(late, "!down", "{way:?}");
        far.mend();
        let answer = scene.still.at_once("the answer", scene.client.answer("1")).await;
        assert_eq!(outcome(&answer), "well", "{way:?}: {answer}");
        far.rogue.revive().await;
        scene.recovers(&far).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_too_late_is_nobodys() {
    for way in WAYS {
        let far = Far::start(way, "answers late", When::Calls, doors::door).await;
        let mut scene = Scene::set(&far).await;
        scene.client.call("1", "echo", "{}");
        scene.still.at_once("the call", far.caught()).await;
        let answering = scene.client.answer("1");
        let answer = scene.still.between("its time", LIMIT, LIMIT + SLACK, answering).await;
        assert_eq!(outcome(&answer), "!timeout", "{way:?}");
        // The client gives one up by itself: nothing comes of it, not even a late answer.
        scene.client.call("3", "echo", "{}");
        scene.still.at_once("the second call", far.caught()).await;
        scene.client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#);
        // A stateless server hears of it by our hanging up alone.
        let notices = if way == Way::Modern { 0 } else { 2 };
        let told = async {
            while far.story.cancelled.now() < notices {
                rest().await;
            }
        };
        scene.still.at_once("the notices", told).await;
        scene.recovers(&far).await;
        assert_eq!(far.story.cancelled.now(), notices, "{way:?}");
    }
}
