//! Real clients read what was written.
