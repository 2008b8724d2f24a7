//! The catalogue changes under load: nobody notices whose server is the same.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_core::launch::Launch;
use switchboard_gateway::face::Face;
use switchboard_gateway::offer::Sort;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::{Client, id_of, outcome};
use crate::soak;
use crate::stage::{House, Wire, list, mark, named, server, versioned};

/// So many calls are in flight at all times, by so many clients.
const IN_FLIGHT: usize = 256;
const CLIENTS: usize = 4;

/// A server that says who it is and what it was given; every second version has one tool more.
async fn echo(server: Server, mut wire: Wire) {
    let mark = mark(&server);
    let tools: &[&str] = if mark.ends_with('+') { &["echo", "more"] } else { &["echo"] };
    while let Some(heard) = wire.ordinary(tools).await {
        if heard.method == "tools/call" {
            wire.say(heard.says(&format!("{} {}", server.name, heard.arguments))).await;
        }
    }
}

/// Keeps calls in flight until `total` are done by all, and returns how many it made.
async fn load(mut client: Client, number: usize, total: usize, done: Arc<watch::Sender<usize>>) -> usize {
    let servers = ["a", "b", "c"];
    let ask = |client: &Client, at: usize| {
        let tool = format!("{}__echo", servers[at % 3]);
        client.call(&at.to_string(), &tool, &format!(r#""{number}-{at}""#));
    };
    let mut begun = 0;
    let mut ended = 0;
    while begun < IN_FLIGHT / CLIENTS {
        ask(&client, begun);
        begun += 1;
    }
    let mut answered = vec![false; begun];
    while ended < begun {
        let line = client.next().await;
        if line.contains("list_changed") {
            continue;
        }
        let at: usize = id_of(&line).parse().unwrap_or_else(|_| panic!("no answer of ours: {line}"));
        assert!(!std::mem::replace(&mut answered[at], true), "answered twice: {line}");
        assert_eq!(outcome(&line), format!(r#"{} "{number}-{at}""#, servers[at % 3]));
        ended += 1;
        done.send_modify(|done| *done += 1);
        if *done.borrow() < total {
            ask(&client, begun);
            begun += 1;
            answered.push(false);
        }
    }
    assert!(client.rest().iter().all(|line| line.contains("list_changed")), "nothing comes after the last");
    begun
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_the_catalogue_changes() {
    let (reloads, total) = (soak(25, 500), soak(10_000, 200_000));
    let house = House::new(echo);
    for name in ["a", "b", "c"] {
        house.serve(server(name, "first")).await.unwrap();
    }
    let done = Arc::new(watch::Sender::new(0));
    let mut heard = done.subscribe();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = house.client(Face::all(), "{}").await;
        clients.spawn(load(client, number, total, Arc::clone(&done)));
    }
    for reload in 0..reloads {
        heard.wait_for(|done| *done >= reload * total / reloads).await.unwrap();
        match reload % 5 {
            0 => house.serve(server("c", &format!("{reload}"))).await.unwrap(),
            1 => house.serve(server("c", &format!("{reload}+"))).await.unwrap(),
            2 => {
                house.publish();
                house.serve(server("c", "absent")).await.unwrap_err();
            }
            3 => house.serve(server("d", "first")).await.unwrap(),
            _ => house.remove("d"),
        }
    }
    let mut made = 0;
    while let Some(calls) = clients.join_next().await {
        made += calls.unwrap();
    }
    assert_eq!(made, *done.borrow(), "every request has one answer");
    assert!(made >= total);
    for name in ["a", "b"] {
        assert_eq!(house.stage.running(name), (1, 1), "{name} was let be");
    }
    let gone = async {
        while house.stage.running("c").0 != 1 || house.stage.running("d").0 != 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("old versions go");
}

/// Long enough for everything that has to happen, in a time that is not real.
async fn settled() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_told_once_of_a_list_that_differs_and_never_of_one_that_does_not() {
    let house = House::new(echo);
    house.serve(server("a", "1")).await.unwrap();
    house.serve(server("c", "1")).await.unwrap();
    let mut client = house.client(Face::all(), "{}").await;
    settled().await;
    assert_eq!(client.rest(), Vec::<String>::new(), "nothing has changed since the handshake");
    let all = ["a__echo", "c__echo"];
    let more = ["a__echo", "c__echo", "c__more"];
    for (what, version, told, tools) in [
        ("another version with the same tools", "2", 0, &all[..]),
        ("one with a tool more", "3+", 1, &more),
        ("the same again, otherwise started", "4+", 0, &more),
        ("one that does not come up", "absent", 0, &more),
        ("one with a tool less", "5", 1, &all),
    ] {
        let came = house.serve(server("c", version)).await;
        assert_eq!(came.is_err(), version == "absent", "{what}: {came:?}");
        settled().await;
        let news = client.rest();
        let line = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
        assert_eq!(news, vec![line; told], "{what}");
        assert_eq!(client.tools().await, tools, "{what}");
        assert_eq!(client.outcome("1", "c__echo", "{}").await, "c {}", "{what}");
    }
    house.remove("c");
    settled().await;
    assert_eq!(client.rest().len(), 1);
    assert_eq!(client.tools().await, ["a__echo"]);
    assert_eq!(house.stage.running("c").0, 0, "nothing is left of it");
    assert_eq!(house.stage.running("a"), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_ends_where_it_began_or_at_the_end_of_the_drain() {
    let house = House::new(|server: Server, mut wire: Wire| async move {
        let mut held = None;
        while let Some(heard) = wire.ordinary(&["hold", "end", "never"]).await {
            match heard.tool.as_str() {
                "hold" => held = Some(heard),
                "end" => {
                    let held = held.take().expect("a call is held");
                    wire.say(held.says(&mark(&server))).await;
                    wire.say(heard.says("ended")).await;
                }
                _ => {}
            }
        }
    });
    house.serve(server("a", "old")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    client.call("1", "never", "{}");
    let mut other = house.client(Face::server(named("a")), "{}").await;
    settled().await;
    let begun = tokio::time::Instant::now();
    house.serve(server("a", "new")).await.unwrap();
    assert_eq!(outcome(&client.answer("1").await), "!drained");
    let drain = begun.elapsed();
    assert!((20_000..20_200).contains(&drain.as_millis()), "{drain:?}");
    assert_eq!(house.stage.running("a").1, 2, "both were there for a while");
    other.call("1", "hold", "{}");
    assert_eq!(other.outcome("2", "end", "{}").await, "ended");
    assert_eq!(outcome(&other.answer("1").await), "new");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_version_that_never_came_up_goes_to_the_next() {
    let house = House::new(|server: Server, mut wire: Wire| async move {
        if mark(&server) == "stuck" {
            // It hears, and never says anything.
            while wire.hear().await.is_some() {}
        } else {
            echo(server, wire).await;
        }
    });
    // Nobody looks yet, so that it is not started, and goes into service.
    house.serve(server("a", "stuck")).await.unwrap();
    let session = house.gateway.session(Face::server(named("a")), None).unwrap();
    let mut client = Client::new(session);
    client.call("1", "echo", "{}");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(house.stage.running("a").0, 1);
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    house.serve(server("a", "good")).await.unwrap();
    assert_eq!(outcome(&client.answer("1").await), "a {}");
}

#[tokio::test]
async fn a_server_that_goes_in_a_storm_of_calls_goes() {
    let house = Arc::new(House::new(|_, mut wire: Wire| async move { while wire.hear().await.is_some() {} }));
    house.serve(server("a", "stuck")).await.unwrap();
    let mut client = Client::new(house.gateway.session(Face::server(named("a")), None).unwrap());
    for id in 0..200 {
        client.call(&id.to_string(), "echo", "{}");
    }
    // The calls come to the server's connection one after the other, and then this.
    let owner = Arc::clone(&house);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { owner.remove("a") });
    tasks.join_next().await.unwrap().unwrap();
    for id in 0..200 {
        assert_eq!(outcome(&client.answer(&id.to_string()).await), "!gone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_after_the_end_is_answered() {
    let house = House::new(echo);
    house.serve(server("a", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.outcome("1", "echo", "{}").await, "a {}");
    let session = house.gateway.session(Face::server(named("a")), None).unwrap();
    house.gateway.end(Duration::from_secs(5)).await;
    let mut late = Client::new(session);
    let answer = late.outcome("1", "echo", "{}").await;
    assert_eq!(answer, "!gone");
}

/// A server of the newer era, which takes the request that listens to it and never ends it.
async fn listened_to(server: Server, mut wire: Wire) {
    while let Some(heard) = wire.hear().await {
        let answer = match heard.method.as_str() {
            "server/discover" => heard.result(
                r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#,
            ),
            "tools/list" => heard.result(&list(&["echo"])),
            "tools/call" => heard.says(&mark(&server)),
            _ => continue,
        };
        wire.say(answer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_only_listened_to_is_not_busy() {
    let house = House::new(listened_to);
    let idle = Duration::from_secs(60);
    let served = |mark| Server { idle_stop: Some(idle), ..server("a", mark) };
    house.serve(served("old")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.outcome("1", "echo", "{}").await, "old");
    house.serve(served("new")).await.unwrap();
    settled().await;
    assert_eq!(house.stage.running("a").0, 1, "the old one does not wait for the end of the drain");
    assert_eq!(client.outcome("2", "echo", "{}").await, "new");
    tokio::time::sleep(idle + Duration::from_secs(1)).await;
    assert_eq!(house.stage.running("a").0, 0, "nor does the new one go on for ever");
    assert_eq!(client.outcome("3", "echo", "{}").await, "new");
}

#[tokio::test(start_paused = true)]
async fn what_is_offered_is_told_of_the_version_that_is_meant() {
    let house = House::new(echo);
    house.serve(server("c", "1")).await.unwrap();
    let _client = house.client(Face::all(), "{}").await;
    let (old, new) = (versioned(server("c", "1")), versioned(server("c", "2+")));
    house.gateway.start(Arc::clone(&new.0), new.1.clone(), |_| {});
    settled().await;
    let tools =
        |version: &str| house.gateway.offer(&named("c"), version).map(|offer| offer.of(Sort::Tools).len());
    assert_eq!([tools(&old.1), tools(&new.1), tools("another")], [Some(1), Some(2), None]);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_one_project_is_exchanged_like_any_other() {
    let rooted = |mark: &str| Server::new(named("a"), Launch::stdio("program", [mark, "${root}"]));
    let house = House::new(|server: Server, mut wire: Wire| async move {
        while let Some(heard) = wire.ordinary(&["echo"]).await {
            wire.say(heard.says(&mark(&server))).await;
        }
    });
    house.serve(rooted("1")).await.unwrap();
    let session = house.gateway.session(Face::server(named("a")), Some("/project".into())).unwrap();
    let mut client = Client::new(session);
    client.greet("{}").await;
    assert_eq!(client.outcome("1", "echo", "{}").await, "1");
    house.serve(rooted("2")).await.unwrap();
    assert_eq!(client.outcome("2", "echo", "{}").await, "2");
    house.serve(rooted("absent")).await.unwrap_err();
    assert_eq!(
        client.outcome("3", "echo", "{}").await,
        "2",
        "one that does not come up takes nobody's place"
    );
}
