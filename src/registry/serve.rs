//! A small static file server on this machine, for previews, for tests and for letting stock cargo
//! read a registry in a folder. Serves regular files below one folder, on loopback only, and never
//! writes.
//!
//! A registry names its public address in `config.json`. So that stock cargo fetches archives from
//! the preview and not from there, that address is replaced by the preview's in this one answer;
//! every other file is served as it is.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::disk;
use crate::model::Sha256Digest;

/// A server that runs in its own thread until it is dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The folder is not there.
    #[error("cannot serve `{}`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The port is taken, say.
    #[error("cannot listen on port {port} of this machine")]
    Listen {
        /// The port.
        port: u16,
        /// The cause.
        source: io::Error,
    },
}

impl Running {
    /// The address of the root, as `http://127.0.0.1:8000/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // The thread does not panic; were it to, there would be nothing left to wait for.
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves `folder` on a port of this machine (0: any free one) from a thread of its own.
pub fn spawn(folder: &Path, port: u16) -> Result<Running, ServeError> {
    let root = fs::canonicalize(folder)
        .and_then(|root| fs::read_dir(&root).map(|_| root))
        .map_err(|source| ServeError::Folder {
            folder: folder.to_owned(),
            source,
        })?;
    let failed = |source| ServeError::Listen { port, source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = runtime
        .block_on(TcpListener::bind(address))
        .map_err(failed)?;
    let url = format!("http://{}/", listener.local_addr().map_err(failed)?);
    let site = Arc::new(Site {
        root,
        url: url.clone(),
    });
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        runtime.spawn(accept(listener, site));
        // A dropped sender ends the server as well.
        let _ = runtime.block_on(stopped);
    });
    Ok(Running {
        url,
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// Takes connections for ever; dropping the runtime ends them all.
async fn accept(listener: TcpListener, site: Arc<Site>) {
    loop {
        // A connection that ended before it was accepted is no reason to stop.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let site = Arc::clone(&site);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = site.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // What a client does to its connection is its own affair.
            let _ = connection.await;
        });
    }
}

/// What is served, and where.
struct Site {
    root: PathBuf,
    url: String,
}

impl Site {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let head = match *request.method() {
            Method::GET => false,
            Method::HEAD => true,
            _ => {
                let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
                let allowed = HeaderValue::from_static("GET, HEAD");
                answer.headers_mut().insert(ALLOW, allowed);
                return answer;
            }
        };
        let Some((file, bytes)) = self.find(request.uri().path()) else {
            return text(StatusCode::NOT_FOUND, "not found\n");
        };
        let etag = format!("\"{}\"", Sha256Digest::of(&bytes));
        let whole = bytes.len();
        let part = Part::asked(request, &etag, whole);
        let bytes = match part {
            Part::Known | Part::Beyond => Bytes::new(),
            Part::Whole => bytes.into(),
            Part::From(begin) => Bytes::from(bytes).split_off(begin),
        };
        let length = (part != Part::Known).then_some(bytes.len());
        let mut answer = Response::new(Full::new(if head { Bytes::new() } else { bytes }));
        *answer.status_mut() = part.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&file)));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        for (name, value) in [(ETAG, Some(etag)), (CONTENT_RANGE, part.range(whole))] {
            if let Some(Ok(value)) = value.map(|value| value.parse()) {
                headers.insert(name, value);
            }
        }
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        answer
    }

    /// The file that a path names, and its bytes as they are served.
    fn find(&self, path: &str) -> Option<(PathBuf, Vec<u8>)> {
        let mut file = self.root.clone();
        file.extend(segments(path)?);
        // After the links are resolved, since one may lead out.
        let mut file = fs::canonicalize(file).ok()?;
        if file.is_dir() {
            file = fs::canonicalize(file.join("index.html")).ok()?;
        }
        if !file.starts_with(&self.root) {
            return None;
        }
        let bytes = disk::read(&file, disk::LIMIT).ok()?;
        if file == self.root.join("config.json") {
            let bytes = readdressed(&bytes, &self.url).unwrap_or(bytes);
            return Some((file, bytes));
        }
        Some((file, bytes))
    }
}

/// The segments of a request's path, or nothing if one could mean more than a name: a dot-file, a
/// parent, a drive, a control character.
fn segments(path: &str) -> Option<Vec<String>> {
    let decoded = percent_encoding::percent_decode_str(path)
        .decode_utf8()
        .ok()?;
    if decoded == "/" {
        return Some(Vec::new());
    }
    let inner = decoded.strip_prefix('/')?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let sound = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(|c: char| c.is_control() || c == '\\' || c == ':')
    };
    inner
        .split('/')
        .map(|part| sound(part).then(|| part.to_owned()))
        .collect()
}

