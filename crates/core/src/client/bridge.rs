//! The entry that makes a client reach a server through us, and how to know it again.

use crate::launch::Launch;
use crate::name::ServerName;

/// The variable that names a home of its own.
pub const HOME_VARIABLE: &str = "SWITCHBOARD_HOME";

/// How clients start us: the program, and the home that they must name when it is not the usual one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// The absolute path of the program: clients with a window have hardly anything in their `PATH`.
    pub program: String,
    /// The home to name; `None` for the usual one.
    pub home: Option<String>,
}

impl Bridge {
    /// Returns a bridge that no entry reaches anything through.
    pub fn nobodys() -> Self {
        // No variable can have this value, so that no launch is known by it.
        Self { program: "\0".to_owned(), home: Some("\0".to_owned()) }
    }

    /// Returns the launch that reaches `server` through us.
    pub fn launch(&self, server: &ServerName) -> Launch {
        let mut launch = Launch::stdio(&self.program, ["connect", server.as_str()]);
        if let (Launch::Stdio { env, .. }, Some(home)) = (&mut launch, &self.home) {
            env.insert(HOME_VARIABLE.to_owned(), home.clone());
        }
        launch
    }

    /// Returns whether `launch` starts us to reach a server, in whatever home and with whatever further words: taken
    /// into the catalogue, such a server would start itself for ever.
    pub fn starts_us(launch: &Launch) -> bool {
        let Launch::Stdio { command, args, .. } = launch else { return false };
        let file = command.rsplit(['/', '\\']).next().unwrap_or(command);
        matches!(file, "switchboard" | "switchboard.exe")
            && args.first().is_some_and(|verb| verb == "connect")
    }

    /// Returns the server that `launch` reaches through us; entries of another home are not ours.
    ///
    /// The program is known by its path, and by its file name: an entry that an older version wrote from another folder
    /// is still ours.
    pub fn server_of(&self, launch: &Launch) -> Option<ServerName> {
        let Launch::Stdio { command, args, env, .. } = launch else { return None };
        let file = command.rsplit(['/', '\\']).next().unwrap_or(command);
        if !(*command == self.program || matches!(file, "switchboard" | "switchboard.exe"))
            || env.get(HOME_VARIABLE) != self.home.as_ref()
        {
            return None;
        }
        match args.as_slice() {
            [verb, name] if verb == "connect" => ServerName::parse(name).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_renamed_knows_its_entries() {
        let renamed = Bridge { program: "/opt/sb-nightly".to_owned(), home: None };
        let name = ServerName::parse("x").unwrap();
        assert_eq!(renamed.server_of(&renamed.launch(&name)), Some(name));
    }

    #[test]
    fn our_own_entries_are_known_again_wherever_the_program_stands() {
        let usual = Bridge { program: "/usr/bin/switchboard".to_owned(), home: None };
        let scratch = Bridge { program: "/usr/bin/switchboard".to_owned(), home: Some("/tmp/s".to_owned()) };
        let name = ServerName::parse("git hub").unwrap();
        assert_eq!(usual.server_of(&usual.launch(&name)), Some(name.clone()));
        assert_eq!(scratch.server_of(&scratch.launch(&name)), Some(name.clone()));
        assert_eq!(usual.server_of(&scratch.launch(&name)), None, "another home's entry is not ours");
        for entry in [usual.launch(&name), scratch.launch(&name)] {
            assert_eq!(Bridge::nobodys().server_of(&entry), None);
        }
        for (launch, server) in [
            (Launch::stdio("C:\\bin\\switchboard.exe", ["connect", "x"]), Some("x")),
            (Launch::stdio("switchboard", ["connect", "x"]), Some("x")),
            (Launch::stdio("switchboard", ["status"]), None),
            (Launch::stdio("npx", ["connect", "x"]), None),
            (Launch::stdio("/opt/sb-nightly", ["connect", "x"]), None),
            (Launch::http("http://127.0.0.1:8080/mcp/x"), None),
        ] {
            assert_eq!(usual.server_of(&launch).as_ref().map(ServerName::as_str), server, "{launch:?}");
        }
    }
}
