//! A registry as plain files behind nginx: for stock cargo, and for us.

use std::path::Path;

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
        let env = TestEnv::new();
        // Run by root, it would read as nobody, who may not enter a test's folder.
        let name = |flag| env.program("id", [flag]).run().stdout.trim().to_owned();
        let configuration = format!(
            "user {} {};\npid nginx.pid;\nevents {{}}\nhttp {{\n    access_log requests.log;\n    \
             client_body_temp_path body;\n    proxy_temp_path proxy;\n    fastcgi_temp_path fastcgi;\n    \
             uwsgi_temp_path uwsgi;\n    scgi_temp_path scgi;\n    \
             server {{ listen 127.0.0.1:{port}; root '{}'; }}\n}}\n",
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
