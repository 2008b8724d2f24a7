//! Stories of a policy file: what comes, what stays, what goes and comes back.

mod home;

use super::{Base, Offered, merge, renamed};
use crate::policy::stage::setting;
use crate::policy::{Decision, Decisions, Setting, Tool, Verbs, infer};
use home::*;

#[test]
fn names_of_any_script_have_tables_and_what_is_not_known_has_none() {
    let mut home = Home::new(None);
    let news = home.merge(&[("my server", Some("删除")), ("off", None)]);
    insta::assert_snapshot!(format!("{news}---\n{}", home.tables()), @r#"
    add `删除` of `my server`
    ---
    [tools."my server"."删除"]
    risk = "medium"
    decision = "allow"
    timeout = "60s"
    permission = "my%20server:删除:call"
    "#);
    assert!(crate::policy::parse(home.text()).problems.is_empty());
}

#[test]
fn an_emptied_file_begins_anew_and_one_of_comments_alone_does_not() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("get_a"))]);
    let first = home.text().to_owned();
    home.text = Some("\u{feff}\r\n".to_owned());
    home.merge(&[("k8s", Some("get_a"))]);
    assert_eq!(home.text(), format!("\u{feff}{first}"));
    home.text = Some("# nothing, thank you\n".to_owned());
    assert_eq!(home.merge(&[("k8s", Some("get_a"))]), "");
}

#[test]
fn new_tools_come_where_their_names_belong() {
    let mut home = Home::new(None);
    home.merge(&[("b", Some("get_d get_f")), ("d", Some("get_x"))]);
    let news = home.merge(&[
        ("a", Some("get_a")),
        ("b", Some("get_z get_e get_d get_c get_f")),
        ("c", Some("get_y")),
        ("d", Some("get_x")),
    ]);
    let headers: Vec<&str> = home.text().lines().filter(|line| line.starts_with('[')).collect();
    insta::assert_snapshot!(format!("{news}---\n{}", headers.join("\n")), @r#"
    add `get_a` of `a`
    add `get_c` of `b`
    add `get_e` of `b`
    add `get_z` of `b`
    add `get_y` of `c`
    ---
    [tools.a.get_a]
    [tools.b.get_c]
    [tools.b.get_d]
    [tools.b.get_e]
    [tools.b.get_f]
    [tools.b.get_z]
    [tools.c.get_y]
    [tools.d.get_x]
    "#);
    assert!(!home.text().contains("\n\n\n"));
}

#[test]
fn what_a_person_wrote_stays_and_the_rest_follows() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("delete_pod list_pods"))]);
    home.edit("decision = \"allow\"", "decision = \"deny\" # never");
    home.edit("timeout = \"60s\"\n", "");
    home.edit("cache_ttl = \"60s\"", "cache_ttl = \"5m\"\nrate = \"10/min\"");
    home.decisions = Decisions { high: Decision::Ask, medium: Decision::Ask, safe: Decision::Ask };
    let news = home.merge(&[("k8s", Some("delete_pod list_pods"))]);
    insta::assert_snapshot!(format!("{news}---\n{}", home.tables()), @r#"
    update `list_pods` of `k8s`
    ---
    [tools.k8s.delete_pod]
    risk = "high"
    decision = "deny" # never
    permission = "k8s:pod:delete"

    [tools.k8s.list_pods]
    risk = "safe"
    decision = "ask"
    timeout = "30s"
    cache_ttl = "5m"
    rate = "10/min"
    "#);
}

#[test]
fn a_table_that_was_taken_out_does_not_come_back() {
    for out in ["", "# [tools.k8s.get_b] is no concern of mine\n"] {
        let mut home = Home::new(None);
        home.merge(&[("k8s", Some("get_a get_b get_c"))]);
        let start = home.text().find("[tools.k8s.get_b]").unwrap();
        let end = home.text().find("[tools.k8s.get_c]").unwrap();
        let mut text = home.text().to_owned();
        text.replace_range(start..end, out);
        home.text = Some(text.clone());
        for _ in 0..10 {
            assert_eq!(home.merge(&[("k8s", Some("get_a get_b get_c"))]), "");
            home.now += 40 * DAY;
        }
        // Also when the tool goes and comes.
        home.merge(&[("k8s", Some("get_a get_c"))]);
        home.merge(&[("k8s", Some("get_a get_b get_c"))]);
        assert_eq!(home.text(), text);
    }
}

