//! The id by which a task is known behind the face of several servers: two of them may give the same one.

use super::label::{label, server_of};

/// Ends the label of the server, and the mark of the holder where there is one.
const END: char = '.';

/// Stands before the mark of the holder; no label has it.
const MARK: char = '+';

/// Returns the public id of a server's task: `server.id`, or `server+mark.id` where it is bound to a holder. It depends on
/// its arguments alone, so that whoever keeps it finds the task again after everything between has begun anew;
/// [`own_task`] is its inverse. A mark has no `.` in it.
pub fn public_task(server: &str, mark: Option<&str>, id: &str) -> String {
    match mark {
        None => format!("{}{END}{id}", label(server)),
        Some(mark) => format!("{}{MARK}{mark}{END}{id}", label(server)),
    }
}

/// What a public id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTask<'p> {
    /// The server that the task is at.
    pub server: String,
    /// What it is bound to its holder by; `None` where it is bound to nobody.
    pub mark: Option<&'p str>,
    /// What the server calls it.
    pub id: &'p str,
}

/// Returns what a public id says; `None` where [`public_task`] makes no such id.
pub fn own_task(public: &str) -> Option<OwnTask<'_>> {
    let (head, id) = public.split_once(END)?;
    let (label, mark) = head.split_once(MARK).map_or((head, None), |(label, mark)| (label, Some(mark)));
    Some(OwnTask { server: server_of(label)?, mark, id })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_task_is_named_after_its_server() {
        for (server, mark, id, public) in [
            ("github", None, "786512e2-9e0d", "github.786512e2-9e0d"),
            ("a.b", None, "c.d", "a~2eb.c.d"),
            ("b", None, "", "b."),
            ("a+b", Some("0f"), "c+d", "a~2bb+0f.c+d"),
        ] {
            // Clients keep these ids: they stay what they are, to the last letter.
            assert_eq!(public_task(server, mark, id), public);
        }
        for foreign in ["786512e2-9e0d", ".x", "A.x", "", "+0f.x"] {
            assert_eq!(own_task(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_public_is_found_again_and_two_never_become_one(
            server in ".{1,20}", other in ".{1,20}", one in ".{0,20}", two in "([a-b]\\.)?.{0,20}",
            mark in proptest::option::of("[0-9a-f]{0,4}"), second in proptest::option::of("[0-9a-f]{0,4}"),
        ) {
            let public = public_task(&server, mark.as_deref(), &one);
            let own = OwnTask { server: server.clone(), mark: mark.as_deref(), id: &one };
            prop_assert_eq!(own_task(&public), Some(own));
            let same = server == other && one == two && mark == second;
            prop_assert_eq!(same, public == public_task(&other, second.as_deref(), &two));
            prop_assert!(own_task(&two).is_some() || two != public);
        }
    }
}
