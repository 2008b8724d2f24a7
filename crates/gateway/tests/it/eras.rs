//! How long it is believed that a server speaks the older way (requirement L2): what is believed never fails by itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_gateway::Keeper;
use switchboard_gateway::face::Face;

use crate::client::Client;
use crate::stage::{Count, House, Wire, named, ordinary, server};

const HOUR: Duration = Duration::from_secs(3600);

/// Plays a server that ends with each call; counts how often it is asked in the newer way, which it learns after a while.
fn house(keeper: Arc<dyn Keeper>, asked: &Arc<Count>, learns_after: usize) -> House {
    let asked = Arc::clone(asked);
    House::with(keeper, move |_: Server, mut wire: Wire| {
        let asked = Arc::clone(&asked);
        async move {
            while let Some(heard) = wire.hear().await {
                let question = heard.method == "server/discover";
                let learnt = asked.now() >= learns_after;
                if question {
                    asked.up();
                }
                let answer = match heard.method.as_str() {
                    "server/discover" if learnt => heard.result(
                        r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#,
                    ),
                    "tools/call" => {
                        let era = if heard.line.contains("io.modelcontextprotocol/protocolVersion") { "new" } else { "old" };
                        return wire.say(heard.says(era)).await;
                    }
                    _ => ordinary(&heard, &["echo"]).unwrap_or_default(),
                };
                wire.say(answer).await;
            }
        }
    })
}

async fn call(client: &mut Client, id: usize) -> String {
    let outcome = client.outcome(&id.to_string(), "echo", "{}").await;
    // It has ended, and that is known.
    tokio::time::sleep(HOUR / 60).await;
    outcome
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_older_era_is_asked_again_after_a_day_and_may_have_learnt() {
    let asked = Arc::default();
    let house = house(Arc::new(switchboard_gateway::Forgetful), &asked, 2);
    house.serve(server("one", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("one")), "{}").await;
    for id in 0..20 {
        assert_eq!(call(&mut client, id).await, "old");
        tokio::time::sleep(HOUR).await;
    }
    assert_eq!(asked.now(), 1, "within a day it is believed");
    tokio::time::sleep(HOUR * 4).await;
    assert_eq!(call(&mut client, 20).await, "old");
    assert_eq!(asked.now(), 2);
    tokio::time::sleep(HOUR * 25).await;
    assert_eq!(call(&mut client, 21).await, "new");
}

/// Remembers one offer, of some age.
struct Aged {
    offer: Mutex<Vec<u8>>,
    age: Duration,
    saved: Count,
}

impl Keeper for Aged {
    fn load(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        Some(self.offer.lock().unwrap().clone()).filter(|offer| !offer.is_empty())
    }

    fn age(&self, _: &str, _: &str) -> Duration {
        self.age
    }

    fn save(&self, _: &str, _: &str, offer: &[u8]) {
        self.saved.up();
        *self.offer.lock().unwrap() = offer.to_vec();
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_kept_is_believed_no_longer_and_kept_with_a_new_date_when_it_is_found_to_be_so_still() {
    let first = Arc::new(Aged { offer: Mutex::default(), age: Duration::ZERO, saved: Count::default() });
    for (age, questions, saves) in
        [(None, 1, 1), (Some(HOUR), 0, 0), (Some(HOUR * 25), 1, 1), (Some(Duration::MAX), 1, 1)]
    {
        let offer = Mutex::new(first.offer.lock().unwrap().clone());
        let kept = match age {
            None => Arc::clone(&first),
            Some(age) => Arc::new(Aged { offer, age, saved: Count::default() }),
        };
        let asked = Arc::default();
        let house = house(Arc::<Aged>::clone(&kept), &asked, usize::MAX);
        house.serve(server("one", "1")).await.unwrap();
        let mut client = house.client(Face::server(named("one")), "{}").await;
        assert_eq!(call(&mut client, 1).await, "old", "{age:?}");
        assert_eq!((asked.now(), kept.saved.now()), (questions, saves), "{age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_anything_with_nothing_is_of_the_older_era() {
    let house = House::new(|_, mut wire| async move {
        while let Some(heard) = wire.hear().await {
            match heard.method.as_str() {
                "server/discover" => wire.say(heard.result("{}")).await,
                _ => {
                    if let Some(answer) = ordinary(&heard, &["echo"]) {
                        wire.say(answer).await;
                    }
                }
            }
        }
    });
    house.serve(server("a", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.tools().await, ["echo"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_speaks_a_revision_that_nobody_knows_is_told_what_discovery_tells() {
    let house = House::new(|_, mut wire| async move { while wire.ordinary(&["echo"]).await.is_some() {} });
    house.serve(server("a", "1")).await.unwrap();
    let mut client = crate::client::Client::new(house.gateway.session(Face::all(), None).unwrap());
    let meta = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2031-01-01","io.modelcontextprotocol/clientCapabilities":{}}}"#;
    client.ask("1", "tools/list", meta);
    let answer: serde_json::Value = serde_json::from_str(&client.answer("1").await).unwrap();
    assert_eq!(answer["error"]["code"], -32022);
    client.ask("2", "server/discover", &meta.replace("2031-01-01", "2026-07-28"));
    let discovered: serde_json::Value = serde_json::from_str(&client.answer("2").await).unwrap();
    assert_eq!(answer["error"]["data"]["supported"], discovered["result"]["supportedVersions"]);
}
