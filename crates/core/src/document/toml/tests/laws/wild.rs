//! Documents put together at random, each valid and each in a hand of its own.

/// The map that holds the entries.
pub(super) const CONTAINER: &str = "mcp_servers";

/// The list that holds named items.
pub(super) const LIST: &str = "items";

/// Random choices that shrink to the first of each.
#[derive(Debug)]
pub(super) struct Dice {
    rolls: std::vec::IntoIter<u16>,
}

impl Dice {
    pub(super) fn new(rolls: Vec<u16>) -> Self {
        Self { rolls: rolls.into_iter() }
    }

    /// A number below `sides`.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        usize::from(self.rolls.next().unwrap_or(0)) % sides
    }

    /// True once in `times`, and never when the rolls have run out.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A document and the entries in its container.
pub(super) struct Wild {
    pub(super) text: String,
    pub(super) entries: Vec<String>,
}

const NAMES: [(&str, &str); 4] =
    [("docs", "docs"), ("figma remote", "\"figma remote\""), ("a.b", "'a.b'"), ("time", "time")];

const VALUES: [&str; 16] = [
    "\"x\"",
    "'lit'",
    "1",
    "45.5",
    "true",
    "1979-05-27T07:32:00Z",
    "[1, 2]",
    "[\n  \"a\", # one\n  \"b\",\n]",
    "[\n    \"a\",\n    # two\n    \"b\" # three\n]",
    "[ 'a' ,'b', ]",
    "{ A = \"1\", \"b c\" = [{}] }",
    "{a.b = 1, c = 2, a.d = 3}",
    "\"\"\"\nmany\nlines # not a comment\n\"\"\"",
    "{}",
    "[ ]",
    "{\n  A = 1, # one\n  B = 2\n}",
];

/// How the container is written.
#[derive(Clone, Copy, PartialEq)]
enum Hold {
    Missing,
    Headers,
    HeaderAndHeaders,
    HeaderAndInline,
    Inline,
    Dotted,
}

impl Wild {
    pub(super) fn document(dice: &mut Dice) -> Self {
        let holds = [
            Hold::Headers,
            Hold::Missing,
            Hold::HeaderAndHeaders,
            Hold::HeaderAndInline,
            Hold::Inline,
            Hold::Dotted,
        ];
        let hold = holds[dice.below(holds.len())];
        let count = if hold == Hold::Missing { 0 } else { dice.below(NAMES.len() + 1) };
        let names = &NAMES[..count];
        let mut lines = Vec::new();
        if dice.one_in(3) {
            lines.push(dice.pick(&["# head", "# head\n", "", "#", "  # far"]).to_owned());
        }
        root_lines(dice, hold, names, &mut lines);
        for block in blocks(dice, hold, names) {
            if !lines.is_empty() {
                lines.push(dice.pick(&["", "", "\n", "# gap\n", "\n# above", " \t"]).to_owned());
                if dice.one_in(3) {
                    lines.pop();
                }
            }
            lines.extend(block);
        }
        if dice.one_in(4) {
            lines.push(dice.pick(&["# end", "\n# end", "", "\n\n"]).to_owned());
        }
        let text = finished(dice, &lines);
        Self { text, entries: names.iter().map(|(name, _)| (*name).to_owned()).collect() }
    }

    /// A document with a list of named items rather than a container.
    pub(super) fn with_list(dice: &mut Dice) -> Self {
        let count = dice.below(NAMES.len() + 1);
        let names: Vec<String> = NAMES[..count].iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut lines = Vec::new();
        root_lines(dice, Hold::Missing, &[], &mut lines);
        let as_blocks = !dice.one_in(3);
        if !as_blocks {
            let items: Vec<String> = names.iter().map(|name| format!("{{ name = \"{name}\" }}")).collect();
            let item_lines = [("", ", ", ""), ("\n  ", ",\n  ", ",\n"), ("\n\t", ", # c\n\t", " # last\n")];
            let (open, comma, close) = item_lines[dice.below(3)];
            let items =
                if items.is_empty() { String::new() } else { format!("{open}{}{close}", items.join(comma)) };
            lines.push(format!("{LIST} = [{items}]{}", dice.pick(&["", " # list"])));
        }
        let mut blocks = blocks(dice, Hold::Missing, &[]);
        if as_blocks {
            for name in &names {
                let mut block =
                    vec![format!("{}[[{LIST}]]", dice.pick(&["", "", " "])), format!("name = \"{name}\"")];
                body(dice, &mut block);
                if dice.one_in(3) {
                    block.push(format!("[{LIST}.env]\nX = \"1\""));
                }
                let at = blocks.len() - dice.below(2).min(blocks.len());
                blocks.insert(if dice.one_in(2) { at } else { blocks.len() }, block);
            }
        }
        for block in blocks {
            if dice.one_in(2) {
                lines.push(dice.pick(&["", "\n# above", "# gap\n"]).to_owned());
            }
            lines.extend(block);
        }
        let text = finished(dice, &lines);
        Self { text, entries: names }
    }

