//! The id by which a task is known behind the face of several servers: two of them may give the same one.

use super::label::{label, server_of};

/// Ends the label of the server.
const END: char = '.';

/// Returns the public id of a server's task: `server.id`. It depends on its arguments alone, so that whoever keeps it
/// finds the task again after everything between has begun anew; [`own_task`] is its inverse.
pub fn public_task(server: &str, id: &str) -> String {
    format!("{}{END}{id}", label(server))
}

/// Returns the server that a public id belongs to, and what that server calls the task; `None` where [`public_task`]
/// makes no such id.
pub fn own_task(public: &str) -> Option<(String, &str)> {
    let (label, id) = public.split_once(END)?;
    Some((server_of(label)?, id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_task_is_named_after_its_server() {
        for (server, id, public) in [
            ("github", "786512e2-9e0d", "github.786512e2-9e0d"),
            ("a.b", "c.d", "a~2eb.c.d"),
            ("b", "", "b."),
        ] {
            // Clients keep these ids: they stay what they are, to the last letter.
            assert_eq!(public_task(server, id), public);
        }
        for foreign in ["786512e2-9e0d", ".x", "A.x", ""] {
            assert_eq!(own_task(foreign), None, "{foreign}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_public_is_found_again_and_two_never_become_one(
            server in ".{1,20}", other in ".{1,20}", one in ".{0,20}", two in "([a-b]\\.)?.{0,20}",
        ) {
            let public = public_task(&server, &one);
            prop_assert_eq!(own_task(&public), Some((server.clone(), &*one)));
            prop_assert_eq!(server == other && one == two, public == public_task(&other, &two));
            prop_assert!(own_task(&two).is_some() || two != public);
        }
    }
}
