//! What a crash, a failing disk or another program may do to the files that the real binary writes.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "these tests play the other programs")]

#[cfg(test)]
mod faults;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod power;
#[cfg(test)]
mod race;
#[cfg(test)]
mod stage;
