//! The messages that are sent, as text.

use std::fmt::Write as _;

use super::options::Http;

/// An era of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Era {
    /// 2025-11-25: sessions
    Legacy,
    /// 2026-07-28: none
    Modern,
}

impl Era {
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }

    /// What is in the parameters of every request, with the comma before it.
    fn meta(self) -> &'static str {
        match self {
            Self::Legacy => "",
            Self::Modern => {
                r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"load","version":"1.0.0"}}"#
            }
        }
    }
}

/// What opens a session.
pub(super) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"1.0.0"}}}"#;

/// What is said once it is open.
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Writes a request for the list of tools.
pub(super) fn list(id: u64, era: Era, into: &mut String) {
    into.clear();
    let meta = era.meta().trim_start_matches(',');
    let _ = write!(into, r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{{meta}}}}}"#);
}

/// What is called, each time with another text.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) tool: String,
    /// How long the text of the answer is at least.
    pub(super) bytes: usize,
    /// Whether the server makes it up, and only its beginning is sent.
    pub(super) big: bool,
}

impl Call {
    /// Writes a call, and the text that its answer must have.
    pub(super) fn write(&self, id: u64, mark: &str, era: Era, into: &mut String, text: &mut String) {
        into.clear();
        text.clear();
        text.push_str(mark);
        text.extend(std::iter::repeat_n('x', self.bytes.saturating_sub(mark.len())));
        let (tool, meta) = (&self.tool, era.meta());
        let _ =
            write!(into, r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","#);
        let _ = if self.big {
            write!(into, r#""arguments":{{"mark":"{mark}","bytes":{}}}"#, text.len())
        } else {
            write!(into, r#""arguments":{{"text":"{text}"}}"#)
        };
        let _ = write!(into, "{meta}}}}}");
    }
}

/// Returns the head of every POST of this kind, up to the length of its body.
pub(super) fn post(http: &Http, session: Option<&str>, method: &str, name: Option<&str>) -> String {
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n",
        http.path, http.host
    );
    if method != "initialize" && !http.events {
        let _ = write!(head, "MCP-Protocol-Version: {}\r\n", http.era.version());
    }
    if let Some(session) = session {
        let _ = write!(head, "Mcp-Session-Id: {session}\r\n");
    }
    if http.era == Era::Modern {
        let _ = write!(head, "Mcp-Method: {method}\r\n");
        if let Some(name) = name {
            let _ = write!(head, "Mcp-Name: {name}\r\n");
        }
    }
    head.push_str("Content-Length: ");
    head
}

/// Returns the request for the stream on which the server may say something.
pub(super) fn get(http: &Http, session: Option<&str>) -> String {
    bare("GET", http, session)
}

/// Returns the request that ends a session.
pub(super) fn delete(http: &Http, session: &str) -> String {
    bare("DELETE", http, Some(session))
}

fn bare(method: &str, http: &Http, session: Option<&str>) -> String {
    let (path, host) = (&http.path, &http.host);
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n");
    if let Some(session) = session {
        let _ = write!(head, "MCP-Protocol-Version: {}\r\nMcp-Session-Id: {session}\r\n", http.era.version());
    }
    head.push_str("\r\n");
    head
}