#[test]
fn a_value_that_is_written_back_is_ours_again() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("delete_pod"))]);
    home.edit("\"allow\"", "\"deny\"");
    home.merge(&[("k8s", Some("delete_pod"))]);
    home.edit("\"deny\"", "\"allow\"");
    home.decisions.high = Decision::Ask;
    home.merge(&[("k8s", Some("delete_pod"))]);
    assert!(home.text().contains("decision = \"ask\""));
}

#[test]
fn a_word_that_was_given_to_a_person_stays_though_it_is_what_was_generated() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("get_pods"))]);
    home.base.give("k8s", "get_pods", "risk");
    home.edit("timeout = \"30s\"", "timeout = \"31s\"");
    assert_eq!(home.merge(&[("k8s", Some("get_pods"))]), "");
    assert_eq!(home.base.generated("k8s", "get_pods", "risk"), None);
    assert!(home.text().contains("risk = \"safe\""));
    // A table of which a person wrote one line is filled up with the rest.
    let mut home = Home::new(Some("[tools.k8s.get_pods]\nrisk = \"high\"\n"));
    home.base.give("k8s", "get_pods", "risk");
    assert_eq!(home.merge(&[("k8s", Some("get_pods"))]), "update `get_pods` of `k8s`\n");
    assert!(home.text().starts_with("[tools.k8s.get_pods]\nrisk = \"high\"\ndecision = \"allow\"\n"));
}

#[test]
fn a_tool_that_goes_becomes_a_comment_and_comes_back_as_it_was() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("delete_pod get_a list_pods"))]);
    let news = home.merge(&[("k8s", Some("list_pods"))]);
    insta::assert_snapshot!(format!("{news}---\n{}", home.tables()), @r#"
    comment out `delete_pod` of `k8s`, which is not offered any more
    comment out `get_a` of `k8s`, which is not offered any more
    ---
    #~ gone since 2026-11-28: the server does not offer it any more; it stands again as it was when it does
    #~ [tools.k8s.delete_pod]
    #~ risk = "high"
    #~ decision = "allow"
    #~ timeout = "60s"
    #~ permission = "k8s:pod:delete"

    #~ gone since 2026-11-28: the server does not offer it any more; it stands again as it was when it does
    #~ [tools.k8s.get_a]
    #~ risk = "safe"
    #~ decision = "allow"
    #~ timeout = "30s"
    #~ cache_ttl = "60s"

    [tools.k8s.list_pods]
    risk = "safe"
    decision = "allow"
    timeout = "30s"
    cache_ttl = "60s"
    "#);
    // A person goes on writing in it.
    home.edit("#~ risk = \"safe\"\n", "#~ risk = \"high\" # slow\n#~\n#~ rate = \"2/s\"\n");
    home.now += 100 * DAY;
    let news = home.merge(&[("k8s", Some("list_pods"))]);
    assert_eq!(news, "drop `delete_pod` of `k8s`, which has been gone for long\n");
    let news = home.merge(&[("k8s", Some("get_a list_pods delete_pod"))]);
    assert_eq!(news, "bring back `get_a` of `k8s` as it was\nadd `delete_pod` of `k8s`\n");
    let back = "[tools.k8s.get_a]\nrisk = \"high\" # slow\n\nrate = \"2/s\"\ndecision = \"allow\"\n";
    assert!(home.text().contains(back), "{}", home.text());
}

