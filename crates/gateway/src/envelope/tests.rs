use proptest::prelude::*;

use super::*;

#[test]
fn a_message_is_told_from_what_is_none() {
    use Kind::{Notification, Request, Response};
    use NotAMessage::{Batch, Json, Shape};
    for (text, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Ok(Request)),
        (r#"{"jsonrpc":"2.0","id":"a","method":"x","params":null}"#, Ok(Request)),
        (r#" {"method":"x"} "#, Ok(Notification)),
        (r#"{"id":1,"result":null}"#, Ok(Response)),
        (r#"{"id":null,"error":{}}"#, Ok(Response)),
        (r#"{"id":-9223372036854775808,"result":{}}"#, Ok(Response)),
        (r#"{"id":{},"method":"x"}"#, Err(Shape)),
        (r#"{"id":null,"method":"x"}"#, Err(Shape)),
        (r#"{"id":1}"#, Err(Shape)),
        (r#"{"method":7,"id":1}"#, Err(Shape)),
        ("{}", Err(Shape)),
        ("7", Err(Shape)),
        (r#"[{"id":1,"method":"x"}]"#, Err(Batch)),
        (r#"{"id":1,"id":2,"method":"x"}"#, Err(Shape)),
        (r#"{"id":1,"method":"x""#, Err(Json)),
        ("", Err(Json)),
        ("\u{feff}{}", Err(Json)),
        ("Server started on port 3000", Err(Json)),
    ] {
        assert_eq!(Envelope::read(text.as_bytes()).map(|message| message.kind), expected, "{text}");
    }
}

#[test]
fn awkward_json_stays_as_it_is() {
    for inside in [
        r#"{"a":"\ud800","a":1,"n":123456789012345678901234567890,"e":1e400,"f":1.0,"u":"\u0000"}"#,
        "[1,\t2,\r\n3]",
        "null",
        "\"\u{2028}\"",
        "-0.0",
    ] {
        let text = format!(r#"{{"x":[{inside}],"id":7,"result":{inside},"jsonrpc":"2.0"}}"#);
        let message = Envelope::read(text.as_bytes()).unwrap();
        assert_eq!(message.result.unwrap().get(), inside);
        let id = message.place(message.id.unwrap().get());
        let passed = splice(text.as_bytes(), &[(id, b"\"its own\"")]);
        assert_eq!(String::from_utf8(passed).unwrap(), text.replace("\"id\":7", "\"id\":\"its own\""));
    }
}

#[test]
fn a_bomb_of_brackets_neither_overflows_nor_hangs() {
    for inside in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
        assert!(Envelope::read(format!(r#"{{"id":1,"result":{inside}"#).as_bytes()).is_err());
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(r#"{{"id":1,"result":{deep}}}"#);
    assert_eq!(Envelope::read(text.as_bytes()).unwrap().result.unwrap().get(), deep);
}

#[test]
fn where_a_message_goes_is_read_and_nothing_else() {
    let text = r#"{"id":1,"method":"tools/call","params":{"x":[1],"name":"a\u0062","_meta":{"progressToken":"007",
        "io.modelcontextprotocol/protocolVersion":"2026-07-28"},"arguments":{"name":"other"}}}"#;
    let message = Envelope::read(text.as_bytes()).unwrap();
    let params = Params::read(message.params);
    assert_eq!(super::text(params.name).unwrap(), "ab");
    let meta = params.meta();
    assert_eq!(meta.token.unwrap().get(), "\"007\"");
    assert_eq!(meta.revision.unwrap(), "2026-07-28");
    assert_eq!(&text[message.place(params.name.unwrap().get())], r#""a\u0062""#);
    let none = RawValue::from_string("[1]".to_owned()).unwrap();
    assert!(Params::read(Some(&none)).name.is_none());
}

proptest! {
    /// Whatever the bytes are: no panic, and what is taken for a message is one.
    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Envelope::read(&bytes) {
            prop_assert!(is_json(message.bytes()));
        }
    }

    #[test]
    fn a_line_is_one_line_and_says_the_same(bytes in "[ \r\n\t{}\\[\\]\",:a-z0-9]{0,100}") {
        let mut line = bytes.clone().into_bytes();
        one_line(&mut line);
        prop_assert!(!line.contains(&b'\n') && !line.contains(&b'\r'));
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&bytes) {
            prop_assert_eq!(value, serde_json::from_slice::<serde_json::Value>(&line).unwrap());
        }
    }
}
