//! The JSON Schemas of our files, from the types that read them.

use switchboard_core::catalogue::CatalogueFile;
use switchboard_core::policy::ToolPolicyFile;
use switchboard_core::settings::SettingsFile;

use crate::execute::write_own;
use crate::fail::Failure;
use crate::home::Home;

/// The first line of a catalogue that we create.
pub(crate) const CATALOGUE_LINE: &str = "#:schema ./mcp-servers.schema.json";
/// The first line of settings that we create.
pub(crate) const SETTINGS_LINE: &str = "#:schema ./switchboard.schema.json";

/// Returns the schema of the catalogue.
pub(crate) fn catalogue() -> String {
    pretty(&schemars::schema_for!(CatalogueFile))
}

/// Returns the schema of the settings.
pub(crate) fn settings() -> String {
    pretty(&schemars::schema_for!(SettingsFile))
}

/// Returns the schema of the policy per tool.
pub(crate) fn policy() -> String {
    pretty(&schemars::schema_for!(ToolPolicyFile))
}

fn pretty(schema: &schemars::Schema) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes the schemas beside the files that name them, where they are missing or old.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn write(home: &Home) -> Result<(), Failure> {
    for (name, text) in [
        ("mcp-servers.schema.json", catalogue()),
        ("switchboard.schema.json", settings()),
        ("tool-policy.schema.json", policy()),
    ] {
        let path = home.dirs.config().join(name);
        let there = switchboard_host::file::read(&path).ok();
        if there.as_ref().is_none_or(|there| there.bytes != text.as_bytes()) {
            write_own(home, &path, there.as_ref(), &text)?;
        }
    }
    Ok(())
}
