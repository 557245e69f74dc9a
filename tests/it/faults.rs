//! Servers that misbehave as they are told: one answer for each request, in order; a folder's files, but
//! for those requests that a rule answers; or the files of a registry, some of which come as a fault has it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// What happens to a file on its way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// This status, and no file.
    Status(u16),
    /// The connection is closed without an answer.
    Closed,
    /// The bit of that number is another one.
    Flip(usize),
    /// So many bytes are missing at the end, and nobody says so.
    Shorter(usize),
    /// These bytes follow.
    Longer(Vec<u8>),
    /// Other bytes in its place.
    Other(Vec<u8>),
    /// A web page in its place, named as one.
    Page,
    /// The announced length is right, and half of it comes.
    CutOff,
    /// The announced length is right, and so many bytes come of what was asked for.
    CutAfter(usize),
    /// It comes whole, whatever part of it was asked for.
    NoRanges,
    /// Half of it comes; then silence.
    Stall,
    /// It comes whole, after this time.
    Late(Duration),
    /// It comes byte by byte, with this time between any two.
    Trickle(Duration),
    /// It never ends.
    Endless,
    /// It is said to be elsewhere.
    Redirect(String),
}

/// The files of a registry, by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The server. It ends with the test's process; its connections when it is dropped.
pub(crate) struct FaultServer {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    open: Vec<TcpStream>,
    files: Arc<Files>,
    faults: BTreeMap<String, Fault>,
}

impl FaultServer {
    /// Answers each request with the next answer, and the last one for ever.
    pub(crate) fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        let (server, listener) = Self::bind();
        let shared = Arc::clone(&server.state);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let answer = answers[number.min(answers.len() - 1)].clone();
                // What the client does to the connection is what is being tested.
                let _ = serve(stream, &answer, &shared);
            }
        });
        server
    }

    /// Serves these files, without a fault at first.
    pub(crate) fn over(files: Files) -> Self {
        let (server, listener) = Self::bind();
        server.serve(Arc::new(files));
        let shared = Arc::clone(&server.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = serve_files(stream, &shared);
                });
            }
        });
        server
    }

    fn bind() -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("this machine has loopback");
        let address = listener.local_addr().expect("it is bound").to_string();
        let state = Arc::default();
        (Self { address, state }, listener)
    }

    pub(crate) fn url(&self) -> BaseUrl {
        let url = format!("http://{}/", self.address);
        url.parse().expect("loopback is allowed")
    }

    /// From now on these files are served.
    pub(crate) fn serve(&self, files: Arc<Files>) {
        locked(&self.state).files = files;
    }

    /// From now on this happens to a file, and nothing to any other.
    pub(crate) fn only(&self, path: &str, fault: Fault) {
        let mut state = locked(&self.state);
        state.faults = BTreeMap::from([(path.to_owned(), fault)]);
    }

    /// From now on this happens to these files, too.
    pub(crate) fn also(&self, paths: impl IntoIterator<Item = String>, fault: &Fault) {
        let faults = paths.into_iter().map(|path| (path, fault.clone()));
        locked(&self.state).faults.extend(faults);
    }

    /// From now on every file comes as it is; what was asked for is forgotten.
    pub(crate) fn heal(&self) {
        let mut state = locked(&self.state);
        state.faults.clear();
        state.requests.clear();
        state.open.clear();
    }

    /// The requests so far, their heads as sent.
    pub(crate) fn requests(&self) -> Vec<String> {
        locked(&self.state).requests.clone()
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
        locked(&self.state).requests.clone()
    }
}

