//! The preview server, and the command that runs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use cargo_marketplace::model::Sha256Digest;
use cargo_marketplace::registry::serve::{self, Running};
use insta::assert_snapshot;

use crate::env::TestEnv;

/// A registry of three files, and a file beside it that is nobody's business.
fn registry() -> (TestEnv, Running) {
    let env = TestEnv::new();
    let dl = "https://registry.example/crates/{crate}/{sha256-checksum}.crate";
    env.write("work/market/config.json", format!("{{\"dl\":\"{dl}\"}}"));
    env.write("work/market/se/rd/serde", "{}\n");
    env.write("work/market/se/rd/serde.ttl", "<> a <> .\n");
    env.write("work/market/.git/config", "secret");
    env.write("work/secret", "secret");
    let running = serve::spawn(&env.path("work/market"), 0).expect("it is there");
    (env, running)
}

/// Sends a request as it is written, and returns the answer without what is of no interest.
fn ask(url: &str, request: &str) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).expect("it listens");
    let (line, headers) = request.split_once('\n').unwrap_or((request, ""));
    let head = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it answers in text");
    let lines = answer.lines().filter(|line| !line.starts_with("date: "));
    lines
        .collect::<Vec<_>>()
        .join("\n")
        .replace(address, "[ADDRESS]")
}

#[test]
fn serves_files_with_type_length_and_tag() {
    let (_env, running) = registry();
    assert_snapshot!(ask(running.url(), "GET /se/rd/serde.ttl"), @r#"
    HTTP/1.1 200 OK
    content-type: text/turtle; charset=utf-8
    cache-control: no-cache
    etag: "f7163a048ae36ac0187ba04bb41be4d28976701c8f95b23f2ef686d3e6cece91"
    content-length: 10
    connection: close

    <> a <> .
    "#);
    assert_snapshot!(ask(running.url(), "HEAD /se/rd/serde"), @r#"
    HTTP/1.1 200 OK
    content-type: text/plain; charset=utf-8
    cache-control: no-cache
    etag: "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    content-length: 3
    connection: close
    "#);
    let config = ask(running.url(), "GET /config.json");
    let dl = r#""dl": "http://[ADDRESS]/crates/{crate}/{sha256-checksum}.crate""#;
    assert!(config.contains(dl), "{config}");
}

#[test]
fn a_known_tag_saves_the_body() {
    let (_env, running) = registry();
    let answer = ask(running.url(), "GET /se/rd/serde");
    let tag = answer
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let request = format!("GET /se/rd/serde\nIf-None-Match: \"x\", {tag}\r\n");
    let answer = ask(running.url(), &request);
    assert!(
        answer.starts_with("HTTP/1.1 304") && !answer.contains("{}"),
        "{answer}"
    );
}

#[test]
fn gives_the_rest_of_a_file() {
    let (_env, running) = registry();
    let range = |method: &str, range: &str| {
        let request = format!("{method} /se/rd/serde.ttl\nRange: {range}\r\n");
        ask(running.url(), &request)
    };
    assert_snapshot!(range("GET", "bytes=4-"), @r#"
    HTTP/1.1 206 Partial Content
    content-type: text/turtle; charset=utf-8
    cache-control: no-cache
    etag: "f7163a048ae36ac0187ba04bb41be4d28976701c8f95b23f2ef686d3e6cece91"
    content-range: bytes 4-9/10
    content-length: 6
    connection: close

     <> .
    "#);
    assert_snapshot!(range("GET", "bytes=10-"), @r#"
    HTTP/1.1 416 Range Not Satisfiable
    content-type: text/turtle; charset=utf-8
    cache-control: no-cache
    etag: "f7163a048ae36ac0187ba04bb41be4d28976701c8f95b23f2ef686d3e6cece91"
    content-range: bytes */10
    connection: close
    content-length: 0
    "#);
    // What else there is, a server may answer with the whole.
    let others = [
        "bytes=-4",
        "bytes=2-3",
        "bytes=1-2,4-",
        "bytes=+1-",
        "lines=1-",
        "bytes=x-",
    ];
    for asked in others.into_iter().chain(["bytes=4-\r\nIf-Range: \"x\""]) {
        let answer = range("GET", asked);
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{asked}: {answer}");
        assert!(answer.ends_with("<> a <> ."), "{asked}: {answer}");
    }
    let head = range("HEAD", "bytes=4-");
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.contains("content-length: 10"),
        "{head}"
    );
}

#[test]
fn refuses_what_is_not_below_the_folder() {
    let (env, running) = registry();
    #[cfg(unix)]
    std::os::unix::fs::symlink(env.path("work/secret"), env.path("work/market/link")).unwrap();
    for path in [
        "/../secret",
        "/se/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/.git/config",
        "/link",
        "//etc/passwd",
        "/se",
        "/",
        "/none",
    ] {
        let answer = ask(running.url(), &format!("GET {path}"));
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("secret"), "{path}: {answer}");
    }
    let answer = ask(running.url(), "POST /config.json");
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    drop(env);
}

#[test]
fn keeps_connections_alive() {
    let (_env, running) = registry();
    let address = running
        .url()
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"HEAD /se/rd/serde HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 200"));
    }
}

