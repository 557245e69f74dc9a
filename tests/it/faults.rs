//! A server that misbehaves as it is told: one answer for each request, in order.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use cargo_marketplace::registry::transport::BaseUrl;

/// How one request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// These bytes; then the connection is closed.
    Raw(String),
    /// These bytes; then silence, the connection open.
    Stall(&'static str),
    /// A body without an end.
    Endless,
}

/// The server. It ends with the test's process; its connections when it is dropped.
pub(crate) struct FaultServer {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    open: Vec<TcpStream>,
}

impl FaultServer {
    /// Answers each request with the next answer, and the last one for ever.
    pub(crate) fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has loopback");
        let address = listener.local_addr().expect("it is bound").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let answer = answers[number.min(answers.len() - 1)].clone();
                // What the client does to the connection is what is being tested.
                let _ = serve(stream, &answer, &shared);
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> BaseUrl {
        let url = format!("http://{}/", self.address);
        url.parse().expect("loopback is allowed")
    }

    /// The requests so far, their heads as sent.
    pub(crate) fn requests(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.clone()
    }
}

/// An answer with a status and a body of the announced length.
pub(crate) fn answer(status: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Raw(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ))
}

/// A redirect.
pub(crate) fn redirect(to: &str) -> Answer {
    Answer::Raw(format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ))
}

fn serve(mut stream: TcpStream, answer: &Answer, state: &Mutex<State>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut shared = state.lock().unwrap_or_else(PoisonError::into_inner);
    shared.requests.push(head);
    match answer {
        Answer::Raw(text) => stream.write_all(text.as_bytes()),
        Answer::Stall(text) => {
            stream.write_all(text.as_bytes())?;
            shared.open.push(stream);
            Ok(())
        }
        Answer::Endless => {
            drop(shared);
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 4096])?;
            }
        }
    }
}
