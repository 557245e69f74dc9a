//! The address of a registry's root, parsed once. An address that could leak or be read in clear
//! on the way (userinfo, plain http beyond this machine) never becomes a [`BaseUrl`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::{Host, Origin, Url};

/// The root of a registry: `https://…/`, `http://…/` on loopback, or `file:///…/`.
///
/// Always ends in `/`; has no user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseUrl(Url);

/// Why a text is no address of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("`{url}` is not a URL: {reason}")]
    Syntax {
        /// The text.
        url: String,
        /// What the parser says.
        reason: String,
    },
    /// A character that has no place in a URL.
    #[error("`{url}` is not a URL: it holds the character {found:?}")]
    Character {
        /// The text.
        url: String,
        /// The character.
        found: char,
    },
    /// Plain http to another machine: anyone on the way could read and change it.
    #[error("`{0}` is refused: plain http is for this machine only, use https")]
    Insecure(String),
    /// A scheme that registries are not read over.
    #[error("`{0}` is refused: a registry is read over https, http on loopback, or file")]
    Scheme(String),
    /// A user name or password, which would end up in configuration and messages.
    #[error("a registry's URL cannot hold a user name or password (`{0}`)")]
    Credentials(String),
    /// A `?query` or `#fragment`, below which no file can be named.
    #[error("`{0}` cannot be a registry's URL: it has a query or a fragment")]
    Tail(String),
    /// A `file:` URL that names another machine or no absolute path.
    #[error("`{0}` does not name a folder of this machine")]
    Folder(String),
}

impl BaseUrl {
    /// The `file:` URL of a folder.
    pub fn from_folder(folder: &Path) -> Result<Self, BaseUrlError> {
        let refused = |()| BaseUrlError::Folder(folder.display().to_string());
        Url::from_directory_path(folder).map(Self).map_err(refused)
    }

    /// The URL as text, with its `/` at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The folder that a `file:` URL names.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        (self.0.scheme() == "file")
            .then(|| self.0.to_file_path().ok())
            .flatten()
    }

    /// Says whether this is plain http, that is: a server on this machine.
    #[must_use]
    pub fn is_loopback_http(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// Scheme, host and port; those of a folder are like no others.
    #[must_use]
    pub(in crate::registry) fn origin(&self) -> Origin {
        self.0.origin()
    }

    /// Says whether this is a server on the net.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// What cargo calls an index at this address; nothing for a folder, since cargo reads
    /// `file:` URLs as git repositories.
    #[must_use]
    pub fn cargo_index(&self) -> Option<String> {
        (self.0.scheme() != "file").then(|| format!("sparse+{}", self.0))
    }
}

/// Says whether a parser of URLs leaves the character out or takes it for another one: what is shown, asked
/// about and written down would not be what was typed.
fn is_repaired(c: char) -> bool {
    c.is_control() || c.is_whitespace() || c == '\\'
}

/// A character that a URL holds as an escape, and that servers and caches take for other things than a letter
/// of a name: a part of a path, an end of a line or of a text. A folder's name may hold all but a zero.
fn escaped_trick(url: &Url) -> Option<char> {
    let is_folder = url.scheme() == "file";
    let mut escapes = url.path().split('%').skip(1);
    escapes.find_map(|escape| {
        let digits = escape.get(..2).unwrap_or_default();
        match u8::from_str_radix(digits, 16).map(char::from) {
            Ok('\0') => Some('\0'),
            Ok(c) if !is_folder && (c.is_ascii_control() || matches!(c, '/' | '\\' | '%')) => {
                Some(c)
            }
            Ok(_) => None,
            Err(_) => Some('%'),
        }
    })
}