#[test]
fn ends_when_it_is_dropped() {
    let (_env, running) = registry();
    let address = running
        .url()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    drop(running);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_folder_without_a_registry_is_served_and_said_to_hold_none() {
    let (env, _running) = registry();
    std::fs::create_dir_all(env.path("work/empty")).unwrap();
    env.write("work/market/tuf/1.root.json", "{}\n");
    for (folder, expected) in [("empty", true), ("market", false)] {
        let mut command = env.command(["registry", "serve", folder]).into_command();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let lines: Vec<String> = lines
            .map(Result::unwrap)
            .take_while(|line| !line.starts_with("note: press"))
            .collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let warning =
            format!("warning: `{folder}` holds no registry: there is no `tuf/1.root.json`");
        assert_eq!(lines.contains(&warning), expected, "{lines:?}");
    }
}

#[test]
fn the_command_says_where_it_serves() {
    let (env, _running) = registry();
    for (format, prefix) in [
        ("human", "http://127.0.0.1:"),
        ("json", "{\"reason\":\"serving\""),
    ] {
        let arguments = ["registry", "serve", "market", "--message-format", format];
        let mut command = env.command(arguments).into_command();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let start = line.find("http://").unwrap();
        let url: String = line[start..]
            .chars()
            .take_while(|c| !"\"\n".contains(*c))
            .collect();
        let answer = ask(&url, "GET /se/rd/serde");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.starts_with(prefix), "{line}");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// An archive of a library without code, as `cargo package` would make it.
fn archive(name: &str, version: &str) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n");
    for (path, content) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", "")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        let path = format!("{name}-{version}/{path}");
        tar.append_data(&mut header, path, content.as_bytes())
            .expect("memory has room");
    }
    let gzip = tar.into_inner().expect("memory has room");
    gzip.finish().expect("memory has room")
}

#[test]
fn stock_cargo_fetches_from_the_preview_and_not_from_the_public_address() {
    let (env, running) = registry();
    let archive = archive("tide", "1.0.0");
    let digest = Sha256Digest::of(&archive);
    env.write(&format!("work/market/crates/tide/{digest}.crate"), archive);
    let line = format!(
        r#"{{"name":"tide","vers":"1.0.0","deps":[],"cksum":"{digest}","features":{{}},"yanked":false}}"#
    );
    env.write("work/market/ti/de/tide", line + "\n");
    let index = format!(
        "[registries.preview]\nindex = \"sparse+{}\"\n",
        running.url()
    );
    env.write("home/.cargo/config.toml", index);
    let manifest = "[package]\nname = \"x\"\nedition = \"2024\"\n[dependencies]\ntide = { version = \"1\", registry = \"preview\" }\n";
    env.write("work/x/Cargo.toml", manifest);
    env.write("work/x/src/lib.rs", "");
    let outcome = env.cargo(["check"]).folder("work/x").run();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(env.read("work/x/Cargo.lock").contains(&digest.to_string()));
}

#[test]
fn a_missing_folder_is_a_failure() {
    let env = TestEnv::new();
    assert_snapshot!(env.run(["registry", "serve", "none"]), @r"
    exit: 101
    --- stdout
    --- stderr
    error: cannot serve `[ROOT]/work/none`

    Caused by:
      No such file or directory (os error 2)
    ");
}