#[test]
fn a_table_in_which_a_person_wrote_stays_a_table_whatever_becomes_of_the_tool() {
    const ALL: Offers<'_> = &[("k8s", Some("delete_pod get_a")), ("z", Some("get_z"))];
    for (from, to) in [
        ("decision = \"allow\"", "decision = \"deny\""),
        ("decision = \"allow\"", "decision = 'allow'"),
        ("timeout = \"60s\"", "timeout = \"60s\"\nenabled = false"),
        ("timeout = \"60s\"\n", ""),
        ("timeout = \"60s\"", "timeout = \"60s\" # long enough"),
        ("[tools.k8s.delete_pod]", "# never at night\n[tools.k8s.delete_pod]"),
    ] {
        for knows_what_it_wrote in [true, false] {
            let mut home = Home::new(None);
            home.merge(ALL);
            home.edit(from, to);
            if !knows_what_it_wrote {
                home.base = Base::default();
            }
            let before = home.text().to_owned();
            let gone: [Offers<'_>; 4] = [
                &[("k8s", Some("get_a")), ("z", Some("get_z"))],
                &[("k8s", None), ("z", Some("get_z"))],
                &[("z", Some("get_z"))],
                &[],
            ];
            for offers in gone {
                home.merge(offers);
                let table = before[..before.find("[tools.k8s.get_a]").unwrap()].trim_end();
                assert!(home.text().starts_with(table), "{to}, {offers:?}:\n{}", home.text());
                home.now += 40 * DAY;
            }
            home.merge(ALL);
            assert!(home.text().starts_with(before.split("\n\n[tools.k8s.get_a]").next().unwrap()));
        }
    }
}

#[test]
fn what_is_gone_is_still_denied() {
    let mut home = Home::new(Some("tools.b.get_y = { decision = \"deny\" }\n"));
    home.merge(&[("a", Some("get_x")), ("b", Some("get_y"))]);
    home.edit("\"allow\"", "\"deny\"");
    home.merge(&[]);
    let policy = crate::policy::parse(home.text()).value;
    for (server, tool) in [("a", "get_x"), ("b", "get_y")] {
        let decision = policy.rule(server, tool).and_then(|rule| rule.decision.as_ref());
        assert_eq!(decision.map(|said| said.value), Some(Decision::Deny), "{}", home.text());
    }
}

#[test]
fn a_server_that_is_not_known_keeps_its_tools_and_one_that_is_gone_does_not() {
    let mut home = Home::new(None);
    home.merge(&[("a", Some("get_a")), ("b", Some("get_b"))]);
    let before = home.text().to_owned();
    assert_eq!(home.merge(&[("a", None), ("b", Some("get_b"))]), "");
    assert_eq!(
        home.merge(&[("b", Some("get_b"))]),
        "comment out `get_a` of `a`, which is not offered any more\n"
    );
    assert_eq!(home.merge(&[("a", None), ("b", Some("get_b"))]), "");
    home.merge(&[("a", Some("get_a")), ("b", Some("get_b"))]);
    assert_eq!(home.text(), before);
}

#[test]
fn a_comment_that_was_deleted_leaves_nothing_behind() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("get_a get_b"))]);
    home.merge(&[("k8s", Some("get_b"))]);
    home.edit("#~ risk = \"safe\"", "#~ risk = \"high\"");
    let kept: String = home.text().split_inclusive('\n').filter(|line| !line.starts_with("#~")).collect();
    home.text = Some(kept);
    assert_eq!(home.merge(&[("k8s", Some("get_b"))]), "");
    assert_eq!(home.merge(&[("k8s", Some("get_a get_b"))]), "add `get_a` of `k8s`\n");
    assert!(home.text().contains("[tools.k8s.get_a]\nrisk = \"safe\""));
}

#[test]
fn a_file_without_its_base_is_a_persons_as_a_whole() {
    let text = "[tools.k8s.delete_pod]\nrisk = \"high\"\n\n# mine\n[tools.k8s.other]\ndecision = \"deny\"\n";
    let mut home = Home::new(Some(text));
    assert_eq!(home.merge(&[("k8s", Some("delete_pod other"))]), "");
    home.decisions.high = Decision::Ask;
    assert_eq!(home.merge(&[("k8s", Some("delete_pod other"))]), "");
    assert_eq!(home.text(), text);
}

