//! What real tools are judged to be, and what nobody can talk us into.

use std::time::Duration;

use proptest::prelude::*;

use super::{Setting, infer, infer_raw};
use crate::policy::stage::setting;
use crate::policy::{Decision, Decisions, Reason, Risk, Tool, Verbs};
use crate::value::Value;

fn risk(server: &str, name: &str) -> Risk {
    infer(&Tool::named(name), &setting(server, &Verbs::default())).risk
}

/// Tools of well-known servers, each with the risk that a careful person would give it.
const KNOWN: &[(&str, Risk, &str)] = &[
    (
        "github",
        Risk::Safe,
        "get_me get_file_contents get_issue get_issue_comments get_pull_request get_pull_request_diff \
         get_pull_request_files get_pull_request_reviews get_pull_request_status get_commit get_tag get_workflow_run \
         get_workflow_run_logs get_latest_release get_release_by_tag get_label get_job_logs list_branches list_commits \
         list_issues list_pull_requests list_releases list_tags list_workflow_runs list_workflow_run_artifacts \
         search_code search_issues search_pull_requests search_repositories search_users issue_read \
         list_notifications get_notification_details",
    ),
    (
        "github",
        Risk::Medium,
        "add_issue_comment update_issue update_pull_request update_pull_request_branch merge_pull_request push_files \
         fork_repository assign_copilot_to_issue request_copilot_review dismiss_notification issue_write \
         mark_all_notifications_read list_label star_repository pull_request_review_write sub_issue_write \
         pull_request_read get_label_and_tag manage_notification_subscription",
    ),
    (
        "github",
        Risk::High,
        "create_issue create_branch create_pull_request create_repository create_or_update_file delete_file \
         run_workflow rerun_failed_jobs delete_workflow_run_logs run_secret_scanning actions_run_trigger create_gist \
         cancel_workflow_run download_workflow_run_artifact",
    ),
    (
        "filesystem",
        Risk::Safe,
        "read_file read_text_file read_media_file read_multiple_files list_directory list_directory_with_sizes \
         search_files get_file_info list_allowed_directories directory_tree",
    ),
    ("filesystem", Risk::Medium, "write_file edit_file move_file"),
    ("filesystem", Risk::High, "create_directory"),
    ("git", Risk::Safe, "git_status git_log git_show git_diff git_diff_unstaged git_diff_staged status"),
    ("git", Risk::Medium, "git_add git_commit git_branch git_init git_push git_pull"),
    ("git", Risk::High, "git_reset git_create_branch git_checkout"),
    ("memory", Risk::Safe, "read_graph search_nodes"),
    ("memory", Risk::Medium, "add_observations open_nodes"),
    (
        "memory",
        Risk::High,
        "create_entities create_relations delete_entities delete_observations delete_relations",
    ),
    (
        "kubernetes",
        Risk::Safe,
        "pods_list pods_list_in_namespace pods_get list_pods get_pod describe_pod events_list namespaces_list \
         configuration_view helm_list nodes_get get_replica_set get_restart_count get_rollback_history list_api_resources \
         kubectl_get kubectl_describe kubectl_logs_get explain_resource ping resources_get resources_list \
         pods_log nodes_log pods_top nodes_top nodes_stats_summary projects_list",
    ),
    (
        "kubernetes",
        Risk::Medium,
        "scale_deployment resources_scale update_config_map port_forward cordon_node rollout_status",
    ),
    (
        "kubernetes",
        Risk::High,
        "pods_delete delete_pod pods_exec pods_run exec_in_pod create_namespace patch_service restart_deployment \
         rollback_deployment resources_create_or_update resources_delete helm_install helm_uninstall apply_manifest \
         kubectl_apply kubectl_delete kubectl_patch kubectl_create drain_node kubectl_exec",
    ),
    ("everything", Risk::Safe, "echo getTinyImage getResourceReference get-sum get-env getResourceLinks"),
    (
        "everything",
        Risk::Medium,
        "add longRunningOperation printEnv sampleLLM annotatedMessage structuredContent toggle-simulated-logging",
    ),
    ("everything", Risk::High, "trigger-long-running-operation"),
    ("time", Risk::Safe, "get_current_time"),
    ("time", Risk::Medium, "convert_time"),
    ("fetch", Risk::Safe, "fetch"),
    ("playwright", Risk::Safe, "browser_tab_list"),
    (
        "playwright",
        Risk::Medium,
        "browser_click browser_navigate browser_type browser_press_key browser_hover browser_drag browser_snapshot \
         browser_file_upload browser_fill_form browser_select_option browser_wait_for browser_close browser_resize \
         browser_handle_dialog browser_network_requests browser_console_messages browser_take_screenshot",
    ),
    ("playwright", Risk::High, "browser_evaluate browser_run_code browser_install"),
    (
        "slack",
        Risk::Safe,
        "slack_list_channels slack_get_channel_history slack_get_thread_replies slack_get_users channels_list \
         slack_get_user_profile conversations_search_messages conversations_history",
    ),
    (
        "slack",
        Risk::Medium,
        "slack_post_message slack_reply_to_thread slack_add_reaction conversations_add_message",
    ),
    (
        "gitlab",
        Risk::Safe,
        "list_merge_requests get_merge_request get_merge_request_diffs list_group_projects",
    ),
    ("gitlab", Risk::Medium, "accept_merge_request update_merge_request"),
    ("postgres", Risk::Safe, "query list_tables describe_table"),
    ("shell", Risk::High, "bash run_command execute_command terminal shell_exec"),
    ("netlify", Risk::Safe, "get-deploy list-deploys"),
    ("netlify", Risk::High, "deploy-site"),
    ("gmail", Risk::Medium, "GMAIL_SEND_EMAIL draft_email"),
    ("sentry", Risk::Safe, "find_organizations get_issue_details search_events whoami"),
    ("notion", Risk::High, "notion-create-pages API-delete-a-block API-patch-page"),
    ("notion", Risk::Medium, "notion-move-pages notion-update-page notion-duplicate-page"),
    ("notion", Risk::Safe, "notion-search API-retrieve-a-page API-get-users"),
];

