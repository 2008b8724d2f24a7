//! Another application's file, before and after.

use std::time::Duration;

use super::{ExportBase, Exported, ExportedTool, PLACES, Repair, export, places};
use crate::policy::stage::{USUAL, setting};
use crate::policy::{Risk, Tool, Usual, Verbs, infer};

fn tools(names: &str) -> Vec<ExportedTool> {
    let verbs = Verbs::default();
    let setting = setting("k8s", &verbs);
    let tool = |name: &str| {
        let proposal = infer(&Tool::named(name), &setting);
        ExportedTool {
            name: name.to_owned(),
            description: format!("About {name}"),
            risk: proposal.risk,
            timeout: proposal.timeout,
            cache_ttl: proposal.cache_ttl,
            permissions: proposal.permission.into_iter().collect(),
            enabled: true,
        }
    };
    names.split_whitespace().map(tool).collect()
}

fn first(text: Option<&str>, names: &str) -> Exported {
    export(text, &ExportBase::default(), "k8s", &tools(names)).unwrap()
}

/// Exports again over what was written, to see that nothing is left to do.
fn settled(text: &str, exported: &Exported, names: &str) {
    let again = export(Some(text), &exported.base, "k8s", &tools(names)).unwrap();
    assert_eq!(again.text, None, "exported twice is another text");
    assert_eq!(again.base, exported.base);
}

#[test]
fn a_file_is_made_where_there_is_none() {
    for text in [None, Some(""), Some("\n")] {
        let made = first(text, "list_pods delete_pod");
        assert_eq!(made.tools, (0, 2));
        settled(made.text.as_deref().unwrap(), &made, "list_pods delete_pod");
    }
    insta::assert_snapshot!(first(None, "list_pods delete_pod").text.unwrap(), @r#"
    {
      "servers": [
        {
          "name": "k8s",
          "tools": ["list_pods", "delete_pod"]
        }
      ],
      "tools": [
        {
          "name": "list_pods",
          "description": "About list_pods",
          "risk_level": "safe",
          "timeout": 30,
          "cache_enabled": true,
          "cache_ttl": 60,
          "required_permissions": [],
          "enabled": true,
          "server": "k8s"
        },
        {
          "name": "delete_pod",
          "description": "About delete_pod",
          "risk_level": "high",
          "timeout": 60,
          "cache_enabled": false,
          "required_permissions": ["k8s:pod:delete"],
          "enabled": true,
          "server": "k8s"
        }
      ]
    }
    "#);
}

/// As an application has it: its own keys, its own hand, tools of another server.
const FILE: &str = r#"{
    "version": 1.0,
    "servers": [
        {"name": "k8s", "type": "sse", "host": "localhost", "port": 8766,
         "tools": ["list_pods", "old_tool"]},
        {"name": "other", "tools": ["list_pods"]}
    ],
    "tools": [
        {"name": "list_pods", "server": "other", "risk_level": "low", "x": 1e3},
        {
            "name": "list_pods", "description": "mine", "timeout": 5,
            "owner": "me",
            "server": "k8s"
        },
        {"name": "old_tool", "server": "k8s"},
        {"name": "last",   "server": "other"}
    ],
    "security": {"audit": true}
}
"#;

#[test]
fn only_what_is_ours_changes() {
    let done = first(Some(FILE), "list_pods delete_pod");
    assert_eq!(done.tools, (2, 2));
    let text = done.text.clone().unwrap();
    insta::assert_snapshot!(text, @r#"
    {
        "version": 1.0,
        "servers": [
            {"name": "k8s", "type": "sse", "host": "localhost", "port": 8766,
             "tools": ["list_pods", "delete_pod"]},
            {"name": "other", "tools": ["list_pods"]}
        ],
        "tools": [
            {"name": "list_pods", "server": "other", "risk_level": "low", "x": 1e3},
            {
                "name": "list_pods", "description": "mine", "timeout": 5,
                "owner": "me",
                "server": "k8s",
                "risk_level": "safe",
                "cache_enabled": true,
                "cache_ttl": 60,
                "required_permissions": [],
                "enabled": true
            },
            {"name": "last",   "server": "other"},
            {
                "name": "delete_pod",
                "description": "About delete_pod",
                "risk_level": "high",
                "timeout": 60,
                "cache_enabled": false,
                "required_permissions": [
                    "k8s:pod:delete"
                ],
                "enabled": true,
                "server": "k8s"
            }
        ],
        "security": {"audit": true}
    }
    "#);
    settled(&text, &done, "list_pods delete_pod");
}

#[test]
fn eight_tools_become_sixteen_and_eight_again() {
    let names = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!("get_t{at:02}")).collect();
        names.join(" ")
    };
    let eight = first(Some(FILE), &names(8));
    let text = eight.text.clone().unwrap();
    let sixteen = export(Some(&text), &eight.base, "k8s", &tools(&names(16))).unwrap();
    assert_eq!(sixteen.tools, (8, 16));
    let again = export(sixteen.text.as_deref(), &sixteen.base, "k8s", &tools(&names(8))).unwrap();
    assert_eq!(again.tools, (16, 8));
    assert_eq!(again.text.as_deref(), Some(text.as_str()));
    assert_eq!(again.base, eight.base);
}

