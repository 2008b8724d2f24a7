//! Numbers: checked, but kept as they are spelt.

use super::super::{NodeKind, Unreadable};
use super::reader::Reader;

impl<'t> Reader<'t> {
    pub(super) fn number(&mut self) -> Result<NodeKind<'t>, Unreadable> {
        let start = self.at;
        let signed = self.eat(b'-') || self.json5() && self.eat(b'+');
        if !(self.json5() && self.special()?) {
            self.decimal(signed)?;
        }
        Ok(NodeKind::Number(&self.text[start..self.at]))
    }

    /// Steps over the numbers that only JSON5 has; returns whether there was one.
    fn special(&mut self) -> Result<bool, Unreadable> {
        let rest = &self.bytes[self.at..];
        if let Some(word) = [&b"Infinity"[..], b"NaN"].into_iter().find(|word| rest.starts_with(word)) {
            self.at += word.len();
            return Ok(true);
        }
        if !(rest.starts_with(b"0x") || rest.starts_with(b"0X")) {
            return Ok(false);
        }
        self.at += 2;
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        self.at += digits;
        if digits == 0 { Err(self.unexpected("a hexadecimal digit")) } else { Ok(true) }
    }

    fn decimal(&mut self, signed: bool) -> Result<(), Unreadable> {
        let first = self.at;
        let whole = self.digits();
        let bare_point = self.json5() && self.peek() == Some(b'.');
        if whole == 0 && !bare_point {
            return Err(self.unexpected(if signed { "a digit" } else { "a value" }));
        }
        if whole > 1 && self.bytes[first] == b'0' {
            return Err(self.error(first, "a number begins with a needless `0`"));
        }
        if self.eat(b'.') && self.digits() == 0 && !(self.json5() && whole > 0) {
            return Err(self.unexpected("a digit"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let digits = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }
}
