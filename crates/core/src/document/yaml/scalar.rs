//! What a plain scalar says, and how a text must be spelt so that every reader sees a text.

use std::borrow::Cow;

use super::super::quoted::quote;

/// What a plain (unquoted) scalar says to the readers of YAML 1.1 and 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Number,
    /// The two versions differ: `yes`, `0777`, `1:30`, `2026-01-31`, `<<`. Kept by its spelling.
    Doubtful,
    Text,
}

/// Returns what the plain scalar `raw` says.
pub(super) fn plain(raw: &str) -> Plain {
    match raw {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" | "+.Inf" | "-.Inf" | "+.INF" | "-.INF" | ".nan"
        | ".NaN" | ".NAN" => Plain::Number,
        "<<" | "=" => Plain::Doubtful,
        _ if old_bool(raw) => Plain::Doubtful,
        _ => number_like(raw),
    }
}

/// The further booleans of YAML 1.1.
fn old_bool(raw: &str) -> bool {
    matches!(
        raw,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
    )
}

fn number_like(raw: &str) -> Plain {
    let unsigned = raw.strip_prefix(['+', '-']).unwrap_or(raw);
    let Some(first) = unsigned.chars().next().filter(|c| c.is_ascii_digit() || *c == '.') else {
        return Plain::Text;
    };
    let signed = unsigned.len() != raw.len();
    if let Some(digits) = unsigned.strip_prefix("0x") {
        return based(digits, signed, |c| c.is_ascii_hexdigit());
    }
    if let Some(digits) = unsigned.strip_prefix("0o") {
        return if signed { Plain::Text } else { based(digits, false, |c| matches!(c, '0'..='7')) };
    }
    if unsigned.strip_prefix("0b").is_some_and(|digits| all(digits, |c| matches!(c, '0' | '1' | '_'))) {
        return Plain::Doubtful;
    }
    if first == '0' && unsigned.len() > 1 && all(unsigned, |c| c.is_ascii_digit() || c == '_') {
        return Plain::Doubtful;
    }
    if float(unsigned) {
        return Plain::Number;
    }
    if unsigned.contains('_') && float(&unsigned.replace('_', "")) || sexagesimal(unsigned) || date(raw) {
        return Plain::Doubtful;
    }
    Plain::Text
}

/// Digits behind `0x` or `0o`; a sign or an underscore there is for YAML 1.1 only.
fn based(digits: &str, signed: bool, digit: fn(char) -> bool) -> Plain {
    if all(digits, digit) && !signed {
        Plain::Number
    } else if all(digits, |c| digit(c) || c == '_') {
        Plain::Doubtful
    } else {
        Plain::Text
    }
}

fn all(text: &str, wanted: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(wanted)
}

/// `[0-9]+`, `.5`, `1.`, `1.5e-3`, without a sign.
fn float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    digits(whole)
        && digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// `1:30` and `190:20:30.15`: numbers to the base of sixty in YAML 1.1.
fn sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().is_some_and(|first| all(first, |c| c.is_ascii_digit() || c == '_'));
    let mut rest = parts.peekable();
    first
        && rest.peek().is_some()
        && rest.all(|part| all(part, |c| c.is_ascii_digit() || c == '.' || c == '_'))
}

/// `2026-01-31`, alone or with a time behind it.
fn date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let digits = |text: &str| all(text, |c| c.is_ascii_digit());
    let day = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let time = &rest[day..];
    year.len() == 4
        && digits(year)
        && matches!(month.len(), 1 | 2)
        && digits(month)
        && matches!(day, 1 | 2)
        && (time.is_empty() || time.starts_with(['T', 't', ' ', '\t']))
}

/// Returns how `text` is spelt as a scalar; `flow` says that it stands between brackets.
pub(super) fn spelt(text: &str, flow: bool) -> Cow<'_, str> {
    if text.chars().any(special) {
        return Cow::Owned(escaped(text));
    }
    if !needs_quotes(text, flow) {
        return Cow::Borrowed(text);
    }
    if text.contains(['"', '\\']) {
        return Cow::Owned(format!("'{}'", text.replace('\'', "''")));
    }
    Cow::Owned(format!("\"{text}\""))
}

fn needs_quotes(text: &str, flow: bool) -> bool {
    text.is_empty()
        || text.starts_with([
            '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
            ' ',
        ])
        || text.starts_with("...")
        || text.ends_with([' ', ':'])
        || text.contains(": ")
        || text.contains(" #")
        // Some readers end a plain scalar between brackets at a colon or a question mark.
        || flow && text.contains([',', '[', ']', '{', '}', ':', '?'])
        || plain(text) != Plain::Text
        || numeric_look(text)
}

/// Nothing but digits and their usual company: some reader may take it for a version, a time or a number.
fn numeric_look(text: &str) -> bool {
    text.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "_.:+-eETtZz ".contains(c))
}

/// Characters that can only be written as an escape.
fn special(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
        || (c as u32 & 0xfffe) == 0xfffe
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    quote(text, &mut out, |c| {
        let code = u32::from(c);
        special(c).then(|| match code {
            0..=0xff => format!("\\x{code:02x}"),
            0x100..=0xffff => format!("\\u{code:04x}"),
            _ => format!("\\U{code:08x}"),
        })
    });
    out
}
