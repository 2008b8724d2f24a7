//! What we and the guard say to each other.
//!
//! First comes the order: one byte that carries the server's standard input as a descriptor, a length, and the fields
//! ended by NUL each, because neither an argument nor a variable nor a path can have a NUL in it. The order does not
//! travel in the guard's own arguments or environment, so that a server's variables cannot change the guard. Then we
//! send signal numbers, one byte each; the guard answers with one line, the [`report`], and closes.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use zeroize::Zeroizing;

use super::{ChildError, Ended, Prepared};

/// The system limits arguments and environment to far less; more than this is not an order.
const LIMIT: u32 = 64 << 20;

/// What the guard is to start.
pub(super) struct Order {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) cwd: Option<PathBuf>,
    pub(super) after_signal: Duration,
}

/// Returns the bytes of the order for `prepared`.
pub(super) fn encode(prepared: &Prepared) -> Result<Zeroizing<Vec<u8>>, ChildError> {
    let mut out = Zeroizing::new(Vec::with_capacity(16 << 10));
    let mut field = |what, bytes: &[u8]| {
        if bytes.contains(&0) {
            return Err(ChildError::Nul(what));
        }
        out.extend_from_slice(bytes);
        out.push(0);
        Ok(())
    };
    field("the grace", prepared.grace.after_signal.as_millis().to_string().as_bytes())?;
    let cwd = prepared.cwd.as_ref().map(|cwd| cwd.as_os_str().as_bytes());
    field("the working directory", cwd.unwrap_or_default())?;
    field("the program", prepared.program.as_os_str().as_bytes())?;
    field("the number of arguments", prepared.args.len().to_string().as_bytes())?;
    for arg in &prepared.args {
        field("an argument", arg.expose().as_bytes())?;
    }
    for (name, value) in &prepared.env {
        field("the name of a variable", name.as_bytes())?;
        field("a variable", value.0.as_bytes())?;
    }
    Ok(out)
}

/// Reads an order back; `None` if the bytes are not one.
fn decode(bytes: &[u8]) -> Option<Order> {
    let mut fields = bytes.strip_suffix(&[0])?.split(|&byte| byte == 0);
    let after_signal = Duration::from_millis(number(fields.next()?)?);
    let cwd = fields.next().filter(|cwd| !cwd.is_empty()).map(|cwd| os(cwd).into());
    let program = os(fields.next()?).into();
    let count = usize::try_from(number(fields.next()?)?).ok()?;
    let args: Vec<OsString> = fields.by_ref().take(count).map(os).collect();
    let mut env = Vec::new();
    while let Some(name) = fields.next() {
        env.push((os(name), os(fields.next()?)));
    }
    (args.len() == count).then_some(Order { program, args, env, cwd, after_signal })
}

fn os(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Sends the order and the server's standard input.
pub(super) fn send(mut control: &UnixStream, stdin: impl AsFd, order: &[u8]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut carried = SendAncillaryBuffer::new(&mut space);
    let fds = [stdin.as_fd()];
    carried.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(control, &[IoSlice::new(b"<")], &mut carried, SendFlags::empty())?;
    let length = u32::try_from(order.len()).map_err(io::Error::other)?;
    control.write_all(&length.to_be_bytes())?;
    control.write_all(order)
}

/// Receives what [`send`] sent.
pub(super) fn receive(mut control: &UnixStream) -> io::Result<(OwnedFd, Order)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut carried = RecvAncillaryBuffer::new(&mut space);
    rustix::net::recvmsg(control, &mut [IoSliceMut::new(&mut [0])], &mut carried, CLOSE_ON_EXEC)?;
    let stdin = carried.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let stdin = stdin.ok_or_else(invalid)?;
    let mut length = [0; 4];
    control.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > LIMIT {
        return Err(invalid());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    control.take(u64::from(length)).read_to_end(&mut bytes)?;
    let order = decode(&bytes).ok_or_else(invalid)?;
    Ok((stdin, order))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
/// Elsewhere there is no such flag; the guard puts the descriptor in the server's place 0 and drops it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::empty();

/// Returns the line by which the guard says how it ended.
pub(super) fn report(outcome: &Result<Ended, String>) -> String {
    match outcome {
        Ok(Ended::Exited(code)) => format!("exited {code}"),
        Ok(Ended::Killed(signal)) => format!("killed {signal}"),
        Err(reason) => format!("failed {reason}"),
    }
}

/// Reads a guard's line; `None` if it is not one, or not whole.
pub(super) fn read_report(line: &str) -> Option<Result<Ended, String>> {
    let (how, what) = line.split_once(' ')?;
    match how {
        "exited" => Some(Ok(Ended::Exited(what.parse().ok()?))),
        "killed" => Some(Ok(Ended::Killed(what.parse().ok()?))),
        "failed" => Some(Err(what.to_owned())),
        _ => None,
    }
}

/// Returns the signal that a byte of ours stands for.
pub(super) fn signal(byte: u8) -> rustix::process::Signal {
    rustix::process::Signal::from_named_raw(i32::from(byte)).unwrap_or(rustix::process::Signal::TERM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::{Grace, SecretOs};
    use crate::secret::Secret;

    fn prepared(args: &[&str]) -> Prepared {
        Prepared {
            name: "x".into(),
            program: "/bin/x".into(),
            args: args.iter().map(|arg| Secret::from(*arg)).collect(),
            env: vec![("A".into(), SecretOs("".into())), ("B".into(), SecretOs("b=\n".into()))],
            cwd: None,
            grace: Grace::default(),
        }
    }

    #[test]
    fn an_order_arrives_as_it_was_sent() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let bytes = encode(&prepared(&["", "a b", ""])).unwrap();
        send(&ours, io::stdin(), &bytes).unwrap();
        let (_, order) = receive(&theirs).unwrap();
        assert_eq!(order.program, PathBuf::from("/bin/x"));
        assert_eq!(order.args, ["", "a b", ""]);
        assert_eq!(order.env, [("A".into(), "".into()), ("B".into(), OsString::from("b=\n"))]);
        assert_eq!((order.cwd, order.after_signal), (None, Duration::from_secs(1)));
    }

    #[test]
    fn nul_bytes_are_refused_and_cut_orders_are_not_obeyed() {
        assert!(matches!(encode(&prepared(&["a\0b"])), Err(ChildError::Nul("an argument"))));
        let bytes = encode(&prepared(&["a"])).unwrap();
        let whole = decode(&bytes).unwrap();
        assert_eq!(whole.env.len(), 2);
        for length in 0..20 {
            assert!(decode(&bytes[..length]).is_none_or(|order| order.env.len() < 2), "{length}");
        }
    }

    #[test]
    fn reports_are_read_back() {
        for outcome in [Ok(Ended::Exited(3)), Ok(Ended::Killed(9)), Err("no such file".to_owned())] {
            assert_eq!(read_report(&report(&outcome)), Some(outcome));
        }
        assert_eq!(read_report("exited"), None);
        assert_eq!(read_report(""), None);
    }
}
