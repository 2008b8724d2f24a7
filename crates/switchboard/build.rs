//! How the program is linked.

#![expect(clippy::disallowed_methods, reason = "the environment is how cargo speaks with a build script")]

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SWITCHBOARD_PIE");
    // Clients start one `connect` for each server, and each server has a guard: a hundred small processes of one large
    // program. At a fixed address its tables of pointers are pages of the file, which all of them share; at an address
    // of its own choice each process would have to write them anew: 0.4 ms and 0.5 MB for each. Whoever packs for a
    // distribution that asks for position independence sets `SWITCHBOARD_PIE=1`.
    let wants_pie = env::var_os("SWITCHBOARD_PIE").is_some_and(|value| value == "1");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") && !wants_pie {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
