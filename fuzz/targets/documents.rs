//! Any bytes as any format: reading never panics, and an edit is either refused or says exactly what was intended.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::document::{Change, Document, Format, Refusal, Step};
use switchboard_core::value::Value;

const FORMATS: [Format; 6] =
    [Format::Json, Format::JsonComments, Format::Jsonc, Format::Json5, Format::Toml, Format::Yaml];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let format = FORMATS[usize::from(choice) % FORMATS.len()];
    let Ok(text) = Document::decode(bytes) else { return };
    let Ok(document) = Document::parse(text, format) else { return };
    let container = [Step::key("mcpServers")];
    let footing = document.footing(&container);
    let path = [Step::key("mcpServers"), Step::key("fuzzed")];
    let entry = Value::Map(vec![("command".to_owned(), Value::text("uvx"))]);
    let had = document.at(&path).is_some();
    let after = match document.revised(&[Change::set(path.clone(), entry)]) {
        Ok(after) => after,
        // Some YAML that nobody writes in a config (explicit keys, tabs behind colons) is only caught by the last check.
        Err(Refusal::Unverified(_)) if format == Format::Yaml => return,
        Err(Refusal::Unverified(why)) => panic!("an edit would have gone wrong: {why}"),
        Err(_) => return,
    };
    if had {
        return;
    }
    let again = Document::parse(&after, format).expect("what was written is read again");
    let removal = Change::Remove { path: path.to_vec(), footing: Some(footing) };
    match again.revised(&[removal]) {
        // Blank lines around lone carriage returns are the one thing that YAML may come back without.
        Ok(back) if format == Format::Yaml && text.contains('\r') => drop(back),
        Ok(back) => assert_eq!(back, text, "adding and removing leaves a trace"),
        // YAML has texts (explicit keys without values, say) in which a removal is refused; it is never wrong.
        Err(_) if format == Format::Yaml => {}
        Err(why) => panic!("what was added cannot be removed: {why}"),
    }
});
