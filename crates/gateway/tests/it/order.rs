//! What belongs to a call comes in its order, and before its answer.

use switchboard_gateway::face::Face;

use crate::client::Client;
use crate::stage::{House, Wire, named, server};

const STEPS: usize = 200;

/// A server that tells of every step of a call, as far as it has a token for it.
async fn telling(mut wire: Wire) {
    while let Some(heard) = wire.ordinary(&["run"]).await {
        for step in 0..STEPS {
            // Without a token nothing may be told; this one tells all the same, under an id.
            let token = if heard.token.is_empty() { &heard.id } else { &heard.token };
            wire.say(format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step}.0}}}}"#
            ))
            .await;
            wire.say(format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":{step}}}}}"#
            ))
            .await;
        }
        wire.say(heard.says("done")).await;
    }
}

async fn run(client: &mut Client, meta: &str) -> Vec<String> {
    client.ask("9", "tools/call", &format!(r#"{{"name":"run","arguments":{{}}{meta}}}"#));
    let mut all = Vec::new();
    loop {
        let line = client.next().await;
        let last = !line.contains("\"method\"");
        all.push(line);
        if last {
            return all;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn progress_and_logs_come_in_order_and_before_the_answer() {
    let house = House::new(|_, wire: Wire| telling(wire));
    house.serve(server("a", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    for token in ["7", r#""abc""#, r#""007""#, "-1", r#""a\u0062""#, ""] {
        let meta = if token.is_empty() {
            String::new()
        } else {
            format!(r#","_meta":{{"progressToken":{token},"x":1.0}}"#)
        };
        let mut wanted = Vec::new();
        for step in 0..STEPS {
            if !token.is_empty() {
                wanted.push(format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step}.0}}}}"#
                ));
            }
            wanted.push(format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":{step}}}}}"#
            ));
        }
        wanted.push(
            r#"{"jsonrpc":"2.0","id":9,"result":{"content":[{"type":"text","text":"done"}]}}"#.to_owned(),
        );
        assert_eq!(run(&mut client, &meta).await, wanted, "{token}");
    }
}