#[test]
fn every_way_to_write_a_table_is_left_as_it_is() {
    for text in [
        "tools = { k8s = { get_a = { risk = \"high\" } } }\n",
        "tools.k8s.get_a.risk = \"high\"\n",
        "[tools]\nk8s.get_a = { risk = \"high\" } # short\n",
        "[tools.k8s]\nget_a.risk = \"high\"\n\n# end",
        "[tools.k8s.get_a]\nrisk = \"high\"",
        "\u{feff}[tools.k8s.get_a]\r\nrisk = \"high\" # x\r\n",
        "  [ tools . k8s . \"get_a\" ]\n  risk = 'high'\n  [tools.k8s.get_c]\n",
        "# top\n[tools.k8s.get_a]\nrisk = \"high\"\n# on a\n\n\n[tools.zzz.x]\n# empty\n",
    ] {
        let mut home = Home::new(Some(text));
        let news = home.merge(&[("k8s", Some("get_a get_b")), ("m", Some("get_m"))]);
        assert_eq!(news, "add `get_b` of `k8s`\nadd `get_m` of `m`\n", "{text}");
        let policy = crate::policy::parse(home.text());
        assert_eq!(policy.problems, [], "{}", home.text());
        for line in text.lines().filter(|line| !line.contains("tools = {")) {
            assert!(home.text().contains(line), "{line:?} is not in\n{}", home.text());
        }
        let rule = policy.value.rule("k8s", "get_a").unwrap();
        assert!(rule.risk.is_some() && rule.timeout.is_none());
        assert!(policy.value.rule("k8s", "get_b").is_some_and(|rule| rule.timeout.is_some()));
        // And tools that go do no harm.
        home.merge(&[]);
        home.merge(&[("k8s", Some("get_a get_b")), ("m", Some("get_m"))]);
        assert!(crate::policy::parse(home.text()).value.rule("m", "get_m").is_some());
    }
}

