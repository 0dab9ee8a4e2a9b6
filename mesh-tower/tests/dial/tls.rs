//! TLS with files (gRFC A65).

use mesh_core::server::{ChannelCredentials, Server, TlsFiles};
use mesh_testkit::black_hole;
use mesh_tower::dial::{DialError, DialErrorKind, DialStep, ServerChannel, TlsError};

use crate::support::{Ca, Files, Terms, TlsServer, at, dialer, host, post, server, shown};

fn tls(server_at: &TlsServer, files: &TlsFiles) -> Server {
    let credentials = ChannelCredentials::Tls(files.clone());
    server(host("localhost", server_at.address.port()), credentials)
}

async fn dial(server: &TlsServer, files: &TlsFiles) -> Result<ServerChannel, DialError> {
    dialer().dial(&tls(server, files)).await
}

async fn start(ca: &Ca, clients: Option<&Ca>) -> TlsServer {
    let leaf = ca.leaf(&["localhost", "127.0.0.1"]);
    let alpn = &["h2"];
    TlsServer::start(Terms {
        leaf: &leaf,
        clients,
        alpn,
    })
    .await
}

/// The text of the error, which must have this file in it.
fn at_fault(error: &DialError, path: &std::path::Path) -> String {
    let DialErrorKind::Tls(TlsError::File { path: named, .. }) = error.kind() else {
        panic!("{error}");
    };
    assert_eq!(named, path);
    error.to_string()
}

#[tokio::test]
async fn a_server_is_trusted_by_the_file_and_known_by_name_or_address() {
    let (ca, files) = (Ca::new("ours"), Files::new());
    let server_at = start(&ca, None).await;
    let trust = files.trusting(&ca);
    let mut channel = dial(&server_at, &trust).await.unwrap();
    let seen = post(&mut channel, "/a?b", "over TLS").await;
    assert_eq!(seen.body.as_deref(), Some("over TLS"));
    assert_eq!(
        seen.authority,
        format!("localhost:{}", server_at.address.port())
    );
    let by_address = server(at(server_at.address), ChannelCredentials::Tls(trust));
    let mut channel = dialer().dial(&by_address).await.unwrap();
    post(&mut channel, "/", "").await;
    assert!(
        server_at.clients().is_empty(),
        "no identity was given, none may be shown"
    );
}

#[tokio::test]
async fn an_unknown_authority_and_a_wrong_name_are_refused() {
    let (ca, files) = (Ca::new("ours"), Files::new());
    let server_at = start(&ca, None).await;
    let error = dial(&server_at, &files.trusting(&Ca::new("theirs")))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("TLS with localhost: ") && text.contains("UnknownIssuer"),
        "{text}"
    );

    // The system's roots, or their absence: neither knows this authority.
    let error = dial(&server_at, &TlsFiles::default()).await.unwrap_err();
    assert!(matches!(error.kind(), DialErrorKind::Tls(_)), "{error}");

    let leaf = ca.leaf(&["elsewhere.test"]);
    let terms = Terms {
        leaf: &leaf,
        clients: None,
        alpn: &["h2"],
    };
    let wrong = TlsServer::start(terms).await;
    let text = dial(&wrong, &files.trusting(&ca))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("TLS with localhost: ") && text.contains("not valid for name"),
        "{text}"
    );
    assert_eq!(wrong.echo.connections() + server_at.echo.connections(), 0);
}

#[tokio::test]
async fn a_server_may_ask_for_our_identity() {
    let (ca, clients, files) = (Ca::new("ours"), Ca::new("clients"), Files::new());
    let server_at = start(&ca, Some(&clients)).await;
    let mut trust = files.trusting(&ca);
    let error = dial(&server_at, &trust).await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");

    let stranger = Ca::new("strangers").leaf(&["client"]);
    trust.identity = Some(files.identity(&stranger));
    let error = dial(&server_at, &trust).await.unwrap_err();
    assert!(matches!(error.kind(), DialErrorKind::Http2(_)), "{error}");
    assert_eq!(server_at.echo.connections(), 0);

    trust.identity = Some(files.identity(&clients.leaf(&["client"])));
    let mut channel = dial(&server_at, &trust).await.unwrap();
    post(&mut channel, "/", "").await;
}

