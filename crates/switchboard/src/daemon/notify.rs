//! What the service manager is told of the daemon: ready, looking again, ending. Where there is none, nothing.

/// What there is to tell.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    Ready,
    Ending,
}

/// Tells the service manager that started us.
#[cfg(target_os = "linux")]
pub(crate) fn tell(stage: Stage, status: &str) {
    use sd_notify::NotifyState;
    let state = match stage {
        Stage::Ready => NotifyState::Ready,
        Stage::Ending => NotifyState::Stopping,
    };
    // Without a manager there is nobody to tell.
    let _ = sd_notify::notify(&[state, NotifyState::Status(status)]);
}

/// There is no service manager to tell on this system yet.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tell(_stage: Stage, _status: &str) {}