#[test]
fn names_that_could_deceive_are_spelt_out() {
    let mut home = Home::new(None);
    let name = "a\u{202e}b\"]\nrisk='safe'#";
    let verbs = Verbs::default();
    let setting = setting("s", &verbs);
    let tools = vec![infer(&Tool::named(name), &setting)];
    let merged = merge(None, &home.base, &[Offered { server: "s", tools: Some(&tools) }], NOW).unwrap();
    home.text = merged.text;
    assert!(home.text().contains(r#"[tools.s."a\U0000202Eb\"]\nrisk='safe'#"]"#), "{}", home.text());
    let policy = crate::policy::parse(home.text()).value;
    assert!(policy.rule("s", name).is_some());
}

#[test]
fn a_broken_file_is_left_alone() {
    for text in ["[tools.k8s.a\n", "[tools.k8s.a]\n[tools.k8s.a]\n", "tools = 1\n[tools.k8s.a]\n"] {
        let error = merge(Some(text), &Base::default(), &[], NOW).unwrap_err();
        assert!(error.to_string().starts_with("line "), "{error}");
    }
}

#[test]
fn a_line_that_goes_takes_no_comment_along() {
    let mut home = Home::new(None);
    let verbs = Verbs::default();
    let offer = |home: &mut Home, trust: bool| {
        let setting = Setting { trust, ..setting("k8s", &verbs) };
        let raw = r#"{"name":"frob","annotations":{"readOnlyHint":true}}"#;
        let tools = vec![infer(&Tool::parse(raw).unwrap(), &setting)];
        let offered = [Offered { server: "k8s", tools: Some(&tools) }];
        let merged = merge(home.text.as_deref(), &home.base, &offered, NOW).unwrap();
        home.text = merged.text.or(home.text.take());
        home.base = merged.base;
    };
    offer(&mut home, false);
    let medium = home.text().to_owned();
    offer(&mut home, true);
    assert!(
        home.text()
            .contains("risk = \"safe\"\ndecision = \"allow\"\ntimeout = \"30s\"\ncache_ttl = \"60s\"\n")
    );
    assert!(!home.text().contains("permission"));
    offer(&mut home, false);
    assert_eq!(home.text(), medium);
    home.edit("permission = \"k8s:frob:call\"", "permission = \"k8s:frob:call\" # why?");
    offer(&mut home, true);
    assert!(home.text().contains("permission = \"k8s:frob:call\" # why?\n"));
}

#[test]
fn a_comment_that_has_no_place_any_more_still_says_what_it_said() {
    let mut home = Home::new(None);
    home.merge(&[("a", Some("get_x")), ("b", Some("get_y"))]);
    home.merge(&[("b", Some("get_y"))]);
    home.edit("#~ risk = \"safe\"", "#~ risk = \"high\" # mine");
    home.edit("#~ gone", "[tools]\na = {}\n\n#~ gone");
    assert_eq!(
        home.merge(&[("a", Some("get_x")), ("b", Some("get_y"))]),
        "bring back `get_x` of `a` as it was\n"
    );
    assert!(home.text().contains("#~ risk = \"high\" # mine"), "{}", home.text());
    let rule = crate::policy::parse(home.text()).value.rule("a", "get_x").cloned().unwrap();
    assert_eq!(rule.risk.map(|said| said.value), Some(crate::policy::Risk::High));
}

#[test]
fn a_server_that_is_called_otherwise_takes_what_is_said_of_its_tools_along() {
    let mut home = Home::new(None);
    home.merge(&[("k8s", Some("delete_pod get_a get_b")), ("z", Some("get_z"))]);
    home.edit("\"allow\"", "\"deny\" # never");
    home.merge(&[("k8s", Some("delete_pod get_b")), ("z", Some("get_z"))]);
    let before = home.text().to_owned();
    let (text, base) = renamed(home.text(), &home.base, "k8s", "my kube").unwrap();
    assert_eq!(text, before.replace("[tools.k8s.", "[tools.\"my kube\"."));
    (home.text, home.base) = (Some(text), base);
    // What is ours follows, and what is gone comes back as if nothing had happened.
    let news = home.merge(&[("my kube", Some("delete_pod get_a get_b")), ("z", Some("get_z"))]);
    assert_eq!(news, "bring back `get_a` of `my kube` as it was\nupdate `delete_pod` of `my kube`\n");
    assert!(home.text().contains("decision = \"deny\" # never\n"), "{}", home.text());
    assert!(home.text().contains("permission = \"my%20kube:pod:delete\"\n"), "{}", home.text());
    assert!(!home.text().contains("k8s"), "{}", home.text());
}

#[test]
fn what_is_said_under_the_new_name_already_stays_and_nothing_is_lost() {
    for text in [
        "[tools.a.x]\ndecision = \"deny\" # a\n\n[tools.a.y]\ndecision = \"deny\"\n\n[tools.b.y]\ndecision = \"ask\"\n",
        "tools.a.x = { decision = \"deny\" }\ntools.a.y.decision = \"deny\"\n[tools.b]\ny.decision = \"ask\"\n",
        "tools = { a = { x = { decision = \"deny\" }, y = { decision = \"deny\" } }, b = { y = { decision = \"ask\" } } }\n",
    ] {
        let (after, _) = renamed(text, &Base::default(), "a", "b").unwrap();
        let policy = crate::policy::parse(&after).value;
        let on = |server, tool| policy.rule(server, tool)?.decision.as_ref().map(|said| said.value);
        for (server, tool, decision) in [
            ("b", "x", Decision::Deny),
            ("b", "y", Decision::Ask),
            ("a", "x", Decision::Deny),
            ("a", "y", Decision::Deny),
        ] {
            assert_eq!(on(server, tool), Some(decision), "{server} {tool}:\n{after}");
        }
        assert_eq!(renamed(&after, &Base::default(), "c", "d").unwrap().0, after);
    }
}
