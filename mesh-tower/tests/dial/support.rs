//! Certificates, a TLS server in front of an echo server, and calls over a channel.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use mesh_core::server::{ChannelCredentials, Server, ServerAddress, TlsFiles, TlsIdentityFiles};
use mesh_testkit::echo::{EchoReport, EchoServer};
use mesh_tower::{
    connect::Executor,
    dial::{Dialer, ServerChannel},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::{io::copy_bidirectional, net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

pub(crate) fn dialer() -> Dialer {
    Dialer::new(Executor::tokio(tokio::runtime::Handle::current()))
}

pub(crate) fn server(address: ServerAddress, credentials: ChannelCredentials) -> Server {
    Server {
        uri: address.to_string().into(),
        address,
        credentials,
    }
}

pub(crate) fn at(socket: SocketAddr) -> ServerAddress {
    ServerAddress::Host {
        host: socket.ip().to_string().into(),
        port: socket.port(),
    }
}

pub(crate) fn host(name: &str, port: u16) -> ServerAddress {
    ServerAddress::Host {
        host: name.into(),
        port,
    }
}

/// Posts `body` to `path` and reads what the server saw.
pub(crate) async fn post(
    channel: &mut ServerChannel,
    path: &str,
    body: &'static str,
) -> EchoReport {
    let request = Request::post(path).body(Full::new(Bytes::from(body)));
    let response = channel.call(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    EchoReport::parse(&response.into_body().collect().await.unwrap().to_bytes())
}

/// A certificate authority.
pub(crate) struct Ca {
    pub(crate) pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate that a [`Ca`] gave.
pub(crate) struct Leaf {
    pub(crate) pem: String,
    pub(crate) key_pem: String,
    pub(crate) der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn leaf(&self, names: &[&str]) -> Leaf {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        Arc::new(roots)
    }
}

/// What a TLS server asks of its clients and offers them.
pub(crate) struct Terms<'a> {
    pub(crate) leaf: &'a Leaf,
    pub(crate) clients: Option<&'a Ca>,
    pub(crate) alpn: &'a [&'a str],
}

/// TLS in front of an HTTP/2 echo server.
pub(crate) struct TlsServer {
    pub(crate) echo: Arc<EchoServer>,
    pub(crate) address: SocketAddr,
    clients: Arc<Mutex<Vec<CertificateDer<'static>>>>,
    task: JoinHandle<()>,
}

impl TlsServer {
    pub(crate) async fn start(terms: Terms<'_>) -> Self {
        let config = server_config(&terms);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = Arc::new(EchoServer::http2().start());
        let clients = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (to, seen) = (Arc::clone(&echo), Arc::clone(&clients));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, to) = (acceptor.clone(), Arc::clone(&to));
                let seen = Arc::clone(&seen);
                connections.spawn(async move {
                    let Ok(mut tls) = acceptor.accept(tcp).await else {
                        return;
                    };
                    if let Some(chain) = tls.get_ref().1.peer_certificates() {
                        seen.lock().unwrap().push(chain[0].clone().into_owned());
                    }
                    let _ = copy_bidirectional(&mut tls, &mut to.connect_in_memory()).await;
                });
            }
        });
        Self {
            echo,
            address,
            clients,
            task,
        }
    }

    /// The certificates that clients have shown, oldest first.
    pub(crate) fn clients(&self) -> Vec<CertificateDer<'static>> {
        self.clients.lock().unwrap().clone()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn server_config(terms: &Terms<'_>) -> ServerConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match terms.clients {
        None => builder.with_no_client_auth(),
        Some(ca) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(ca.roots(), provider)
                .build()
                .unwrap(),
        ),
    };
    let Leaf { der, key, .. } = terms.leaf;
    let mut config = builder
        .with_single_cert(vec![der.clone()], key.clone_key())
        .unwrap();
    config.alpn_protocols = terms
        .alpn
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    config
}

/// Files of a client.
pub(crate) struct Files {
    directory: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Trust in `ca` alone.
    pub(crate) fn trusting(&self, ca: &Ca) -> TlsFiles {
        TlsFiles {
            ca_certificate_file: Some(self.write("ca.pem", &ca.pem)),
            ..TlsFiles::default()
        }
    }

    /// Writes an identity over the one that may be there.
    pub(crate) fn identity(&self, leaf: &Leaf) -> TlsIdentityFiles {
        TlsIdentityFiles {
            certificate_file: self.write("client.pem", &leaf.pem),
            private_key_file: self.write("client.key", &leaf.key_pem),
        }
    }
}

/// The path as an error shows it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
