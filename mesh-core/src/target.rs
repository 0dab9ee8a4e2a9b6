//! Target URIs: what a channel or client is opened for, as text.

use std::{
    fmt,
    net::{Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// A target, by gRPC's naming: `xds:///name`, `xds://authority/name`, `dns:///host:port`,
/// `dns:host:port`, `unix:path`, `unix:///absolute/path`, `ipv4:1.2.3.4:80,5.6.7.8:80`,
/// `ipv6:[::1]:80`.
///
/// Displays in one canonical form, so that two spellings of a target are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TargetUri {
    /// A control plane knows it.
    Xds {
        /// Which of the bootstrap's authorities; none for the default (gRFC A47).
        authority: Option<Arc<str>>,
        /// The name, which is also the authority of requests.
        name: Arc<str>,
    },
    /// A host name, whose addresses are looked up.
    Dns {
        /// The name; an IPv6 address without its brackets.
        host: Arc<str>,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
    /// These addresses.
    List(Vec<SocketAddr>),
}

/// A text that is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("target {uri:?}: {reason}")]
pub struct TargetError {
    /// The text.
    pub uri: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl TargetUri {
    /// Reads a target.
    ///
    /// # Errors
    /// When the scheme is missing or unknown, or what follows it is not of its form.
    pub fn parse(uri: &str) -> Result<Self, TargetError> {
        let wrong = |reason| TargetError {
            uri: uri.to_owned(),
            reason,
        };
        let Some((scheme, rest)) = uri.split_once(':') else {
            return Err(wrong(
                "has no scheme; xds, dns, unix, ipv4 and ipv6 are known",
            ));
        };
        match scheme {
            "xds" => xds(rest),
            "dns" => dns(rest),
            "unix" => unix(rest),
            "ipv4" => list(
                rest,
                SocketAddr::is_ipv4,
                "needs a list like 1.2.3.4:80,5.6.7.8:80",
            ),
            "ipv6" => list(
                rest,
                SocketAddr::is_ipv6,
                "needs a list like [::1]:80,[::2]:80",
            ),
            _ => Err("has an unknown scheme; xds, dns, unix, ipv4 and ipv6 are known"),
        }
        .map_err(wrong)
    }

    /// Whether a control plane is needed to know it.
    #[must_use]
    pub const fn is_xds(&self) -> bool {
        matches!(self, Self::Xds { .. })
    }

    /// The authority of requests that bring none: the name, host and port, the first address, or
    /// `localhost` for a Unix socket (gRPC, "name resolution").
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Xds { name, .. } => name.to_string(),
            Self::Dns { host, port } => HostPort(host, *port).to_string(),
            Self::Unix(_) => "localhost".to_owned(),
            Self::List(addresses) => addresses
                .first()
                .map_or_else(String::new, ToString::to_string),
        }
    }
}

impl fmt::Display for TargetUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xds { authority, name } => {
                write!(f, "xds://{}/{name}", authority.as_deref().unwrap_or(""))
            }
            Self::Dns { host, port } => write!(f, "dns:///{}", HostPort(host, *port)),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::List(addresses) => {
                let ipv4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
                f.write_str(if ipv4 { "ipv4:" } else { "ipv6:" })?;
                for (i, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

/// A host with its port, in brackets where it needs them.
struct HostPort<'a>(&'a str, u16);

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(host, port) = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

fn xds(rest: &str) -> Result<TargetUri, &'static str> {
    let (authority, name) = match rest.strip_prefix("//") {
        Some(rest) => rest
            .split_once('/')
            .ok_or("needs a name behind its authority")?,
        None => ("", rest),
    };
    if name.is_empty() {
        return Err("names nothing");
    }
    let authority = (!authority.is_empty()).then(|| authority.into());
    Ok(TargetUri::Xds {
        authority,
        name: name.into(),
    })
}

fn dns(rest: &str) -> Result<TargetUri, &'static str> {
    let name = match rest.strip_prefix("//") {
        None => rest,
        // `dns://resolver/name` would ask a resolver of its own.
        Some(rest) => rest
            .strip_prefix('/')
            .ok_or("names a resolver, which is not supported")?,
    };
    let (host, port) = name.rsplit_once(':').ok_or("needs a port")?;
    let host = match host.strip_prefix('[') {
        Some(host) => {
            let host = host.strip_suffix(']').ok_or("has an unbalanced bracket")?;
            let address = host.parse::<Ipv6Addr>();
            address.map_err(|_| "has no IPv6 address in its brackets")?;
            host
        }
        None if host.contains(':') => return Err("needs brackets around an IPv6 address"),
        None => host,
    };
    if host.is_empty() {
        return Err("names no host");
    }
    let may_be_in_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if !host.bytes().all(may_be_in_a_name) {
        return Err("needs a host name of letters, digits, hyphens, underscores and dots");
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|_| digits);
    let port = number.ok_or("needs a port from 0 to 65535")?;
    Ok(TargetUri::Dns {
        host: host.into(),
        port,
    })
}

