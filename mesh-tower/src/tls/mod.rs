//! TLS to the servers that the mesh itself calls, from files (gRFC A65).
//!
//! The crypto provider is always an argument: where a program has two, rustls' process-wide default
//! panics, and it is not a library's to set.

mod error;
mod files;

use std::sync::Arc;

use mesh_core::server::TlsFiles;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier, crypto::CryptoProvider};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub use error::TlsError;

/// HTTP/2 as ALPN names it (RFC 9113 section 3.2).
const H2: &[u8] = b"h2";

/// Makes TLS connections as a client.
#[derive(Clone)]
pub(crate) struct ClientTls {
    provider: Arc<CryptoProvider>,
}

/// Everything for one handshake: what the files hold at this moment.
pub(crate) struct ClientHandshake {
    connector: TlsConnector,
    name: ServerName<'static>,
    host: Arc<str>,
}

impl ClientTls {
    /// With AWS-LC as the crypto provider.
    pub(crate) fn new() -> Self {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        Self {
            provider: Arc::new(provider),
        }
    }

    /// Reads the files for one connection to `host`, so that a rotated certificate serves from the
    /// next connection on.
    pub(crate) async fn prepare(
        &self,
        files: &TlsFiles,
        host: &Arc<str>,
    ) -> Result<ClientHandshake, TlsError> {
        let name = ServerName::try_from(host.to_string())
            .map_err(|_| TlsError::ServerName { host: host.clone() })?;
        let (provider, files) = (Arc::clone(&self.provider), files.clone());
        // Off the runtime's threads: the system's roots alone are hundreds of files.
        let config = tokio::task::spawn_blocking(move || config(provider, &files))
            .await
            .map_err(|error| TlsError::Setup(error.to_string()))??;
        Ok(ClientHandshake {
            connector: TlsConnector::from(Arc::new(config)),
            name,
            host: Arc::clone(host),
        })
    }
}

impl ClientHandshake {
    /// Wraps `io`. The server must prove its name and agree to HTTP/2.
    pub(crate) async fn run<IO>(self, io: IO) -> Result<TlsStream<IO>, TlsError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let Self {
            connector,
            name,
            host,
        } = self;
        let stream = match connector.connect(name, io).await {
            Ok(stream) => stream,
            Err(source) => return Err(TlsError::Handshake { host, source }),
        };
        match stream.get_ref().1.alpn_protocol() {
            Some(H2) => Ok(stream),
            _ => Err(TlsError::NotHttp2 { host }),
        }
    }
}

fn config(provider: Arc<CryptoProvider>, files: &TlsFiles) -> Result<ClientConfig, TlsError> {
    let roots = match &files.ca_certificate_file {
        Some(path) => files::roots(path)?,
        None => files::system_roots()?,
    };
    let builder = builder(provider)?.with_root_certificates(roots);
    let mut config = match &files.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = files::identity(identity)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| files::unusable(identity, &error))?
        }
    };
    config.alpn_protocols = vec![H2.to_vec()];
    Ok(config)
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))
}
