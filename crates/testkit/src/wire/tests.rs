use super::{Body, Broken, Chunked, Events, Head};

#[test]
fn a_head_is_read_once_it_is_whole() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-A:b\r\n\r\nrest";
    let end = text.len() - "rest".len();
    for cut in 0..end {
        assert_eq!(Head::read(&text.as_bytes()[..cut]), None, "{cut}");
    }
    let head = Head::read(text.as_bytes()).unwrap();
    assert_eq!((head.length, head.status(), head.body()), (end, Some(200), Body::Length(12)));
    assert_eq!((head.header("x-a"), head.header("x-b")), (Some("b"), None));
}

#[test]
fn how_a_body_ends_is_told_by_its_head() {
    for (header, body) in [
        ("content-length: 0", Body::Length(0)),
        ("Transfer-Encoding: Chunked", Body::Chunked),
        ("Transfer-Encoding: gzip, chunked", Body::Chunked),
        ("Content-Length: many", Body::Unknown),
        ("Accept: text/event-stream", Body::Unknown),
    ] {
        let text = format!("GET / HTTP/1.1\r\n{header}\r\n\r\n");
        assert_eq!(Head::read(text.as_bytes()).unwrap().body(), body, "{header}");
    }
}

#[test]
fn chunks_are_joined_wherever_they_are_cut() {
    let text = b"4\r\nabcd\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    for cut in 0..text.len() {
        let (mut chunked, mut into) = (Chunked::default(), Vec::new());
        assert_eq!(chunked.read(&text[..cut], &mut into), Ok(cut));
        assert!(!chunked.is_done(), "{cut}");
        let rest = [&text[cut..], b"next"].concat();
        assert_eq!(chunked.read(&rest, &mut into), Ok(text.len() - cut), "{cut}");
        assert!(chunked.is_done(), "{cut}");
        assert_eq!(into, b"abcd0123456789");
    }
}

#[test]
fn what_is_no_chunk_is_refused() {
    for text in ["x\r\n", "2\r\nabc\r\n", "ffffffffffffffffff\r\n", "\r\n"] {
        let mut chunked = Chunked::default();
        assert_eq!(chunked.read(text.as_bytes(), &mut Vec::new()), Err(Broken), "{text:?}");
    }
}

#[test]
fn events_are_read_wherever_they_are_cut() {
    let text = ": hello\n\nid: 1\nretry: 3\ndata:\n\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata: two\n\nrest";
    for cut in 0..text.len() {
        let mut events = Events::default();
        let mut seen = Vec::new();
        for part in [&text[..cut], &text[cut..]] {
            events.pending.extend_from_slice(part.as_bytes());
            seen.extend(events.by_ref());
        }
        assert_eq!(seen, [&b"{\"a\":\n1}"[..], b"two"], "{cut}");
        assert_eq!(events.pending, b"rest");
    }
}
