//! The end of a daemon, with or without another one to take its place.

use std::time::Duration;

use super::super::react::DRAIN;
use super::Hands;

/// Servers that cannot run twice have at most so long to end before another daemon may start them.
const EXCLUSIVE: Duration = Duration::from_secs(45);

impl Hands {
    /// Another daemon takes the place of this one once it ends.
    #[cfg(unix)]
    pub(crate) fn has_heir(&mut self, heir: std::os::unix::net::UnixStream) {
        self.heir = Some(heir);
    }

    /// Closes the doors, and waits for those who are inside, but not for ever. Where another daemon takes the place of this
    /// one, it has the doors and the home at once, and calls in flight here have the time that they have when a server is
    /// replaced.
    pub(crate) fn close(self) {
        let Self { home, mut doors, service, place, .. } = self;
        drop(home);
        let (mut grace, mut place) = (DRAIN, Some(place));
        #[cfg(unix)]
        if let Some(heir) = &self.heir {
            grace = self.settings.gateway.drain.max(DRAIN);
            doors.pass_on(heir);
        }
        doors.leave(grace);
        #[cfg(unix)]
        if let Some(heir) = self.heir {
            service.close_exclusive(grace.min(EXCLUSIVE));
            // The stream ends with the lock gone.
            drop((place.take(), heir));
        }
        doors.wait(grace);
        service.close();
        doors.close();
        drop(place);
    }
}
