//! Client files: a mistake is shown at its place with what to write instead; what loads is started as written.

use crate::canary;

use std::ffi::OsString;
use std::path::PathBuf;

use faultdeck::client::child::Environment;
use faultdeck::client::{
    Claims, Client as _, ClientError, ClientFile, Job, JobKind, OnPartial, Program, Settings, Stdout,
    builtins, open,
};

fn settings(folder: &str) -> Settings {
    Settings {
        faultdeck: PathBuf::from("/opt/faultdeck"),
        environment: Environment::default(),
        folder: PathBuf::from(folder),
    }
}

fn job(kind: JobKind) -> Job {
    Job {
        kind,
        base_url: "http://127.0.0.1:4000".to_owned(),
        method: "GET".to_owned(),
        path: "/forensics/case_management/case_create_tasks/42".to_owned(),
        params: Vec::new(),
        body: None,
        id: None,
        name: None,
        fields: None,
        sec: canary::canary().to_owned(),
        user: "analyst".to_owned(),
        password: "correct-horse-9b1".to_owned(),
        ca_file: None,
        pace_ms: 1,
        deadline_ms: 2000,
    }
}

fn argv(exec: &Program, job: &Job) -> Vec<String> {
    exec.command(job).argv.iter().map(|each| each.to_string_lossy().into_owned()).collect()
}

#[test]
fn each_bad_client_file_is_refused_at_its_place() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad-clients");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "the folder of bad files was found");
    for path in files {
        let shown = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let wanted = |key: &str| {
            text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: ")).map(str::to_owned))
        };
        let Err(ClientError::Invalid(mistakes)) = ClientFile::parse("bad", &shown, &text) else {
            panic!("{shown} must not load");
        };
        let found = &mistakes.shown()[0];
        let messages: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# says: ")).collect();
        assert_eq!(mistakes.count(), messages.len(), "{shown}: {mistakes:?}");
        for (mistake, message) in mistakes.shown().iter().zip(&messages) {
            assert!(mistake.message.contains(message.trim()), "{shown}: {}", mistake.message);
        }
        assert!(!messages.is_empty(), "{shown} says what is wrong with it");
        assert_eq!(found.file, shown);
        assert_eq!(found.text, text);
        if let Some(at) = wanted("at") {
            assert_eq!(found.text.get(found.at.clone()), Some(at.as_str()), "{shown}: {}", found.message);
        }
        if let Some(help) = wanted("help") {
            let given = found.help.clone().unwrap_or_default();
            assert!(given.contains(&help), "{shown}: {given}");
        }
    }
}

