//! A place in a text, as people and editors name it.

use std::fmt;

/// A line and a column, both counted from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
}

impl Place {
    /// Returns the place of byte `offset` in `text`; past the end counts as the end.
    pub fn of(text: &str, offset: usize) -> Self {
        Places::of(text).at(offset)
    }
}

/// Places in one text, asked for one after the other: each costs the text since the one before.
#[derive(Clone, Debug)]
pub struct Places<'t> {
    text: &'t str,
    /// Where the line of the last place begins.
    line_start: usize,
    line: usize,
}

impl<'t> Places<'t> {
    /// Returns the places of `text`.
    pub fn of(text: &'t str) -> Self {
        Self { text, line_start: 0, line: 1 }
    }

    /// Returns the place of byte `offset`; past the end counts as the end.
    pub fn at(&mut self, offset: usize) -> Place {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        if end < self.line_start {
            *self = Self::of(self.text);
        }
        let since = &self.text[self.line_start..end];
        if let Some(last) = since.rfind('\n') {
            self.line += since.bytes().filter(|&byte| byte == b'\n').count();
            self.line_start += last + 1;
        }
        Place { line: self.line, column: self.text[self.line_start..end].chars().count() + 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Places};

    #[test]
    fn places_count_lines_and_characters_from_one() {
        for (text, offset, line, column) in
            [("", 0, 1, 1), ("ab\ncd", 4, 2, 2), ("ä\nöx", 5, 2, 2), ("a\r\nb", 3, 2, 1), ("a", 99, 1, 2)]
        {
            assert_eq!(Place::of(text, offset), Place { line, column }, "{text:?} at {offset}");
        }
    }

    #[test]
    fn places_may_be_asked_for_in_any_order() {
        let text = "ä\nöx\n\nend";
        let mut places = Places::of(text);
        for offset in [7, 0, 3, 3, 8, 99, 2, 1] {
            assert_eq!(places.at(offset), Place::of(text, offset), "at {offset}");
        }
    }
}
