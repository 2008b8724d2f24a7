//! A server that proves to be somebody whom nobody trusts.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use switchboard_core::catalogue::Server;
use switchboard_core::launch::{Launch, Remote};
use switchboard_gateway::face::Face;

use super::LIMIT;
use crate::rogue::{Line, Rogue};
use crate::stage::{Count, House, Wire, named, server};
use crate::still::Still;

/// A certificate for 127.0.0.1, which only it itself vouches for.
const CERTIFICATE: &str = "MIIBlDCCATqgAwIBAgIUby2m2t0PZPNdnx/VjKoepxkGv7EwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLb2RkLmludmFsaWQwIBcNMjYxMTI4MTY0MDMyWhgPMjEyNjExMDQxNjQwMzJaMBYxFDASBgNVBAMMC29kZC5pbnZhbGlkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+3Wt+ACAvw2zVNNYkFKrqlzPlYFUYXJB08AJ5/ednW/Rj2rFtu4FsJHHiXZRRwQUtA0ra9Hz1yR4GUiIbcIMNKNkMGIwHQYDVR0OBBYEFB9oGoWV55PeUNgpej47GI0m3zPJMB8GA1UdIwQYMBaAFB9oGoWV55PeUNgpej47GI0m3zPJMA8GA1UdEwEB/wQFMAMBAf8wDwYDVR0RBAgwBocEfwAAATAKBggqhkjOPQQDAgNIADBFAiEAvOG5xiHBcz0r8A9cQDRVHEwq7HvGu/MmXPHrSRpXztICICSMtyHGp+P1AOPM599OxceEkhTAHtgSl3SqohYPYwyy";

/// The key to it, which is good for nothing else.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgY81qHrorxAHd/0WtQP1+o6ZKmGjNiDqTRkzclx5mnfihRANCAAT7da34AIC/DbNU01iQUquqXM+VgVRhckHTwAnn952db9GPasW27gWwkceJdlFHBBS0DStr0fPXJHgZSIhtwgw0";

fn config() -> Arc<ServerConfig> {
    let bytes = |text| STANDARD.decode(text).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(bytes(KEY)));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(bytes(CERTIFICATE))], key)
        .unwrap();
    Arc::new(config)
}

/// Shows its certificate, and counts what comes through after that.
async fn show(mut line: Line, shown: Arc<Count>, told: Arc<Count>) {
    let mut connection = ServerConnection::new(config()).unwrap();
    while let Some(bytes) = line.bytes().await {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && connection.read_tls(&mut rest).is_ok() {
            match connection.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() > 0 => drop(told.up()),
                Ok(_) => {}
                Err(_) => return,
            }
        }
        let mut answer = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut answer).unwrap();
        }
        shown.up();
        line.say(answer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_to_a_server_whose_certificate_is_not_trusted() {
    for kind in [Remote::Http, Remote::Sse] {
        let (shown, told) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let counts = (Arc::clone(&shown), Arc::clone(&told));
        let rogue = Rogue::start(move |line| show(line, Arc::clone(&counts.0), Arc::clone(&counts.1))).await;
        let still = Still::begin();
        let house = House::new(|_, wire: Wire| wire.answers(&["echo"], "well"));
        house.serve(server("fine", "1")).await.unwrap();
        let url = rogue.url("/mcp").replace("http:", "https:");
        let headers = [("X-Secret".to_owned(), "s3cret".to_owned())].into();
        let launch = Launch::Remote { kind, url, headers };
        let odd = Server { timeout: Some(LIMIT), ..Server::new(named("odd"), launch) };
        house.serve(odd).await.unwrap();
        let mut other = still.at_once("another", house.client(Face::server(named("fine")), "{}")).await;
        let session = house.gateway.session(Face::server(named("odd")), None).unwrap();
        let mut client = crate::client::Client::new(session);
        let calling = client.outcome("1", "echo", "{}");
        assert_eq!(still.within("a refusal", LIMIT, calling).await, "!down", "{kind:?}");
        assert_eq!(still.at_once("another", other.outcome("1", "echo", "{}")).await, "well");
        assert!(shown.now() > 0, "{kind:?}: it was asked who it is");
        assert_eq!(told.now(), 0, "{kind:?}: nothing was told to it");
    }
}
