//! What about a tool could deceive whoever looks at it: a person or a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::Tool;
use super::script::is_disguised;
use super::skeleton::{is_hidden, seen, skeleton};
use crate::mcp::public_name::{prefix, public_name};
use crate::value::Value;

/// One thing about a tool that could deceive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "odd", rename_all = "kebab-case")]
pub enum Odd {
    /// A character that cannot be seen, or that changes how others are shown.
    Hidden {
        /// Where it stands, such as `inputSchema.properties.path.description`.
        path: String,
        /// The kinds of such characters, each with one of them.
        kinds: BTreeMap<Kind, String>,
    },
    /// A word of the name has letters of more than one script, or looks Latin between Latin words and is not.
    Disguised {
        /// What the name looks like.
        looks: String,
    },
    /// The name of another tool looks the same, or differs in the case of letters alone.
    Twin {
        /// The server of the other tool.
        server: String,
        /// The other tool.
        tool: String,
    },
    /// Behind the face that shows several servers, the tool of another server has nearly the same name.
    Collision {
        /// The server of the other tool.
        server: String,
        /// The other tool.
        tool: String,
        /// What that one is called there.
        public: String,
    },
    /// A tool of another server has the very same name, so that a model may take one for the other.
    Shadow {
        /// The other server.
        server: String,
    },
}

/// A kind of characters that cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Control characters, with which terminals can be driven.
    Control,
    /// Characters that turn the direction of the text.
    Direction,
    /// Tags and variation selectors, in which a whole hidden text can stand.
    Tag,
    /// Whatever else has no width.
    Invisible,
}

impl Kind {
    fn of(c: char) -> Option<Self> {
        if !is_hidden(c) {
            return None;
        }
        Some(match c {
            _ if c.is_control() => Self::Control,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                Self::Direction
            }
            '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' => Self::Tag,
            _ => Self::Invisible,
        })
    }

    fn words(self) -> &'static str {
        match self {
            Self::Control => "control characters",
            Self::Direction => "characters that turn the direction of the text",
            Self::Tag => "tags that cannot be seen",
            Self::Invisible => "characters that cannot be seen",
        }
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden { path, kinds } => {
                let kinds: Vec<String> =
                    kinds.iter().map(|(kind, one)| format!("{} such as {one}", kind.words())).collect();
                write!(f, "`{}` has {}", seen(path), kinds.join(" and "))
            }
            Self::Disguised { looks } => {
                write!(f, "its name has letters of another script, and looks like `{looks}`")
            }
            Self::Twin { server, tool } => write!(f, "its name looks like `{}` of `{server}`", seen(tool)),
            Self::Collision { server, tool, public } => {
                write!(
                    f,
                    "some clients cannot tell it from `{public}`, which is `{}` of `{server}`",
                    seen(tool)
                )
            }
            Self::Shadow { server } => write!(f, "`{server}` has a tool of the same name"),
        }
    }
}

/// Returns what about one tool could deceive.
pub fn odd(tool: &Tool) -> Vec<Odd> {
    let mut found = Vec::new();
    look("name", &tool.name, &mut found);
    let parts = [
        ("title", &tool.title),
        ("description", &tool.description),
        ("inputSchema", &tool.input_schema),
        ("outputSchema", &tool.output_schema),
        ("annotations", &tool.annotations),
    ];
    for (path, value) in parts {
        if let Some(value) = value {
            look_into(path, value, &mut found);
        }
    }
    let visible: String = tool.name.chars().filter(|c| !is_hidden(*c)).collect();
    if is_disguised(&visible) {
        found.push(Odd::Disguised { looks: skeleton(&visible) });
    }
    found
}

