//! Servers over the transport of 2024: a stream down, and an address to post to.

use super::far::{Far, Scene, Way, When, of_messages};
use super::{all, doors, messages};

#[tokio::test(start_paused = true)]
async fn odd_messages_concern_one_caller() {
    all(messages::ROWS.iter().map(async |(how, [.., seen])| {
        let far = Far::start(Way::Sse, how, When::Calls, of_messages).await;
        Scene::judge(&far, seen).await;
    }))
    .await;
}

#[tokio::test(start_paused = true)]
async fn odd_answers_to_a_post_concern_one_caller() {
    all(doors::ROWS.iter().map(|row| doors::judge(Way::Sse, row, When::Calls, row.call[2]))).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_stream_does_not_open_is_told_in_time() {
    all(doors::ROWS.iter().map(|row| doors::judge(Way::Sse, row, When::Always, row.handshake[2]))).await;
}
