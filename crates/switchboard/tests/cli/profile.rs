//! `profile`: named subsets.

use crate::{CATALOGUE, managed};

#[test]
fn a_profile_is_added_shown_and_removed() {
    let home = managed();
    let before = home.text(CATALOGUE);
    insta::assert_snapshot!(home.run("profile list"), @"");
    insta::assert_snapshot!(home.run("profile add work files tag:x"), @"");
    insta::assert_snapshot!(home.run("profile list"), @"");
    insta::assert_snapshot!(home.run("profile show work"), @"");
    insta::assert_snapshot!(home.run("profile show wrok"), @"");
    insta::assert_snapshot!(home.run("profile remove work"), @"");
    assert_eq!(home.text(CATALOGUE), before);
}
