//! Words: which ones a tool is found by, and what somebody asks for.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use switchboard_core::search::words;

/// The longest text that is looked through, in bytes: what stands behind it is no help to anybody.
const LONGEST: usize = 64 * 1024;

/// The longest line of a list, in bytes.
pub(super) const LINE: usize = 400;

/// So many words of a query count, each up to so many bytes.
const MOST: usize = 32;
const LONGEST_WORD: usize = 128;

/// What is said about a thing in the object that describes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct About<'r> {
    /// What it is called for people.
    pub(super) title: Option<Cow<'r, str>>,
    /// What it is for.
    pub(super) description: Option<Cow<'r, str>>,
}

impl<'r> About<'r> {
    /// Reads what a server wrote. What is not a text there is not said.
    pub(super) fn read(raw: &'r [u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Object<'r> {
            #[serde(borrow)]
            title: Option<&'r RawValue>,
            #[serde(borrow)]
            description: Option<&'r RawValue>,
            #[serde(borrow)]
            annotations: Option<&'r RawValue>,
        }
        let object: Object<'r> = serde_json::from_slice(raw).unwrap_or_default();
        // The title stood among the annotations until 2025-06-18.
        let of_annotations = || {
            let annotations: Object<'r> = serde_json::from_str(object.annotations?.get()).ok()?;
            text(annotations.title)
        };
        Self { title: text(object.title).or_else(of_annotations), description: text(object.description) }
    }

    /// Returns the first line that says something, or the beginning of it.
    pub(super) fn brief(&self) -> Option<&str> {
        let line = self.description.as_deref()?.lines().map(str::trim).find(|line| !line.is_empty())?;
        Some(beginning(line, LINE))
    }
}

fn text(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'t>(#[serde(borrow)] Cow<'t, str>);
    let Text(text) = serde_json::from_str(raw?.get()).ok()?;
    Some(text)
}

/// Returns the beginning of a text, of at most so many bytes.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Returns the words of a text, as they are looked for.
pub(super) fn of_text(text: &str) -> String {
    words(beginning(text, LONGEST)).join(" ")
}

/// Returns the words of a name: its parts, and all of it in one, because nobody remembers where it is divided.
pub(super) fn of_name(name: &str) -> String {
    let parts = words(beginning(name, LONGEST));
    let mut text = parts.join(" ");
    if parts.len() > 1 {
        text.push(' ');
        text.extend(parts);
    }
    text
}

/// Returns what somebody asks for in the language of the database: what has all of the words, and what has any. The last
/// one may be the beginning of a word. `None` where there are no words.
pub(super) fn asked(text: &str) -> Option<(String, String)> {
    let words = words(beginning(text, LONGEST));
    let words: Vec<String> =
        words.iter().take(MOST).map(|word| format!("\"{}\"", beginning(word, LONGEST_WORD))).collect();
    if words.is_empty() {
        return None;
    }
    // Words hold letters and digits alone, so that none of them can end its quotation.
    Some((words.join(" ") + " *", words.join(" OR ") + " *"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_not_said() {
        for (raw, title, brief) in [
            (r#"{"name":"a","title":"A","description":"\n  first \nsecond"}"#, Some("A"), Some("first")),
            (r#"{"annotations":{"title":"old"}}"#, Some("old"), None),
            (r#"{"title":7,"description":["x"]}"#, None, None),
            (r#"{"description":"\ud800","title":"é"}"#, Some("é"), None),
            (r#"{"description":"a\u0041\n"}"#, None, Some("aA")),
            ("{", None, None),
            ("7", None, None),
        ] {
            let about = About::read(raw.as_bytes());
            assert_eq!((about.title.as_deref(), about.brief()), (title, brief), "{raw}");
        }
    }

    #[test]
    fn whatever_is_typed_is_words() {
        for (text, all) in [
            ("pods", Some("\"pods\" *")),
            ("list Pods", Some("\"list\" \"pods\" *")),
            ("\"x\" NEAR(a) name:b -c ^d *", Some("\"x\" \"near\" \"a\" \"name\" \"b\" \"c\" \"d\" *")),
            ("", None),
            ("\"'()*:^-+{}\0", None),
        ] {
            assert_eq!(asked(text).map(|(all, _)| all).as_deref(), all, "{text}");
        }
        assert_eq!(asked("a b").unwrap().1, "\"a\" OR \"b\" *");
        assert!(asked(&"word ".repeat(10_000)).unwrap().0.len() < 300);
        assert!(asked(&"ü".repeat(100_000)).unwrap().0.len() < 200);
    }

    #[test]
    fn a_name_is_found_by_its_parts_and_as_a_whole() {
        assert_eq!(of_name("list_pods-v2"), "list pods v2 listpodsv2");
        assert_eq!(of_name("listPods"), "list pods listpods");
        assert_eq!(of_name("echo"), "echo");
        assert_eq!(of_name("_"), "");
    }
}
