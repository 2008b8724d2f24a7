//! Links and odd files: the link stays and the right file is written, or there is a refusal with a reason.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use switchboard_host::backup::Backups;
use switchboard_host::file::{self, HardLinks, How, Options, Outcome, ReadError, Refusal, Target};

/// What asking for a replacement shall come to.
enum Want {
    /// The file behind this path holds the new bytes.
    Written(How),
    /// Refused, with these words.
    Refused(&'static str),
}
use Want::{Refused, Written};

/// Sets a scene in a folder of its own and returns the path that is asked for; `None` if this machine cannot have it.
type Scene = fn(&Path) -> Option<PathBuf>;

fn replace(path: &Path, home: &Path, options: &Options) -> Result<How, String> {
    let backups = Backups::new(home.join("backups"));
    let told = |error: &dyn std::error::Error, help: String| {
        assert!(!help.is_empty());
        Err(error.to_string())
    };
    let outcome = match file::read(path) {
        Ok(old) => file::replace(&old.target, Some(&old), b"new", &backups, options),
        Err(ReadError::Missing { .. }) => {
            file::replace(&Target::resolve(path).unwrap(), None, b"new", &backups, options)
        }
        Err(error) => return told(&error, error.help()),
    };
    match outcome {
        Ok(Outcome::Written(written)) => {
            assert_eq!(written.is_weaker(), written.how == How::InPlace);
            Ok(written.how)
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => told(&error, error.help()),
    }
}

fn check(story: &str, scene: Scene, want: &Want) {
    check_with(story, scene, &Options::new("before a test"), want);
}

fn check_with(story: &str, scene: Scene, options: &Options, want: &Want) {
    let (home, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _mounts = Mounts(temp.path().to_owned());
    let Some(asked) = scene(temp.path()) else {
        println!("skipped: {story}: this machine cannot have it");
        return;
    };
    let links: Vec<_> = links_below(temp.path());
    let begun = Instant::now();
    let found = replace(&asked, home.path(), options);
    assert!(begun.elapsed() < Duration::from_secs(2), "{story}: took {:?}", begun.elapsed());
    match (want, &found) {
        (Written(how), Ok(found)) => {
            assert_eq!(how, found, "{story}");
            assert_eq!(std::fs::read(&asked).unwrap(), b"new", "{story}");
        }
        (Refused(words), Err(error)) => {
            assert!(error.contains(words) && !error.contains('\n'), "{story}: {error}");
            assert_ne!(std::fs::metadata(&asked).map_or(0, |meta| meta.len()), 3, "{story}");
        }
        _ => panic!("{story}: {found:?}"),
    }
    assert_eq!(links_below(temp.path()), links, "{story}: links");
    assert_eq!(temps_below(temp.path()), 0, "{story}: temps");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        paths.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            paths.extend(walk(&entry.path()));
        }
    }
    paths.sort();
    paths
}

fn links_below(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    walk(folder).into_iter().filter_map(|path| Some((path.clone(), path.read_link().ok()?))).collect()
}

fn temps_below(folder: &Path) -> usize {
    walk(folder).iter().filter(|path| path.extension() == Some(OsStr::new("tmp"))).count()
}

fn old(path: PathBuf) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "the old content").unwrap();
    path
}

fn link(to: impl AsRef<Path>, at: PathBuf) -> PathBuf {
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    symlink(to, &at).unwrap();
    at
}

/// Unmounts everything below a folder and lets its files be removed again.
struct Mounts(PathBuf);

impl Drop for Mounts {
    fn drop(&mut self) {
        for path in walk(&self.0).iter().rev() {
            let _ = quietly(Command::new("chattr").args(["-i", "-a"]).arg(path));
            let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
            if path.to_str().is_some_and(|path| mounts.contains(&format!(" {path} "))) {
                let _ = quietly(Command::new("umount").arg("-l").arg(path));
            }
        }
    }
}

fn quietly(command: &mut Command) -> Option<()> {
    let output = command.output().ok()?;
    output.status.success().then_some(())
}

fn mount(args: &[&OsStr]) -> Option<()> {
    quietly(Command::new("mount").args(args))
}

