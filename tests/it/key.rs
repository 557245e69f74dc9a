//! `key new`, `key list`, `key show`.

use insta::assert_snapshot;

use crate::env::TestEnv;

#[test]
fn makes_lists_and_shows_keys() {
    let env = TestEnv::new();
    let new = env.command(["key", "new", "harbour", "--no-passphrase"]);
    assert_snapshot!(new.redact_digests().run().to_string(), @r"
    exit: 0
    --- stdout
    harbour  [FINGERPRINT]  [DIGEST]
    --- stderr
         Created key `harbour` in [ROOT]/home/.cargo/marketplace/keys/harbour.pem
    warning: the key is not encrypted: whoever reads the file can sign with it
    ");
    let list = env.command(["key", "list"]);
    assert_snapshot!(list.redact_digests().run().to_string(), @r"
    exit: 0
    --- stdout
    harbour  [FINGERPRINT]  [DIGEST]
    --- stderr
    ");
    let show = env.command(["key", "show", "harbour"]);
    assert_snapshot!(show.redact_digests().run().to_string(), @r"
    exit: 0
    --- stdout
    name: harbour
    fingerprint: [FINGERPRINT]
    id: [DIGEST]
    public: [DIGEST]
    file: [ROOT]/home/.cargo/marketplace/keys/harbour.pem
    --- stderr
    ");
    let json = env.command(["key", "show", "harbour", "--message-format", "json"]);
    assert_snapshot!(json.redact_digests().run().to_string(), @r#"
    exit: 0
    --- stdout
    {"reason":"key","schema":1,"fingerprint":"[FINGERPRINT]","key_id":"[DIGEST]","name":"harbour","public":"[DIGEST]"}
    --- stderr
    "#);
    let secret = env.read("home/.cargo/marketplace/keys/harbour.pem");
    assert!(secret.starts_with("-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn an_export_is_told_to_machines_and_never_overwrites() {
    let env = TestEnv::new();
    env.run(["key", "new", "harbour", "--no-passphrase"]);
    let export = |more: &str| {
        let line = format!("key export harbour --format hex {more}");
        let command = env.command(line.split_whitespace());
        command.redact_digests().run().to_string()
    };
    assert_snapshot!(export("--message-format json"), @r#"
    exit: 0
    --- stdout
    {"reason":"key","schema":1,"fingerprint":"[FINGERPRINT]","key_id":"[DIGEST]","name":"harbour","public":"[DIGEST]","text":"[DIGEST]\n"}
    --- stderr
    "#);
    assert_snapshot!(export("--message-format json -o harbour.hex"), @r#"
    exit: 0
    --- stdout
    {"reason":"key","schema":1,"fingerprint":"[FINGERPRINT]","key_id":"[DIGEST]","name":"harbour","path":"[ROOT]/work/harbour.hex","public":"[DIGEST]"}
    --- stderr
        Exported key `harbour` to harbour.hex
    "#);
    assert_snapshot!(export("-o harbour.hex"), @"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/work/harbour.hex` exists already
    note: nothing was written
    help: name another file, or remove that one first
    ");
}

#[test]
fn a_bad_key_file_hides_no_other_key() {
    let env = TestEnv::new();
    for name in ["bad", "good", "half"] {
        env.run(["key", "new", name, "--no-passphrase"]);
    }
    env.write("home/.cargo/marketplace/keys/bad.pub.pem", "no key");
    std::fs::remove_file(env.marketplace_home().join("keys/half.pub.pem")).unwrap();
    let list = env.command(["key", "list"]);
    assert_snapshot!(list.redact_digests().run().to_string(), @"
    exit: 0
    --- stdout
    good  [FINGERPRINT]  [DIGEST]
    --- stderr
    warning: cannot use the key in `[ROOT]/home/.cargo/marketplace/keys/bad.pub.pem`: the text is no PKCS#8 key file (PEM)
    warning: `[ROOT]/home/.cargo/marketplace/keys/half.pem` has no `half.pub.pem` beside it
    ");
    assert_snapshot!(env.run(["key", "show", "half"]), @"
    exit: 101
    --- stdout
    --- stderr
    error: `[ROOT]/home/.cargo/marketplace/keys/half.pem` has no `half.pub.pem` beside it
    help: `openssl pkey -in half.pem -pubout -out half.pub.pem` makes it there
    ");
}

#[test]
fn names_of_keys_are_lower_case() {
    assert_snapshot!(TestEnv::new().run(["key", "new", "A_B"]), @"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value 'A_B' for '<NAME>': `A_B` cannot be the name of a publisher or key: 'A' is not lower case

    For more information, try '--help'.
    ");
}

#[test]
fn whoever_makes_a_key_without_a_passphrase_is_warned() {
    let env = TestEnv::new();
    let line =
        "registry init registry --solo --base-url https://registry.example.org/ --no-passphrase";
    let init = env.command(line.split(' '));
    assert_snapshot!(init.redact_digests().run().to_string(), @"
    exit: 0
    --- stdout
    sha256:[DIGEST]
    --- stderr
         Created key `offline` in [ROOT]/home/.cargo/marketplace/keys/offline.pem
    warning: the key is not encrypted: whoever reads the file can sign with it
         Created key `online` in [ROOT]/home/.cargo/marketplace/keys/online.pem
    warning: the key is not encrypted: whoever reads the file can sign with it
         Created registry in registry
    note: publish this digest where your users can compare it; keep the offline key off line
    ");
}

#[test]
fn a_passphrase_can_come_from_the_environment() {
    let env = TestEnv::new();
    let new = env.command(["key", "new", "harbour"]);
    let outcome = new
        .env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "not a secret")
        .run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let secret = env.read("home/.cargo/marketplace/keys/harbour.pem");
    assert!(secret.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
}

#[test]
fn nothing_that_runs_foreign_code_runs_beside_a_passphrase() {
    let env = TestEnv::new();
    for (arguments, doing) in [
        (&["exec", "--", "build"][..], "cargo"),
        (&["install", "tide-cli"], "building"),
        (&["package"], "packaging"),
    ] {
        let command = env.command(arguments);
        let command = command.env("CARGO_MARKETPLACE_KEY_PASSPHRASE", "not a secret");
        let outcome = command.run();
        assert_eq!(outcome.code, Some(101), "{outcome}");
        let text = format!("a passphrase is in the environment, and {doing} runs foreign code");
        assert!(outcome.to_string().contains(&text), "{outcome}");
    }
}

#[test]
fn refuses_without_making_anything() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["key", "new", "harbour"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: the passphrase of `harbour` cannot be asked for
    note: there is no terminal
    help: set CARGO_MARKETPLACE_KEY_PASSPHRASE
    ");
    assert_snapshot!(env.run(["key", "new", "../x"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value '../x' for '<NAME>': `../x` cannot be a name: '.' is not an ASCII letter, digit, `-` or `_`

    For more information, try '--help'.
    ");
    assert_snapshot!(env.run(["key", "show", "harbour"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0601]: no key is called `harbour`
    help: `cargo marketplace key new harbour` makes it
    ");
    assert!(!env.marketplace_home().exists());
    env.run(["key", "new", "harbour", "--no-passphrase"]);
    assert_snapshot!(env.run(["key", "new", "harbour", "--no-passphrase"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: the key `harbour` exists already
    note: a key is never overwritten
    ");
    assert_snapshot!(env.run(["key", "show", "harbor"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error[MP0601]: no key is called `harbor`
    help: did you mean `harbour`?
    ");
}

#[test]
fn a_pipe_is_nobody_to_ask() {
    let env = TestEnv::new();
    let new = env.command(["key", "new", "harbour"]).stdin("a\na\n");
    assert_eq!(new.run().code, Some(101));
    assert!(!env.marketplace_home().exists());
}

#[test]
fn the_folder_can_be_moved() {
    let env = TestEnv::new();
    let new = env.command(["key", "new", "a", "--no-passphrase"]);
    new.env("CARGO_MARKETPLACE_KEYS", env.path("safe")).run();
    assert!(env.path("safe/a.pem").exists() && env.path("safe/a.pub.pem").exists());
}
