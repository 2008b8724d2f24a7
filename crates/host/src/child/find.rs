//! Finds a program in `PATH`, so that what is missing can be named before anything is started.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Why a program cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// No program is named.
    #[error("no program is named")]
    Empty,
    /// No folder of `PATH` has it.
    #[error("`{0}` is not in PATH")]
    NotInPath(String),
    /// The path leads to nothing.
    #[error("`{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// There is something, but it cannot be run.
    #[error("`{}` is not executable", .0.display())]
    NotExecutable(PathBuf),
}

impl FindError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Empty => "give the server a `command`".to_owned(),
            Self::NotInPath(program) => missing(program),
            Self::Missing(path) if path.starts_with("~") => {
                format!("`~` is only known to shells; write `{}` out in full", path.display())
            }
            Self::Missing(_) => "correct the path in the server's `command`".to_owned(),
            Self::NotExecutable(path) => format!("chmod +x '{}'", path.display()),
        }
    }
}

/// Most servers come by one of a few launchers; whoever lacks one is told where it comes from.
fn missing(program: &str) -> String {
    let source = match program {
        "npx" | "npm" | "node" => "install Node.js (https://nodejs.org)",
        "uvx" | "uv" => "install uv (https://docs.astral.sh/uv)",
        "docker" => "install Docker (https://docs.docker.com/get-docker)",
        "bunx" | "bun" => "install Bun (https://bun.sh)",
        "deno" => "install Deno (https://deno.com)",
        "python" => "install Python, or use `python3`",
        _ => "install it",
    };
    format!(
        "{source}, or give its full path as `command`; a client started from the desktop has a shorter PATH than a terminal"
    )
}

/// Returns the file that `program` names: itself if it has a slash (relative to `cwd`), else the first executable in
/// the folders of `path`. Empty and relative folders of `path` are passed over: what lies in the current folder must
/// not pass for a program of the system.
pub fn find(program: &str, path: Option<&OsStr>, cwd: &Path) -> Result<PathBuf, FindError> {
    if program.is_empty() {
        return Err(FindError::Empty);
    }
    if program.contains('/') || (cfg!(windows) && program.contains('\\')) {
        let file = cwd.join(program);
        return match (file.is_file(), executable(&file)) {
            (true, true) => std::path::absolute(&file).map_err(|_| FindError::Missing(program.into())),
            (true, false) => Err(FindError::NotExecutable(program.into())),
            (false, _) => Err(FindError::Missing(program.into())),
        };
    }
    let mut found = None;
    for folder in std::env::split_paths(path.unwrap_or_default()).filter(|folder| folder.is_absolute()) {
        for file in names(&folder, program) {
            if file.is_file() && executable(&file) {
                return Ok(file);
            }
            found = found.or_else(|| file.is_file().then_some(file));
        }
    }
    Err(found.map_or_else(|| FindError::NotInPath(program.to_owned()), FindError::NotExecutable))
}

/// The file names to look for; on Windows a program has an extension that nobody writes.
fn names(folder: &Path, program: &str) -> Vec<PathBuf> {
    let plain = folder.join(program);
    if cfg!(windows) && plain.extension().is_none() {
        return ["exe", "cmd", "bat", "com"]
            .iter()
            .map(|extension| plain.with_extension(extension))
            .collect();
    }
    vec![plain]
}

#[cfg(unix)]
fn executable(file: &Path) -> bool {
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn executable(_: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
#[expect(clippy::disallowed_methods, reason = "a home made by hand")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn programs_are_found_or_the_reason_is_named() {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (home.path().join("first"), home.path().join("second"));
        fs::create_dir_all(first.join("folder")).unwrap();
        fs::create_dir_all(&second).unwrap();
        for (file, mode) in
            [("first/plain", 0o644), ("second/plain", 0o755), ("first/only", 0o644), ("second/x", 0o755)]
        {
            fs::write(home.path().join(file), "#!/bin/sh\n").unwrap();
            fs::set_permissions(home.path().join(file), fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([Path::new(""), Path::new("second"), &first, &second]).unwrap();
        let look = |program: &str| find(program, Some(&path), home.path());
        assert_eq!(look("plain"), Ok(second.join("plain")));
        assert_eq!(look("x"), Ok(second.join("x")));
        assert_eq!(look("second/x"), Ok(second.join("x")));
        assert_eq!(look("folder"), Err(FindError::NotInPath("folder".into())));
        assert_eq!(look("only"), Err(FindError::NotExecutable(first.join("only"))));
        assert_eq!(look("./nothing"), Err(FindError::Missing("./nothing".into())));
        assert_eq!(look("first/only"), Err(FindError::NotExecutable("first/only".into())));
        assert_eq!(look(""), Err(FindError::Empty));
        let error = look("npx").unwrap_err();
        assert_eq!(error.to_string(), "`npx` is not in PATH");
        assert!(error.help().starts_with("install Node.js"));
    }
}
