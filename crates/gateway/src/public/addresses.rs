//! Where addresses of resources are in what a server says.

use super::spots::{Spots, each};
use crate::object::part;

/// Exchanges the addresses in a result of any method: links and resources in the content of tools and prompts, what was
/// read, and what a task that has ended brought.
pub(super) fn in_result<'m>(spots: &mut Spots<'m>, result: &'m str, public: &dyn Fn(&str) -> Option<String>) {
    in_content(spots, result, public);
    for message in each(result, "messages") {
        in_content(spots, message, public);
    }
    for member in ["contents", "resources"] {
        for resource in each(result, member) {
            spots.at(resource, &["uri"], public);
        }
    }
    in_meta(spots, result, public);
    if let Some(ended) = part(result, &["result"]) {
        in_content(spots, ended, public);
        in_meta(spots, ended, public);
    }
}

fn in_content<'m>(spots: &mut Spots<'m>, holder: &'m str, public: &dyn Fn(&str) -> Option<String>) {
    for block in each(holder, "content") {
        if part(block, &["type"]) == Some("\"resource_link\"") {
            spots.at(block, &["uri"], public);
        }
        spots.at(block, &["resource", "uri"], public);
    }
}

/// Exchanges the address of what shows a tool (MCP Apps), in both spellings.
pub(super) fn in_meta<'m>(spots: &mut Spots<'m>, holder: &'m str, public: &dyn Fn(&str) -> Option<String>) {
    spots.at(holder, &["_meta", "ui", "resourceUri"], public);
    spots.at(holder, &["_meta", "ui/resourceUri"], public);
}
