//! Every change that another program makes is told once, whole, however it saves; nothing else is told.

mod lost;
mod saves;
mod soak;
mod stage;
mod ways;
