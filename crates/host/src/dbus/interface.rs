//! The name that everything else follows from.

use std::fmt;

use super::BusError;

/// The name of a D-Bus interface, such as `org.opdbus.MCP`, checked.
///
/// It is also the name that is owned on the bus: whatever is an interface's name is good for a bus name, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface(String);

/// No name on a bus is longer.
const LONGEST: usize = 255;
/// The bus's own names.
const RESERVED: &str = "org.freedesktop.DBus";

impl Interface {
    /// Reads the setting `dbus_interface`.
    ///
    /// # Errors
    ///
    /// [`BusError::Interface`] says what is wrong with it.
    pub fn parse(name: &str) -> Result<Self, BusError> {
        let wrong = |why| Err(BusError::Interface { name: name.to_owned(), why });
        if name.len() > LONGEST {
            return wrong("it is longer than 255 bytes");
        }
        if !name.contains('.') {
            return wrong("it has no dot");
        }
        for part in name.split('.') {
            if part.is_empty() {
                return wrong("there is nothing before, after or between dots");
            }
            if part.starts_with(|first: char| first.is_ascii_digit()) {
                return wrong("a part begins with a digit");
            }
            if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return wrong("only the letters A to Z, digits, `_` and dots can be in it");
            }
        }
        if name.strip_prefix(RESERVED).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return wrong("it belongs to the bus itself");
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of the object: `/org/opdbus/MCP`.
    pub fn path(&self) -> String {
        format!("/{}", self.0.replace('.', "/"))
    }
}

impl Default for Interface {
    fn default() -> Self {
        Self("org.opdbus.MCP".to_owned())
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_follows_from_the_name() {
        assert_eq!(Interface::default().path(), "/org/opdbus/MCP");
        assert_eq!(Interface::parse("com.example.Other").unwrap().path(), "/com/example/Other");
        assert_eq!(Interface::parse("_a._2").unwrap().as_str(), "_a._2");
        assert_eq!(Interface::parse("org.freedesktop.DBusser").unwrap().path(), "/org/freedesktop/DBusser");
    }

    #[test]
    fn what_is_no_name_is_refused_and_the_setting_named() {
        let long = format!("a.{}", "b".repeat(254));
        for name in ["", "opdbus", ".a.b", "a.b.", "a..b", "a.2b", "a-b.c", "ä.b", "a.b c", "a/b.c", &long] {
            let error = Interface::parse(name).unwrap_err();
            assert!(error.to_string().contains("`dbus_interface`"), "{name}: {error}");
            assert!(error.help().unwrap().contains("org.opdbus.MCP"), "{name}");
        }
        for name in ["org.freedesktop.DBus", "org.freedesktop.DBus.Properties"] {
            assert!(Interface::parse(name).unwrap_err().to_string().ends_with("belongs to the bus itself"));
        }
    }
}
