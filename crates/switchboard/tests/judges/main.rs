//! Real clients read, and change, what was written.
//!
//! Each test does nothing where its client is not installed; see `testkit::tools`.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "these tests play the person at the machine")]

#[cfg(test)]
mod claude_code;
#[cfg(test)]
mod codex;
#[cfg(test)]
mod gemini_cli;
#[cfg(test)]
mod round;
#[cfg(test)]
mod text;