fn look_into(path: &str, value: &Value, found: &mut Vec<Odd>) {
    match value {
        Value::Text(text) => look(path, text, found),
        Value::List(items) => {
            items.iter().enumerate().for_each(|(at, item)| look_into(&format!("{path}[{at}]"), item, found));
        }
        Value::Map(members) => {
            for (key, value) in members {
                let path = format!("{path}.{key}");
                look(&path, key, found);
                look_into(&path, value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Other(_) => {}
    }
}

fn look(path: &str, text: &str, found: &mut Vec<Odd>) {
    let mut kinds = BTreeMap::new();
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        // On a terminal, what follows would be written over what stands before.
        if c == '\r' && letters.peek().is_some_and(|next| *next != '\n') {
            kinds.entry(Kind::Control).or_insert_with(|| "U+000D".to_owned());
        }
        // Pictures of people and flags are joined so, and coloured so.
        let in_picture = matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{fe0e}') && is_picture(before);
        if let Some(kind) = Kind::of(c).filter(|_| !in_picture) {
            kinds.entry(kind).or_insert_with(|| format!("U+{:04X}", u32::from(c)));
        }
        if !in_picture {
            before = c;
        }
    }
    if !kinds.is_empty() {
        found.push(Odd::Hidden { path: path.to_owned(), kinds });
    }
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '©' | '®' | '™' | '0'..='9' | '#' | '*')
}

/// A server with its tools, as they meet behind the face that shows several.
#[derive(Clone, Copy, Debug)]
pub struct Side<'s> {
    /// What the catalogue calls it.
    pub server: &'s str,
    /// What its tools are called behind, where its owner says so.
    pub prefix: Option<&'s str>,
    /// The names of its tools.
    pub tools: &'s [&'s str],
}

/// Returns what could be mistaken for something else among all tools, by server and tool.
///
/// Two tools of one server whose names look the same, or differ in case alone; tools of two servers with the same name,
/// with names that look the same, or that would be called the same behind one face.
pub fn mistakable(sides: &[Side<'_>], limit: usize) -> BTreeMap<(String, String), BTreeSet<Odd>> {
    let mut by_looks: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    let mut by_public: BTreeMap<String, Vec<(&str, &str, String)>> = BTreeMap::new();
    for side in sides {
        let prefix = prefix(side.prefix, side.server);
        for tool in side.tools {
            by_looks.entry(skeleton(tool).to_lowercase()).or_default().push((side.server, tool));
            let public = public_name(prefix, tool, limit);
            by_public.entry(flat(&public)).or_default().push((side.server, tool, public));
        }
    }
    let mut found: BTreeMap<(String, String), BTreeSet<Odd>> = BTreeMap::new();
    let mut add = |server: &str, tool: &str, odd| {
        found.entry((server.to_owned(), tool.to_owned())).or_default().insert(odd);
    };
    for group in by_looks.values().filter(|group| group.len() > 1) {
        for (at, (server, tool)) in group.iter().enumerate() {
            // Each is told of one other: in a large group all would be told of all.
            let (other_server, other) = group[usize::from(at == 0)];
            if other == *tool && other_server != *server {
                add(server, tool, Odd::Shadow { server: other_server.to_owned() });
            } else if other != *tool {
                add(server, tool, Odd::Twin { server: other_server.to_owned(), tool: other.to_owned() });
            }
        }
    }
    for group in by_public.values().filter(|group| group.len() > 1) {
        for (at, (server, tool, _)) in group.iter().enumerate() {
            let (other_server, other, public) = &group[usize::from(at == 0)];
            if other_server != server {
                let (server_, tool_) = ((*other_server).to_owned(), (*other).to_owned());
                add(server, tool, Odd::Collision { server: server_, tool: tool_, public: public.clone() });
            }
        }
    }
    found
}

/// A public name as clients that put their own signs between its parts may see it: `a_b` and `c`, `a` and `b_c`.
fn flat(public: &str) -> String {
    let mut out = String::with_capacity(public.len());
    for c in public.chars() {
        let c = if matches!(c, '-' | '.') { '_' } else { c.to_ascii_lowercase() };
        if !(c == '_' && out.ends_with('_')) {
            out.push(c);
        }
    }
    out
}
