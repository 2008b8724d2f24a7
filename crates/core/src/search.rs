//! Finds things by words in their names and descriptions.

use std::collections::HashMap;

/// Something that can be found.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    /// What it is called; a word in it counts more.
    pub name: &'e str,
    /// What is said about it.
    pub text: &'e str,
}

/// A word in a name counts as much as so many in a description.
const IN_NAME: f64 = 3.0;

/// Returns the places of the `limit` entries that fit best, the best first; those that have none of the words are no fit.
///
/// A word counts more the fewer entries have it, and the beginning of a word counts for less than all of it. Of equal
/// entries the first comes first.
pub fn search<'e>(entries: impl IntoIterator<Item = Entry<'e>>, query: &str, limit: usize) -> Vec<usize> {
    let entries: Vec<[Vec<String>; 2]> =
        entries.into_iter().map(|entry| [words(entry.name), words(entry.text)]).collect();
    let asked = words(query);
    let mut having: HashMap<&str, usize> = HashMap::new();
    for word in &asked {
        let count = entries.iter().filter(|entry| entry.iter().any(|part| fit(part, word) > 0.0)).count();
        having.insert(word, count);
    }
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let all = number(entries.len());
    let mut found: Vec<(f64, usize)> = entries
        .iter()
        .enumerate()
        .map(|(at, [name, text])| {
            let score = asked.iter().map(|word| {
                let having = number(having.get(word.as_str()).copied().unwrap_or(0));
                let rare = (1.0 + all / having.max(1.0)).ln();
                rare * (IN_NAME * fit(name, word) + fit(text, word))
            });
            (score.sum(), at)
        })
        .filter(|(score, _)| *score > 0.0)
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    found.into_iter().take(limit).map(|(_, at)| at).collect()
}

/// Returns how well the best of `words` fits.
fn fit(words: &[String], word: &str) -> f64 {
    let fits = words.iter().map(|known| {
        if known == word {
            1.0
        } else if known.starts_with(word) || (known.len() > 3 && word.starts_with(known.as_str())) {
            0.5
        } else {
            0.0
        }
    });
    fits.fold(0.0, f64::max)
}

/// Returns the words of a text, in small letters: runs of letters and digits, and the parts of `camelCase`, `HTTPServer`
/// and `snake_case`.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    let (mut before_is_small, mut before_is_large) = (false, false);
    while let Some(letter) = letters.next() {
        let ends_large = before_is_large && letters.peek().is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase() && (before_is_small || ends_large);
        if (!letter.is_alphanumeric() || begins) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before_is_small = letter.is_lowercase() || letter.is_numeric();
        before_is_large = letter.is_uppercase();
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: [(&str, &str); 5] = [
        ("github__create_issue", "Creates an issue in a repository"),
        ("github__list_issues", "Lists the issues of a repository"),
        ("k8s__listPods", "Lists the pods of a namespace"),
        ("time__now", "Tells the time"),
        ("删除", "Removes a thing"),
    ];

    #[test]
    fn what_fits_best_comes_first() {
        for (query, found) in [
            ("create an issue", vec!["github__create_issue", "github__list_issues"]),
            ("list pods", vec!["k8s__listPods", "github__list_issues"]),
            ("pod", vec!["k8s__listPods"]),
            ("删除", vec!["删除"]),
            ("weather", vec![]),
            ("", vec![]),
        ] {
            let entries = TOOLS.iter().map(|(name, text)| Entry { name, text });
            let names: Vec<&str> = search(entries, query, 2).into_iter().map(|at| TOOLS[at].0).collect();
            assert_eq!(names, found, "{query}");
        }
    }

    #[test]
    fn names_are_split_where_people_see_words() {
        for (text, parts) in [
            ("listPods", "list pods"),
            ("list_pods-v2.all", "list pods v2 all"),
            ("parseHTTPServer", "parse http server"),
            ("GETUser2FA", "get user2 fa"),
            ("URLs", "ur ls"),
            ("ÄrgerÜber", "ärger über"),
            ("  ..", ""),
        ] {
            assert_eq!(words(text).join(" "), parts, "{text}");
        }
    }
}
