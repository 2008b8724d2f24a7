//! What is asked of a token endpoint once there is a login: new tokens, and to forget the old ones.
//!
//! The tokens of the login itself come by [`super::authorize`]. What follows is written here, because it runs for years
//! without anybody looking: it needs no discovery, names the resource to the letter, knows the client's secret, and tells a
//! final no from a bad day.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method as Verb, Request, Url};
use serde_json::Value;
use switchboard_core::login::scopes::{self, Scopes};
use switchboard_host::secret::Secret;

use super::http::{Http, HttpTrouble};
use super::record::{Grant, Login, Method};

/// Tokens as they came.
pub(crate) struct Granted {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    /// In seconds from now.
    pub(crate) expires_in: Option<u64>,
    /// What they are good for; `None`: for what was asked.
    pub(crate) scopes: Option<Scopes>,
}

/// Why no tokens came.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is no use to ask again.
    #[error("{0}")]
    Final(String),
    /// It may be otherwise in a moment.
    #[error("{0}")]
    Later(String),
}

impl From<HttpTrouble> for Refusal {
    fn from(trouble: HttpTrouble) -> Self {
        match trouble {
            HttpTrouble::Unsafe(_) => Self::Final(trouble.to_string()),
            _ => Self::Later(trouble.to_string()),
        }
    }
}

/// Asks for new tokens in the place of those of `login`.
///
/// # Errors
/// None came. Whoever asked must not use the old refresh token again unless the refusal may be over in a moment.
pub(crate) async fn renew(http: &Http, login: &Login) -> Result<Granted, Refusal> {
    let mut form = Form::default();
    match (login.grant, &login.refresh) {
        (Grant::Machine, _) => {
            form.put("grant_type", "client_credentials");
            if !login.asked.is_empty() {
                form.put("scope", &scopes::text(&login.asked));
            }
        }
        (Grant::Person, Some(refresh)) => {
            form.put("grant_type", "refresh_token");
            form.put("refresh_token", refresh.expose());
        }
        (Grant::Person, None) => return Err(Refusal::Final("there is no refresh token".to_owned())),
    }
    form.put("resource", login.resource.expose());
    let answer = http.send(form.request(&login.token_endpoint, login)?).await?;
    read(answer.status.as_u16(), &answer.body)
}

/// Asks whoever gave the tokens of `login` to take them back, where that is offered.
///
/// # Errors
/// They may go on being good.
pub(crate) async fn revoke(http: &Http, login: &Login) -> Result<(), Refusal> {
    let Some(endpoint) = &login.revocation_endpoint else { return Ok(()) };
    // Without its refresh token an access token ends soon, and most servers end it at once.
    let (token, hint) = match (&login.refresh, &login.access) {
        (Some(refresh), _) => (refresh, "refresh_token"),
        (None, Some(access)) => (access, "access_token"),
        (None, None) => return Ok(()),
    };
    let mut form = Form::default();
    form.put("token", token.expose());
    form.put("token_type_hint", hint);
    let answer = http.send(form.request(endpoint, login)?).await?;
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(Refusal::Later(format!("it answered {}", answer.status)))
    }
}

/// Reads what a token endpoint answered.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Granted, Refusal> {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Err(Refusal::Later(format!("it answered {status}, without tokens")));
    };
    if let Some(code) = answer["error"].as_str() {
        return Err(refused(code, answer["error_description"].as_str()));
    }
    let granted = granted(&answer).filter(|_| (200..300).contains(&status));
    granted.ok_or_else(|| Refusal::Later(format!("it answered {status}, without tokens")))
}

/// Returns the tokens in an answer, if there are any.
pub(super) fn granted(answer: &Value) -> Option<Granted> {
    let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
    // Some servers write the number as a text.
    let seconds = &answer["expires_in"];
    let expires_in = seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok());
    Some(Granted {
        access: Secret::from(text("access_token")?),
        refresh: text("refresh_token").map(Secret::from),
        expires_in,
        scopes: text("scope").map(scopes::parse),
    })
}

fn refused(code: &str, description: Option<&str>) -> Refusal {
    let said = said(&match description {
        Some(description) => format!("{code}: {description}"),
        None => code.to_owned(),
    });
    // RFC 6749 has codes for a bad day; whatever else is said is about us.
    match code {
        "temporarily_unavailable" | "server_error" | "slow_down" => Refusal::Later(said),
        _ => Refusal::Final(said),
    }
}

