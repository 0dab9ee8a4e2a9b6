//! Which scheme and authority a server's requests carry.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Uri};
use mesh_core::{
    Error, ErrorKind,
    server::{ChannelCredentials, Server, ServerAddress},
};

use super::DialErrorKind;

/// A Unix socket has no name of its own (gRPC name resolution).
const UNIX_HOST: &str = "localhost";

/// What the URIs of requests to one server begin with.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    host: Arc<str>,
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    pub(super) fn of(server: &Server) -> Result<Self, DialErrorKind> {
        let (host, authority) = match &server.address {
            ServerAddress::Host { host, .. } => (Arc::clone(host), server.address.to_string()),
            ServerAddress::Unix(_) => (UNIX_HOST.into(), UNIX_HOST.to_owned()),
        };
        // A user name in front would pass for part of the host.
        let authority = authority.parse::<Authority>();
        match authority {
            Ok(authority) if !host.is_empty() && !host.contains('@') => Ok(Self {
                host,
                scheme: match server.credentials {
                    ChannelCredentials::Insecure => Scheme::HTTP,
                    ChannelCredentials::Tls(_) => Scheme::HTTPS,
                },
                authority,
            }),
            _ => Err(DialErrorKind::Host(host)),
        }
    }

    /// The name that a certificate must prove.
    pub(super) fn host(&self) -> &Arc<str> {
        &self.host
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Turns the request towards the server; its path stays.
    pub(super) fn claim<B>(&self, request: &mut Request<B>) -> Result<(), Error> {
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        let path = parts.path_and_query.take();
        parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(parts).map_err(|error| {
            Error::new(
                ErrorKind::BadRequest,
                "the request's URI has no usable path",
            )
            .with_source(error)
        })?;
        Ok(())
    }
}
