//! Which proxy the environment names.

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The proxy for HTTPS that the environment names, and its host.
pub fn of_environment() -> Result<Option<(Zeroizing<String>, String)>> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let Some(address) = names.into_iter().find_map(set) else { return Ok(None) };
    let whole = if address.contains("://") { address } else { format!("http://{address}") };
    let url = reqwest::Url::parse(&whole).map_err(|_| unusable())?;
    // Others would be passed over in silence, and hosts asked without them.
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(unusable());
    }
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    Ok(Some((Zeroizing::new(whole), host)))
}

/// A proxy's address may hold a password, and so is not repeated.
pub(super) fn unusable() -> Error {
    Error::new("the proxy that HTTPS_PROXY or ALL_PROXY names cannot be used")
        .hint("http(s)://host:port, with user:password@ before the host if it wants them; no SOCKS")
}
