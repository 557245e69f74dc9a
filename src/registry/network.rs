//! How cargo's settings shape our requests: `http.*` and `net.retry`, of the user only.
//!
//! `http.check-revoke`, `http.ssl-version` and `http.debug` have no meaning here: revocation is
//! checked on Windows alone, by the system; TLS is 1.2 or later; there is no log of requests.

use std::sync::Arc;
use std::time::Duration;

use super::cargo_settings::{CargoSettings, SettingsError};
use super::transport::{Limits, Network};
use crate::disk::{self, Failure};

/// Why cargo's settings for the network cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A setting is not usable.
    #[error(transparent)]
    Setting(#[from] SettingsError),
    /// The file of certificates cannot be read.
    #[error("`http.cainfo` cannot be used")]
    Certificates(#[source] Failure),
}

/// The settings of the user, or what we do without any.
pub fn network(settings: &CargoSettings) -> Result<Network, NetworkError> {
    let mut limits = Limits::default();
    let timeout = match settings.number(&["http", "timeout"])? {
        Some(seconds) => Some(seconds),
        None => settings
            .variable("HTTP_TIMEOUT")
            .and_then(|text| text.parse().ok()),
    };
    if let Some(seconds) = timeout {
        let timeout = Duration::from_secs(seconds.clamp(1, 86_400));
        limits.first_answer = timeout;
        limits.silence = timeout;
        limits.whole = timeout;
        limits.is_patient = true;
    }
    if let Some(speed) = settings.number(&["http", "low-speed-limit"])? {
        limits.least_speed = speed;
    }
    if let Some(retries) = settings.number(&["net", "retry"])? {
        limits.tries = u32::try_from(retries).unwrap_or(u32::MAX).saturating_add(1);
    }
    let certificates = settings.path(&["http", "cainfo"])?;
    let certificates = certificates.map(|path| disk::read(&path, disk::LIMIT));
    Ok(Network {
        limits,
        proxy: settings
            .text(&["http", "proxy"])?
            .filter(|proxy| !proxy.is_empty()),
        certificates: certificates
            .transpose()
            .map_err(NetworkError::Certificates)?,
        user_agent: settings.text(&["http", "user-agent"])?,
        account: Arc::default(),
        one_version: settings.boolean(&["http", "multiplexing"])? == Some(false),
    })
}

/// Whether the user's settings forbid the network.
pub fn is_offline(settings: &CargoSettings) -> Result<bool, SettingsError> {
    Ok(settings.boolean(&["net", "offline"])?.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::cargo_settings::tests::settings;

    fn of(config: &str) -> Result<Network, NetworkError> {
        let home = tempfile::tempdir().unwrap();
        network(&settings(home.path(), config, &[]))
    }

    #[test]
    fn without_settings_a_server_that_is_down_is_soon_reported() {
        let network = of("").unwrap();
        assert_eq!(network.limits, Limits::default());
        assert!(network.limits.first_answer < Duration::from_secs(5));
        assert!(network.proxy.is_none() && network.certificates.is_none());
    }

    #[test]
    fn cargos_settings_are_followed() {
        let config = "[http]\ntimeout = 90\nlow-speed-limit = 0\nproxy = 'proxy.example:3128'\nmultiplexing = false\n[net]\nretry = 0\n";
        let network = of(config).unwrap();
        assert_eq!(network.limits.first_answer, Duration::from_secs(90));
        assert_eq!(network.limits.least_speed, 0);
        assert_eq!(network.limits.tries, 1);
        assert_eq!(network.proxy.as_deref(), Some("proxy.example:3128"));
        assert!(network.one_version);
    }

    #[test]
    fn certificates_that_are_not_there_are_an_error() {
        let error = of("http.cainfo = 'nowhere.pem'\n").unwrap_err();
        assert!(matches!(error, NetworkError::Certificates(_)), "{error}");
    }
}
