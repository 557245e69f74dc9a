//! Registries whose server asks who reads them: where the token comes from, and where it goes.

use insta::assert_snapshot;

use crate::env::{Outcome, TestEnv, free_port};
use crate::faults::{Answer, FolderServer, answer, redirect};
use crate::samples::{Market, copy, crates_io, show};

const TOKEN: &str = "Bearer harbour-secret";

/// A server that answers nobody without the token.
fn guarded(head: &str, _: &str) -> Option<Answer> {
    let refused = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    (!shows_token(head)).then(|| Answer::Raw(refused.into()))
}

fn shows_token(head: &str) -> bool {
    let head = head.to_ascii_lowercase();
    head.contains(&format!(
        "authorization: {}\r\n",
        TOKEN.to_ascii_lowercase()
    ))
}

/// What is found where there is no fault.
fn open(_: &str, _: &str) -> Option<Answer> {
    None
}

/// A registry behind a server, and a machine that does not know it yet.
struct Private {
    market: Market,
    server: FolderServer,
    env: TestEnv,
}

impl Private {
    fn new(rule: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let market = Market::published();
        let server = FolderServer::start(&market.env.path("work/registry"), rule);
        let env = TestEnv::new();
        crates_io(&env, &["strsim-0.11.1"]);
        Self {
            market,
            server,
            env,
        }
    }

    fn add_line(&self) -> Vec<String> {
        let root = format!("sha256:{}", self.market.root());
        [
            "registry",
            "add",
            "harbour",
            &self.server.url(),
            "--root",
            &root,
        ]
        .map(ToOwned::to_owned)
        .to_vec()
    }

    /// Puts more into cargo's configuration, above its tables.
    fn configure(&self, text: &str) {
        let path = "home/.cargo/config.toml";
        let config = self.env.read(path);
        self.env.write(path, format!("{text}\n{config}"));
    }

    /// A program that keeps a note of having run, and then does as the script says.
    fn program(&self, script: &str) -> String {
        let note = self.env.path("ran");
        let text = format!("#!/bin/sh\npwd >> '{}'\n{script}\n", note.display());
        let path = self.env.write("tools/provider", text);
        set_executable(&path);
        path.display().to_string()
    }

    fn has_run(&self) -> bool {
        self.env.path("ran").exists()
    }

    fn add(&self) -> Outcome {
        self.env.command(self.add_line()).run()
    }

    fn must_add(&self) {
        let added = self.add();
        assert_eq!(added.code, Some(0), "{added}");
    }

    /// How many requests showed the token, and how many there were.
    fn counts(&self) -> (usize, usize) {
        let requests = self.server.requests();
        let shown = requests.iter().filter(|head| shows_token(head)).count();
        (shown, requests.len())
    }
}

fn set_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A provider that speaks cargo's protocol.
const PROTOCOL: &str = r#"[ "$1" = --cargo-plugin ] || exit 9
echo '{"v":[1]}'
read -r question
printf '%s' "$question" > "$CARGO_HOME/question"
echo '{"Ok":{"kind":"get","token":"Bearer harbour-secret","cache":"session","operation_independent":true}}'"#;

