//! Any text with references: never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::reference;

fuzz_target!(|text: &str| {
    let _ = reference::parse(text);
});
