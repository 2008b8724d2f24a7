//! The fields of a server's launch data in which references may stand.

use std::fmt;

use crate::launch::Launch;

/// A field of a server's launch data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `command`
    Command,
    /// The argument with this index, from 0.
    Arg(usize),
    /// The variable of this name.
    Env(String),
    /// `cwd`
    Cwd,
    /// `url`
    Url,
    /// The header of this name.
    Header(String),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command => f.write_str("command"),
            Self::Arg(index) => write!(f, "args[{index}]"),
            Self::Env(name) => write!(f, "env.{name}"),
            Self::Cwd => f.write_str("cwd"),
            Self::Url => f.write_str("url"),
            Self::Header(name) => write!(f, "headers.{name}"),
        }
    }
}

/// Returns every text of `launch` with its field, in the order of the catalogue's documentation.
pub(super) fn texts(launch: &Launch) -> Vec<(Field, &str)> {
    match launch {
        Launch::Stdio { command, args, env, cwd } => std::iter::once((Field::Command, command.as_str()))
            .chain(args.iter().enumerate().map(|(index, arg)| (Field::Arg(index), arg.as_str())))
            .chain(env.iter().map(|(name, value)| (Field::Env(name.clone()), value.as_str())))
            .chain(cwd.iter().map(|cwd| (Field::Cwd, cwd.as_str())))
            .collect(),
        Launch::Remote { url, headers, .. } => std::iter::once((Field::Url, url.as_str()))
            .chain(headers.iter().map(|(name, value)| (Field::Header(name.clone()), value.as_str())))
            .collect(),
    }
}
