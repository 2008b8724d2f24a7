//! Systems whose services are not known yet.

use switchboard_host::dirs::Env;

use crate::cli::ServiceInstall;
use crate::fail::{Done, Failure};
use crate::ui::Ui;

/// Says that there is none.
///
/// # Errors
/// Always.
pub(super) fn install(_env: Env, _ui: &Ui, _args: ServiceInstall) -> Done {
    Err(not_there())
}

/// Says that there is none.
///
/// # Errors
/// Always.
pub(super) fn uninstall(_env: Env, _ui: &Ui, _client: Option<&str>) -> Done {
    Err(not_there())
}

/// Says that there is none.
///
/// # Errors
/// Always.
pub(super) fn status(_env: Env, _ui: &Ui) -> Done {
    Err(not_there())
}

fn not_there() -> Failure {
    Failure::failed("work with the services of this system: that is not there yet")
        .hint("let the system start `switchboard serve` when you log in")
}