#[test]
fn links_stay_and_their_file_is_written() {
    let exchanged = Written(How::Exchanged);
    check("a file", |at| Some(old(at.join("a"))), &exchanged);
    check("a link", |at| Some(link(old(at.join("r/a")), at.join("l"))), &exchanged);
    check("two hops", |at| Some(link(link(old(at.join("r/a")), at.join("m/l")), at.join("l"))), &exchanged);
    check(
        "three hops, relative",
        |at| {
            old(at.join("r/a"));
            link("../r/a", at.join("x/one"));
            link("../x/one", at.join("y/two"));
            Some(link("y/two", at.join("l")))
        },
        &exchanged,
    );
    check(
        "through a link to a folder, and up again",
        |at| {
            old(at.join("r/deep/a"));
            old(at.join("r/b"));
            link("r/deep", at.join("d"));
            Some(link("d/../b", at.join("l")))
        },
        &exchanged,
    );
    check(
        "a new file below a link to a folder",
        |at| {
            old(at.join("r/other"));
            link("r", at.join("d"));
            Some(at.join("d/new"))
        },
        &Written(How::Created),
    );
    check(
        "a link to a file that its owner may only read",
        |at| {
            let real = old(at.join("r/a"));
            std::fs::set_permissions(&real, PermissionsExt::from_mode(0o400)).unwrap();
            Some(link(real, at.join("l")))
        },
        &exchanged,
    );
    check(
        "a link to another mount",
        |at| {
            std::fs::create_dir(at.join("m")).unwrap();
            mount(&["-t".as_ref(), "tmpfs".as_ref(), "none".as_ref(), at.join("m").as_os_str()])?;
            Some(link(old(at.join("m/a")), at.join("l")))
        },
        &exchanged,
    );
}

#[test]
fn what_cannot_be_kept_safe_is_refused_with_a_reason() {
    check("a dangling link", |at| Some(link("gone", at.join("l"))), &Refused("which does not exist"));
    check(
        "a dangling link behind a link",
        |at| Some(link(link("r/gone", at.join("m")), at.join("l"))),
        &Refused("/m` leads to"),
    );
    check(
        "links in a circle",
        |at| {
            link("b", at.join("a"));
            Some(link("a", at.join("b")))
        },
        &Refused("never end"),
    );
    check(
        "a link into a read-only mount",
        |at| {
            old(at.join("m/a"));
            let m = at.join("m");
            mount(&["--bind".as_ref(), m.as_os_str(), m.as_os_str()])?;
            mount(&["-o".as_ref(), "remount,ro,bind".as_ref(), m.as_os_str()])?;
            Some(link("m/a", at.join("l")))
        },
        &Refused("read-only file system"),
    );
    check(
        "two names",
        |at| {
            std::fs::hard_link(old(at.join("a")), at.join("b")).unwrap();
            Some(at.join("a"))
        },
        &Refused("one of 2 names"),
    );
    check(
        "a folder",
        |at| {
            std::fs::create_dir(at.join("d")).unwrap();
            Some(at.join("d"))
        },
        &Refused("is a folder"),
    );
    check(
        "a pipe",
        |at| quietly(Command::new("mkfifo").arg(at.join("p"))).map(|()| at.join("p")),
        &Refused("is a named pipe"),
    );
    check(
        "a socket",
        |at| {
            drop(UnixListener::bind(at.join("s")).unwrap());
            Some(at.join("s"))
        },
        &Refused("is a socket"),
    );
    check("a device", |at| Some(link("/dev/null", at.join("l"))), &Refused("is a device"));
    check("no folder", |at| Some(at.join("no/such/a")), &Refused("does not exist"));
    check("a file as a folder", |at| Some(old(at.join("f")).join("a")), &Refused("is not a folder"));
    check(
        "an immutable file",
        |at| quietly(Command::new("chattr").arg("+i").arg(old(at.join("a")))).map(|()| at.join("a")),
        &Refused("is set immutable"),
    );
}

