//! `tool call`: one tool called through the daemon, as a client would.

use std::time::Duration;

use serde_json::{Map, Value};
use switchboard_host::dirs::Env;

use super::{Known, find};
use crate::approval::quoted;
use crate::cli::ToolCall;
use crate::cmd::server::shown;
use crate::fail::{Done, Failure};
use crate::probe::{self, Part};
use crate::ui::{Mark, Ui, plain};

/// So many of the things that are wrong with arguments are told.
const MOST: usize = 8;

/// Calls the tool that is meant, once its arguments fit what it says that it takes.
///
/// # Errors
/// There is no such tool, the arguments do not fit, it cannot be called, or it says that it failed.
pub(super) fn call(all: &mut Known, ui: &Ui, args: &ToolCall) -> Done {
    let item = find::find(all, std::slice::from_ref(&args.tool), "tool call")?;
    let tool: Value = serde_json::from_slice(&item.raw).unwrap_or_default();
    let schema = &tool["inputSchema"];
    let arguments = read(&args.arguments, schema)?;
    check(&args.tool, schema, &arguments)?;
    let line = &item.line;
    if ui.dry_run {
        ui.marked(
            Mark::Plan,
            format!("call `{}` of `{}` with {arguments}", plain(&line.name), plain(&line.server)),
        );
        return Ok(());
    }
    let timeout = Duration::from_secs(args.timeout);
    let result = probe::call_served(&probe::program()?, &line.server, &line.name, &arguments, timeout)
        .map_err(|why| {
            Failure::failed(format!("call `{}`", shown(&args.tool))).because(why).hint(format!(
                "see how the server stands: `switchboard server show {}`",
                quoted(&line.server)
            ))
        })?;
    ui.json(&result);
    let parts = probe::parts(&result);
    if probe::has_failed(&result) {
        let said = |part: &Part| match part {
            Part::Text(text) => Some(text.trim().to_owned()),
            _ => None,
        };
        let text: Vec<String> = parts.iter().filter_map(said).filter(|text| !text.is_empty()).collect();
        let why = if text.is_empty() {
            "the tool says that it failed, and not why".to_owned()
        } else {
            text.join("\n")
        };
        let failure = Failure::failed(format!("call `{}`", shown(&args.tool))).because(plain(&why));
        // Where the policy says no it says itself what can be done.
        let has_help = why.contains("`switchboard ");
        let hint = format!("see what it takes: `switchboard tool show {}`", quoted(&args.tool));
        return Err(if has_help { failure } else { failure.hint(hint) });
    }
    if !ui.json {
        show(ui, &all.home.env, &parts);
    }
    Ok(())
}

/// Shows what a tool answered: to a person as a table or a picture where it is one, and to a program as it is.
fn show(ui: &Ui, env: &Env, parts: &[Part]) {
    let mut others = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) if !ui.is_read_by_a_person() => {
                // What it says is for the next program in the pipe.
                let end = if text.ends_with('\n') { "" } else { "\n" };
                ui.document(&format!("{text}{end}"));
            }
            Part::Text(text) => match probe::as_table(text) {
                Some((header, rows)) => ui.table_of(
                    header.iter().map(|name| plain(name)).collect(),
                    rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect(),
                ),
                None => text.lines().for_each(|line| ui.line(plain(line))),
            },
            Part::Picture(picture) if ui.picture(env, picture) => {}
            Part::Picture(picture) => others.push(plain(&picture.in_words())),
            Part::Other(what) => others.push(plain(what)),
        }
    }
    if !others.is_empty() {
        ui.hint(format!("there is more, which `--json` tells: {}", others.join("; ")));
    }
}

/// Reads arguments: one JSON object, or `NAME=VALUE` for each, where the schema says of which type a value is.
fn read(words: &[String], schema: &Value) -> Result<Value, Failure> {
    if let [word] = words
        && word.trim_start().starts_with('{')
    {
        return serde_json::from_str(word).map_err(|error| {
            Failure::usage("read the arguments: they are no JSON")
                .because(error)
                .hint("write one object in quotes: '{\"name\": \"value\"}', or NAME=VALUE for each")
        });
    }
    let mut arguments = Map::new();
    for word in words {
        let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::usage(format!("read the argument `{}`", shown(word)))
                .hint("write it as NAME=VALUE, or all of them as one JSON object: '{\"name\": \"value\"}'"));
        };
        arguments.insert(name.to_owned(), typed(value, &schema["properties"][name]));
    }
    Ok(Value::Object(arguments))
}

/// Returns a value as the type that is asked for, as far as it can be read so.
fn typed(text: &str, schema: &Value) -> Value {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let read = || serde_json::from_str(text).ok();
    if types.contains(&"string") {
        return Value::String(text.to_owned());
    }
    // Where nothing is said, what looks like JSON is JSON.
    read().unwrap_or_else(|| Value::String(text.to_owned()))
}

fn check(tool: &str, schema: &Value, arguments: &Value) -> Done {
    // A schema that is none is the server's fault, and the server judges for itself.
    let Ok(validator) = jsonschema::validator_for(schema) else { return Ok(()) };
    let wrong: Vec<String> = validator
        .iter_errors(arguments)
        .take(MOST)
        .map(|error| {
            let place = error.instance_path().to_string();
            if place.is_empty() {
                error.to_string()
            } else {
                format!("{}: {error}", place.trim_start_matches('/'))
            }
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!("call `{}`: the arguments do not fit", shown(tool)))
        .because(plain(&wrong.join("; ")))
        .hint(format!("see what it takes: `switchboard tool show {}`", quoted(tool))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_read_by_what_the_tool_takes() {
        let schema = json!({ "properties": {
            "text": { "type": "string" },
            "count": { "type": "integer" },
            "either": { "type": ["string", "null"] },
            "list": { "type": "array" },
        }});
        for (words, expected) in [
            (&["text=1"][..], json!({ "text": "1" })),
            (&["count=2", "text=a=b"], json!({ "count": 2, "text": "a=b" })),
            (&["count=two"], json!({ "count": "two" })),
            (&["either=null"], json!({ "either": "null" })),
            (&["list=[1,2]", "other=true"], json!({ "list": [1, 2], "other": true })),
            (&[r#"{"text": 7}"#], json!({ "text": 7 })),
            (&[], json!({})),
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(read(&words, &schema).unwrap(), expected, "{words:?}");
        }
        for wrong in ["alone", "=x", "{no json"] {
            assert!(read(&[wrong.to_owned()], &schema).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_before_anything_is_sent() {
        let schema = json!({
            "type": "object",
            "properties": { "n": { "type": "integer", "minimum": 1 } },
            "required": ["n"],
            "additionalProperties": false,
        });
        assert!(check("t", &schema, &json!({ "n": 1 })).is_ok());
        for (arguments, told) in [
            (json!({}), "required"),
            (json!({ "n": 0 }), "n: 0 is less"),
            (json!({ "n": "1" }), "n: \"1\" is not of type"),
            (json!({ "n": 1, "m": 2 }), "m"),
        ] {
            let failure = check("t", &schema, &arguments).unwrap_err();
            assert!(failure.causes.join(" ").contains(told), "{failure:?}");
        }
        assert!(check("t", &json!({ "type": 7 }), &json!({})).is_ok());
    }
}
