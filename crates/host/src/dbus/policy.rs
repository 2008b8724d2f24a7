//! What the system bus asks for before it lets a user be known by a name.

use super::Interface;

/// Where the system bus looks for such files.
pub const FOLDER: &str = "/etc/dbus-1/system.d";

/// Returns the file that lets this user own the interface's name on the system bus, and lets others send to it. Who of
/// those is answered is decided here all the same: callers of the same user only.
///
/// The form is that of `dbus-daemon(1)`, which takes the number of a user as well as the name.
pub fn policy(interface: &Interface) -> String {
    let name = interface.as_str();
    let user = rustix::process::geteuid().as_raw();
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <policy user="{user}">
    <allow own="{name}"/>
  </policy>
  <policy context="default">
    <allow send_destination="{name}"/>
  </policy>
</busconfig>
"#
    )
}
