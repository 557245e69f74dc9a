//! Servers that misbehave as they are told: one answer for each request, in order; or a folder's
//! files, but for those requests that a rule answers.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
    /// A body of which a byte comes now and then.
    Trickle,
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

/// A folder behind a server of its own, which answers as it should unless a rule says otherwise.
pub(crate) struct FolderServer {
    address: String,
    state: Arc<Mutex<State>>,
}

impl FolderServer {
    /// Serves a folder; `rule` is given the head of each request and its path without the first slash.
    pub(crate) fn start(
        folder: &Path,
        rule: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at(0, folder, rule)
    }

    /// The same on a port that was chosen before.
    pub(crate) fn start_at(
        port: u16,
        folder: &Path,
        rule: impl Fn(&str, &str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::new((folder.to_owned(), rule, Arc::clone(&state)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let (folder, rule, state) = &*shared;
                    // What the client does to the connection is what is being tested.
                    let _ = serve_file(stream, folder, rule, state);
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.clone()
    }
}

fn serve_file(
    mut stream: TcpStream,
    folder: &Path,
    rule: &impl Fn(&str, &str) -> Option<Answer>,
    state: &Mutex<State>,
) -> io::Result<()> {
    let head = read_head(&mut stream)?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.trim_start_matches('/').to_owned();
    if let Some(answer) = rule(&head, &path) {
        return give(stream, head, &answer, state);
    }
    let mut shared = state.lock().unwrap_or_else(PoisonError::into_inner);
    shared.requests.push(head);
    drop(shared);
    let file: PathBuf = folder.join(path);
    let (status, body) = match fs::read(file) {
        Ok(bytes) => ("200 OK", bytes),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn serve(mut stream: TcpStream, answer: &Answer, state: &Mutex<State>) -> io::Result<()> {
    let head = read_head(&mut stream)?;
    give(stream, head, answer, state)
}

fn give(
    mut stream: TcpStream,
    head: String,
    answer: &Answer,
    state: &Mutex<State>,
) -> io::Result<()> {
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
        Answer::Trickle => {
            drop(shared);
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}
