use std::fmt::Write as _;

use super::{Field, Mistake, Part, Reference, WordsError, is_secret_name, parse, references, words};
use crate::launch::Launch;

/// Shows the parts in one line: text as it is, references in angle brackets, notes after a bar.
fn shown(text: &str) -> String {
    let parsed = match parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return format!("error: {error}"),
    };
    let mut out: String = parsed
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => format!("[{text}]"),
            Part::Reference(Reference::Env { name, default: Some(default) }) => {
                format!("<env {name} or {default}>")
            }
            Part::Reference(Reference::Cmd { program, args }) => format!("<cmd {program} {args:?}>"),
            Part::Reference(reference) => format!("<{reference}>"),
        })
        .collect();
    for note in parsed.notes {
        let _ = write!(out, " | {} {}", note.offset, note.text);
    }
    out
}

#[test]
fn texts_are_taken_apart() {
    for (text, expected) in [
        ("", ""),
        ("plain $HOME $ {x} }", "[plain $HOME $ {x} }]"),
        ("${env:TOKEN}", "<${env:TOKEN}>"),
        ("Bearer ${env:TOKEN}!", "[Bearer ]<${env:TOKEN}>[!]"),
        ("${env:A}${env:B}", "<${env:A}><${env:B}>"),
        ("${env:A:-b c}", "<env A or b c>"),
        ("${env:A:-}", "<env A or >"),
        ("${env:A:-x:-y}", "<env A or x:-y>"),
        ("${file:~/a b.txt}", "<${file:~/a b.txt}>"),
        ("${keyring:github-token}", "<${keyring:github-token}>"),
        ("${cmd:op read 'op://a b/c'}", "<cmd op [\"read\", \"op://a b/c\"]>"),
        ("${root}/src", "<${root}>[/src]"),
        ("$${env:A}", "[${env:A}]"),
        ("a$${b", "[a${b]"),
        ("$$${env:A}", "[$${env:A}]"),
        ("$$", "[$$]"),
        ("${workspaceFolder}/x", "[${workspaceFolder}/x] | 0 ${workspaceFolder}"),
        ("é${A}${env:B}", "[é${A}]<${env:B}> | 2 ${A}"),
        ("${input:token}", "[${input:token}] | 0 ${input:token}"),
        ("${VAR:-x}", "[${VAR:-x}] | 0 ${VAR:-x}"),
        ("${env}", "[${env}] | 0 ${env}"),
        ("${environment:A}", "[${environment:A}] | 0 ${environment:A}"),
        ("${ENV:A}", "[${ENV:A}] | 0 ${ENV:A}"),
        ("${", "[${] | 0 ${"),
        ("${roots}", "[${roots}] | 0 ${roots}"),
        ("${a${env:B}", "[${a]<${env:B}> | 0 ${a${env:B}"),
        ("x${env:A", "error: `${env:` is never closed with `}` at byte 1"),
        ("${env:}", "error: `${env:}` names nothing at byte 0"),
        ("${env::-x}", "error: `${env:}` names nothing at byte 0"),
        ("${file: }", "error: `${file:}` names nothing at byte 0"),
        ("${keyring:../x}", "error: `../x` cannot be the name in `${keyring:..}` at byte 0"),
        ("${env:A=B}", "error: `A=B` cannot be the name in `${env:..}` at byte 0"),
        ("ab${cmd:op 'x}", "error: `${cmd:..}` has a quote (') that is never closed at byte 2"),
        ("${cmd:''}", "error: `${cmd:}` names nothing at byte 0"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn text_without_references_comes_back_whole() {
    for text in ["", "a", "$", "$$", "{}", "${x}", "${x", "ä${ö}ü", "${${${", "$x${y}$"] {
        let whole: String = parse(text)
            .unwrap()
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Reference(_) => panic!("{text} has no reference"),
            })
            .collect();
        assert_eq!(whole, text);
    }
}

#[test]
fn words_are_told_apart_without_a_shell() {
    for (text, expected) in [
        ("", &[][..]),
        ("  a  b\tc ", &["a", "b", "c"]),
        ("'a b' \"c d\"", &["a b", "c d"]),
        ("a'b'\"c\"d", &["abcd"]),
        ("'' \"\"", &["", ""]),
        (r#""a\"b\\c\$d\e""#, &[r#"a"b\c$d\e"#]),
        (r"a\ b\'c", &["a b'c"]),
        (r"'a\b'", &[r"a\b"]),
        ("$HOME `id` $(id) | > *", &["$HOME", "`id`", "$(id)", "|", ">", "*"]),
    ] {
        assert_eq!(words(text).unwrap(), expected, "{text}");
    }
    assert_eq!(words("a \"b"), Err(WordsError::OpenQuote('"')));
    assert_eq!(words("a\\"), Err(WordsError::OpenEscape));
}

#[test]
fn names_of_secrets_are_safe_file_names() {
    for name in ["a", "github-token", "a.b_C-9", &"x".repeat(128)] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["", ".", "..", ".a", "a/b", "a\\b", "a b", "ä", "a\0", &"x".repeat(129)] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn references_name_the_field_they_stand_in() {
    let launch: Launch = serde_json::from_str(
        r#"{"stdio":{"command":"npx","args":["-y","${env:PKG}"],"env":{"T":"${keyring:t}"},"cwd":"${root}"}}"#,
    )
    .unwrap();
    let found: Vec<String> =
        references(&launch).unwrap().iter().map(|(field, found)| format!("{field} {found}")).collect();
    assert_eq!(found, ["args[1] ${env:PKG}", "env.T ${keyring:t}", "cwd ${root}"]);

    let remote: Launch = serde_json::from_str(
        r#"{"remote":{"kind":"http","url":"${env:U}","headers":{"Authorization":"Bearer ${env:T"}}}"#,
    )
    .unwrap();
    let (field, error) = references(&remote).unwrap_err();
    assert_eq!(field, Field::Header("Authorization".into()));
    assert_eq!((error.offset, error.what.clone()), (7, Mistake::Unclosed("env")));
    assert_eq!(error.help(), "close it with `}`, or write `$${` for a literal `${`");
}

#[test]
fn what_is_shown_of_a_reference_hides_defaults_and_arguments() {
    let shown: Vec<String> = ["${env:A:-hunter2}", "${cmd:op read hunter2}"]
        .iter()
        .flat_map(|text| parse(text).unwrap().references().map(ToString::to_string).collect::<Vec<_>>())
        .collect();
    assert_eq!(shown, ["${env:A}", "${cmd:op}"]);
}
