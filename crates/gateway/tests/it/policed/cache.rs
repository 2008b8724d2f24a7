//! Results that are given again, and when they are not.

use super::*;

fn cached(settings: &mut Settings) {
    settings.cache = true;
}

/// Calls the tool that counts its calls.
async fn count(client: &mut Client, id: &str, arguments: &str) -> String {
    client.call(id, "count", arguments);
    text(&client.answer(id).await)
}

#[tokio::test(start_paused = true)]
async fn a_result_is_given_again_until_something_may_have_changed() {
    let stage = Stage::new("[tools.k8s.count]\ncache_ttl = \"60s\"\n", cached).await;
    let mut client = stage.user().await;
    assert_eq!(count(&mut client, "1", "{}").await, "1");
    assert_eq!(count(&mut client, "2", "{}").await, "1", "it is the same call");
    assert_eq!(count(&mut client, "3", r#"{"n":2}"#).await, "2", "it is another");
    let mut other = stage.client("other", &["*"], Face::server(named("k8s")), "{}").await;
    assert_eq!(count(&mut other, "1", "{}").await, "3", "nobody sees what somebody else was told");
    assert_eq!(call(&mut other, "2", "list_pods").await, "list_pods");
    assert_eq!(count(&mut client, "4", "{}").await, "1", "looking changes nothing");
    // Something may change while such a call is under way, and by its end.
    client.call("5", "hang", "{}");
    assert_eq!(count(&mut client, "6", "{}").await, "4");
    assert_eq!(count(&mut client, "7", "{}").await, "4");
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#);
    assert_eq!(count(&mut client, "8", "{}").await, "5");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(count(&mut client, "9", "{}").await, "6", "it is too old");
    let lines = stage.book.lines();
    assert_eq!(lines[..2], ["me count allow ok", "me count allow cached"]);
    // What is not allowed any more is not told from memory either.
    stage.rules("[tools.k8s.count]\ndecision = \"deny\"\n", cached);
    assert!(count(&mut client, "10", "{}").await.starts_with('?'));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_unless_the_settings_say_so_and_never_of_a_tool_that_is_not_safe() {
    for (file, settings) in [
        ("", (|_| {}) as fn(&mut Settings)),
        ("[tools.k8s.count]\ncache_ttl = \"0s\"\n", cached),
        ("[tools.k8s.count]\nrisk = \"medium\"\ncache_ttl = \"60s\"\n", cached),
    ] {
        let stage = Stage::new(file, settings).await;
        let mut client = stage.user().await;
        assert_eq!(count(&mut client, "1", "{}").await, "1");
        assert_eq!(count(&mut client, "2", "{}").await, "2", "{file}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_version_of_a_server_remembers_nothing() {
    let stage = Stage::new("", cached).await;
    let mut client = stage.user().await;
    assert_eq!(count(&mut client, "1", "{}").await, "1");
    assert_eq!(count(&mut client, "2", "{}").await, "1");
    for version in ["2", "1"] {
        stage.house.serve(server("k8s", version)).await.unwrap();
        assert_eq!(count(&mut client, "3", "{}").await, "1");
        assert_eq!(stage.book.lines().last().unwrap(), "me count allow ok", "the new one was asked");
    }
}
