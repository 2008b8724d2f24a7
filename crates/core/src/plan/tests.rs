//! Clients' files over their whole life: stories, and the laws that no history may break.

mod hand;
mod histories;
mod imports;
mod stories;
mod world;
