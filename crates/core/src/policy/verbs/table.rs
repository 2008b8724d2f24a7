//! The table itself: what each row's words can do, the word that stands for all of them, the words.

use crate::policy::Risk;
use crate::policy::Risk::{High, Medium, Safe};

/// Every verb that is known, but for those of [`ALONE`]. A word that is in neither makes no tool safe.
///
/// A word and what undoes it are never in one row: whoever may `install` may not `uninstall` by that.
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
    (High, "restart", "restart reboot relaunch"),
    (High, "reset", "reset reinit"),
    (High, "rollback", "rollback revert downgrade"),
    (High, "run", "run rerun invoke trigger spawn launch"),
    (High, "exec", "exec execute eval evaluate"),
    (High, "shell", "shell bash sh zsh powershell cmd sudo ssh terminal"),
    (High, "deploy", "deploy redeploy release ship promote"),
    (High, "install", "install reinstall upgrade"),
    (High, "grant", "grant impersonate authorize authorise elevate chmod chown"),
    (High, "ban", "ban block suspend deactivate"),
    (High, "pay", "pay charge purchase buy sell withdraw transfer trade"),
    (Medium, "update", "update edit modify change alter amend adjust configure tweak"),
    (Medium, "scale", "scale resize rollout"),
    (Medium, "set", "set put assign"),
    (Medium, "unset", "unset unassign"),
    (Medium, "write", "write save store append prepend record"),
    (Medium, "add", "add insert attach link import upload register"),
    (Medium, "move", "move mv rename copy cp duplicate clone fork"),
    (Medium, "replace", "replace swap substitute"),
    (Medium, "convert", "convert transcode translate"),
    (Medium, "send", "send reply respond post publish notify email mail message forward share broadcast"),
    (Medium, "comment", "comment annotate review react vote"),
    (Medium, "star", "star like"),
    (Medium, "merge", "merge rebase cherrypick"),
    (Medium, "approve", "approve accept confirm sign"),
    (Medium, "reject", "reject dismiss decline"),
    (Medium, "submit", "submit request"),
    (Medium, "start", "start resume"),
    (Medium, "cancel", "cancel abort"),
    (Medium, "schedule", "schedule reschedule book reserve"),
    (Medium, "enable", "enable activate"),
    (Medium, "toggle", "toggle switch"),
    (Medium, "restore", "restore recover undo redo"),
    (Medium, "label", "label tag mark flag"),
    (Medium, "unlabel", "unlabel untag unmark"),
    (Medium, "press", "press click tap type fill drag hover navigate goto"),
    (Medium, "download", "download export backup"),
    (Medium, "sync", "sync refresh reload reindex rebuild build test"),
    (Safe, "get", "get fetch retrieve read cat head tail peek view show display inspect describe explain"),
    (Safe, "list", "list ls enumerate browse"),
    (Safe, "search", "search find lookup query grep glob filter"),
    (
        Safe,
        "count",
        "count exists has is compare calculate estimate preview summarize summarise whoami ping echo",
    ),
];

/// Verbs that nothing else means the same as: each stands for itself.
pub(super) const ALONE: &[(Risk, &str)] = &[
    (High, "patch apply overwrite checkout refund revoke undeploy uninstall"),
    (Medium, "commit push pull stage unstage stash init"),
    (Medium, "archive unarchive close reopen lock unlock mute unmute cordon uncordon pause disable detach"),
    (Medium, "follow unfollow pin unpin unstar unshare"),
    (Medium, "join leave invite kick subscribe unsubscribe connect disconnect login logout call"),
];

/// Words that are never verbs, beside all plurals.
pub(super) const THINGS: &str = "account cluster container database deployment directory disk folder memory namespace \
    node pod repo repository server session system workflow";

/// What there is to be seen of a thing. By itself it is the wish to see it.
pub(super) const SIGHTS: &str =
    "diff health help history info log logs metrics overview stats status summary top tree usage version";

/// Verbs that are nouns as well. Behind a verb that only looks they are what is looked at; see `infer()`.
pub(super) const NOUNS: &str = "patch restart reset rollback run trigger launch shell terminal release block \
    charge refund purchase transfer trade checkout stop trash update edit change scale rollout set store record link \
    import upload move copy duplicate clone fork swap reply post message email mail share comment review vote like \
    star pin commit push pull merge stage request sign start schedule book switch lock label tag mark flag \
    archive backup build test call type tap download export upgrade deploy";