#[tokio::test]
async fn a_rotated_identity_and_rotated_roots_serve_from_the_next_connection() {
    let (ca, clients, files) = (Ca::new("ours"), Ca::new("clients"), Files::new());
    let server_at = start(&ca, Some(&clients)).await;
    let (first, second) = (clients.leaf(&["client"]), clients.leaf(&["client"]));
    let mut trust = files.trusting(&ca);
    trust.identity = Some(files.identity(&first));
    let dialer = dialer();
    let mut before = dialer.dial(&tls(&server_at, &trust)).await.unwrap();
    files.identity(&second);
    let mut after = dialer.dial(&tls(&server_at, &trust)).await.unwrap();
    assert_eq!(server_at.clients(), [first.der.clone(), second.der.clone()]);
    // What stands, stays.
    post(&mut before, "/", "").await;
    post(&mut after, "/", "").await;

    files.trusting(&Ca::new("theirs"));
    dialer.dial(&tls(&server_at, &trust)).await.unwrap_err();
    files.trusting(&ca);
    dialer.dial(&tls(&server_at, &trust)).await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let (ca, files) = (Ca::new("ours"), Files::new());
    let server_at = start(&ca, None).await;
    let (leaf, other) = (ca.leaf(&["client"]), ca.leaf(&["client"]));
    let trust = files.trusting(&ca);
    let roots = trust.ca_certificate_file.clone().unwrap();
    let cut = &ca.pem[..ca.pem.len() / 2];
    let not_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, says) in [
        ("", "holds no certificate"),
        (&*leaf.key_pem, "holds no certificate"),
        (cut, "end marker"),
        (&*format!("{}{not_der}", ca.pem), "certificate 2: "),
        (&*"x".repeat((4 << 20) + 1), "larger than"),
    ] {
        std::fs::write(&roots, text).unwrap();
        let text = at_fault(&dial(&server_at, &trust).await.unwrap_err(), &roots);
        assert!(text.contains(says), "{text}");
    }
    std::fs::remove_file(&roots).unwrap();
    let text = at_fault(&dial(&server_at, &trust).await.unwrap_err(), &roots);
    assert!(text.contains("No such file"), "{text}");

    let mut trust = files.trusting(&ca);
    let identity = files.identity(&leaf);
    trust.identity = Some(identity.clone());
    let (certificate, key) = (&identity.certificate_file, &identity.private_key_file);
    std::fs::write(key, "").unwrap();
    let text = at_fault(&dial(&server_at, &trust).await.unwrap_err(), key);
    assert!(text.contains("holds no private key"), "{text}");
    std::fs::write(key, &other.key_pem).unwrap();
    let text = at_fault(&dial(&server_at, &trust).await.unwrap_err(), key);
    assert!(text.contains(&shown(certificate)), "{text}");
    std::fs::remove_file(key).unwrap();
    at_fault(&dial(&server_at, &trust).await.unwrap_err(), key);
    std::fs::remove_file(certificate).unwrap();
    at_fault(&dial(&server_at, &trust).await.unwrap_err(), certificate);
    assert_eq!(server_at.echo.connections(), 0);
}

#[tokio::test]
async fn a_server_without_http2_is_refused() {
    let (ca, files) = (Ca::new("ours"), Files::new());
    let leaf = ca.leaf(&["localhost"]);
    let trust = files.trusting(&ca);
    for alpn in [&["http/1.1"][..], &[]] {
        let terms = Terms {
            leaf: &leaf,
            clients: None,
            alpn,
        };
        let server_at = TlsServer::start(terms).await;
        let error = dial(&server_at, &trust).await.unwrap_err();
        let told = match error.kind() {
            DialErrorKind::Tls(TlsError::NotHttp2 { host }) => {
                alpn.is_empty() && &**host == "localhost"
            }
            // rustls' server says itself that there is no protocol in common.
            DialErrorKind::Tls(TlsError::Handshake { .. }) => {
                !alpn.is_empty() && error.to_string().contains("NoApplicationProtocol")
            }
            _ => false,
        };
        assert!(told, "{alpn:?}: {error}");
        assert_eq!(server_at.echo.connections(), 0);
    }
}

#[tokio::test]
async fn a_host_that_no_certificate_can_have_is_refused() {
    let (ca, files) = (Ca::new("ours"), Files::new());
    let credentials = ChannelCredentials::Tls(files.trusting(&ca));
    let error = dialer()
        .dial(&server(host("a..b", 1), credentials))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error.kind(),
            DialErrorKind::Tls(TlsError::ServerName { .. })
        ),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up() {
    let (hole, ca, files) = (black_hole(), Ca::new("ours"), Files::new());
    let to = server(
        at(hole.socket()),
        ChannelCredentials::Tls(files.trusting(&ca)),
    );
    let error = dialer().dial(&to).await.unwrap_err();
    let step = match error.kind() {
        DialErrorKind::TimedOut { step, .. } => *step,
        _ => panic!("{error}"),
    };
    assert_eq!(step, DialStep::Tls);
}