#[test]
fn tools_of_well_known_servers_are_judged_as_a_careful_person_would() {
    let mut wrong = Vec::new();
    for (server, expected, names) in KNOWN {
        for name in names.split_whitespace() {
            let found = risk(server, name);
            if found != *expected {
                wrong.push(format!("{server} {name}: {found}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn verbs_are_told_from_nouns() {
    for (name, expected) in [
        // The riskiest verb wins, wherever it stands.
        ("get_and_delete_all", Risk::High),
        ("getOrCreateUser", Risk::High),
        ("fetch_and_update", Risk::Medium),
        ("get_and_run", Risk::High),
        ("read_write_file", Risk::Medium),
        ("delete_and_get", Risk::High),
        ("show_delete_confirmation", Risk::High),
        ("bulk-update", Risk::Medium),
        ("batchDelete", Risk::High),
        ("find_and_replace", Risk::Medium),
        ("search_replace", Risk::Medium),
        // Behind a verb that only looks, what can be a noun is one.
        ("get_run", Risk::Safe),
        ("getTestRun", Risk::Safe),
        ("get_update", Risk::Safe),
        ("describe_patch", Risk::Safe),
        ("list_merge_requests", Risk::Safe),
        ("list_run_logs", Risk::Safe),
        // Where it may be either, it is a verb.
        ("list_update", Risk::Medium),
        ("list_run", Risk::High),
        ("query_run", Risk::High),
        ("run_list", Risk::High),
        ("workflow_run_get", Risk::High),
        ("get_delete", Risk::High),
        // Other forms of a verb are none.
        ("list_deletes", Risk::Safe),
        ("search_updates", Risk::Safe),
        ("get_deleted_items", Risk::Safe),
        ("listener", Risk::Medium),
        ("settings", Risk::Medium),
        ("get_settings", Risk::Safe),
        ("getter", Risk::Medium),
        ("deletion", Risk::Medium),
        ("runner", Risk::Medium),
        // What is to be seen, by itself alone.
        ("status", Risk::Safe),
        ("flip_status", Risk::Medium),
        ("set_status", Risk::Medium),
        ("clear_history", Risk::High),
        // Nothing that is known.
        ("frobnicate", Risk::Medium),
        ("删除", Risk::Medium),
        ("", Risk::Medium),
        ("___", Risk::Medium),
        ("🦀", Risk::Medium),
    ] {
        assert_eq!(risk("any", name), expected, "{name}");
    }
}

#[test]
fn a_disguise_makes_no_tool_safe_and_hides_no_verb() {
    for (name, expected) in [
        ("dеlete_pod", Risk::High),
        ("get_dеlеte", Risk::High),
        ("del\u{200b}ete_pod", Risk::High),
        ("ｄｅｌｅｔｅ_pod", Risk::High),
        ("gеt_pod", Risk::Medium),
        ("get\u{200d}_pod", Risk::Medium),
        ("get_pod\u{e0064}", Risk::Medium),
    ] {
        assert_eq!(risk("any", name), expected, "{name:?}");
    }
}

#[test]
fn a_name_of_another_script_is_judged_by_its_own_words() {
    let verbs = Verbs::with([(Risk::High, "удалить"), (Risk::Safe, "текст")]);
    for (name, risk, permission) in [
        ("удалить_файл", Risk::High, "k8s:файл:удалить"),
        ("УдалитьФайл", Risk::High, "k8s:файл:удалить"),
        ("текст", Risk::Safe, ""),
        ("список", Risk::Medium, "k8s:список:call"),
        // All of it looks Latin: what could harm is seen, and nothing is harmless for its looks.
        ("ԁеӏете", Risk::High, "k8s:any:delete"),
        ("геаԁ", Risk::Medium, "k8s:геаԁ:call"),
    ] {
        let proposal = infer(&Tool::named(name), &setting("k8s", &verbs));
        let found = proposal.permission.map_or_else(String::new, |permission| permission.to_string());
        assert_eq!((proposal.risk, found.as_str()), (risk, permission), "{name}");
        assert!(!proposal.reasons.contains(&Reason::Disguised), "{name}");
    }
}

#[test]
fn a_name_without_end_is_judged_at_once() {
    for name in ["x".repeat(10_000), "_".repeat(10_000), "aB".repeat(10_000), "get_".repeat(10_000)] {
        let proposal = infer(&Tool::named(name), &setting("k8s", &Verbs::default()));
        assert!(proposal.permission.is_none_or(|permission| permission.as_str().len() < 100));
    }
    assert_eq!(risk("k8s", &"x".repeat(10_000)), Risk::Medium);
}

#[test]
fn a_proposal_is_the_row_of_the_table() {
    let permission = |server: &str, name: &str| {
        let proposal = infer(&Tool::named(name), &setting(server, &Verbs::default()));
        proposal.permission.map_or_else(String::new, |permission| permission.as_str().to_owned())
    };
    for (server, name, expected) in [
        ("k8s", "delete_pod", "k8s:pod:delete"),
        ("k8s", "pods_delete", "k8s:pods:delete"),
        ("k8s", "k8s_remove_pod", "k8s:pod:delete"),
        ("k8s", "list_pods", ""),
        ("k8s", "exec", "k8s:any:exec"),
        ("k8s", "pods_run", "k8s:pods:run"),
        ("k8s", "get_and_delete_all", "k8s:any:delete"),
        ("github", "create_or_update_file", "github:file:create"),
        ("github", "add_comment_to_pending_review", "github:comment_pending_review:add"),
        ("github", "create_pull_request", "github:pull_request:create"),
        ("github", "merge_pull_request", "github:pull_request:merge"),
        ("github", "delete_workflow_run_logs", "github:workflow_run_logs:delete"),
        ("github", "create_and_run", "github:any:create"),
        ("git", "git_commit", "git:any:commit"),
        ("git", "git_checkout", "git:any:checkout"),
        ("k8s", "helm_install", "k8s:helm:install"),
        ("k8s", "helm_uninstall", "k8s:helm:uninstall"),
        ("time", "convert_time", "time:time:convert"),
        ("everything", "longRunningOperation", "everything:long_running_operation:call"),
        ("my server", "删除", "my%20server:删除:call"),
        ("a:b", "delete_x", "a%3Ab:x:delete"),
    ] {
        assert_eq!(permission(server, name), expected, "{server} {name}");
    }
    let verbs = Verbs::default();
    let high = infer(&Tool::named("delete_pod"), &setting("k8s", &verbs));
    assert_eq!((high.timeout.as_secs(), high.cache_ttl), (60, None));
    let safe = infer(&Tool::named("list_pods"), &setting("k8s", &verbs));
    assert_eq!((safe.timeout.as_secs(), safe.cache_ttl), (30, Some(Duration::from_secs(60))));
    let fleeting = infer(&Tool::named("get_current_time"), &setting("time", &verbs));
    assert_eq!((fleeting.risk, fleeting.cache_ttl), (Risk::Safe, None));
    assert!(fleeting.reasons.contains(&Reason::Fleeting { word: "current".to_owned() }));
    let slow = Setting { timeout: Some(Duration::from_secs(300)), ..setting("k8s", &verbs) };
    assert_eq!(infer(&Tool::named("list_pods"), &slow).timeout.as_secs(), 300);
    let asks = Decisions { high: Decision::Ask, ..Decisions::default() };
    let careful = Setting { decisions: asks, ..setting("k8s", &verbs) };
    assert_eq!(infer(&Tool::named("delete_pod"), &careful).decision, Decision::Ask);
    assert_eq!(infer(&Tool::named("list_pods"), &careful).decision, Decision::Allow);
}

fn told(raw: &str, trust: bool) -> String {
    let tool = Tool::parse(raw).unwrap();
    let proposal = infer(&tool, &Setting { trust, ..setting("s", &Verbs::default()) });
    let reasons: Vec<String> = proposal.reasons.iter().map(ToString::to_string).collect();
    format!("{}: {}", proposal.risk, reasons.join("; "))
}

#[test]
fn annotations_raise_a_risk_and_lower_it_only_where_they_are_trusted() {
    let tool = |name: &str, claims: &str| format!(r#"{{"name":"{name}","annotations":{{{claims}}}}}"#);
    for (name, claims, risk, trusted) in [
        ("get_pod", r#""destructiveHint":true"#, "high", "high"),
        ("get_pod", r#""destructiveHint":false"#, "safe", "safe"),
        ("get_pod", r#""readOnlyHint":false"#, "medium", "medium"),
        ("get_pod", r#""readOnlyHint":true"#, "safe", "safe"),
        ("delete_pod", r#""readOnlyHint":true"#, "high", "safe"),
        ("delete_pod", r#""destructiveHint":false"#, "high", "high"),
        ("delete_pod", r#""readOnlyHint":true,"destructiveHint":true"#, "high", "high"),
        ("frob", r#""readOnlyHint":true"#, "medium", "safe"),
        ("frob", r#""readOnlyHint":"yes""#, "medium", "medium"),
        ("frob", r#""idempotentHint":true,"openWorldHint":false"#, "medium", "medium"),
    ] {
        let raw = tool(name, claims);
        assert!(told(&raw, false).starts_with(risk), "{raw}: {}", told(&raw, false));
        assert!(told(&raw, true).starts_with(trusted), "{raw}: {}", told(&raw, true));
    }
}

#[test]
fn what_can_be_read_in_two_ways_hides_nothing() {
    let verbs = Verbs::default();
    let judged = |raw: &[u8]| infer_raw("get_pods", raw, &setting("k8s", &verbs));
    assert_eq!(judged(br#"{"name":"get_pods"}"#).risk, Risk::Safe);
    for raw in [
        br#"{"name":"get_pods","inputSchema":{},"inputSchema":{"properties":{"command":{}}}}"#.as_slice(),
        br#"{"name":"other"}"#,
        b"{",
        b"\xff",
    ] {
        let judged = judged(raw);
        assert_eq!((judged.tool.as_str(), judged.risk), ("get_pods", Risk::High));
        assert_eq!(judged.permission.unwrap().as_str(), "k8s:get_pods:call");
    }
}

#[test]
fn what_a_tool_takes_may_raise_its_risk() {
    let tool = |name: &str, properties: &str| {
        format!(r#"{{"name":"{name}","inputSchema":{{"properties":{{{properties}}}}}}}"#)
    };
    let all = [
        tool("query", r#""sql":{"type":"string"}"#),
        tool("query", r#""text":{"type":"string"}"#),
        tool("frob", r#""code":{"type":"string"}"#),
        tool("get_country", r#""code":{"type":"string"}"#),
        tool("issue_write", r#""method":{"enum":["create","update"]}"#),
        tool(
            "pull_request_read",
            r#""method":{"enum":["get","get_diff","get_review_comments","get_review"]}"#,
        ),
        tool("manage_pods", r#""action":{"oneOf":[{"const":"list"},{"const":"delete"}]}"#),
        tool("get_pods", r#""command":{"enum":["list","show"]}"#),
        tool("get_pods", r#""command":true"#),
    ];
    let told: Vec<String> = all.iter().map(|raw| told(raw, false)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    medium: `query` in its name is safe; it takes something to run in `sql`
    safe: `query` in its name is safe
    high: no word of its name is a known verb, so it is medium; it takes something to run in `code`
    safe: `get` in its name is safe
    high: `write` in its name is medium; its `method` can be `create`, which is high
    medium: `pull` in its name is medium
    high: no word of its name is a known verb, so it is medium; its `action` can be `delete`, which is high
    safe: `get` in its name is safe
    medium: `get` in its name is safe; it takes something to run in `command`
    "#);
}

proptest! {
    #[test]
    fn no_name_makes_it_panic_and_no_claim_lowers_a_risk(
        name in ".{0,60}",
        read_only in prop::option::of(any::<bool>()),
        destructive in prop::option::of(any::<bool>()),
    ) {
        let verbs = Verbs::default();
        let plain = infer(&Tool::named(name.as_str()), &setting("s", &verbs));
        let claims = [("readOnlyHint", read_only), ("destructiveHint", destructive)];
        let claims = claims.into_iter().filter_map(|(key, claim)| Some((key.to_owned(), Value::Bool(claim?))));
        let tool = Tool { annotations: Some(Value::Map(claims.collect())), ..Tool::named(name.as_str()) };
        let claimed = infer(&tool, &setting("s", &verbs));
        prop_assert!(claimed.risk >= plain.risk);
        prop_assert!(!claimed.reasons.is_empty());
        prop_assert_eq!(claimed.permission.is_some(), claimed.risk > Risk::Safe);
        if let Some(permission) = claimed.permission {
            prop_assert!(crate::policy::Permission::parse(permission.as_str()).is_ok());
        }
    }

    #[test]
    fn a_word_more_never_makes_a_tool_less_risky_where_verbs_are_joined(
        one in prop::sample::select(vec!["get", "update", "delete", "frob", "run"]),
        other in prop::sample::select(vec!["list", "set", "remove", "thing", "exec"]),
    ) {
        let joined = risk("s", &format!("{one}_and_{other}"));
        let known = |word: &str| Verbs::default().get(word).map_or(Risk::Safe, |verb| verb.risk);
        prop_assert!(joined >= known(one) && joined >= known(other));
    }
}
