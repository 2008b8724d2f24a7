//! Pictures in terminals that can show them.

use switchboard_host::dirs::Env;

use crate::probe::Picture;

/// A longer picture is not for a terminal, in characters of base64.
const LONGEST: usize = 32 << 20;

/// The longest piece of one sequence of kitty's, by its own rule.
const PIECE: usize = 4096;

/// How a terminal is given a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The graphics protocol of kitty: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.
    Kitty,
    /// Inline images of iTerm2: <https://iterm2.com/documentation-images.html>.
    Iterm,
}

impl Way {
    fn of(env: &Env) -> Option<Self> {
        let is = |name: &str, values: &[&str]| {
            env.var(name).is_some_and(|value| values.iter().any(|known| value == *known))
        };
        if is("TERM", &["xterm-kitty", "xterm-ghostty"]) {
            return Some(Self::Kitty);
        }
        is("TERM_PROGRAM", &["iTerm.app", "WezTerm"]).then_some(Self::Iterm)
    }
}

/// Returns what shows a picture in the terminal that the environment tells of; `None` where it cannot be shown.
pub(super) fn sequence(env: &Env, picture: &Picture) -> Option<String> {
    let data = &picture.data;
    // Nothing else may reach the terminal: it obeys what it reads.
    let is_plain = data.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    if data.is_empty() || !is_plain || data.len() > LONGEST {
        return None;
    }
    match Way::of(env)? {
        Way::Kitty if picture.kind == "image/png" => {
            let pieces = data.len().div_ceil(PIECE);
            let piece = |(at, piece): (usize, &[u8])| {
                let how = if at == 0 { "a=T,f=100," } else { "" };
                let more = u8::from(at + 1 < pieces);
                format!("\x1b_G{how}m={more};{}\x1b\\", String::from_utf8_lossy(piece))
            };
            Some(data.as_bytes().chunks(PIECE).enumerate().map(piece).collect::<String>() + "\n")
        }
        Way::Kitty => None,
        Way::Iterm => {
            let size = data.trim_end_matches('=').len() * 3 / 4;
            Some(format!("\x1b]1337;File=inline=1;size={size}:{data}\x07\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_reach_a_terminal_and_only_one_that_shows_them() {
        let picture = |kind: &str, data: &str| Picture { kind: kind.to_owned(), data: data.to_owned() };
        let png = picture("image/png", "AAAA");
        for (name, value, picture, expected) in [
            ("TERM", "xterm-kitty", &png, Some("\x1b_Ga=T,f=100,m=0;AAAA\x1b\\\n")),
            ("TERM", "xterm-kitty", &picture("image/jpeg", "AAAA"), None),
            (
                "TERM_PROGRAM",
                "WezTerm",
                &picture("image/jpeg", "AAA="),
                Some("\x1b]1337;File=inline=1;size=2:AAA=\x07\n"),
            ),
            ("TERM", "xterm-256color", &png, None),
            ("TERM", "xterm-kitty", &picture("image/png", "\x1b]0;x\x07"), None),
            ("TERM", "xterm-kitty", &picture("image/png", ""), None),
        ] {
            let env = Env::new("/home/me", [(name, value)]);
            assert_eq!(sequence(&env, picture).as_deref(), expected, "{name}={value} {picture:?}");
        }
        let long = picture("image/png", &"A".repeat(PIECE + 1));
        let shown = sequence(&Env::new("/home/me", [("TERM", "xterm-kitty")]), &long).unwrap();
        assert!(shown.contains(",m=1;") && shown.ends_with("\x1b_Gm=0;A\x1b\\\n"));
    }
}
