//! A registry as plain files behind nginx: for stock cargo, and for us.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::env::{TestEnv, free_port};
use crate::samples::{Market, init};
use crate::stock_cargo::{stranger, succeed};

/// nginx over a folder, until it is dropped.
struct Nginx {
    /// A place of its own: the operator's moves on.
    env: TestEnv,
}

impl Nginx {
    fn start(registry: &Path, port: u16) -> Self {
        Self::start_with(registry, &format!("listen 127.0.0.1:{port};"))
    }

    /// With further directives for its server, which say at least where it listens.
    fn start_with(registry: &Path, directives: &str) -> Self {
        let env = TestEnv::new();
        // Run by root, it would read as nobody, who may not enter a test's folder.
        let name = |flag| env.program("id", [flag]).run().stdout.trim().to_owned();
        let configuration = format!(
            "user {} {};\npid nginx.pid;\nevents {{}}\nhttp {{\n    access_log requests.log;\n    \
             client_body_temp_path body;\n    proxy_temp_path proxy;\n    fastcgi_temp_path fastcgi;\n    \
             uwsgi_temp_path uwsgi;\n    scgi_temp_path scgi;\n    \
             log_format shown '$request_uri $http_authorization';\n    \
             server {{ access_log shown.log shown; root '{}'; {directives} }}\n}}\n",
            name("-un"),
            name("-gn"),
            registry.display()
        );
        env.write("nginx/nginx.conf", configuration);
        let nginx = Self { env };
        // It comes back when it listens.
        nginx.tell(&[]);
        nginx
    }

    /// Each request so far, with what it showed in `Authorization`.
    fn shown(&self) -> String {
        self.env.read("nginx/shown.log")
    }

    fn tell(&self, arguments: &[&str]) {
        let folder = format!("{}/", self.env.path("nginx").display());
        let common = ["-e", "errors.log", "-c", "nginx.conf", "-p", &folder];
        let outcome = self
            .env
            .program("nginx", common.iter().chain(arguments))
            .run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.tell(&["-s", "stop"]);
    }
}

#[test]
#[ignore = "needs nginx"]
fn a_folder_behind_nginx_is_a_registry() {
    let operator = TestEnv::new();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    init(&operator, &url);
    let _nginx = Nginx::start(&operator.path("work/registry"), port);
    let market = Market::served_at(operator, url);
    market.publish(&["--workspace", "--no-verify"]);
    for command in [
        "search tide",
        "info tide-cli --deps --signatures",
        "verify tide-table",
        "install tide-cli",
        "new buoy --template sensor-template",
    ] {
        market.must(command.split(' '));
    }
    market.project("app", "");
    for command in ["add tide-table", "exec -- build", "verify"] {
        let outcome = market
            .env
            .command(command.split(' '))
            .folder("work/app")
            .run();
        assert_eq!(outcome.code, Some(0), "{command}: {outcome}");
    }

    let env = stranger(market.url());
    succeed(&env, "work", "new --quiet app");
    succeed(&env, "work/app", "add tide-table --registry harbour");
    succeed(&env, "work/app", "build");
    succeed(&env, "work", "install tide-cli --registry harbour");
    let program = env.cargo_home().join("bin/tide-cli");
    let outcome = env.program(program, ["south-quay"]).run();
    assert!(
        outcome.stdout.starts_with("south-quay (metres)\n"),
        "{outcome}"
    );
}

/// A registry that asks everybody for a token, at a port of this machine.
fn private(port: u16) -> TestEnv {
    let operator = TestEnv::new();
    let url = format!("http://127.0.0.1:{port}/");
    let line =
        format!("registry init registry --solo --no-passphrase --auth-required --base-url {url}");
    let made = operator.command(line.split(' ')).run();
    assert_eq!(made.code, Some(0), "{made}");
    operator
}

#[test]
#[ignore = "needs nginx"]
fn a_registry_that_asks_for_a_token_is_read_by_us_and_by_plain_cargo() {
    for token in ["Basic aGFyYm91cjpzZWNyZXQ=", "Bearer harbour-secret"] {
        let port = free_port();
        let operator = private(port);
        let directives = format!(
            "listen 127.0.0.1:{port}; if ($http_authorization != '{token}') {{ return 401; }}"
        );
        let nginx = Nginx::start_with(&operator.path("work/registry"), &directives);
        operator.write(
            "home/.cargo/credentials.toml",
            format!("[registries.harbour]\ntoken = \"{token}\"\n"),
        );
        let market = Market::served_at(operator, format!("http://127.0.0.1:{port}/"));
        market.publish(&["--workspace", "--no-verify"]);
        for line in ["search tide", "verify tide-table", "install tide-cli"] {
            market.must(line.split(' '));
        }
        market.project("app", "");
        let providers = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";
        let add = ["add", "tide-table", "--registry", "harbour"];
        for line in [&add[..], &["build"]] {
            let command = market.env.cargo(line).folder("work/app");
            let outcome = command.env(providers, "cargo:token").run();
            assert_eq!(outcome.code, Some(0), "{outcome}");
        }
        let stranger = TestEnv::new();
        let root = format!("sha256:{}", market.root());
        let add = ["registry", "add", "harbour", market.url(), "--root", &root];
        let refused = stranger.command(add).run();
        assert_eq!(refused.code, Some(101), "{refused}");
        assert!(refused.to_string().contains("error[MP0208]"), "{refused}");
        assert!(nginx.shown().contains(token));
    }
}

