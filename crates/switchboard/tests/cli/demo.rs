//! `demo`.

use crate::home;

#[test]
fn the_demo_shows_the_whole_of_it_and_leaves_nothing() {
    let home = home();
    let before = home.tree();
    let demo = home.ok("demo");
    assert!(demo.stdout.contains("all 4 files are what they were, to the byte"), "{demo}");
    assert!(demo.stdout.contains("in all 4 files after"), "{demo}");
    assert!(demo.stdout.contains("was edited by somebody else"), "{demo}");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new());
    assert_eq!(home.ok("demo --json").json()["same"], 4);
}
