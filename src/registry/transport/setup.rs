//! The HTTP client as the user's settings have it: proxy, certificates, and which redirects are
//! followed.

use reqwest::blocking::{Client, ClientBuilder};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Certificate, NoProxy, Proxy};

use super::{BaseUrl, Network, base_url};

/// How this program names itself to servers.
const USER_AGENT: &str = concat!("cargo-marketplace/", env!("CARGO_PKG_VERSION"));

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// A redirect that the policy refused; travels inside reqwest's error.
#[derive(Debug, thiserror::Error)]
#[error("redirect to `{0}` refused")]
pub(super) struct Refused(pub(super) String);

/// A client as the user's settings have it.
pub(super) fn configured(base: &BaseUrl, network: &Network) -> reqwest::Result<ClientBuilder> {
    let mut builder = Client::builder()
        .user_agent(network.user_agent.as_deref().unwrap_or(USER_AGENT))
        .connect_timeout(network.limits.first_answer)
        .timeout(network.account.silence(network.limits.silence))
        .redirect(Policy::custom(follow_or_refuse))
        .referer(false);
    if network.one_version {
        builder = builder.http1_only();
    }
    // What is for this machine goes to this machine: through a proxy, plain http would leave it. And
    // it needs no certificates, which a bare container does not have.
    if base.is_loopback_http() {
        return Ok(builder.no_proxy().tls_certs_only([]));
    }
    if let Some(proxy) = &network.proxy {
        // As curl reads it: without a scheme it is http.
        let proxy = match proxy.contains("://") {
            true => proxy.clone(),
            false => format!("http://{proxy}"),
        };
        builder = builder.proxy(Proxy::all(proxy)?.no_proxy(NoProxy::from_env()));
    }
    if let Some(certificates) = &network.certificates {
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(certificates)?);
    }
    Ok(builder.https_only(true))
}

/// Follows up to three redirects within the scheme; https may not become http, and http may not
/// leave this machine.
fn follow_or_refuse(attempt: Attempt<'_>) -> Action {
    let previous = attempt.previous();
    let same_scheme = previous
        .last()
        .is_some_and(|url| url.scheme() == attempt.url().scheme());
    if same_scheme && previous.len() <= REDIRECTS && base_url::is_safe(attempt.url()) {
        attempt.follow()
    } else {
        // No more of it: what follows may hold the token that the server was shown, or a signature.
        let to = attempt.url();
        let place = format!("{}://{}", to.scheme(), to.host_str().unwrap_or_default());
        attempt.error(Refused(place.chars().take(200).collect()))
    }
}
