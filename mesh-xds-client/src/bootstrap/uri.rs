//! `server_uri`: the forms of gRPC's name syntax that name one server.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::Arc,
};

use mesh_core::server::ServerAddress;

/// Where no port is given (gRPC name resolution).
const DEFAULT_PORT: u16 = 443;

/// Reads `host:port`, `dns:[///]host:port`, `ipv4:`, `ipv6:` with one address, `unix:path` or
/// `unix:///path`. The port may be left out.
pub(super) fn parse(uri: &str) -> Result<ServerAddress, String> {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return host_and_port(uri);
    };
    match scheme {
        "dns" => match rest.strip_prefix("//") {
            None => host_and_port(rest),
            Some(rest) => match rest.strip_prefix('/') {
                Some(rest) => host_and_port(rest),
                None => Err(format!("{uri:?} asks for a DNS server of its own")),
            },
        },
        "ipv4" => {
            let (host, port) = split_port(rest)?;
            let address = host.parse::<Ipv4Addr>();
            address.map_err(|_| format!("{host:?} is not one IPv4 address"))?;
            Ok(to_host(host, port))
        }
        "ipv6" => {
            let rest = rest.replace("%5B", "[").replace("%5D", "]");
            let rest = rest.replace("%5b", "[").replace("%5d", "]");
            let (host, port) = split_port(&rest)?;
            let address = host.parse::<Ipv6Addr>();
            address.map_err(|_| format!("{host:?} is not one IPv6 address"))?;
            Ok(to_host(host, port))
        }
        "unix" => unix(rest),
        _ if rest.starts_with("//") => Err(format!("the scheme {scheme:?} is not supported")),
        "unix-abstract" | "vsock" | "xds" => Err(format!("the scheme {scheme:?} is not supported")),
        _ => host_and_port(uri),
    }
}

fn unix(rest: &str) -> Result<ServerAddress, String> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(path) if path.starts_with('/') => path,
        Some(_) => return Err("unix:// takes an absolute path".into()),
    };
    if path.is_empty() {
        return Err("names no socket".into());
    }
    Ok(ServerAddress::Unix(PathBuf::from(path)))
}

fn host_and_port(text: &str) -> Result<ServerAddress, String> {
    let (host, port) = split_port(text)?;
    let name = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if host.is_empty() {
        return Err(format!("{text:?} names no host"));
    }
    if !name && host.parse::<Ipv6Addr>().is_err() {
        return Err(format!("{host:?} is not a host name or address"));
    }
    Ok(to_host(host, port))
}

/// Splits `host:port`, `[v6]:port`, or either without its port.
fn split_port(text: &str) -> Result<(&str, u16), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| format!("{text:?} lacks a closing bracket"))?;
        let port = match rest {
            "" => None,
            rest => Some(
                rest.strip_prefix(':')
                    .ok_or_else(|| format!("{text:?} has more than a port behind the bracket"))?,
            ),
        };
        (host, port)
    } else if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    match port {
        None => Ok((host, DEFAULT_PORT)),
        Some(port) => match port.parse::<u16>() {
            Ok(number) if number > 0 && !port.starts_with('+') => Ok((host, number)),
            _ => Err(format!("{port:?} is not a port")),
        },
    }
}

fn to_host(host: &str, port: u16) -> ServerAddress {
    ServerAddress::Host {
        host: Arc::from(host),
        port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (uri, is) in [
            (
                "istiod.istio-system.svc:15010",
                "istiod.istio-system.svc:15010",
            ),
            ("localhost", "localhost:443"),
            ("dns:xds.example:18000", "xds.example:18000"),
            ("dns:///xds.example:18000", "xds.example:18000"),
            ("dns:xds.example", "xds.example:443"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("ipv4:127.0.0.1:1", "127.0.0.1:1"),
            ("ipv4:127.0.0.1", "127.0.0.1:443"),
            ("[::1]:1", "[::1]:1"),
            ("::1", "[::1]:443"),
            ("ipv6:[::1]:1", "[::1]:1"),
            ("ipv6:%5B::1%5D:1", "[::1]:1"),
            ("ipv6:::1", "[::1]:443"),
            ("unix:XDS", "unix:XDS"),
            ("unix:/etc/istio/proxy/XDS", "unix:/etc/istio/proxy/XDS"),
            ("unix:///etc/istio/proxy/XDS", "unix:/etc/istio/proxy/XDS"),
        ] {
            assert_eq!(parse(uri).unwrap().to_string(), is, "{uri}");
        }
    }

    #[test]
    fn what_cannot_be_dialled_is_refused() {
        for (uri, says) in [
            ("", "names no host"),
            (":80", "names no host"),
            ("a:0", "not a port"),
            ("a:65536", "not a port"),
            ("a:b", "not a port"),
            ("a:+1", "not a port"),
            ("a b:1", "not a host name"),
            ("[::1:1", "closing bracket"),
            ("[::1]1", "more than a port"),
            ("dns://8.8.8.8/a:1", "a DNS server of its own"),
            ("https://a:1", "scheme \"https\""),
            ("xds:///a", "scheme \"xds\""),
            ("unix-abstract:a", "scheme \"unix-abstract\""),
            ("unix:", "names no socket"),
            ("unix://a/b", "absolute path"),
            ("ipv4:[::1]:1", "not one IPv4"),
            ("ipv4:127.0.0.1:1,127.0.0.2:1", "not one IPv4"),
            ("ipv6:127.0.0.1:1", "not one IPv6"),
        ] {
            let error = parse(uri).unwrap_err();
            assert!(error.contains(says), "{uri}: {error}");
        }
    }
}
