//! `registry list` and `registry remove` on the user's configuration files.

use insta::assert_snapshot;

use crate::env::TestEnv;

const OURS: &str = "# mine

[registries.harbour] # the good one
url = 'https://registry.example/'
registry-id = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"
root = \"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"

[registries.local]
url = 'file:///srv/market/'
registry-id = \"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"
root = \"sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"
";

const CARGOS: &str = "# cargo's
[net]
retry   = 7 # many

[registries.harbour]
index = \"sparse+https://registry.example/\"

[registries.other]
index = 'sparse+https://other.example/'
";

fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("home/.cargo/marketplace/config.toml", OURS);
    env.write("home/.cargo/config.toml", CARGOS);
    env
}

#[test]
fn lists_registries() {
    let env = env();
    assert_snapshot!(env.run(["registry", "list"]), @r"
    exit: 0
    --- stdout
    harbour  https://registry.example/  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    local    file:///srv/market/        cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
    --- stderr
    ");
    assert_snapshot!(env.run(["registry", "list", "--message-format=json"]), @r#"
    exit: 0
    --- stdout
    {"reason":"registry","schema":1,"auth_required":false,"mirrors":[],"name":"harbour","registry_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","root":"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","url":"https://registry.example/"}
    {"reason":"registry","schema":1,"auth_required":false,"mirrors":[],"name":"local","registry_id":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","root":"sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","url":"file:///srv/market/"}
    --- stderr
    "#);
    assert_snapshot!(TestEnv::new().run(["registry", "list"]), @r"
    exit: 0
    --- stdout
    --- stderr
    note: no registry has been added yet: `cargo marketplace registry add NAME URL`
    ");
}

#[test]
fn removes_a_registry_and_leaves_the_rest_as_it_was() {
    let env = env();
    assert_snapshot!(env.run(["registry", "remove", "harbour"]), @r"
    exit: 0
    --- stdout
    --- stderr
        Removing `harbour` from [ROOT]/home/.cargo/config.toml
         Removed `harbour`
    ");
    assert_snapshot!(env.read("home/.cargo/config.toml"), @r"
    # cargo's
    [net]
    retry   = 7 # many

    [registries.other]
    index = 'sparse+https://other.example/'
    ");
    assert_snapshot!(env.read("home/.cargo/marketplace/config.toml"), @r#"
    [registries.local]
    url = 'file:///srv/market/'
    registry-id = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
    root = "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
    "#);
    assert_snapshot!(env.run(["registry", "remove", "local"]), @r"
    exit: 0
    --- stdout
    --- stderr
         Removed `local`
    ");
}

#[test]
fn suggests_the_registry_that_was_meant() {
    let env = env();
    assert_snapshot!(env.run(["registry", "remove", "harbor"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: no registry is called `harbor`
    help: did you mean `harbour`?
    ");
    assert_snapshot!(env.run(["registry", "remove", "nowhere"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: no registry is called `nowhere`
    help: see `cargo marketplace registry list`
    ");
}

#[test]
fn says_what_is_wrong_in_the_file() {
    let env = TestEnv::new();
    env.write("home/.cargo/marketplace/config.toml", "[registries\n");
    assert_snapshot!(env.run(["registry", "list"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: cannot parse `[ROOT]/home/.cargo/marketplace/config.toml`

    Caused by:
      TOML parse error at line 1, column 12
          |
        1 | [registries
          |            ^
        unclosed table, expected `]`
    ");
    let text = OURS.replace("https:", "http:");
    env.write("home/.cargo/marketplace/config.toml", text);
    assert_snapshot!(env.run(["registry", "list"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: `registries.harbour.url` in `[ROOT]/home/.cargo/marketplace/config.toml` is not usable: `http://registry.example/` is refused: plain http is for this machine only, use https
    ");
}

#[test]
fn the_homes_can_be_moved() {
    let env = env();
    let elsewhere = env.path("elsewhere");
    let moved = env
        .command(["registry", "list"])
        .env("CARGO_MARKETPLACE_HOME", &elsewhere);
    assert_eq!(moved.run().stdout, "");
    let default = env.command(["registry", "list"]).env_remove("CARGO_HOME");
    assert!(default.run().stdout.contains("harbour"));
    let relative = env
        .command(["registry", "list"])
        .folder("home")
        .env("CARGO_HOME", ".cargo");
    assert!(relative.run().stdout.contains("harbour"));
}
