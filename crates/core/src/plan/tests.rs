//! Clients' files over their whole life: stories, and the laws that no history may break.

mod drift;
mod faces;
mod hand;
mod happenings;
mod histories;
mod imports;
mod stories;
mod world;