fn unix(rest: &str) -> Result<TargetUri, &'static str> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(path) if path.starts_with('/') => path,
        Some(_) => return Err("needs an absolute path behind two slashes"),
    };
    // Several slashes at the front mean one, and would read as the beginning of an authority.
    let path = match path.trim_start_matches('/') {
        "" if path.is_empty() => return Err("names no path"),
        rest if path.starts_with("//") => format!("/{rest}").into(),
        _ => path.into(),
    };
    Ok(TargetUri::Unix(path))
}

fn list(
    rest: &str,
    family: fn(&SocketAddr) -> bool,
    wrong: &'static str,
) -> Result<TargetUri, &'static str> {
    let addresses: Result<Vec<SocketAddr>, _> = rest.split(',').map(str::parse).collect();
    let addresses = addresses.map_err(|_| wrong)?;
    if addresses.iter().all(family) {
        Ok(TargetUri::List(addresses))
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_has_one_canonical_form() {
        let rows = [
            ("xds:///greeter:80", "xds:///greeter:80", "greeter:80"),
            ("xds:greeter", "xds:///greeter", "greeter"),
            ("xds://corp/a/b", "xds://corp/a/b", "a/b"),
            ("dns:///shop.test:80", "dns:///shop.test:80", "shop.test:80"),
            ("dns:shop.test:80", "dns:///shop.test:80", "shop.test:80"),
            ("dns:[::1]:80", "dns:///[::1]:80", "[::1]:80"),
            ("unix:///run/a.sock", "unix:/run/a.sock", "localhost"),
            ("unix:a.sock", "unix:a.sock", "localhost"),
            ("unix:////run/a.sock", "unix:/run/a.sock", "localhost"),
            (
                "ipv4:1.2.3.4:5,6.7.8.9:10",
                "ipv4:1.2.3.4:5,6.7.8.9:10",
                "1.2.3.4:5",
            ),
            ("ipv6:[::1]:5", "ipv6:[::1]:5", "[::1]:5"),
        ];
        for (text, canonical, authority) in rows {
            let uri = TargetUri::parse(text).unwrap();
            assert_eq!(
                (&*uri.to_string(), &*uri.authority()),
                (canonical, authority),
                "{text}"
            );
            assert_eq!(TargetUri::parse(canonical).unwrap(), uri);
        }
    }

    #[test]
    fn what_is_no_target_is_quoted_with_the_reason() {
        let rows = [
            ("greeter", "has no scheme"),
            ("http://greeter", "has an unknown scheme"),
            ("xds:///", "names nothing"),
            ("xds://corp", "needs a name"),
            ("dns:///shop.test", "needs a port"),
            ("dns:///shop.test:http", "needs a port from"),
            ("dns://8.8.8.8/shop.test:80", "names a resolver"),
            ("dns:::1:80", "needs brackets"),
            ("dns::80", "names no host"),
            ("dns:[[::1]:80", "has no IPv6 address"),
            ("dns:[a]:80", "has no IPv6 address"),
            ("dns:a b:80", "needs a host name"),
            ("dns:a]:80", "needs a host name"),
            ("dns:a:+80", "needs a port from"),
            ("unix://a.sock", "needs an absolute path"),
            ("unix:", "names no path"),
            ("ipv4:1.2.3.4", "needs a list"),
            ("ipv4:[::1]:80", "needs a list"),
            ("ipv6:1.2.3.4:80", "needs a list"),
        ];
        for (text, reason) in rows {
            let error = TargetUri::parse(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(reason), "{error}");
        }
    }
}
