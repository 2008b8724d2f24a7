//! The control socket: made so that nobody else can reach it, and taken away again.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use crate::{show, system};

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody answers there already.
    #[error("another daemon answers on `{}`", show::path(.0))]
    Taken(PathBuf),
    /// What stands there is no socket, so it is left alone.
    #[error("`{}` is no socket", show::path(.0))]
    InTheWay(PathBuf),
    /// Its folder is not ours alone.
    #[error("the folder `{}` belongs to somebody else, or is a link", show::path(.0))]
    Folder(PathBuf),
    /// The system refused.
    #[error("the socket `{}` cannot be made", show::path(path))]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SocketError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Taken(_) => "see what runs with `switchboard status`; one daemon serves a home",
            Self::InTheWay(_) => "move it away",
            Self::Folder(_) => {
                "set `XDG_RUNTIME_DIR`, or `SWITCHBOARD_HOME` where that is set, to a folder of your own"
            }
            Self::Io { .. } => {
                "make its folder writable for you; where its path is longer than 100 bytes, set `SWITCHBOARD_HOME` to a shorter one"
            }
        }
    }
}

/// A socket of this process. Its file goes with it.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    identity: (u64, u64),
}

impl ControlSocket {
    /// Makes the socket at `path`, open to this user only from its first moment on. What a dead daemon left there is
    /// replaced; a daemon that lives is not, and neither is anything that is no socket.
    ///
    /// # Errors
    /// As [`SocketError`] says; nothing was changed then.
    pub fn bind(path: &Path) -> Result<(UnixListener, Self), SocketError> {
        let io = |source| SocketError::Io { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(path);
        system::make_folder(folder).map_err(io)?;
        close(folder).map_err(io)?.ok_or_else(|| SocketError::Folder(folder.to_owned()))?;
        is_free(path)?;
        // Made under another name and moved: its mode is right before anybody can find it, and the move follows no link.
        let fresh = folder.join(format!(".sock-{}", std::process::id()));
        match system::remove(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&fresh).map_err(io)?;
        let moved = fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::symlink_metadata(&fresh))
            .and_then(|meta| system::rename(&fresh, path).map(|()| (meta.dev(), meta.ino())));
        match moved {
            Ok(identity) => Ok((listener, Self { path: path.to_owned(), identity })),
            Err(error) => {
                // The error is told; what is left is removed by the next daemon with this number.
                let _ = system::remove(&fresh);
                Err(io(error))
            }
        }
    }

    /// Takes over the socket at `path`, which another process made and has passed to this one.
    ///
    /// # Errors
    /// There is none.
    pub fn adopt(path: &Path) -> io::Result<Self> {
        let meta = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), identity: (meta.dev(), meta.ino()) })
    }

    /// Lets the socket's file stand: it is another process's now.
    pub fn leave(mut self) {
        self.identity = (0, 0);
    }

    /// Returns whether the socket is still found at its path: not removed, and not replaced by somebody else's.
    pub fn is_in_place(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|meta| (meta.dev(), meta.ino()) == self.identity)
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Only what is still ours: another daemon may have put its own there.
        if self.is_in_place() {
            let _ = system::remove(&self.path);
        }
    }
}

/// So many descriptors are passed at once at most; more than a daemon has doors.
const MOST: usize = 64;

/// Passes descriptors to whoever is at the other end, with a text of at least one byte.
///
/// # Errors
/// They were not passed.
pub fn pass(stream: &UnixStream, text: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let sent = sendmsg(stream, &[io::IoSlice::new(text)], &mut control, SendFlags::NOSIGNAL)?;
    if sent == text.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Returns the text and the descriptors that the other end passes next. Nothing may have been read of them before.
///
/// # Errors
/// Nothing comes, or it is longer than `text`.
pub fn passed(stream: &UnixStream, text: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let came = recvmsg(stream, &mut [io::IoSliceMut::new(text)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((came.bytes, descriptors.flatten().collect()))
}

/// Shuts others out of a folder of ours; `None` where it is not ours.
fn close(folder: &Path) -> io::Result<Option<()>> {
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Ok(None);
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(Some(()))
}

/// Returns whether a socket may be put there.
fn is_free(path: &Path) -> Result<(), SocketError> {
    let io = |source| SocketError::Io { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(error)),
        Ok(meta) if !meta.file_type().is_socket() => Err(SocketError::InTheWay(path.to_owned())),
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            _ => Err(SocketError::Taken(path.to_owned())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn the_socket_is_its_owners_and_goes_with_the_daemon() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run/control.sock");
        let (listener, socket) = ControlSocket::bind(&path).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        UnixStream::connect(&path).unwrap();
        assert!(matches!(ControlSocket::bind(&path), Err(SocketError::Taken(_))));
        drop((listener, socket));
        assert!(!path.exists());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn a_socket_that_is_passed_goes_on_listening_and_stays_where_it_is() {
        use std::os::fd::AsFd as _;

        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("control.sock");
        let (listener, socket) = ControlSocket::bind(&path).unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        pass(&ours, b"here\n", &[listener.as_fd()]).unwrap();
        drop(listener);
        socket.leave();
        let mut text = [0; 16];
        let (length, mut passed) = passed(&theirs, &mut text).unwrap();
        assert_eq!((&text[..length], passed.len()), (&b"here\n"[..], 1));
        let waiting = UnixStream::connect(&path).unwrap();
        let listener = UnixListener::from(passed.remove(0));
        listener.accept().unwrap();
        drop(waiting);
        drop(ControlSocket::adopt(&path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn what_a_dead_daemon_left_is_replaced_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        let (_listener, first) = ControlSocket::bind(&path).unwrap();
        // A socket that stands in its place by now is another daemon's.
        assert!(first.is_in_place());
        system::remove(&path).unwrap();
        assert!(!first.is_in_place());
        let _other = UnixListener::bind(&path).unwrap();
        assert!(!first.is_in_place());
        drop(first);
        assert!(path.exists());

        let plain = home.path().join("file");
        crate::own::publish(&plain, b"mine").unwrap();
        assert!(matches!(ControlSocket::bind(&plain), Err(SocketError::InTheWay(_))));
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&plain, &link).unwrap();
        assert!(matches!(ControlSocket::bind(&link), Err(SocketError::InTheWay(_))));
        assert!(plain.exists() && link.is_symlink());
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused_and_an_open_one_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let open = home.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(matches!(ControlSocket::bind(&link.join("s")), Err(SocketError::Folder(_))));
        let _socket = ControlSocket::bind(&open.join("s")).unwrap();
        assert_eq!(mode(&open), 0o700);
    }
}
