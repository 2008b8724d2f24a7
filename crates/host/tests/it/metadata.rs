//! Who is let in stays as it was, also for the file on its way.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use rustix::fs::{XattrFlags, getxattr, setxattr};
use switchboard_host::backup::Backups;
use switchboard_host::file::{self, Options, Outcome, Target};

fn replace(path: &Path, home: &Path) {
    let backups = Backups::new(home.join("backups"));
    let old = file::read(path).unwrap();
    let outcome = file::replace(&old.target, Some(&old), b"new", &backups, &Options::new("before a test"));
    assert!(matches!(outcome, Ok(Outcome::Written(_))), "{outcome:?}");
    assert_eq!(std::fs::read(path).unwrap(), b"new");
}

/// Access for the owner, one more user and nobody else, as the kernel stores it.
fn acl(user: u32) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    let none = u32::MAX;
    for (tag, rights, id) in
        [(1_u16, 6_u16, none), (2, 4, user), (4, 0, none), (0x10, 4, none), (0x20, 0, none)]
    {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let length = getxattr(path, name, value.as_mut_slice()).ok()?;
    value.truncate(length);
    Some(value)
}

/// Makes a file, lets `prepare` change it, replaces it, and compares.
fn check(story: &str, mode: u32, prepare: impl Fn(&Path) -> bool) {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("r")).unwrap();
    let path = temp.path().join("r/mcp.json");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    if !prepare(&path) {
        println!("skipped: {story}: this machine cannot have it");
        return;
    }
    let look = || {
        let meta = path.metadata().unwrap();
        let names = ["user.one", "user.two", "system.posix_acl_access"];
        (meta.uid(), meta.gid(), meta.mode(), names.map(|name| attribute(&path, name)))
    };
    let before = look();
    replace(&path, temp.path());
    assert_eq!(look(), before, "{story}");
}

#[test]
fn owner_permissions_and_attributes_stay() {
    let root = rustix::process::getuid().is_root();
    for mode in [0o600, 0o640, 0o644, 0o664, 0o400] {
        check(&format!("mode {mode:o}"), mode, |_| true);
    }
    check("a folder that hands on its group", 0o640, |path| {
        let folder = path.parent().unwrap();
        chown(folder, None, Some(if root { 4321 } else { rustix::process::getgid().as_raw() })).unwrap();
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o2775)).unwrap();
        true
    });
    check("a set-group-id file", 0o2750, |_| true);
    check("another owner and group", 0o640, |path| chown(path, Some(1234), Some(4321)).is_ok());
    check("another group", 0o660, |path| chown(path, None, Some(4321)).is_ok());
    check("two attributes", 0o644, |path| {
        setxattr(path, "user.one", b"1", XattrFlags::empty()).is_ok()
            && setxattr(path, "user.two", &[0, 255], XattrFlags::empty()).is_ok()
    });
    check("an ACL", 0o640, |path| {
        setxattr(path, "system.posix_acl_access", &acl(1234), XattrFlags::empty()).is_ok()
    });
    check("an ACL, and another owner", 0o640, |path| {
        chown(path, Some(1234), Some(4321)).is_ok()
            && setxattr(path, "system.posix_acl_access", &acl(99), XattrFlags::empty()).is_ok()
    });
    check("a folder whose default ACL lets somebody in", 0o644, |path| {
        let folder = path.parent().unwrap();
        setxattr(folder, "system.posix_acl_default", &acl(1234), XattrFlags::empty()).is_ok()
    });
}

#[test]
fn a_new_file_is_for_its_owner_only() {
    let temp = tempfile::tempdir().unwrap();
    let target = Target::resolve(&temp.path().join("new.json")).unwrap();
    let backups = Backups::new(temp.path().join("backups"));
    let outcome = file::replace(&target, None, b"secret", &backups, &Options::new("before a test"));
    assert!(matches!(outcome, Ok(Outcome::Written(_))), "{outcome:?}");
    assert_eq!(target.real().metadata().unwrap().mode() & 0o7777, 0o600);
}

/// The trace shows each file's mode from its creation, whatever the umask; and that access is settled before a byte.
#[test]
fn a_file_on_its_way_is_never_open_to_more() {
    if !crate::strace::is_there() {
        return;
    }
    for umask in ["000", "022", "077"] {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        std::fs::write(at("mcp.json"), "old").unwrap();
        std::fs::set_permissions(at("mcp.json"), PermissionsExt::from_mode(0o664)).unwrap();
        std::fs::write(at("new"), "new").unwrap();
        let script = "umask $0; exec strace -o \"$1\" \"$2\" \"$3\" \"$4\" \"$5\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, umask]).arg(at("trace")).arg(crate::strace::example());
        let status = command.arg(at("mcp.json")).arg(at("new")).arg(at("state")).status().unwrap();
        assert!(status.success());
        let trace = std::fs::read_to_string(at("trace")).unwrap();
        let created: Vec<_> = trace.lines().filter(|line| line.contains("O_CREAT")).collect();
        assert!(created.len() >= 3, "{trace}");
        assert!(created.iter().all(|line| line.contains(", 0600)")), "umask {umask}: {created:#?}");
        let position = |what: &str| trace.find(what).unwrap_or_else(|| panic!("no {what} in {trace}"));
        // The content of the backup is also "old", so what is looked for is the new one.
        assert!(position("0664)") < position("\"new\", 3)"), "umask {umask}");
        assert!(position("\"new\", 3)") < position("RENAME_EXCHANGE"), "umask {umask}");
        assert_eq!(at("mcp.json").metadata().unwrap().mode() & 0o7777, 0o664, "umask {umask}");
        for object in at("state/backups/objects").read_dir().unwrap() {
            assert_eq!(object.unwrap().metadata().unwrap().mode() & 0o7777, 0o600);
        }
        assert_eq!(at("state/backups").metadata().unwrap().mode() & 0o077, 0);
    }
}