/// `config.json` with the registry's own address replaced by `url`. Nothing if it is not of the
/// form that we write, whose `dl` is the address and `crates/{crate}/…`.
fn readdressed(bytes: &[u8], url: &str) -> Option<Vec<u8>> {
    let mut config: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let (own, _) = config.get("dl")?.as_str()?.split_once("crates/{crate}/")?;
    let own = own.to_owned();
    if own.is_empty() {
        return None;
    }
    replace_prefix(&mut config, &own, url);
    serde_json::to_vec_pretty(&config).ok()
}

fn replace_prefix(value: &mut serde_json::Value, from: &str, to: &str) {
    match value {
        serde_json::Value::String(text) => {
            if let Some(rest) = text.strip_prefix(from) {
                *text = format!("{to}{rest}");
            }
        }
        serde_json::Value::Array(values) => {
            for value in values {
                replace_prefix(value, from, to);
            }
        }
        serde_json::Value::Object(map) => {
            for value in map.values_mut() {
                replace_prefix(value, from, to);
            }
        }
        _ => {}
    }
}

/// What of a file is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// Nothing: who asks has it.
    Known,
    /// What follows so many bytes.
    From(usize),
    /// Nothing: it is not that long.
    Beyond,
}

impl Part {
    /// What a request asks for of a file of that length.
    fn asked<B>(request: &Request<B>, etag: &str, whole: usize) -> Self {
        let headers = request.headers();
        let tags = headers.get(IF_NONE_MATCH);
        if tags.is_some_and(|tags| matches(tags, etag)) {
            return Self::Known;
        }
        match begin_of_range(headers).filter(|_| request.method() == Method::GET) {
            None => Self::Whole,
            Some(begin) if begin < whole => Self::From(begin),
            Some(_) => Self::Beyond,
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Whole => StatusCode::OK,
            Self::Known => StatusCode::NOT_MODIFIED,
            Self::From(_) => StatusCode::PARTIAL_CONTENT,
            Self::Beyond => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    fn range(self, whole: usize) -> Option<String> {
        match self {
            Self::Whole | Self::Known => None,
            Self::From(begin) => Some(format!("bytes {begin}-{}/{whole}", whole.saturating_sub(1))),
            Self::Beyond => Some(format!("bytes */{whole}")),
        }
    }
}

/// Where a range begins that is the rest of a file. All others are answered with the whole, as RFC 9110,
/// section 14.2, lets a server do; one with a condition, too.
fn begin_of_range(headers: &HeaderMap) -> Option<usize> {
    let range = headers.get(RANGE)?.to_str().ok()?;
    let begin = range.strip_prefix("bytes=")?.strip_suffix('-')?;
    let is_number = begin.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_number && !headers.contains_key(IF_RANGE);
    is_plain.then(|| begin.parse().ok()).flatten()
}

/// Says whether an `If-None-Match` header lists the tag (RFC 9110, section 13.1.2).
fn matches(header: &HeaderValue, etag: &str) -> bool {
    header.to_str().is_ok_and(|tags| {
        tags.split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*")
    })
}

/// The media type by which browsers, cargo and RDF tools take a file for what it is. A v1 document
/// has no extension; cargo does not look at its type.
fn content_type(file: &Path) -> &'static str {
    let extension = file.extension().and_then(|extension| extension.to_str());
    match extension.unwrap_or_default() {
        "ttl" => "text/turtle; charset=utf-8",
        "json" => "application/json",
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "xml" => "application/xml",
        "yaml" => "application/yaml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "wasm" => "application/wasm",
        "crate" => "application/gzip",
        "zst" => "application/zstd",
        "" | "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_paths_that_are_more_than_names() {
        for bad in [
            "",
            "x",
            "//",
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/a%2f..%2fx",
            "/.git/config",
            "/a/.b",
            "/a\\b",
            "/c:/x",
            "/a//b",
            "/%00",
            "/%ff",
            "/.",
            "*",
        ] {
            assert_eq!(segments(bad), None, "{bad}");
        }
        assert_eq!(segments("/").unwrap(), Vec::<String>::new());
        assert_eq!(segments("/a/1.0.0%2Bb/").unwrap(), ["a", "1.0.0+b"]);
    }

    #[test]
    fn previews_name_their_own_address_in_config_json() {
        let config = br#"{"dl":"https://registry.example/m/crates/{crate}/{sha256-checksum}.crate",
            "marketplace":{"home":"https://registry.example/m/","docs":"https://docs.example/"}}"#;
        let served = readdressed(config, "http://127.0.0.1:1/").unwrap();
        let served: serde_json::Value = serde_json::from_slice(&served).unwrap();
        let dl = "http://127.0.0.1:1/crates/{crate}/{sha256-checksum}.crate";
        assert_eq!(served["dl"], dl);
        assert_eq!(served["marketplace"]["home"], "http://127.0.0.1:1/");
        assert_eq!(served["marketplace"]["docs"], "https://docs.example/");
        assert_eq!(
            readdressed(br#"{"dl":"https://registry.example/dl"}"#, "x"),
            None
        );
    }
}
