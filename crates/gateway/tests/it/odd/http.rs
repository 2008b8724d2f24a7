//! Servers over Streamable HTTP, with sessions and without.

use super::far::{Far, Scene, Way, When, of_messages};
use super::{all, doors, messages};

#[tokio::test(start_paused = true)]
async fn odd_messages_concern_one_caller() {
    for way in [Way::Legacy, Way::Modern] {
        all(messages::ROWS.iter().map(async |(how, [_, seen, _])| {
            let far = Far::start(way, how, When::Calls, of_messages).await;
            Scene::judge(&far, seen).await;
        }))
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn odd_answers_to_a_call_concern_one_caller() {
    for (at, way) in [Way::Legacy, Way::Modern].into_iter().enumerate() {
        all(doors::ROWS.iter().map(|row| doors::judge(way, row, When::Calls, row.call[at]))).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_come_up_is_told_in_time() {
    for (at, way) in [Way::Legacy, Way::Modern].into_iter().enumerate() {
        all(doors::ROWS.iter().map(|row| doors::judge(way, row, When::Always, row.handshake[at]))).await;
    }
}
