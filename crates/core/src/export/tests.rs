use super::{Export, export, servers_json};
use crate::catalogue::{Catalogue, parse};
use crate::client::bridge::Bridge;
use crate::client::known;
use crate::name::ClientId;
use crate::settings::{self, ClientSettings};

fn catalogue(text: &str) -> Catalogue {
    let parsed = parse(text);
    assert!(parsed.is_good(), "{:?}", parsed.problems);
    parsed.value
}

fn client(table: &str) -> ClientSettings {
    settings::parse(&format!("[[clients]]\n{table}")).value.clients.remove(0)
}

fn bridge() -> Bridge {
    Bridge { program: "/usr/bin/switchboard".to_owned(), ..Bridge::default() }
}

fn exported(catalogue: &Catalogue, client: &ClientSettings) -> Export {
    export(catalogue, client, &client.known.dialect, &bridge()).unwrap()
}

#[test]
fn servers_stand_in_the_usual_form_and_in_the_order_of_the_catalogue() {
    let catalogue = catalogue(
        "[servers.zed]\ncommand='npx'\nargs=['-y','zed']\nenv={ TOKEN='${keyring:zed}' }\ncwd='/srv'\n\
         [servers.off]\ncommand='off'\nenabled=false\n\
         [servers.bare]\ncommand='bare'\n\
         [servers.api]\nurl='https://api/mcp'\nheaders={ Authorization='Bearer ${env:API}' }\n\
         [servers.old]\nurl='https://old/sse'\ntype='sse'\n",
    );
    assert_eq!(
        servers_json(&catalogue),
        concat!(
            r#"{"zed":{"type":"stdio","command":"npx","args":["-y","zed"],"env":{"TOKEN":"${keyring:zed}"},"cwd":"/srv"},"#,
            r#""bare":{"type":"stdio","command":"bare","args":[]},"#,
            r#""api":{"type":"http","url":"https://api/mcp","headers":{"Authorization":"Bearer ${env:API}"}},"#,
            r#""old":{"type":"sse","url":"https://old/sse"}}"#
        )
    );
    assert_eq!(servers_json(&Catalogue::default()), "{}");
}

#[test]
fn every_known_client_gets_a_file_that_it_can_read() {
    let catalogue = catalogue("[servers.a]\ncommand='npx'\n[servers.b]\ncommand='b'\nenabled=false\n");
    for known in known::all() {
        let mut own = client("id='cursor'\n");
        own.id = ClientId::parse(known.id).unwrap();
        own.known = known;
        let file = exported(&catalogue, &own);
        let read = crate::document::Document::parse(&file.text, known.dialect.format).unwrap();
        let found = crate::client::scan::scan(&read, &known.dialect, &bridge()).found;
        let aliases: Vec<_> = found.iter().map(|found| found.alias.as_str()).collect();
        assert_eq!(aliases, ["a"], "{}: {}", known.id, file.text);
    }
}

#[test]
fn settings_of_the_client_count() {
    let catalogue = catalogue("[servers.a]\ncommand='npx'\ntags=['x']\n[servers.b]\nurl='https://b/mcp'\n");
    let some = exported(&catalogue, &client("id='cursor'\nservers=['tag:x']\n"));
    assert!(some.text.contains("connect") && some.text.contains("\"a\"") && !some.text.contains("\"b\""));
    let direct = exported(&catalogue, &client("id='cursor'\nvia='direct'\n"));
    assert!(direct.text.contains("https://b/mcp") && !direct.text.contains("connect"));
    let one = exported(&catalogue, &client("id='cursor'\nface='single'\n"));
    assert!(one.text.contains("--all") && !one.text.contains("\"a\""));
    let refused = client("id='cursor'\nface='single'\nvia='direct'\n");
    let error = export(&catalogue, &refused, &refused.known.dialect, &bridge()).unwrap_err();
    assert!(error.help().is_some() && error.to_string().contains("`face = \"single\"`"), "{error}");
}

#[test]
fn what_looks_like_a_secret_is_withheld() {
    let openly = [
        ("command='x'\nenv={ API_TOKEN='canary-1' }", "${env:API_TOKEN}"),
        ("command='x'\nenv={ X='ghp_canary0123456789' }", "${env:X}"),
        ("command='x'\nenv={ API_TOKEN='${env:API_TOKEN:-canary-2}' }", "\"${env:API_TOKEN}\""),
        ("command='x'\nargs=['--api-key','canary-3']", "\"--api-key\",\"${env:MY_S_API_KEY}\""),
        ("command='x'\nargs=['--token=canary-4']", "--token=${env:MY_S_TOKEN}"),
        ("command='docker'\nargs=['-e','GH_TOKEN=canary-5']", "GH_TOKEN=${env:GH_TOKEN}"),
        (
            "command='npx'\nargs=['--header','Authorization: Bearer canary-6']",
            "Bearer ${env:MY_S_AUTHORIZATION}",
        ),
        ("command='x'\nargs=['sk-canary-7-0123456789']", "${env:MY_S_ARGUMENT}"),
        ("url='https://h/mcp'\nheaders={ X-Api-Key='canary-8' }", "${env:MY_S_X_API_KEY}"),
        (
            "url='https://h/mcp'\nheaders={ Authorization='Bearer canary-9' }",
            "Bearer ${env:MY_S_AUTHORIZATION}",
        ),
        ("url='https://me:canary-10@h/mcp'", "https://me:${env:MY_S_PASSWORD}@h/mcp"),
        ("url='https://h/mcp?api_key=canary-11&x=1'", "?api_key=${env:MY_S_API_KEY}&x=1"),
        ("command='x'\nargs=['https://h/mcp?token=canary-12']", "?token=${env:MY_S_TOKEN}"),
        ("url='https://h/s/sk-canary-130123456789/mcp'", "/s/${env:MY_S_PATH}/mcp"),
    ];
    for (table, stands) in openly {
        let catalogue = catalogue(&format!("[servers.'my s']\n{table}\n"));
        let direct = exported(&catalogue, &client("id='cursor'\nvia='direct'\n")).text;
        let all = servers_json(&catalogue);
        for text in [&all, &direct] {
            assert!(!text.contains("canary"), "{table}: {text}");
        }
        assert!(all.contains(stands), "{table}: {all} does not have {stands}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for table in [
        "command='npx'\nargs=['-y','@scope/server','--root','/srv/a=b','--verbose']",
        "command='x'\nenv={ LOG='debug', TOKEN='${file:/run/token}', PATH='/usr/bin' }",
        "url='https://user@h:8443/mcp?team=x'\nheaders={ X-Team='y' }",
        "command='x'\nargs=['--token','${env:T}','--no-color']",
    ] {
        let catalogue = catalogue(&format!("[servers.s]\n{table}\n"));
        let server = &catalogue.servers()[0];
        assert_eq!(super::withheld(server), server.launch, "{table}");
    }
}
