//! Texts and keys: quotes, escapes, bare keys.

use std::borrow::Cow;

use super::super::{Unreadable, UnreadableReason};
use super::reader::Reader;

/// What a backslash and what follows it stand for.
enum Escape {
    Char(char),
    /// A line continuation of JSON5.
    Nothing,
    /// Half of a UTF-16 pair without the other half.
    Lone,
}

impl<'t> Reader<'t> {
    /// Reads a text in quotes; `None` when it holds a lone surrogate and so has no decoded form.
    pub(super) fn quoted(&mut self) -> Result<Option<Cow<'t, str>>, Unreadable> {
        let start = self.at;
        let quote = self.bytes[start];
        self.at += 1;
        let mut run = self.at;
        let mut decoded = String::new();
        let (mut escaped, mut lone) = (false, false);
        loop {
            self.at += plain_len(&self.bytes[self.at..], quote);
            match self.peek() {
                Some(byte) if byte == quote => break,
                Some(b'\\') => {
                    escaped = true;
                    decoded.push_str(&self.text[run..self.at]);
                    match self.escape(start)? {
                        Escape::Char(char) => decoded.push(char),
                        Escape::Nothing => {}
                        Escape::Lone => lone = true,
                    }
                    run = self.at;
                }
                // JSON5 only bans line ends.
                Some(byte) if self.json5() && !matches!(byte, b'\n' | b'\r') => self.at += 1,
                Some(b'\n' | b'\r') => {
                    return Err(
                        self.error(self.at, format!("expected `{}` before the line end", char::from(quote)))
                    );
                }
                Some(byte) => {
                    let what = format!("the character U+{byte:04X} stands unescaped in a text");
                    return Err(self.error(self.at, what));
                }
                None => return Err(self.unclosed_text(start)),
            }
        }
        let rest = &self.text[run..self.at];
        self.at += 1;
        if !escaped {
            return Ok(Some(Cow::Borrowed(rest)));
        }
        decoded.push_str(rest);
        Ok((!lone).then_some(Cow::Owned(decoded)))
    }

    /// Reads one escape, from its backslash on, in the text that began at `start`.
    fn escape(&mut self, start: usize) -> Result<Escape, Unreadable> {
        let backslash = self.at;
        let Some(char) = self.text[backslash + 1..].chars().next() else {
            return Err(self.unclosed_text(start));
        };
        self.at += 1 + char.len_utf8();
        Ok(Escape::Char(match char {
            '"' | '\\' | '/' => char,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(start),
            _ if !self.json5() => {
                return Err(self.error(backslash, "a backslash stands before what it cannot escape"));
            }
            'v' => '\u{b}',
            'x' => char::from_u32(self.hex(2, start)?).unwrap_or(char::REPLACEMENT_CHARACTER),
            '\r' => {
                self.eat(b'\n');
                return Ok(Escape::Nothing);
            }
            '\n' | '\u{2028}' | '\u{2029}' => return Ok(Escape::Nothing),
            '0' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => '\0',
            '0'..='9' => return Err(self.error(backslash, "an octal escape stands here")),
            other => other,
        }))
    }

    /// Reads the digits behind `\u`, and the second half of a pair.
    fn unicode(&mut self, start: usize) -> Result<Escape, Unreadable> {
        let unit = self.hex(4, start)?;
        if !(0xd800..0xe000).contains(&unit) {
            return Ok(char::from_u32(unit).map_or(Escape::Lone, Escape::Char));
        }
        if unit < 0xdc00 && self.bytes[self.at..].starts_with(b"\\u") {
            let behind_first = self.at;
            self.at += 2;
            let second = self.hex(4, start)?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).map_or(Escape::Lone, Escape::Char));
            }
            self.at = behind_first;
        }
        Ok(Escape::Lone)
    }

    fn hex(&mut self, digits: usize, start: usize) -> Result<u32, Unreadable> {
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            match digit {
                Some(digit) => code = code * 16 + digit,
                None if self.peek().is_none() => return Err(self.unclosed_text(start)),
                None => return Err(self.unexpected("a hexadecimal digit")),
            }
            self.at += 1;
        }
        Ok(code)
    }

    /// Reads a key without quotes, as JSON5 has them.
    pub(super) fn bare_key(&mut self) -> Result<Cow<'t, str>, Unreadable> {
        let start = self.at;
        let mut run = start;
        let mut decoded = String::new();
        while let Some(here) = self.text[self.at..].chars().next() {
            let at = self.at;
            self.at += here.len_utf8();
            let char = match here {
                '\\' if self.eat(b'u') => match self.unicode(start)? {
                    Escape::Char(char) => char,
                    _ => return Err(self.error(start, "a lone surrogate stands in a key")),
                },
                other => other,
            };
            if !(is_key_start(char) || at > start && is_key_part(char)) {
                self.at = at;
                break;
            }
            if here == '\\' {
                decoded.push_str(&self.text[run..at]);
                decoded.push(char);
                run = self.at;
            }
        }
        if self.at == start {
            return Err(self.unexpected("a key"));
        }
        let rest = &self.text[run..self.at];
        Ok(if decoded.is_empty() { Cow::Borrowed(rest) } else { Cow::Owned(decoded + rest) })
    }

    fn unclosed_text(&self, start: usize) -> Unreadable {
        Unreadable::new(self.text, start, UnreadableReason::Unclosed("a text"))
    }
}

/// Returns how many bytes stand for themselves in a text.
fn plain_len(bytes: &[u8], quote: u8) -> usize {
    bytes.iter().position(|&byte| byte == quote || byte == b'\\' || byte < 0x20).unwrap_or(bytes.len())
}

fn is_key_start(char: char) -> bool {
    char.is_alphabetic() || matches!(char, '$' | '_')
}

/// Close to what ECMAScript says, from what the standard library knows of Unicode.
fn is_key_part(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '$' | '_' | '\u{200c}' | '\u{200d}' | '\u{203f}' | '\u{2040}')
}
