//! What a character looks like: names that look alike have the same skeleton.

/// Latin letters and the letters of other scripts that look like them.
const TWINS: [(char, &str); 50] = [
    ('a', "аɑα"),
    ('b', "Ьƅ"),
    ('c', "сϲᴄ"),
    ('d', "ԁɗ"),
    ('e', "еҽ℮"),
    ('f', "ϝẝ"),
    ('g', "ɡց"),
    ('h', "һհ"),
    ('i', "іıɩι"),
    ('j', "јϳ"),
    ('k', "κк"),
    ('l', "ӏǀ∣ⅼ"),
    ('m', "м"),
    ('n', "ո"),
    ('o', "оοօσ"),
    ('p', "рρ"),
    ('q', "ԛգ"),
    ('r', "гᴦ"),
    ('s', "ѕꜱſ"),
    ('t', "тτ"),
    ('u', "υսᴜ"),
    ('v', "νѵᴠ"),
    ('w', "ԝѡᴡ"),
    ('x', "хχ"),
    ('y', "уγү"),
    ('z', "ᴢ"),
    ('A', "АΑ"),
    ('B', "ВΒ"),
    ('C', "СϹ"),
    ('D', "Ꭰ"),
    ('E', "ЕΕ"),
    ('F', "Ϝ"),
    ('G', "Ԍ"),
    ('H', "НΗ"),
    ('I', "ІΙӀ"),
    ('J', "Ј"),
    ('K', "КΚ\u{212a}"),
    ('L', "Ꮮ"),
    ('M', "МΜ"),
    ('N', "Ν"),
    ('O', "ОΟՕ"),
    ('P', "РΡ"),
    ('S', "Ѕ"),
    ('T', "ТΤ"),
    ('V', "Ѵ"),
    ('X', "ХΧ"),
    ('Y', "ΥҮ"),
    ('Z', "Ζ"),
    ('-', "‐‑‒–—−﹣"),
    ('_', "ˍ﹍"),
];

/// Returns the plain character that `c` looks like; itself when it looks like no other.
pub(super) fn plain(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let code = u32::from(c);
    let from = |base: u32, code: u32| char::from_u32(base + code).unwrap_or(c);
    match code {
        // The full-width forms of the printable ASCII characters.
        0xff01..=0xff5e => return from(0x21, code - 0xff01),
        // The mathematical letters: thirteen alphabets of 26 capital and 26 small letters.
        0x1d400..=0x1d6a3 => {
            let letter = (code - 0x1d400) % 52;
            return if letter < 26 { from(0x41, letter) } else { from(0x61, letter - 26) };
        }
        0x1d7ce..=0x1d7ff => return from(0x30, (code - 0x1d7ce) % 10),
        // Letters in circles.
        0x24b6..=0x24cf => return from(0x41, code - 0x24b6),
        0x24d0..=0x24e9 => return from(0x61, code - 0x24d0),
        _ => {}
    }
    TWINS.iter().find(|(_, twins)| twins.contains(c)).map_or(c, |(plain, _)| *plain)
}

/// Returns whether `c` cannot be seen, or changes how what stands beside it is shown.
///
/// Line ends and tabs can be seen.
pub(super) fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\r' | '\t' => false,
        _ if c.is_control() => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
        // What no font has a picture for.
        | '\u{e000}'..='\u{f8ff}'
        | '\u{f0000}'..='\u{10ffff}' => true,
        _ => false,
    }
}

/// Returns `text` with whatever cannot be seen spelt out.
pub(super) fn seen(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) || matches!(c, '\n' | '\r' | '\t') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns `text` as it looks: without what cannot be seen, and in plain letters where they look the same.
pub(super) fn skeleton(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        for (text, looks) in [
            ("delete_pod", "delete_pod"),
            ("dеlеtе_pоd", "delete_pod"),
            ("ｄｅｌｅｔｅ＿ｐｏｄ", "delete_pod"),
            ("del\u{200b}ete\u{e0041}_p\u{202e}od", "delete_pod"),
            ("𝐝𝑒𝒍ete_pod", "delete_pod"),
            ("删除", "删除"),
            ("météo", "météo"),
        ] {
            assert_eq!(skeleton(text), looks, "{text:?}");
        }
    }

    #[test]
    fn no_character_is_its_own_twin_or_has_two() {
        let all: Vec<char> = TWINS.iter().flat_map(|(_, twins)| twins.chars()).collect();
        let once: std::collections::BTreeSet<char> = all.iter().copied().collect();
        assert_eq!(once.len(), all.len());
        assert!(!all.iter().any(char::is_ascii));
    }
}
