//! Any bytes as an event of a feed, and any text as what a tool is: never a panic, and what is read can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::feed::announced;
use switchboard_core::policy::Tool;
use switchboard_core::policy::pins::{Pins, read};
use switchboard_core::settings;

fuzz_target!(|input: (&str, &[u8])| {
    let (kind, data) = input;
    let _ = announced(kind, data);
    let _ = announced("tools_list", data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = settings::parse(text);
    let (pin, definition) = read(text);
    if Tool::parse(text).is_ok() {
        assert!(pin == read(&definition).0, "what is kept of a tool is that tool");
    }
    let mut pins = Pins::default();
    pins.look(("s", "1"), [(kind, text)], |_| None, 0);
    assert!(!pins.is_changed("s", kind, text));
    let kept = serde_json::to_string(&pins).expect("JSON");
    assert!(serde_json::from_str::<Pins>(&kept).expect("what was kept") == pins);
});
