//! Why a file is left alone.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::show;

/// What stands in the place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device, such as `/dev/null`.
    Device,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "folder",
            Self::Pipe => "named pipe",
            Self::Socket => "socket",
            Self::Device => "device",
        })
    }
}

/// Why a path is not read or not written: what stands there cannot be kept safe. Nothing was touched.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A link points at something that is not there.
    #[error("the link `{}` leads to `{}`, which does not exist", show::path(link), show::path(missing))]
    Dangling {
        /// The last link that was followed.
        link: PathBuf,
        /// The first thing on its way that is missing.
        missing: PathBuf,
    },
    /// Links lead round in a circle, or through more than 40 hops.
    #[error("the links from `{}` never end", show::path(path))]
    Loop {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The folder of the file does not exist.
    #[error("the folder `{}` does not exist", show::path(folder))]
    MissingFolder {
        /// The first folder on the way that is missing.
        folder: PathBuf,
    },
    /// Something on the way is a file.
    #[error("`{}` is not a folder", show::path(path))]
    NotAFolder {
        /// What should be a folder.
        path: PathBuf,
    },
    /// Something else than a file has that name.
    #[error("`{}` is a {kind}, not a file", show::path(path))]
    NotAFile {
        /// What is not a file.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// The file belongs to a package manager that never changes files in place.
    #[error("`{}` belongs to a read-only store", show::path(path))]
    Store {
        /// The file in the store.
        path: PathBuf,
    },
    /// The file system is mounted read-only.
    #[error("`{}` is on a read-only file system", show::path(path))]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Neither the file nor its folder may be written.
    #[error("`{}` may not be written, nor may its folder", show::path(path))]
    NotWritable {
        /// The file.
        path: PathBuf,
    },
    /// The file has more than one name; replacing it would part them.
    #[error("`{}` is one of {names} names of the same file", show::path(path))]
    HardLink {
        /// The name that was asked for.
        path: PathBuf,
        /// How many names there are.
        names: u64,
    },
    /// The file or its folder is immutable or append-only.
    #[error("`{}` is set immutable", show::path(path))]
    Immutable {
        /// What is immutable.
        path: PathBuf,
    },
    /// The way to the file cannot be followed.
    #[error("`{}` cannot be reached", show::path(path))]
    Unreachable {
        /// What cannot be looked at.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Refusal {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Dangling { link, missing } => {
                let (link, missing) = (show::path(link), show::path(missing));
                format!("make `{missing}`, or remove the link `{link}`")
            }
            Self::Loop { .. } => "make one of the links lead to the file".to_owned(),
            Self::MissingFolder { folder } => {
                format!("start the client once, or run `mkdir -p '{}'`", show::path(folder))
            }
            Self::NotAFolder { .. } | Self::NotAFile { .. } => {
                "move it away, or name a file in its place".to_owned()
            }
            Self::Store { .. } => {
                "change the file where it is made (Nix, home-manager, Guix), or link the client to a file of your own"
                    .to_owned()
            }
            Self::ReadOnly { .. } => "remount it writable, or link the client to another file".to_owned(),
            Self::NotWritable { path } => format!("run `chmod u+w '{}'`", show::path(path)),
            Self::HardLink { path, .. } => format!(
                "part the names with `cp -p '{0}' '{0}.new' && mv '{0}.new' '{0}'`, or allow writing in place",
                show::path(path)
            ),
            Self::Immutable { path } => format!("run `chattr -i -a '{}'`", show::path(path)),
            Self::Unreachable { .. } => "check who may enter the folders on the way".to_owned(),
        }
    }
}