    /// The text with something wrong, or perhaps only something else, in it.
    pub(super) fn broken(&self, dice: &mut Dice) -> String {
        let mut lines: Vec<&str> = self.text.split_inclusive('\n').collect();
        for _ in 0..=dice.below(2) {
            let at = dice.below(lines.len().max(1));
            match dice.below(4) {
                0 if !lines.is_empty() => {
                    let line = lines[dice.below(lines.len())];
                    lines.insert(at, line);
                }
                1 if !lines.is_empty() => {
                    lines.remove(at);
                }
                2 if !lines.is_empty() => {
                    let other = dice.below(lines.len());
                    lines.swap(at, other);
                }
                _ => {
                    let strange = [
                        "[mcp_servers]\n",
                        "[[mcp_servers]]\n",
                        "[mcp_servers.docs]\n",
                        "mcp_servers = 1\n",
                        "mcp_servers.docs.env.X = 1\n",
                        "[a.b.c]\n[a]\nb.d = 1\n",
                        "[a.b]\n[a]\nb.d = 1\n",
                        "[[l]]\n[l.x]\n[[l]]\n[l.x]\n",
                        "[l]\n[[l]]\n",
                        "l = []\n[[l]]\n",
                        "x = { a = 1, a = 2 }\n",
                        "x = { a.b = 1, a = 2 }\n",
                        "x = {}\n[x.y]\n",
                        "d.e = 1\n[d]\n",
                        "d.e = 1\n[d.f]\n",
                        "\"\"\"\n",
                        "k = [\n",
                        "k = {\n",
                        "k = 'x\n",
                        "k = 1 2\n",
                        "k = 2020-13-01\n",
                        "k = 0x_1\n",
                        "\u{0}\n",
                        "tui.x = 1\n",
                        "[tui.x]\n",
                        "[[things]]\n",
                        "[things]\n",
                        "\r",
                        "= 1\n",
                        "k\n",
                        "'' = 1\n",
                    ];
                    lines.insert(at, dice.pick(&strange));
                }
            }
        }
        let mut text = lines.concat();
        if dice.one_in(3) && !text.is_empty() {
            let mut at = dice.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            if dice.one_in(2) {
                text.truncate(at);
            } else {
                text.insert_str(
                    at,
                    dice.pick(&["[", "]", "{", "}", "\"", "'", ",", "=", ".", "#", "\n", "\\"]),
                );
            }
        }
        text
    }
}

/// The lines as a text with line ends of one kind or the other, and perhaps none at the end.
fn finished(dice: &mut Dice, lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if !text.is_empty() && !dice.one_in(3) {
        text.push('\n');
    }
    text = match dice.below(4) {
        2 => text.replace('\n', "\r\n"),
        3 => mixed(dice, &text),
        _ => text,
    };
    if dice.one_in(5) {
        text.insert(0, '\u{feff}');
    }
    text
}

fn mixed(dice: &mut Dice, text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| if dice.one_in(2) { line.replace('\n', "\r\n") } else { line.to_owned() })
        .collect()
}

fn root_lines(dice: &mut Dice, hold: Hold, names: &[(&str, &str)], lines: &mut Vec<String>) {
    if dice.one_in(2) {
        lines.push(pair(dice, "model"));
    }
    match hold {
        Hold::Inline => lines.push(format!("{CONTAINER} = {}", inline_container(dice, names))),
        Hold::Dotted => {
            for (_, key) in names {
                lines.push(format!("{CONTAINER}.{key}.command = \"npx\""));
                if dice.one_in(2) {
                    let env = dice.pick(&["env = { LOG = \"1\" }", "env.LOG = '1'", "env = {} # none"]);
                    lines.push(format!("{CONTAINER} . {key}.{env}"));
                }
            }
        }
        _ => {}
    }
    if dice.one_in(3) {
        lines.push(dice.pick(&["", "# note", "  "]).to_owned());
        lines.push(pair(dice, "approval"));
    }
}

