//! The person's browser.

use std::process::{Command, Stdio};

use reqwest::Url;
use switchboard_host::dirs::Env;

/// Opens a web address in the browser of whoever is at the machine, and says whether there is one. No shell is involved,
/// and nothing but a web address is opened.
pub(crate) fn open(url: &Url, env: &Env) -> bool {
    let Some((program, words)) = opener(env).filter(|_| matches!(url.scheme(), "http" | "https")) else {
        return false;
    };
    let started = Command::new(program)
        .args(words)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // It goes on by itself; a browser that was just started ends when the person ends it.
    started.is_ok()
}

/// Returns what opens web addresses here, with the words before the address; `None` where nobody would see it.
fn opener(env: &Env) -> Option<(&'static str, &'static [&'static str])> {
    if cfg!(target_os = "macos") {
        Some(("/usr/bin/open", &[]))
    } else if cfg!(windows) {
        Some(("rundll32.exe", &["url.dll,FileProtocolHandler"]))
    } else {
        let has_screen = env.var("DISPLAY").is_some() || env.var("WAYLAND_DISPLAY").is_some();
        has_screen.then_some(("xdg-open", &[][..]))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_opened_where_nobody_looks_and_nothing_but_web_addresses() {
        let seen = Env::new("/", [("DISPLAY", ":0")]);
        let unseen = Env::new("/", [("TERM", "xterm")]);
        assert!(opener(&seen).is_some() && opener(&unseen).is_none());
        for text in ["file:///etc/passwd", "javascript:alert(1)", "ssh://x.example"] {
            assert!(!open(&Url::parse(text).unwrap(), &seen), "{text}");
        }
        assert!(!open(&Url::parse("https://x.example/").unwrap(), &unseen));
    }
}
