//! The transport against servers that misbehave.

use std::net::TcpListener;
use std::time::Duration;

use cargo_marketplace::model::Silent;
use cargo_marketplace::registry::transport::{self, BaseUrl, Limits, Network, TransportError};

use crate::faults::{Answer, FaultServer, answer, redirect};

/// As in use, but in milliseconds.
const LIMITS: Limits = Limits {
    first_answer: Duration::from_millis(400),
    silence: Duration::from_millis(150),
    least_speed: 10,
    whole: Duration::from_secs(5),
    tries: 3,
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(2),
    is_patient: false,
};

fn get(url: &BaseUrl, max_bytes: u64) -> Result<Option<Vec<u8>>, TransportError> {
    let network = Network {
        limits: LIMITS,
        ..Network::default()
    };
    transport::open(url, &network, None, &Silent).get("se/rd/serde", max_bytes)
}

/// What a server says that has the file.
const LINE: Option<&[u8]> = Some(b"line");

#[test]
fn sends_the_path_and_its_name_and_nothing_else() {
    let server = FaultServer::start([answer("200 OK", "line")]);
    assert_eq!(get(&server.url(), 4).unwrap().as_deref(), LINE);
    let request = server.requests().remove(0).to_ascii_lowercase();
    let mut lines: Vec<_> = request.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.retain(|line| !line.starts_with("host: 127.0.0.1:"));
    let agent = format!(
        "user-agent: cargo-marketplace/{}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(
        lines,
        ["accept: */*", "get /se/rd/serde http/1.1", agent.as_str()]
    );
}

#[test]
fn absence_is_no_error() {
    for status in ["404 Not Found", "403 Forbidden", "410 Gone"] {
        let server = FaultServer::start([answer(status, "<html>no</html>")]);
        assert_eq!(get(&server.url(), 99).unwrap(), None, "{status}");
    }
}

#[test]
fn faults_that_pass_are_met_again() {
    let cut = Answer::Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nline".into());
    let closed = Answer::Raw(String::new());
    for fault in [answer("503 Busy", ""), answer("429 Slow", ""), cut, closed] {
        let server = FaultServer::start([fault.clone(), fault.clone(), answer("200 OK", "line")]);
        assert_eq!(get(&server.url(), 9).unwrap().as_deref(), LINE, "{fault:?}");
        assert_eq!(server.requests().len(), 3);
    }
}

#[test]
fn gives_up_after_three_tries() {
    let server = FaultServer::start([answer("500 Broken", "")]);
    let error = get(&server.url(), 9).unwrap_err();
    assert!(
        matches!(error, TransportError::Status { status: 500, .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn other_statuses_are_final() {
    let server = FaultServer::start([answer("402 Payment Required", "")]);
    let error = get(&server.url(), 9).unwrap_err();
    assert!(
        matches!(error, TransportError::Status { status: 402, .. }),
        "{error}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn says_so_when_an_answer_is_cut_off() {
    let cut = Answer::Raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nline".into());
    let error = get(&FaultServer::start([cut]).url(), 9).unwrap_err();
    assert!(
        matches!(error, TransportError::Interrupted { .. }),
        "{error}"
    );
}

#[test]
fn reads_no_more_than_the_limit() {
    for fault in [answer("200 OK", "0123456789"), Answer::Endless] {
        let server = FaultServer::start([fault]);
        let error = get(&server.url(), 9).unwrap_err();
        assert!(
            matches!(error, TransportError::TooLarge { limit: 9, .. }),
            "{error}"
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_server_that_never_answers_is_tried_once() {
    let server = FaultServer::start([Answer::Stall("")]);
    let error = get(&server.url(), 9).unwrap_err();
    assert!(matches!(error, TransportError::TimedOut { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
    assert!(Limits::default().first_answer < Duration::from_secs(5));
}

#[test]
fn a_server_that_falls_silent_is_tried_again() {
    let stall = Answer::Stall("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nline");
    let server = FaultServer::start([stall, answer("200 OK", "line")]);
    assert_eq!(get(&server.url(), 9).unwrap().as_deref(), LINE);
}

#[test]
fn a_server_that_trickles_is_given_up() {
    let limits = Limits {
        least_speed: 1000,
        tries: 1,
        ..LIMITS
    };
    let network = Network {
        limits,
        ..Network::default()
    };
    let server = FaultServer::start([Answer::Trickle]);
    let transport = transport::open(&server.url(), &network, None, &Silent);
    // Long before the limit of the whole is reached: some bytes have come by then, not many.
    let error = transport.get("se/rd/serde", 1 << 20).unwrap_err();
    assert!(matches!(error, TransportError::TimedOut { .. }), "{error}");
}

#[test]
fn says_why_there_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    match get(&url.parse().unwrap(), 9).unwrap_err() {
        TransportError::Unreachable { reason, .. } => assert_eq!(reason, "connection refused"),
        other => panic!("{other}"),
    }
}

#[test]
fn follows_three_redirects_and_no_more() {
    let hop = || redirect("/elsewhere");
    let server = FaultServer::start([hop(), hop(), hop(), answer("200 OK", "line")]);
    assert_eq!(get(&server.url(), 9).unwrap().as_deref(), LINE);
    let error = get(&FaultServer::start([hop()]).url(), 9).unwrap_err();
    assert!(
        matches!(error, TransportError::RedirectRefused { .. }),
        "{error}"
    );
}

#[test]
fn refuses_redirects_out_of_the_scheme_or_the_machine() {
    for target in [
        "https://127.0.0.1:1/",
        "http://10.0.0.1/",
        "http://registry.example/",
        "file:///etc/hostname",
        "ftp://registry.example/secret?secret",
        "http://secret:secret@registry.example/",
    ] {
        let server = FaultServer::start([redirect(target)]);
        let error = get(&server.url(), 9).unwrap_err();
        assert!(
            !matches!(error, TransportError::Unreachable { .. }),
            "{target}: {error}"
        );
        // What a server was shown, it could have printed where others read.
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(server.requests().len(), 1, "{target}");
    }
}

#[test]
fn a_web_page_is_a_fault_of_the_network() {
    let page = Answer::Raw(
        "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nContent-Length: 5\r\n\r\n<html".into(),
    );
    let error = get(&FaultServer::start([page]).url(), 9).unwrap_err();
    assert!(matches!(error, TransportError::WebPage { .. }), "{error}");
}

#[test]
fn noise_in_place_of_http_is_a_fault_of_the_network() {
    let error = get(
        &FaultServer::start([Answer::Raw("SSH-2.0-x\r\n\r\n".into())]).url(),
        9,
    );
    assert!(
        matches!(error, Err(TransportError::Unreachable { .. })),
        "{error:?}"
    );
}
