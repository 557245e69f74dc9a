//! The suite's server, on this machine.

use std::io::Read as _;

use reqwest::StatusCode;
use reqwest::blocking::Client;

use crate::Outcome;

/// Files below an address.
pub(crate) struct Server {
    base: String,
    client: Client,
}

impl Server {
    pub(crate) fn new(base: &str) -> Outcome<Self> {
        // The shipped program's reqwest wants to know how to encrypt, even where nothing is.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            base: base.to_owned(),
            client: Client::builder().no_proxy().tls_certs_only([]).build()?,
        })
    }

    /// The file at a path of at most `max_bytes` and one more, which tells that there were too many.
    pub(crate) fn get(&self, path: &str, max_bytes: u64) -> Outcome<Option<Vec<u8>>> {
        let url = format!("{}/{path}", self.base.trim_end_matches('/'));
        let answer = self.client.get(url).send()?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => return Ok(None),
            status => return Err(format!("the server answered with {status}").into()),
        }
        let mut bytes = Vec::new();
        answer
            .take(max_bytes.saturating_add(1))
            .read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