fn inline_container(dice: &mut Dice, names: &[(&str, &str)]) -> String {
    let entries: Vec<String> =
        names.iter().map(|(_, key)| format!("{key} = {}", inline_entry(dice))).collect();
    match (entries.is_empty(), dice.below(4)) {
        (true, style) => ["{}", "{ }", "{\n}", "{\n  # none\n}"][style].to_owned(),
        (false, 0) => format!("{{ {} }}", entries.join(", ")),
        (false, 1) => format!("{{{}}}", entries.join(",")),
        (false, 2) => format!("{{\n    {},\n}}", entries.join(",\n    ")),
        (false, _) => format!("{{ # many\n  {} # last\n}}", entries.join(", # one\n  ")),
    }
}

fn inline_entry(dice: &mut Dice) -> String {
    let choices = [
        "{ command = \"uvx\" }",
        "{ command = \"uvx\", args = [\"a\"] }",
        "{command=\"uvx\",env={LOG=\"1\"}}",
        "{}",
        "{ command = 'c', env.LOG = \"1\", args = [], }",
    ];
    dice.pick(&choices).to_owned()
}

/// All blocks in the order of the text.
fn blocks(dice: &mut Dice, hold: Hold, names: &[(&str, &str)]) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    match hold {
        Hold::Headers | Hold::HeaderAndHeaders => {
            for (_, key) in names {
                entry_blocks(dice, key, &mut blocks);
            }
        }
        Hold::HeaderAndInline => {
            let mut block = vec![header(dice, CONTAINER)];
            block.extend(names.iter().map(|(_, key)| format!("{key} = {}", inline_entry(dice))));
            blocks.push(block);
        }
        _ => {}
    }
    if hold == Hold::HeaderAndHeaders || (hold == Hold::Headers && names.is_empty()) {
        let at = dice.below(blocks.len() + 1);
        blocks.insert(at, vec![header(dice, CONTAINER)]);
    }
    for other in ["tui", "projects.\"/home/x y\"", "history"] {
        if dice.one_in(2) {
            let mut block = vec![header(dice, other)];
            body(dice, &mut block);
            let at = dice.below(blocks.len() + 1);
            blocks.insert(at, block);
        }
    }
    if dice.one_in(3) {
        for _ in 0..=dice.below(2) {
            let mut block = vec!["[[things]]".to_owned()];
            body(dice, &mut block);
            if dice.one_in(2) {
                block.push("[things.sub]".to_owned());
            }
            blocks.push(block);
        }
    }
    blocks
}

fn entry_blocks(dice: &mut Dice, key: &str, blocks: &mut Vec<Vec<String>>) {
    let mut block = vec![header(dice, &format!("{CONTAINER}.{key}"))];
    let indent = dice.pick(&["", "", "  "]);
    if !dice.one_in(6) {
        block.push(format!("{indent}command = \"npx\"{}", dice.pick(&["", " # why", "  "])));
    }
    if dice.one_in(2) {
        block.push(format!("{indent}args = {}", dice.pick(&VALUES[6..10])));
    }
    match dice.below(5) {
        1 => block.push(format!("{indent}env = {{ LOG = \"info\" }}")),
        2 => block.push(format!("{indent}env.LOG = \"info\"\n{indent}env.X = 1")),
        _ => {}
    }
    let has_env = block.iter().any(|line| line.contains("env"));
    body(dice, &mut block);
    blocks.push(block);
    if !has_env && dice.one_in(2) {
        let indent = dice.pick(&["", "  "]);
        let below = vec![format!("{indent}[{CONTAINER}.{key}.env]"), format!("{indent}LOG = \"info\"")];
        let at = if dice.one_in(3) { dice.below(blocks.len() + 1) } else { blocks.len() };
        blocks.insert(at, below);
    }
}

fn header(dice: &mut Dice, path: &str) -> String {
    let indent = dice.pick(&["", "", "", "  "]);
    let (open, close) = if dice.one_in(6) { ("[ ", " ]") } else { ("[", "]") };
    format!("{indent}{open}{path}{close}{}", dice.pick(&["", "", "", " # here"]))
}

fn body(dice: &mut Dice, block: &mut Vec<String>) {
    for n in 0..dice.below(3) {
        if dice.one_in(5) {
            block.push(dice.pick(&["", "# between"]).to_owned());
        }
        block.push(pair(dice, &format!("k{n}")));
    }
    if dice.one_in(4) {
        block.push(dice.pick(&["# was = 1", "#\n# two"]).to_owned());
    }
}

fn pair(dice: &mut Dice, key: &str) -> String {
    let value = dice.pick(&VALUES);
    let equals = dice.pick(&[" = ", " = ", "="]);
    format!("{key}{equals}{value}{}", dice.pick(&["", "", "", " # why", "  "]))
}