/// Says whether `url` may be fetched from: https, or http to this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown: String = text.chars().take(200).collect();
        if let Some(found) = text.chars().find(|c| is_repaired(*c)) {
            return Err(BaseUrlError::Character { url: shown, found });
        }
        let mut url = Url::parse(text).map_err(|reason| BaseUrlError::Syntax {
            url: shown.clone(),
            reason: match reason {
                url::ParseError::RelativeUrlWithoutBase => {
                    "it has no scheme; that of a folder is `file:///the/folder/`".to_owned()
                }
                reason => reason.to_string(),
            },
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(BaseUrlError::Credentials(host));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Tail(shown));
        }
        if let Some(found) = escaped_trick(&url) {
            return Err(BaseUrlError::Character { url: shown, found });
        }
        match url.scheme() {
            "file" if url.to_file_path().is_err() => return Err(BaseUrlError::Folder(shown)),
            "file" => {}
            _ if is_safe(&url) => {}
            "http" => return Err(BaseUrlError::Insecure(shown)),
            _ => return Err(BaseUrlError::Scheme(shown)),
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_in_a_slash() {
        for (text, url) in [
            ("https://registry.example", "https://registry.example/"),
            (
                "https://Registry.example:443/a",
                "https://registry.example/a/",
            ),
            ("http://127.0.0.1:80/x/", "http://127.0.0.1/x/"),
            ("http://[::1]:8080", "http://[::1]:8080/"),
            ("http://localhost", "http://localhost/"),
            ("file:///srv/market", "file:///srv/market/"),
            ("file://localhost/srv/a%20b", "file:///srv/a%20b/"),
            ("file:///srv/a%5Cb/../c", "file:///srv/c/"),
            (
                "https://registry.example/a%20b/%C4%83/./..",
                "https://registry.example/a%20b/",
            ),
            (
                "https://xn--bcher-kva.example",
                "https://xn--bcher-kva.example/",
            ),
            ("https://bücher.example", "https://xn--bcher-kva.example/"),
            (
                "https://registry.example/ă",
                "https://registry.example/%C4%83/",
            ),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().as_str(), url);
        }
    }

    #[test]
    fn refuses_what_is_unsafe_or_ambiguous() {
        for bad in [
            "http://registry.example/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "sparse+https://registry.example/",
            "https://user@registry.example/",
            "https://:secret@registry.example/",
            "https://registry.example/?x",
            "https://registry.example/#x",
            "file://elsewhere/share",
            "file://127.0.0.1/share",
            "file://user@localhost/share",
            "https:\\\\registry.example\\a",
            "https://registry.example\\@elsewhere.example/",
            "http://localhost\\.registry.example/",
            "https://registry.example/ ",
            "ht\ntps://registry.example/",
            "https://registry.exa\tmple/",
            "https://registry.example/\u{0}",
            "https://registry.example/\u{85}x",
            "https://registry.example/\u{3000}",
            "https://registry.example/%",
            "https://registry.example/a%0ab/",
            "https://registry.example/a%2fb/",
            "file:///srv/a%00b/",
            "https://",
            "https://:443/",
            "https://registry.example:99999/",
            "https://regis%2ftry.example/",
            "http://[::1%25lo]/",
            "http://[fe80::1%25eth0]/",
            "https://[::1%lo]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "http://localhost@registry.example/",
            "http://registry.example#@localhost/",
            "http://locaIhost/",
            "javascript:alert(1)",
            "data:text/plain,x",
            "ssh://registry.example/",
            "git+https://registry.example/",
            "HTTPX://registry.example/",
            "//registry.example/",
            "/srv/market",
            "C:\\market",
            "registry.example",
            "",
        ] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn does_not_repeat_a_password() {
        let error = "https://me:hunter2@registry.example/".parse::<BaseUrl>();
        assert!(!error.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn only_servers_are_indexes_for_cargo() {
        let index = |text: &str| text.parse::<BaseUrl>().unwrap().cargo_index();
        let sparse = Some("sparse+https://registry.example/".to_owned());
        assert_eq!(index("https://registry.example"), sparse);
        assert_eq!(index("file:///srv/market"), None);
    }
}