#[test]
fn without_a_token_it_is_said_how_to_get_one() {
    let private = Private::new(guarded);
    assert_snapshot!(show(private.env.command(private.add_line())), @r#"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` root metadata
    error[MP0208]: `http://127.0.0.1:[PORT]/tuf/1.root.json` asks for a token, and there is none
    help: set `CARGO_REGISTRIES_HARBOUR_TOKEN`, or run `cargo login --registry harbour` with `[registries.harbour] index = "sparse+http://127.0.0.1:[PORT]/"` in cargo's own config.toml
    "#);
    assert_eq!(private.counts().0, 0);
    let forbidden = Private::new(|_, _| Some(answer("403 Forbidden", "")));
    assert_snapshot!(show(forbidden.env.command(forbidden.add_line())), @r#"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` root metadata
    error[MP0208]: `http://127.0.0.1:[PORT]/tuf/1.root.json` is forbidden (status 403)
    help: set `CARGO_REGISTRIES_HARBOUR_TOKEN`, or run `cargo login --registry harbour` with `[registries.harbour] index = "sparse+http://127.0.0.1:[PORT]/"` in cargo's own config.toml
    "#);
}

#[test]
fn a_registry_that_shows_its_root_and_nothing_else_leaves_nothing_behind() {
    let private = Private::new(|head, path| match head.contains("/tuf/1.root.json") {
        true => None,
        false => guarded(head, path),
    });
    assert_snapshot!(show(private.env.command(private.add_line())), @r#"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` root metadata
        Updating `harbour` index
    error[MP0208]: `http://127.0.0.1:[PORT]/tuf/2.root.json` asks for a token, and there is none
    help: set `CARGO_REGISTRIES_HARBOUR_TOKEN`, or run `cargo login --registry harbour` with `[registries.harbour] index = "sparse+http://127.0.0.1:[PORT]/"` in cargo's own config.toml
    "#);
    assert!(!private.env.marketplace_home().exists());
    let line = private.add_line();
    let with_token = private
        .env
        .command(line)
        .env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN);
    assert_snapshot!(show(with_token), @"
    exit: 0
    --- stdout
    --- stderr
        Updating `harbour` root metadata
        Updating `harbour` index
        Trusting `harbour` root v1, valid until 2027-11-22T12:00:00Z
          Adding `harbour` to [ROOT]/home/.cargo/config.toml
    note: plain cargo reads `harbour` only where a credential provider is named: `registry.global-credential-providers` in its configuration
    ");
}

#[test]
fn a_token_in_the_environment_is_shown_once_the_registry_asks_and_from_then_on() {
    let private = Private::new(guarded);
    let with_token = |line: &[&str]| {
        let command = private.env.command(line.iter().copied());
        let outcome = command.env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN).run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        assert!(!outcome.to_string().contains("harbour-secret"), "{outcome}");
    };
    let line = private.add_line();
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    with_token(&line);
    let (shown, all) = private.counts();
    assert!(shown > 0 && all == shown + 1, "{shown} of {all}");
    with_token(&[
        "--verbose",
        "install",
        "tide-cli",
        "--message-format",
        "json",
    ]);
    let (later, all) = private.counts();
    assert_eq!(all, later + 1);
    let from_cargo = private.server.requests();
    let from_cargo = from_cargo
        .iter()
        .filter(|head| head.to_ascii_lowercase().contains("user-agent: cargo/"));
    assert_eq!(
        from_cargo.count(),
        0,
        "cargo needs no token for what was verified"
    );
    let wrong = private.env.command(["info", "tide-table"]);
    let wrong = wrong.env("CARGO_REGISTRIES_HARBOUR_TOKEN", "Bearer wrong");
    assert_snapshot!(show(wrong), @"
    exit: 101
    --- stdout
    --- stderr
        Updating `harbour` index
    error[MP0208]: `http://127.0.0.1:[PORT]/tuf/2.root.json` does not accept the token
    help: `cargo login --registry harbour` stores a token
    ");
}

#[test]
fn a_server_that_forbids_strangers_is_shown_the_token_too() {
    let private = Private::new(|head, path| {
        let forbidden = !shows_token(head) && !path.ends_with("2.root.json");
        forbidden.then(|| answer("403 Forbidden", ""))
    });
    let command = private.env.command(private.add_line());
    let added = command.env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN).run();
    assert_eq!(added.code, Some(0), "{added}");
}

#[test]
fn what_cargo_login_stored_is_used_by_every_command() {
    let private = Private::new(guarded);
    let index = private.server.url();
    // Plain cargo wants to be told where it may look for tokens.
    private.configure(&format!(
        "[registry]\nglobal-credential-providers = ['cargo:token']\n[registries.harbour]\nindex = \"sparse+{index}\"\n"
    ));
    let login = ["login", "--registry", "harbour"];
    let login = private.env.cargo(login).stdin(format!("{TOKEN}\n")).run();
    assert_eq!(login.code, Some(0), "{login}");
    private.must_add();
    private.market.project("app", "");
    let app = private.env.path("work/app");
    copy(&private.market.env.path("work/app"), &app);
    for line in ["add tide-table", "fetch", "exec -- build", "verify"] {
        let outcome = private
            .env
            .command(line.split(' '))
            .folder("work/app")
            .run();
        assert_eq!(outcome.code, Some(0), "{line}: {outcome}");
    }
    let installed = private.env.command(["install", "tide-cli"]).run();
    assert_eq!(installed.code, Some(0), "{installed}");
}

#[test]
fn plain_cargo_reads_it_with_the_same_token() {
    let operator = TestEnv::new();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    let line =
        format!("registry init registry --solo --no-passphrase --auth-required --base-url {url}");
    let made = operator.command(line.split(' ')).run();
    assert_eq!(made.code, Some(0), "{made}");
    let registry = operator.path("work/registry");
    let server = FolderServer::start_at(port, &registry, guarded);
    operator.write(
        "home/.cargo/credentials.toml",
        format!("[registries.harbour]\ntoken = \"{TOKEN}\"\n"),
    );
    let market = Market::served_at(operator, url);
    market.publish(&["--workspace", "--no-verify"]);
    market.must(["registry", "check", "registry"]);
    market.project(
        "app",
        "tide-table = { version = \"0.3.1\", registry = \"harbour\" }\n",
    );
    let providers = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";
    let command = market.env.cargo(["build"]).env(providers, "cargo:token");
    let built = command.folder("work/app").run();
    assert_eq!(built.code, Some(0), "{built}");
    let from_cargo: Vec<_> = server
        .requests()
        .into_iter()
        .filter(|head| head.to_ascii_lowercase().contains("user-agent: cargo/"))
        .collect();
    assert!(
        from_cargo
            .iter()
            .any(|head| head.contains("GET /crates/") && shows_token(head)),
        "{from_cargo:?}"
    );
}

#[test]
fn a_provider_of_the_user_is_asked_in_cargos_protocol() {
    let private = Private::new(guarded);
    let program = private.program(PROTOCOL);
    private.configure(&format!(
        "[registry]\nglobal-credential-providers = ['cargo:token', '{program} --own']\n"
    ));
    private.must_add();
    assert_snapshot!(private.env.read("home/.cargo/question").replace(&private.server.url(), "URL/"), @r#"{"v":1,"kind":"get","operation":"read","registry":{"index-url":"sparse+URL/","name":"harbour","headers":["WWW-Authenticate: Bearer"]},"args":["--own"]}"#);
    // It ran in cargo's home, where no project has a say.
    let places = private.env.read("ran");
    let home = private.env.cargo_home().display().to_string();
    assert!(places.lines().all(|place| place == home), "{places}");
}

#[test]
fn a_program_that_prints_the_token_is_asked() {
    let private = Private::new(guarded);
    let program = private.program(&format!("echo '{TOKEN}'"));
    private.configure(&format!(
        "[registries.harbour]\ncredential-provider = ['cargo:token-from-stdout', '{program}', '{{index_url}}']\n"
    ));
    private.must_add();
    assert!(private.has_run());
}

#[test]
fn providers_that_fail_or_cannot_be_asked_are_named() {
    for (provider, words) in [
        (
            "['cargo:token-from-stdout', 'false']",
            "credential provider `false` failed",
        ),
        (
            "'no-such-program'",
            "could not run the credential provider `no-such-program`",
        ),
        ("'true'", "does not speak cargo's protocol"),
        ("'cargo:paseto'", "`cargo:paseto` is a part of cargo"),
    ] {
        let private = Private::new(guarded);
        private.configure(&format!(
            "[registries.harbour]\ncredential-provider = {provider}\n"
        ));
        let failed = private.add();
        assert_eq!(failed.code, Some(101), "{failed}");
        assert!(failed.to_string().contains(words), "{failed}");
        assert!(failed.to_string().contains("error[MP0208]"), "{failed}");
    }
}

#[test]
fn what_is_no_token_is_refused_and_never_shown() {
    // The start of it would be a token.
    let long = "printf 'Bearer harbour-secret'; head -c 70000 /dev/zero | tr '\\0' x";
    let rest = "secret'; head -c 70000 /dev/zero | tr '\\0' x; echo '\"";
    let long_answer = PROTOCOL.replace("secret\"", rest);
    let long_answer = long_answer.replace("echo '{\"Ok\"", "printf '{\"Ok\"");
    assert_ne!(long_answer, PROTOCOL);
    let empty_answer = PROTOCOL.replace("Bearer harbour-secret", "");
    for (kind, script, words) in [
        (
            "cargo:token-from-stdout",
            long,
            "answers with more than 65536 bytes",
        ),
        ("cargo:token-from-stdout", "echo", "gives an empty token"),
        ("cargo:token-from-stdout", "true", "gives an empty token"),
        ("", &long_answer, "answers with more than 65536 bytes"),
        ("", &empty_answer, "gives an empty token"),
    ] {
        let private = Private::new(guarded);
        let program = private.program(script);
        private.configure(&format!(
            "[registries.harbour]\ncredential-provider = '{kind} {program}'\n"
        ));
        let failed = private.add();
        assert_eq!(failed.code, Some(101), "{script}: {failed}");
        let text = failed.to_string();
        assert!(text.contains(words), "{script}: {text}");
        assert!(text.contains("error[MP0208]"), "{script}: {text}");
        assert!(
            text.contains("help: it must answer with one token"),
            "{text}"
        );
        assert!(!text.contains("harbour-secret"), "{script}: {text}");
        assert_eq!(private.counts().0, 0);
    }
}

#[test]
fn no_project_names_a_provider_a_proxy_or_certificates() {
    let private = Private::new(guarded);
    let program = private.program(PROTOCOL);
    let hostile = format!(
        "[registry]\nglobal-credential-providers = ['{program}']\n[registries.harbour]\ncredential-provider = '{program}'\n[http]\nproxy = 'http://127.0.0.1:1'\ncainfo = '/nowhere'\ntimeout = 'x'\n"
    );
    private.env.write("work/.cargo/config.toml", hostile);
    let refused = private.add();
    assert_eq!(refused.code, Some(101), "{refused}");
    assert!(refused.to_string().contains("there is none"), "{refused}");
    assert!(!private.has_run());
    let added = private.env.command(private.add_line());
    let added = added.env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN).run();
    assert_eq!(added.code, Some(0), "{added}");
    assert!(!private.has_run());
}

#[test]
fn the_token_goes_to_the_registrys_own_origin_only() {
    let elsewhere = Market::published();
    let files = elsewhere.env.path("work/registry");
    let other = std::sync::Arc::new(FolderServer::start(&files, open));
    let target = other.url();
    let from = files.clone();
    let server = FolderServer::start(&from, move |head, path| {
        let moved = path
            .starts_with("crates/")
            .then(|| redirect(&format!("{target}{path}")));
        guarded(head, path).or(moved)
    });
    let env = TestEnv::new();
    crates_io(&env, &["strsim-0.11.1"]);
    let mirror = FolderServer::start(&files, open);
    let root = format!("sha256:{}", elsewhere.root());
    let add = [
        "registry",
        "add",
        "harbour",
        &server.url(),
        "--mirror",
        &mirror.url(),
        "--root",
        &root,
    ];
    for line in [&add[..], &["install", "tide-cli"]] {
        let command = env
            .command(line)
            .env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN);
        let outcome = command.run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
    assert!(server.requests().iter().any(|head| shows_token(head)));
    for stranger in [&*other, &mirror] {
        let requests = stranger.requests();
        assert!(!requests.is_empty());
        let leaked = requests
            .iter()
            .any(|head| head.to_ascii_lowercase().contains("authorization"));
        assert!(!leaked, "{requests:?}");
    }
}

#[test]
fn a_token_for_another_registry_of_that_name_is_not_shown() {
    let private = Private::new(guarded);
    private.configure("[registries.harbour]\nindex = 'sparse+https://elsewhere.example/'\n");
    let command = private.env.command(private.add_line());
    let refused = command.env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN).run();
    assert_eq!(refused.code, Some(101), "{refused}");
    assert_eq!(private.counts().0, 0);
}

#[test]
fn a_registry_that_asks_nobody_is_shown_nothing() {
    let private = Private::new(open);
    let command = private.env.command(private.add_line());
    let added = command.env("CARGO_REGISTRIES_HARBOUR_TOKEN", TOKEN).run();
    assert_eq!(added.code, Some(0), "{added}");
    assert_eq!(private.counts().0, 0);
}