#[test]
fn what_a_person_wrote_or_took_out_stays() {
    let done = first(Some("{}"), "list_pods delete_pod frob");
    let text = done.text.unwrap();
    let text = text.replacen("\"timeout\": 30", "\"timeout\": 99, \"note\": \"slow\"", 1);
    let frob = text.find("{\n      \"name\": \"frob\"").unwrap();
    let cut = text[..frob].rfind(',').unwrap()..text.rfind("\n  ]").unwrap();
    let mut text = text;
    text.replace_range(cut, "");
    let mut changed = tools("list_pods delete_pod frob get_x");
    for tool in &mut changed {
        tool.timeout = Duration::from_secs(7);
        tool.cache_ttl = None;
    }
    let after = export(Some(&text), &done.base, "k8s", &changed).unwrap();
    let text = after.text.unwrap();
    assert!(text.contains("\"timeout\": 99, \"note\": \"slow\""), "{text}");
    assert_eq!(text.matches("\"timeout\": 7").count(), 2, "{text}");
    assert!(!text.contains("cache_ttl") && !text.contains("About frob"), "{text}");
    assert_eq!(after.tools, (2, 3));
}

#[test]
fn servers_may_be_a_map_by_name() {
    let text = r#"{"servers": {"k8s": {"url": "x"}, "z": {"tools": []}}, "tools": []}"#;
    let done = first(Some(text), "list_pods");
    let after = done.text.clone().unwrap();
    assert!(
        after.starts_with(
            r#"{"servers": {"k8s": {"url": "x", "tools": ["list_pods"]}, "z": {"tools": []}}, "tools": [{"#
        ),
        "{after}"
    );
    settled(&after, &done, "list_pods");
}

#[test]
fn only_what_is_certain_is_mended() {
    let done = first(Some("\u{feff}{\"a\": [1, 2,],\n\"tools\": [],\n}"), "");
    assert_eq!(
        done.repairs,
        [Repair::ByteOrderMark, Repair::TrailingComma { line: 1 }, Repair::TrailingComma { line: 2 }]
    );
    assert!(done.text.unwrap().starts_with("{\"a\": [1, 2],\n\"tools\": []"));
    for (text, told) in [
        ("{\"tools\": [", "1:"),
        ("{\"tools\": [] // mine\n}", "1:14: a comment"),
        ("{\"a\": 1 \"b\": 2}", "1:9: "),
        ("{\"a\": 1, \"a\": 2}", "1:10: the key `a` stands twice"),
        ("{'a': 1}", "1:2: "),
        ("[1]", ""),
        ("{\"tools\": {}}", ""),
        ("{\"servers\": 7}", ""),
        (
            "{\"tools\": [{\"name\": \"a\", \"server\": \"k8s\"}, {\"name\": \"a\", \"server\": \"k8s\"}]}",
            "`a` stands twice",
        ),
    ] {
        let error = export(Some(text), &ExportBase::default(), "k8s", &tools("a")).unwrap_err();
        let problem = error.problem();
        assert!(problem.to_string().starts_with(told), "{text}: {problem}");
        assert!(problem.help.is_some(), "{text}");
    }
}

#[test]
fn a_file_that_was_put_back_to_what_it_was_before_us_gets_all_of_them_again() {
    let theirs = r#"{"tools": [{"name": "x", "server": "mail"}]}"#;
    let written = first(Some(theirs), "get_pods delete_pod");
    let again = export(Some(theirs), &written.base, "k8s", &tools("get_pods delete_pod")).unwrap();
    assert_eq!((again.text, again.tools), (written.text, (0, 2)));
}

#[test]
fn one_of_the_usual_places_stands_for_all_of_them() {
    for usual in ["config/mcp_config.json", "mcp_config.json", "backend/config/mcp_config.json"] {
        assert_eq!(places(usual), PLACES);
    }
    for own in ["/srv/app/config/mcp_config.json", "tools.json", "config/other.json"] {
        assert_eq!(places(own), [own]);
    }
}

#[test]
fn what_is_exported_is_what_is_in_force() {
    let verbs = Verbs::default();
    let setting = setting("k8s", &verbs);
    let usual = Usual { cache: false, ..USUAL };
    let of = |text: &str, name: &str| {
        let policy = crate::policy::parse(text);
        assert!(policy.is_good());
        ExportedTool::of(&policy.value, "k8s", &infer(&Tool::named(name), &setting), "what it is for", usual)
    };
    let safe = of("", "get_pods");
    // Whether the gateway keeps results says nothing about the other application.
    assert_eq!((safe.risk, safe.cache_ttl, safe.enabled), (Risk::Safe, Some(Duration::from_secs(60)), true));
    let mine =
        of("[tools.k8s.get_pods]\ncache_ttl = \"0s\"\ntimeout = \"5s\"\ndecision = \"deny\"\n", "get_pods");
    assert_eq!((mine.cache_ttl, mine.timeout, mine.enabled), (None, Duration::from_secs(5), false));
}
