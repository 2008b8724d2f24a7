//! `token`: who may ask for what over TCP.

use serde_json::json;
use switchboard_host::dirs::Env;

use crate::cli::{Token as Verb, TokenCreate};
use crate::fail::{Done, Failure};
use crate::home::{Home, load_tokens, now, save};
use crate::token::{CLIENT, LOCAL, Permission, Token, Tokens, Uses, uses};
use crate::ui::{Mark, Ui};

/// What a token permits about which nothing was said: reading.
const USUAL: [&str; 3] = ["config", "*", "read"];

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: Verb, env: Env, ui: &Ui) -> Done {
    let home = match verb {
        Verb::List => Home::look(env)?,
        _ => Home::open(env, "switchboard token", ui.dry_run)?,
    };
    let tokens = load_tokens(&home)?;
    match verb {
        Verb::Show => show(&home, ui, tokens),
        Verb::Create(args) => create(&home, ui, tokens, &args),
        Verb::List => {
            list(ui, &tokens, &uses(&home.dirs.tokens()));
            Ok(())
        }
        Verb::Revoke { name } => revoke(&home, ui, tokens, &name),
    }
}

/// Prints the token for this machine's own use; it is made when it is first asked for.
fn show(home: &Home, ui: &Ui, mut tokens: Tokens) -> Done {
    let secret = if let Some(secret) = tokens.local() {
        secret.to_owned()
    } else {
        if ui.dry_run {
            ui.marked(Mark::Plan, "make the token for this machine's own use");
            return Ok(());
        }
        // One of that name whose secret is not known opens nothing for us.
        tokens.revoke(LOCAL);
        let secret = tokens.create(LOCAL, vec![Permission::everything()], now())?;
        save(&home.dirs.tokens(), &tokens)?;
        secret
    };
    ui.json(&json!({ "name": LOCAL, "token": secret }));
    if !ui.json {
        ui.document(&format!("{secret}\n"));
    }
    Ok(())
}

fn create(home: &Home, ui: &Ui, mut tokens: Tokens, args: &TokenCreate) -> Done {
    let name = crate::cmd::server::shown(&args.name);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if args.name.is_empty()
        || args.name.len() > 64
        || !args.name.chars().all(plain)
        || args.name == LOCAL
        || args.name.starts_with(CLIENT)
    {
        return Err(Failure::usage(format!("call a token `{name}`"))
            .hint("use letters, digits, `-`, `_` and `.`; `local` is this machine's own, and `client-..` are the clients'"));
    }
    let mut permissions: Vec<Permission> = args
        .permissions
        .iter()
        .map(|text| {
            Permission::parse(text).ok_or_else(|| {
                Failure::usage(format!("understand the permission `{}`", crate::cmd::server::shown(text)))
                    .hint("write it as server:resource:action, such as `config:*:read` or `*:*:*`")
            })
        })
        .collect::<Result<_, _>>()?;
    if permissions.is_empty() {
        permissions.push(Permission::of(USUAL[0], USUAL[1], USUAL[2]));
    }
    let shown = permissions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let secret = tokens.create(&args.name, permissions.clone(), now())?;
    if ui.dry_run {
        ui.marked(Mark::Plan, format!("make the token `{name}`, which permits {shown}"));
        return Ok(());
    }
    save(&home.dirs.tokens(), &tokens)?;
    ui.json(&json!({ "name": args.name, "permissions": permissions, "token": secret }));
    if !ui.json {
        ui.note(format!("token `{name}` permits {shown}; it is shown this once"));
        ui.document(&format!("{secret}\n"));
    }
    Ok(())
}

fn list(ui: &Ui, tokens: &Tokens, uses: &Uses) {
    let permissions = |token: &Token| token.permissions.iter().map(ToString::to_string).collect::<Vec<_>>();
    ui.json(
        &tokens
            .tokens
            .iter()
            .map(|token| {
                json!({
                    "id": token.id, "name": token.name, "permissions": permissions(token), "created": token.created,
                    "last_used": uses.get(&token.id),
                })
            })
            .collect::<Vec<_>>(),
    );
    if tokens.tokens.is_empty() {
        ui.line("there is no token yet");
        ui.hint("`switchboard token show` makes one for this machine's own use");
        return;
    }
    ui.table(
        ["TOKEN", "ID", "PERMITS", "CREATED", "LAST USED"],
        tokens.tokens.iter().map(|token| {
            [
                token.name.clone(),
                token.id.clone(),
                permissions(token).join(" "),
                crate::when::local(token.created),
                uses.get(&token.id).map_or_else(|| "never".to_owned(), |&at| crate::when::local(at)),
            ]
        }),
    );
}

fn revoke(home: &Home, ui: &Ui, mut tokens: Tokens, name: &str) -> Done {
    let shown = crate::cmd::server::shown(name);
    if !tokens.revoke(name) {
        return Err(Failure::usage(format!("find token `{shown}`")).hint("see `switchboard token list`"));
    }
    if ui.dry_run {
        ui.marked(Mark::Plan, format!("revoke the token `{shown}`"));
        return Ok(());
    }
    save(&home.dirs.tokens(), &tokens)?;
    ui.json(&json!({ "done": format!("token `{shown}` revoked") }));
    ui.marked(Mark::Good, format!("token `{shown}` is revoked"));
    Ok(())
}
