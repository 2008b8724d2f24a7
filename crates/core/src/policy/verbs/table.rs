//! The table itself: what each row's words can do, the word that stands for all of them, the words.

use crate::policy::Risk;
use crate::policy::Risk::{High, Medium, Safe};

/// Every verb that is known. A word that is not here makes no tool safe.
pub(super) const VERBS: &[(Risk, &str, &str)] = &[
    (
        High,
        "delete",
        "delete del remove rm rmdir unlink destroy erase purge wipe drop truncate trash discard expunge",
    ),
    (High, "clear", "clear flush prune vacuum shred"),
    (High, "kill", "kill terminate evict drain"),
    (High, "stop", "stop halt shutdown poweroff"),
    (High, "create", "create mkdir provision"),
    (High, "patch", "patch"),
    (High, "restart", "restart reboot relaunch"),
    (High, "reset", "reset reinit"),
    (High, "rollback", "rollback revert downgrade"),
    (High, "run", "run rerun exec execute eval evaluate invoke trigger spawn launch"),
    (High, "shell", "shell bash sh zsh powershell cmd sudo ssh terminal"),
    (High, "apply", "apply"),
    (High, "deploy", "deploy redeploy undeploy release ship promote"),
    (High, "install", "install uninstall reinstall upgrade"),
    (High, "overwrite", "overwrite"),
    (High, "grant", "grant revoke impersonate authorize authorise elevate chmod chown"),
    (High, "ban", "ban block suspend deactivate"),
    (High, "pay", "pay charge refund purchase buy sell withdraw transfer trade checkout"),
    (Medium, "update", "update edit modify change alter amend adjust configure tweak"),
    (Medium, "scale", "scale resize rollout"),
    (Medium, "set", "set unset put assign unassign"),
    (Medium, "write", "write save store append prepend record"),
    (Medium, "add", "add insert attach detach link import upload register"),
    (Medium, "move", "move mv rename copy cp duplicate clone fork"),
    (Medium, "replace", "replace swap substitute"),
    (
        Medium,
        "send",
        "send reply respond post publish notify email mail message forward share unshare broadcast",
    ),
    (Medium, "comment", "comment annotate review react vote like star unstar follow unfollow pin unpin"),
    (Medium, "commit", "commit push pull merge rebase cherrypick stage unstage stash init"),
    (Medium, "approve", "approve reject dismiss accept decline submit confirm request sign"),
    (Medium, "start", "start resume pause cancel abort schedule reschedule book reserve"),
    (Medium, "enable", "enable disable toggle switch activate lock unlock cordon uncordon mute unmute"),
    (Medium, "close", "close reopen archive unarchive restore recover undo redo"),
    (Medium, "label", "label unlabel tag untag mark unmark flag"),
    (Medium, "join", "join leave invite kick subscribe unsubscribe connect disconnect login logout"),
    (Medium, "press", "press click tap type fill drag hover navigate goto"),
    (Medium, "download", "download export backup"),
    (Medium, "sync", "sync refresh reload reindex rebuild build test"),
    (Medium, "call", "call"),
    (Safe, "get", "get fetch retrieve read cat head tail peek view show display inspect describe explain"),
    (Safe, "list", "list ls enumerate browse"),
    (Safe, "search", "search find lookup query grep glob filter"),
    (
        Safe,
        "count",
        "count exists has is compare calculate estimate preview summarize summarise whoami ping echo",
    ),
];

/// Verbs that are nouns as well. Behind a verb that only looks they are what is looked at; see `infer()`.
pub(super) const NOUNS: &str = "patch restart reset rollback run trigger launch shell terminal release block \
    charge refund purchase transfer trade checkout stop trash update edit change scale rollout set store record link \
    import upload move copy duplicate clone fork swap reply post message email mail share comment review vote like \
    star pin commit push pull merge stage request sign start schedule book switch lock label tag mark flag \
    archive backup build test call type tap download export upgrade deploy";