#[test]
fn every_example_of_the_pages_loads_and_the_page_of_client_files_knows_every_key() {
    let page =
        |name: &str| std::fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (clients, worker) = (page("clients.md"), page("worker.md"));
    let mut seen = 0;
    for text in [&clients, &worker].iter().flat_map(|page| page.split("```toml\n").skip(1)) {
        let text = text.split("```").next().unwrap();
        ClientFile::parse("example", "example.toml", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
    let schema: serde_json::Value = serde_json::from_str(&page("schemas/client.schema.json")).unwrap();
    let mut keys: Vec<String> = Vec::new();
    let mut tables = vec![&schema];
    while let Some(table) = tables.pop() {
        for (key, inner) in table["properties"].as_object().into_iter().flatten() {
            keys.push(key.clone());
            tables.push(inner);
        }
    }
    assert!(keys.len() > 20, "{keys:?}");
    // The members of `jobs` are jobs; those of `retries` stand in its example.
    let is_told =
        |key: &String| clients.contains(&format!("`{key}`")) || clients.contains(&format!("{key} = "));
    let missing: Vec<&String> =
        keys.iter().filter(|key| !is_told(key) && !["endpoint", "body"].contains(&key.as_str())).collect();
    assert!(missing.is_empty(), "docs/clients.md does not speak of {missing:?}");
    assert!(clients.contains("`jobs.JOB.endpoint`") && clients.contains("`jobs.send.body`"));
}

#[test]
fn an_argument_group_is_left_out_whole_when_a_value_is_missing() {
    let careful = open("builtin:careful", settings("/")).unwrap();
    let mut create = job(JobKind::Create);
    create.name = Some("case1".to_owned());
    let words = argv(&careful, &create);
    assert_eq!(words.first().map(String::as_str), Some("/opt/faultdeck"));
    assert!(words.windows(2).any(|pair| pair == ["--name", "case1"]));
    assert!(
        !words.iter().any(|word| word == "--id" || word == "--fields" || word == "--ca-file"),
        "{words:?}"
    );
    assert!(!words.iter().any(|word| word.contains(canary::canary())), "the token is in no argument");

    let mut get = job(JobKind::Get);
    get.id = Some("9007199254740993".to_owned());
    get.fields = Some("id,rules(id, type)".to_owned());
    let command = careful.command(&get);
    assert_eq!(command.environment.get("SEC_TOKEN"), Some(OsString::from(canary::canary()).as_os_str()));
    let words = argv(&careful, &get);
    assert!(words.windows(2).any(|pair| pair == ["--id", "9007199254740993"]));
    assert!(words.windows(2).any(|pair| pair == ["--fields", "id,rules(id, type)"]));
}

#[test]
fn an_env_entry_without_a_value_is_left_out() {
    let text = "summary = \"x\"\njobs = [\"get\"]\n[exec]\nargv = [\"p\"]\n\
                env = { SSL_CERT_FILE = \"{ca_file}\", BASE = \"{base_url}/api\", LITERAL = \"{{}}\" }\n";
    let folder = canary::Folder::new();
    std::fs::write(folder.path().join("c.toml"), text).unwrap();
    let exec = open("c.toml", settings(&folder.path().display().to_string())).unwrap();
    let command = exec.command(&job(JobKind::Get));
    assert_eq!(command.environment.get("SSL_CERT_FILE"), None);
    assert_eq!(command.environment.get("BASE").unwrap(), "http://127.0.0.1:4000/api");
    assert_eq!(command.environment.get("LITERAL").unwrap(), "{}");
    assert_eq!(exec.name(), "c");
}

#[test]
fn what_a_file_leaves_out_has_documented_defaults() {
    let text = "summary = \"x\"\njobs = [\"wait\", \"get\", \"get\"]\n[exec]\nargv = [\"p\"]\n";
    let file = ClientFile::parse("x", "x.toml", text).unwrap();
    assert_eq!(file.jobs, [JobKind::Get, JobKind::Wait]);
    assert_eq!(file.dialects, ["sample"]);
    assert_eq!(file.timeout_ms, 5000);
    assert_eq!(file.stdout, Stdout::Outcome);
    assert!(file.exit.is_empty());
    assert_eq!(file.claims, Claims::default());
}

#[test]
fn names_are_looked_up_in_the_working_folder_before_the_embedded_ones() {
    let folder = canary::Folder::new();
    let at = folder.path().display().to_string();
    let found = open("careful", settings(&at)).unwrap();
    assert_eq!(found.claims().on_partial, OnPartial::Waits);
    std::fs::create_dir(folder.path().join("clients")).unwrap();
    let text = "summary = \"mine\"\njobs = [\"get\"]\n[exec]\nargv = [\"p\"]\n";
    std::fs::write(folder.path().join("clients/careful.toml"), text).unwrap();
    assert_eq!(open("careful", settings(&at)).unwrap().file().summary, "mine");
    assert_ne!(open("builtin:careful", settings(&at)).unwrap().file().summary, "mine");
    assert_eq!(open("clients/careful.toml", settings(&at)).unwrap().file().summary, "mine");
    assert!(matches!(open("nobody", settings(&at)), Err(ClientError::NoSuch { .. })));
    assert!(matches!(open("no/such.toml", settings(&at)), Err(ClientError::Io { .. })));
}

#[test]
fn every_embedded_client_loads_and_can_do_every_job() {
    for (name, _) in builtins() {
        let exec = open(&format!("builtin:{name}"), settings("/")).unwrap();
        assert_eq!(exec.jobs(), [JobKind::Get, JobKind::Wait, JobKind::Create, JobKind::List]);
        assert_eq!(exec.dialects(), ["sample", "prose"]);
        let further = exec.with_arguments(["--defect", "none"]);
        assert!(argv(&further, &job(JobKind::Get)).ends_with(&["--defect".to_owned(), "none".to_owned()]));
    }
}