/// Returns what somebody else said as it can be shown: nothing that a terminal would obey, and not for ever.
pub(super) fn said(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown: String = text.trim().chars().take(LONGEST).flat_map(char::escape_debug).collect();
    shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    if text.trim().chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A form, written as forms are.
#[derive(Default)]
struct Form(String);

impl Form {
    fn put(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend([&written(name), "=", &written(value)]);
    }

    /// Returns the question, with who we are to the one that is asked.
    fn request(mut self, endpoint: &str, login: &Login) -> Result<Request, Refusal> {
        let url = Url::parse(endpoint)
            .map_err(|_| Refusal::Final(format!("`{}` is no web address", said(endpoint))))?;
        let client = &login.client;
        let mut request = Request::new(Verb::POST, url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        match (client.method, &client.secret) {
            (Method::Basic, Some(secret)) => {
                let refused = || Refusal::Final("the client's secret cannot stand in a header".to_owned());
                let value = basic(&client.id, secret.expose()).ok_or_else(refused)?;
                headers.insert(reqwest::header::AUTHORIZATION, value);
            }
            (Method::Post, Some(secret)) => {
                self.put("client_id", &client.id);
                self.put("client_secret", secret.expose());
            }
            (_, _) => self.put("client_id", &client.id),
        }
        *request.body_mut() = Some(self.0.into());
        Ok(request)
    }
}

/// Returns a text as it stands in a form.
fn written(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns name and secret as the header wants them: each written as in a form first (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let pair = format!("{}:{}", written(id), written(secret));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_no_is_told_from_a_bad_day() {
        let refusal = |status, body: &str| read(status, body.as_bytes()).err();
        let last = |text: &str| Some(Refusal::Final(text.to_owned()));
        let later = |text: &str| Some(Refusal::Later(text.to_owned()));
        for (status, body, expected) in [
            (200, r#"{"access_token":"a","token_type":"Bearer"}"#, None),
            (200, r#"{"access_token":"a"}"#, None),
            (200, "{}", later("it answered 200, without tokens")),
            (200, r#"{"access_token":""}"#, later("it answered 200, without tokens")),
            (200, "<html>", later("it answered 200, without tokens")),
            (200, r#"{"error":"bad_refresh_token"}"#, last("bad_refresh_token")),
            (400, r#"{"error":"invalid_grant"}"#, last("invalid_grant")),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"it's \u001b[2Kgone"}"#,
                last("invalid_grant: it's \\u{1b}[2Kgone"),
            ),
            (401, r#"{"error":"invalid_client"}"#, last("invalid_client")),
            (400, r#"{"error":"temporarily_unavailable"}"#, later("temporarily_unavailable")),
            (503, r#"{"error":"server_error"}"#, later("server_error")),
            (503, "", later("it answered 503, without tokens")),
            (404, "nothing here", later("it answered 404, without tokens")),
            (500, r#"{"access_token":"a"}"#, later("it answered 500, without tokens")),
            (429, "[]", later("it answered 429, without tokens")),
        ] {
            assert_eq!(refusal(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn tokens_are_read_as_servers_write_them() {
        let read = |body: &str| read(200, body.as_bytes()).ok().unwrap();
        let whole = read(
            r#"{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"b a","id_token":"x"}"#,
        );
        assert_eq!((whole.access.expose(), whole.refresh.unwrap().expose()), ("a", "r"));
        assert_eq!((whole.expires_in, scopes::text(&whole.scopes.unwrap())), (Some(3600), "a b".to_owned()));
        let bare = read(r#"{"access_token":"a","refresh_token":"","expires_in":"60","scope":null}"#);
        assert_eq!((bare.refresh, bare.expires_in, bare.scopes), (None, Some(60), None));
    }

    #[test]
    fn names_and_secrets_are_written_as_forms_before_they_are_encoded() {
        for (id, secret, expected) in [
            ("s6BhdRkqt3", "gX1fBat3bV", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"),
            ("a:b", "c d", "Basic YSUzQWI6Yytk"),
        ] {
            assert_eq!(basic(id, secret).unwrap(), expected);
        }
    }
}
