//! What TOML documents say, and what edits make of them.