#[test]
#[ignore = "needs nginx"]
fn a_redirect_to_another_origin_takes_no_token_along() {
    let (port, other) = (free_port(), free_port());
    let operator = private(port);
    let registry = operator.path("work/registry");
    let token = "Bearer harbour-secret";
    let directives = format!(
        "listen 127.0.0.1:{port}; if ($http_authorization != '{token}') {{ return 401; }} \
         location /crates/ {{ return 302 http://127.0.0.1:{other}$request_uri; }}"
    );
    let own = Nginx::start_with(&registry, &directives);
    let elsewhere = Nginx::start(&registry, other);
    operator.write(
        "home/.cargo/credentials.toml",
        format!("[registries.harbour]\ntoken = \"{token}\"\n"),
    );
    let market = Market::served_at(operator, format!("http://127.0.0.1:{port}/"));
    market.publish(&["--workspace", "--no-verify"]);
    market.must(["install", "tide-cli"]);
    assert!(own.shown().contains(token));
    let shown = elsewhere.shown();
    assert!(shown.contains("/crates/tide-cli/"), "{shown}");
    assert!(!shown.contains("Bearer"), "{shown}");
}

/// Certificates of an authority of our own, in `work/tls`: `ca.pem`, and `server.pem` for localhost.
fn certificates(env: &TestEnv) {
    env.write("work/tls/names", "subjectAltName=DNS:localhost\n");
    for line in [
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ours -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 2 -extfile names -out server.pem",
    ] {
        let outcome = env
            .program("openssl", line.split(' '))
            .folder("work/tls")
            .run();
        assert_eq!(outcome.code, Some(0), "{outcome}");
    }
}

/// A proxy that lets through what is asked for by CONNECT; returns its address, and how often it did.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            // It ends when either side does.
            std::thread::spawn(move || connect(stream, &counted).ok());
        }
    });
    (address, count)
}

fn connect(mut client: TcpStream, count: &AtomicUsize) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let target = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next());
    let target = target.ok_or(io::ErrorKind::InvalidData)?;
    // It knows no other name: this machine may have none for the second address.
    let port = target.rsplit(':').next().unwrap_or_default();
    let mut server = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    count.fetch_add(1, Ordering::Relaxed);
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    io::copy(&mut server, &mut client)?;
    Ok(())
}

#[test]
#[ignore = "needs nginx"]
fn https_with_certificates_of_our_own_and_through_a_proxy() {
    let operator = TestEnv::new();
    init(&operator, "https://registry.example.org/");
    certificates(&operator);
    let tls = operator.path("work/tls");
    let port = free_port();
    let directives = format!(
        "listen 127.0.0.1:{port} ssl; ssl_certificate {0}/server.pem; ssl_certificate_key {0}/server.key;",
        tls.display()
    );
    let _nginx = Nginx::start_with(&operator.path("work/registry"), &directives);
    let root = operator.read("work/registry/tuf/1.root.json");
    let root = cargo_marketplace::model::Sha256Digest::of(root.as_bytes());
    let root = format!("sha256:{root}");
    let url = format!("https://localhost:{port}/");
    let add = |settings: &[(&str, &str)]| {
        let env = TestEnv::new();
        let add = ["registry", "add", "harbour", &url, "--root", &root];
        let command = env.command(add);
        let command = settings
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value));
        command.run()
    };
    let authority = tls.join("ca.pem");
    let trusted = ("CARGO_HTTP_CAINFO", authority.to_str().unwrap());
    let unknown = add(&[]);
    assert_eq!(unknown.code, Some(101), "{unknown}");
    let known = add(&[trusted]);
    assert_eq!(known.code, Some(0), "{known}");

    let (address, count) = proxy();
    let bare = address.trim_start_matches("http://");
    for (variable, address) in [
        ("HTTPS_PROXY", address.as_str()),
        ("https_proxy", &address),
        ("CARGO_HTTP_PROXY", &address),
        ("CARGO_HTTP_PROXY", bare),
    ] {
        let before = count.load(Ordering::Relaxed);
        let through = add(&[trusted, (variable, address)]);
        assert_eq!(through.code, Some(0), "{variable}: {through}");
        assert!(count.load(Ordering::Relaxed) > before, "{variable}");
        let before = count.load(Ordering::Relaxed);
        let past = add(&[trusted, (variable, address), ("NO_PROXY", "localhost")]);
        assert_eq!(past.code, Some(0), "{variable}: {past}");
        assert_eq!(count.load(Ordering::Relaxed), before, "{variable}");
    }
    // A project's own proxy is not asked, nor are its certificates believed.
    let env = TestEnv::new();
    let hostile = format!(
        "[http]\nproxy = '{address}'\ncainfo = '{}'\n",
        authority.display()
    );
    env.write("work/.cargo/config.toml", &hostile);
    let before = count.load(Ordering::Relaxed);
    let line = ["registry", "add", "harbour", &url, "--root", &root];
    assert_eq!(env.command(line).run().code, Some(101));
    assert_eq!(count.load(Ordering::Relaxed), before);
    // The user's are.
    env.write("home/.cargo/config.toml", &hostile);
    let added = env.command(line).run();
    assert_eq!(added.code, Some(0), "{added}");
    assert!(count.load(Ordering::Relaxed) > before);
}
