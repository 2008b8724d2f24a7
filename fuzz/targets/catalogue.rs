//! Any text as the catalogue and the settings: never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::{catalogue, revision, settings};

fuzz_target!(|text: &str| {
    let parsed = catalogue::parse(text);
    let _ = revision::content_hash(&parsed.value);
    let _ = settings::parse(text);
});
