//! What the command line says about how the gateway is measured.

use std::path::PathBuf;

/// What was asked for.
#[derive(Default)]
pub(in super::super) struct Told {
    /// The parts to measure; none named, all of them.
    pub(super) only: Vec<String>,
    /// Whether a short look is enough.
    pub(super) quick: bool,
    /// Whether other gateways are measured too.
    pub(super) peers: bool,
    /// The upstream with which the gateway is watched by a profiler instead.
    pub(super) profile: Option<String>,
    /// The program to measure, instead of the one that is built.
    pub(super) program: Option<PathBuf>,
}

impl Told {
    /// Reads the flags.
    pub(in super::super) fn read(args: &[String]) -> Result<Self, String> {
        let mut told = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("`{arg}` lacks its value"));
            match arg.as_str() {
                "--only" => told.only = value()?.split(',').map(str::to_owned).collect(),
                "--quick" => told.quick = true,
                "--peers" => told.peers = true,
                "--profile" => told.profile = Some(value()?.clone()),
                "--program" => told.program = Some(value()?.into()),
                other => {
                    return Err(format!(
                        "there is no flag `{other}`: there are --only, --quick, --peers, --profile, --program"
                    ));
                }
            }
        }
        Ok(told)
    }
}
