//! What holds for every file of another application.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{ExportBase, ExportedTool, export};
use crate::document::{Document, Format};
use crate::policy::{Permission, Risk};

const NAMES: [&str; 5] = ["get_a", "b", "delete_c", "\u{202e}d", "e\"\\"];

fn tools() -> impl Strategy<Value = Vec<ExportedTool>> {
    (subsequence(NAMES.to_vec(), 0..=5), 1_u64..4, any::<bool>()).prop_map(|(names, seconds, enabled)| {
        let tool = |name: &str| ExportedTool {
            name: name.to_owned(),
            description: format!("{name} {seconds}"),
            risk: if enabled { Risk::Safe } else { Risk::High },
            timeout: Duration::from_secs(seconds),
            cache_ttl: enabled.then_some(Duration::from_secs(60)),
            permissions: Permission::parse("a:b:c").into_iter().filter(|_| !enabled).collect(),
            enabled,
        };
        names.into_iter().map(tool).collect()
    })
}

/// Somebody else's part of a file, as it is spelt.
fn foreign() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(
        vec![
            r#"{"name": "get_a", "server": "other", "n": 1.50}"#,
            r#"{ "name":"b" }"#,
            "{\n      \"server\": \"other\",\n      \"name\": \"\\u0062\"\n    }",
            "17",
            r#"["x" , null]"#,
        ],
        0..=5,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_somebody_elses_keeps_its_bytes(
        foreign in foreign(),
        separator in select(vec![", ", ",\n    ", " ,\r\n\t"]),
        head in select(vec!["", "\"x\": [ 1,2 ], ", "\"servers\": [{\"name\": \"z\"}],\n  ", "\"servers\": {},\n"]),
        history in prop::collection::vec(tools(), 1..5),
    ) {
        let begin = format!("{{{head}\"tools\": [{}]  }}\n", foreign.join(separator));
        let mut text = begin.clone();
        let mut base = ExportBase::default();
        for tools in &history {
            let done = export(Some(&text), &base, "k8s", tools).unwrap();
            text = done.text.unwrap_or(text);
            base = done.base;
            prop_assert!(Document::parse(&text, Format::Json).is_ok());
            let again = export(Some(&text), &base, "k8s", tools).unwrap();
            prop_assert_eq!(&again.text, &None);
            prop_assert_eq!(&again.base, &base);
            // Each part of somebody else's stands there as it stood, in its order.
            let mut rest = text.as_str();
            for part in &foreign {
                let at = rest.find(part);
                prop_assert!(at.is_some(), "{} is not in\n{}", part, text);
                rest = &rest[at.unwrap() + part.len()..];
            }
            let ends = text.starts_with('{') && text.ends_with("}\n");
            prop_assert!(ends, "{}", text);
            prop_assert_eq!(done.tools.1, tools.len());
        }
        // What base is kept as, is read again.
        let kept: ExportBase = serde_json::from_str(&serde_json::to_string(&base).unwrap()).unwrap();
        prop_assert_eq!(kept, base);
    }

    #[test]
    fn no_text_makes_it_panic(text in "([{}\\[\\]\",: ]|\"tools\": |\"name\": \"a\"|\"server\": \"k8s\"|1|,){0,14}", tools in tools()) {
        if let Ok(done) = export(Some(&text), &ExportBase::default(), "k8s", &tools)
            && let Some(after) = done.text
        {
            prop_assert!(Document::parse(&after, Format::Json).is_ok());
        }
    }
}