fn serve_file(
    mut stream: TcpStream,
    folder: &Path,
    rule: &impl Fn(&str, &str) -> Option<Answer>,
    state: &Mutex<State>,
) -> io::Result<()> {
    let head = head(&mut stream)?.unwrap_or_default();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.trim_start_matches('/').to_owned();
    if let Some(answer) = rule(&head, &path) {
        return give(stream, head, &answer, state);
    }
    locked(state).requests.push(head);
    let (status, body) = match fs::read(folder.join(path)) {
        Ok(bytes) => ("200 OK", bytes),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// What a login page says.
pub(crate) const PAGE: &[u8] = b"<!doctype html><title>Welcome</title><p>Please log in.\n";

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the head of a request; nothing at the end of the connection.
fn head(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    Ok((!head.is_empty()).then_some(head))
}

fn serve(mut stream: TcpStream, answer: &Answer, state: &Mutex<State>) -> io::Result<()> {
    let head = head(&mut stream)?.unwrap_or_default();
    give(stream, head, answer, state)
}

fn give(
    mut stream: TcpStream,
    head: String,
    answer: &Answer,
    state: &Mutex<State>,
) -> io::Result<()> {
    let mut shared = locked(state);
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
            endless(stream)
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

fn endless(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    loop {
        stream.write_all(&[b'x'; 4096])?;
    }
}

/// Answers the requests of a connection, until one of them ends it.
fn serve_files(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(head) = head(&mut stream)? {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let path = path.trim_start_matches('/').to_owned();
        let from = begin_of_range(&head);
        let (files, fault) = {
            let mut state = locked(state);
            state.requests.push(head);
            (Arc::clone(&state.files), state.faults.get(&path).cloned())
        };
        let file = files.get(&path).map(Vec::as_slice);
        match fault {
            None => rest(&mut stream, file, from, usize::MAX)?,
            Some(Fault::CutAfter(count)) => return rest(&mut stream, file, from, count),
            Some(Fault::Endless) => return endless(stream),
            Some(Fault::Stall) => {
                half(&mut stream, file.unwrap_or_default())?;
                locked(state).open.push(stream);
                return Ok(());
            }
            Some(fault) => {
                if !faulty(&mut stream, file, fault)? {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Answers with a fault. Says whether the connection is good for another request.
fn faulty(stream: &mut TcpStream, file: Option<&[u8]>, fault: Fault) -> io::Result<bool> {
    let bytes = file.unwrap_or_default();
    match fault {
        Fault::Status(status) => respond(stream, status, "text/plain", b"no\n")?,
        Fault::Flip(bit) => {
            let mut bytes = bytes.to_vec();
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            whole(stream, Some(&bytes))?;
        }
        Fault::Shorter(by) => whole(stream, Some(&bytes[..bytes.len().saturating_sub(by)]))?,
        Fault::Longer(more) => whole(stream, Some(&[bytes, &more].concat()))?,
        Fault::Other(other) => whole(stream, Some(&other))?,
        Fault::Page => respond(stream, 200, "text/html; charset=utf-8", PAGE)?,
        Fault::CutOff => {
            half(stream, bytes)?;
            return Ok(false);
        }
        Fault::Late(time) => {
            std::thread::sleep(time);
            whole(stream, file)?;
        }
        Fault::Trickle(time) => {
            announce(stream, 200, "application/octet-stream", bytes.len())?;
            for byte in bytes {
                stream.write_all(&[*byte])?;
                std::thread::sleep(time);
            }
        }
        Fault::Redirect(to) => {
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes())?;
        }
        Fault::NoRanges => whole(stream, file)?,
        Fault::Closed | Fault::Stall | Fault::Endless | Fault::CutAfter(_) => return Ok(false),
    }
    Ok(true)
}

/// The file, or that there is none.
fn whole(stream: &mut TcpStream, file: Option<&[u8]>) -> io::Result<()> {
    match file {
        Some(bytes) => respond(stream, 200, "application/octet-stream", bytes),
        None => respond(stream, 404, "text/plain", b"not found\n"),
    }
}

/// The first byte that was asked for, if it was not the first of all.
fn begin_of_range(head: &str) -> Option<usize> {
    let head = head.to_ascii_lowercase();
    let (_, range) = head.split_once("\r\nrange: bytes=")?;
    range.split('-').next()?.parse().ok()
}

/// What was asked for of a file, but at most so many bytes of it.
fn rest(
    stream: &mut TcpStream,
    file: Option<&[u8]>,
    from: Option<usize>,
    count: usize,
) -> io::Result<()> {
    let Some(bytes) = file else {
        return whole(stream, None);
    };
    let Some(rest) = bytes.get(from.unwrap_or(0)..) else {
        return respond(stream, 416, "text/plain", b"no such range\n");
    };
    let (length, kind) = (rest.len(), "application/octet-stream");
    match from {
        None => announce(stream, 200, kind, length)?,
        Some(from) => {
            let (last, all) = (bytes.len().saturating_sub(1), bytes.len());
            let head = format!(
                "HTTP/1.1 206 As told\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
                 Content-Range: bytes {from}-{last}/{all}\r\n\r\n"
            );
            stream.write_all(head.as_bytes())?;
        }
    }
    stream.write_all(&rest[..length.min(count)])
}

/// The announcement of all bytes, and half of them.
fn half(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    announce(stream, 200, "application/octet-stream", bytes.len().max(2))?;
    stream.write_all(&bytes[..bytes.len() / 2])
}

fn respond(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> io::Result<()> {
    announce(stream, status, kind, body.len())?;
    stream.write_all(body)
}

fn announce(stream: &mut TcpStream, status: u16, kind: &str, length: usize) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} As told\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())
}
