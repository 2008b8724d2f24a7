//! `profile`: named subsets.

use crate::{CATALOGUE, managed};

#[test]
fn a_profile_is_added_shown_and_removed() {
    let home = managed();
    let before = home.text(CATALOGUE);
    insta::assert_snapshot!(home.run("profile list"), @"
    exit code: 0
    ----- stdout -----
    there are no profiles
    ----- stderr -----
    hint: add one with `switchboard profile add NAME SERVER..`
    ");
    insta::assert_snapshot!(home.run("profile add work files tag:x"), @"
    exit code: 0
    ----- stdout -----
    ✓ profile `work` is set
    ");
    insta::assert_snapshot!(home.run("profile list"), @"
    exit code: 0
    ----- stdout -----
    PROFILE  SELECTS      SERVERS
    work     files tag:x  files
    ");
    insta::assert_snapshot!(home.run("profile show work"), @"
    exit code: 0
    ----- stdout -----
    files
    ");
    insta::assert_snapshot!(home.run("profile show wrok"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find profile `wrok`
    hint: did you mean `work`?
    ");
    insta::assert_snapshot!(home.run("profile remove work"), @"
    exit code: 0
    ----- stdout -----
    ✓ profile `work` removed
    ");
    assert_eq!(home.text(CATALOGUE), before);
}