#[test]
fn odd_files_are_written() {
    check(
        "an empty file",
        |at| {
            std::fs::write(at.join("a"), "").unwrap();
            Some(at.join("a"))
        },
        &Written(How::Exchanged),
    );
    check(
        "a twin in another case",
        |at| {
            old(at.join("MCP.json"));
            Some(old(at.join("mcp.json")))
        },
        &Written(How::Exchanged),
    );
    check("a name of 255 bytes", |at| Some(old(at.join("n".repeat(255)))), &Written(How::Exchanged));
    check("a name that is too long", |at| Some(at.join("n".repeat(256))), &Refused("cannot be reached"));
    check("no UTF-8", |at| Some(old(at.join(OsStr::from_bytes(b"\xff\xfe.json")))), &Written(How::Exchanged));
    check("a line end in the name", |at| Some(old(at.join("a\nb"))), &Written(How::Exchanged));
    check("a line end in what is refused", |at| Some(at.join("a\nb/c")), &Refused("a\\nb"));
    check(
        "a mount of its own",
        |at| {
            let (on, by) = (old(at.join("a")), old(at.join("b")));
            mount(&["--bind".as_ref(), by.as_os_str(), on.as_os_str()])?;
            Some(on)
        },
        &Written(How::InPlace),
    );
    let overlay: Scene = |at| {
        old(at.join("low/a"));
        for folder in ["up", "work", "m"] {
            std::fs::create_dir(at.join(folder)).unwrap();
        }
        let at_text = at.to_str()?;
        let layers = format!("lowerdir={at_text}/low,upperdir={at_text}/up,workdir={at_text}/work");
        mount(&[
            "-t".as_ref(),
            "overlay".as_ref(),
            "none".as_ref(),
            "-o".as_ref(),
            layers.as_ref(),
            at.join("m").as_ref(),
        ])?;
        Some(at.join("m/a"))
    };
    check("the lower layer of an overlay", overlay, &Written(How::Exchanged));
    let consent = Options { hard_links: HardLinks::WriteInPlace, ..Options::new("before a test") };
    let two_names: Scene = |at| {
        std::fs::hard_link(old(at.join("a")), at.join("b")).unwrap();
        Some(at.join("b"))
    };
    check_with("two names, with consent", two_names, &consent, &Written(How::InPlace));
}

#[test]
fn a_huge_file_is_refused_by_its_size() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("huge");
    std::fs::File::create(&path).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let begun = Instant::now();
    let error = file::read(&path).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { size: 104_857_600, .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[test]
fn every_hop_is_told_for_watching() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path().canonicalize().unwrap();
    old(at.join("r/deep/a"));
    link("r/deep", at.join("d"));
    link("d/a", at.join("l"));
    let target = Target::resolve(&at.join("l")).unwrap();
    let hops: Vec<_> = target.hops().collect();
    assert_eq!(hops, [at.join("l"), at.join("d"), at.join("r/deep/a")]);
    assert_eq!(target.folder(), at.join("r/deep"));
    assert!(matches!(Target::resolve(&at.join("l/x")), Err(Refusal::NotAFolder { .. })));
}

/// Root may write anything, so these run as somebody else.
#[test]
fn who_may_not_replace_a_file_overwrites_it_or_is_refused() {
    use std::os::unix::fs::{MetadataExt, chown};
    use std::os::unix::process::CommandExt;
    if !rustix::process::getuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let rows = [
        // story, owner of the folder, its mode, owner of the file, its mode, exit code
        ("all is one's own", 1234, 0o755, 1234, 0o644, 0),
        ("the folder is somebody else's", 0, 0o755, 1234, 0o644, 0),
        ("folder and file are somebody else's", 0, 0o755, 0, 0o644, 1),
        ("the file is somebody else's, but open to all", 1234, 0o755, 0, 0o666, 0),
        ("the file is somebody else's, and closed", 1234, 0o755, 0, 0o644, 1),
    ];
    for (story, folder_owner, folder_mode, owner, mode, code) in rows {
        let temp = tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o755)).tempdir().unwrap();
        let (program, state) = (temp.path().join("replace_once"), temp.path().join("state"));
        std::fs::copy(crate::strace::example(), &program).unwrap();
        std::fs::create_dir(&state).unwrap();
        chown(&state, Some(1234), Some(1234)).unwrap();
        std::fs::write(temp.path().join("new"), "new").unwrap();
        let file = old(temp.path().join("r/a"));
        chown(&file, Some(owner), Some(owner)).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        chown(temp.path().join("r"), Some(folder_owner), Some(folder_owner)).unwrap();
        std::fs::set_permissions(temp.path().join("r"), PermissionsExt::from_mode(folder_mode)).unwrap();
        let before = file.metadata().unwrap();
        let mut command = Command::new(program);
        command.arg(&file).arg(temp.path().join("new")).arg(&state).uid(1234).gid(1234);
        let status = run_copied(&mut command);
        assert_eq!(status.code(), Some(code), "{story}");
        let wanted: &[u8] = if code == 0 { b"new" } else { b"the old content" };
        assert_eq!(std::fs::read(&file).unwrap(), wanted, "{story}");
        let after = file.metadata().unwrap();
        assert_eq!(
            (after.uid(), after.gid(), after.mode()),
            (before.uid(), before.gid(), before.mode()),
            "{story}"
        );
        assert_eq!(temps_below(temp.path()), 0, "{story}");
    }
}

/// Another thread of these tests may have started a process while the copy was still open for writing.
fn run_copied(command: &mut Command) -> std::process::ExitStatus {
    loop {
        match command.status() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            status => return status.unwrap(),
        }
    }
}
