//! What reading a client's file and pushing into it costs, beside what others need to read it alone.
//!
//! A push is all but the disk: read, planned, edited, and the result read again and compared.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run should say where")]

mod texts;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use switchboard_core::client::bridge::Bridge;
use switchboard_core::client::known::{self, Known};
use switchboard_core::client::reconcile::{Same, Wanted};
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::document::Document;
use switchboard_core::launch::Launch;
use switchboard_core::name::{ClientId, ServerName};
use switchboard_core::plan::{Observed, plan_client, render_document};

/// The sizes of the texts, in bytes.
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// Reads a text as `known` writes it.
fn parse(bencher: Bencher<'_, '_>, known: &Known, text: &str) {
    let format = known.dialect.format;
    bencher
        .counter(BytesCount::of_str(text))
        .bench_local(|| Document::parse(black_box(text), format).expect("the text is well-formed"));
}

/// Pushes one new server into a text.
fn push(bencher: Bencher<'_, '_>, known: &Known, text: &str) {
    let id = ClientId::parse(known.id).expect("ids of known clients are valid");
    let bridge = Bridge { program: "/usr/bin/switchboard".to_owned(), ..Bridge::default() };
    let name = ServerName::parse("time").expect("the name is valid");
    let wanted = Wanted::from([(name.clone(), bridge.launch(&name))]);
    let record = ClientRecord::default();
    let plain = |launch: &Launch| launch.clone();
    let same = Same::of(&switchboard_core::catalogue::Catalogue::default(), &plain);
    bencher.counter(BytesCount::of_str(text)).bench_local(|| {
        let document =
            Document::parse(black_box(text), known.dialect.format).expect("the text is well-formed");
        let observed = Observed { text: Some(text), last: None, document: Some(&document) };
        let plan = plan_client(&id, &known.dialect, &record, observed, Ok(wanted.clone()), &bridge, &same);
        let rendered =
            render_document(&plan, &known.dialect, &record, &document).expect("the text can be edited");
        assert!(rendered.text.len() > text.len(), "the server was added");
        rendered
    });
}

fn known(id: &str) -> &'static Known {
    known::find(id).expect("the client is known")
}

#[divan::bench_group]
mod json {
    use super::{Bencher, BytesCount, SIZES, black_box, known, texts};

    #[divan::bench(args = SIZES)]
    fn baseline(bencher: Bencher<'_, '_>, size: usize) {
        let text = texts::claude_code(size);
        bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
            jsonc_parser::parse_to_serde_value::<serde_json::Value>(
                black_box(&text),
                &jsonc_parser::ParseOptions::default(),
            )
            .expect("the text is well-formed")
        });
    }

    #[divan::bench(args = SIZES)]
    fn parse(bencher: Bencher<'_, '_>, size: usize) {
        super::parse(bencher, known("claude-code"), &texts::claude_code(size));
    }

    #[divan::bench(args = SIZES)]
    fn push(bencher: Bencher<'_, '_>, size: usize) {
        super::push(bencher, known("claude-code"), &texts::claude_code(size));
    }
}

#[divan::bench_group]
mod toml {
    use super::{Bencher, BytesCount, SIZES, black_box, known, texts};

    #[divan::bench(args = SIZES)]
    fn baseline(bencher: Bencher<'_, '_>, size: usize) {
        let text = texts::codex(size);
        bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
            black_box(&text).parse::<toml_edit::DocumentMut>().expect("the text is well-formed")
        });
    }

    #[divan::bench(args = SIZES)]
    fn parse(bencher: Bencher<'_, '_>, size: usize) {
        super::parse(bencher, known("codex"), &texts::codex(size));
    }

    #[divan::bench(args = SIZES)]
    fn push(bencher: Bencher<'_, '_>, size: usize) {
        super::push(bencher, known("codex"), &texts::codex(size));
    }
}

#[divan::bench_group]
mod yaml {
    use saphyr::LoadableYamlNode as _;

    use super::{Bencher, BytesCount, SIZES, black_box, known, texts};

    #[divan::bench(args = SIZES)]
    fn baseline(bencher: Bencher<'_, '_>, size: usize) {
        let text = texts::goose(size);
        bencher
            .counter(BytesCount::of_str(&text))
            .bench_local(|| saphyr::Yaml::load_from_str(black_box(&text)).expect("the text is well-formed"));
    }

    #[divan::bench(args = SIZES)]
    fn parse(bencher: Bencher<'_, '_>, size: usize) {
        super::parse(bencher, known("goose"), &texts::goose(size));
    }

    #[divan::bench(args = SIZES)]
    fn push(bencher: Bencher<'_, '_>, size: usize) {
        super::push(bencher, known("goose"), &texts::goose(size));
    }
}
