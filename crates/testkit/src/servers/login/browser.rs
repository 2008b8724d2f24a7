//! A browser, as far as a login needs one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Opens an address, follows where it is sent, and returns the answer on which that ends, with its head.
///
/// # Panics
/// Nobody answers there, or it is sent around for ever.
pub fn visit(address: &str) -> String {
    let mut address = address.to_owned();
    for _ in 0..10 {
        let rest =
            address.strip_prefix("http://").unwrap_or_else(|| panic!("{address} is not of this machine"));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut stream = TcpStream::connect(host).unwrap_or_else(|error| panic!("{address}: {error}"));
        let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("there is an answer");
        let location = answer
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("location")));
        match location {
            Some((_, next)) => next.clone_into(&mut address),
            None => return answer,
        }
    }
    panic!("{address} leads around in circles")
}
