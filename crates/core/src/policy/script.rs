//! Which script the letters of a name are of, and whether they are there to deceive.

use super::skeleton::plain;
use super::words::split;

/// A script of which some letters look like those of another of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
}

impl Script {
    fn of(c: char) -> Option<Self> {
        match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' => Some(Self::Latin),
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(Self::Greek),
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => Some(Self::Cyrillic),
            '\u{530}'..='\u{58f}' => Some(Self::Armenian),
            '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some(Self::Cherokee),
            _ => None,
        }
    }

    fn is_foreign(c: char) -> bool {
        Self::of(c).is_some_and(|script| script != Self::Latin)
    }
}

/// Returns whether a name has letters that pretend to be others, judged word by word.
///
/// A name may be of any one script, and each of its words of another. Nobody mixes scripts within a word, and a word of
/// which every letter looks Latin is taken for Latin between words that are. Latin letters in disguise, such as those of
/// mathematics, have no place in any name.
pub(super) fn is_disguised(name: &str) -> bool {
    if name.is_ascii() {
        return false;
    }
    let has_latin = name.chars().any(|c| Script::of(c) == Some(Script::Latin));
    let deceives = |word: &str| {
        let mut scripts = word.chars().filter_map(Script::of);
        let first = scripts.next();
        let is_mixed = scripts.any(|script| Some(script) != first);
        let mut letters = word.chars().filter(|c| c.is_alphabetic());
        let reads_latin = has_latin && letters.all(|c| Script::is_foreign(c) && plain(c) != c);
        is_mixed || (reads_latin && first.is_some())
    };
    name.chars().any(|c| plain(c) != c && !Script::is_foreign(c)) || split(name).into_iter().any(deceives)
}

#[cfg(test)]
mod tests {
    use super::is_disguised;

    #[test]
    fn a_name_of_one_script_is_fine_and_a_word_of_two_is_not() {
        for name in [
            "delete_pod",
            "météo",
            "删除pod",
            "ファイル削除",
            "삭제",
            "удалить",
            "удалить_файл",
            "УдалитьФайл",
            "текст",
            "διαγραφή",
            "κατα",
            "ջնջել",
            "get_файлы",
            "getФайлы",
            "удалить_διαγραφή",
            "שלום_2",
        ] {
            assert!(!is_disguised(name), "{name}");
        }
        for name in [
            "dеlete_pod",
            "delete_рod",
            "get_рОЅТ",
            "getТ",
            "ВOX",
            "get_µετα_αb",
            "удaлить",
            "удалить_рod",
            "αа",
            "ｄｅｌｅｔｅ",
            "𝐝elete",
            "get–pod",
        ] {
            assert!(is_disguised(name), "{name}");
        }
    }
}
