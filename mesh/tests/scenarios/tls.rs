//! TLS that is asked for and not to be had: refused with the reason, and never replaced by
//! plaintext.

use mesh_core::ErrorKind;
use mesh_proto::{
    Any,
    envoy::{
        config::core::v3::{TransportSocket, transport_socket::ConfigType},
        extensions::transport_sockets::tls::v3::{
            CertificateProviderPluginInstance, CertificateValidationContext, CommonTlsContext,
            UpstreamTlsContext, common_tls_context::ValidationContextType,
        },
    },
};
use mesh_testkit::{
    CountingListener,
    control::CDS,
    xds::{self, ClusterBuilder},
};
use tonic::Code;

use crate::support::{Backend, Call, ROUTES, Setup, TARGET, World, within};

/// The cluster with TLS, its roots from this provider.
fn secured(cluster: ClusterBuilder, provider: &str) -> ClusterBuilder {
    let roots = CertificateProviderPluginInstance {
        instance_name: provider.to_owned(),
        ..Default::default()
    };
    let validation = CertificateValidationContext {
        ca_certificate_provider_instance: Some(roots),
        ..Default::default()
    };
    let context = UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            validation_context_type: Some(ValidationContextType::ValidationContext(validation)),
            ..Default::default()
        }),
        ..Default::default()
    };
    let context = Any::pack(&context);
    wrapped(cluster, "envoy.transport_sockets.tls", context)
}

fn wrapped(cluster: ClusterBuilder, name: &str, config: Any) -> ClusterBuilder {
    let socket = TransportSocket {
        name: name.to_owned(),
        config_type: Some(ConfigType::TypedConfig(config)),
    };
    cluster.edit(|cluster| cluster.transport_socket = Some(socket))
}

/// Publishes a cluster, and gives what calls to it say and how often its endpoint was dialled.
async fn refusal(setup: Setup, of: impl FnOnce(ClusterBuilder) -> ClusterBuilder) -> (String, u64) {
    let listener = CountingListener::start();
    let world = World::start(setup).await;
    world.plane.set((
        xds::listener(TARGET, ROUTES),
        xds::routes(ROUTES, &[("a", 1)]),
        of(world.cluster("a")),
        xds::endpoints("a", &[listener.socket()]),
    ));
    let failure = within("an answer", world.client.call(&Call::new())).await;
    let failure = failure.unwrap_err();
    assert!(
        failure.code.is_none_or(|it| it == Code::Unavailable),
        "{failure:?}"
    );
    for _ in 0..20 {
        let again = within("an answer", world.client.call(&Call::new())).await;
        assert_eq!(again.unwrap_err().kind, failure.kind);
    }
    (failure.text, listener.count())
}

async fn a_cluster_with_tls_is_never_dialled(setup: Setup) {
    let (text, dials) = refusal(setup, |cluster| secured(cluster, "files")).await;
    assert!(text.contains("TLS") && text.contains('a'), "{text}");
    assert_eq!(dials, 0);
}

async fn nor_is_one_whose_transport_is_unknown(setup: Setup) {
    let unknown = Any {
        type_url: "type.googleapis.com/test.Unknown".to_owned(),
        value: bytes::Bytes::new(),
    };
    let (text, dials) = refusal(setup, |cluster| wrapped(cluster, "unknown", unknown)).await;
    assert!(text.contains("nknown"), "{text}");
    assert_eq!(dials, 0);
}

/// Where the control plane turns TLS on, plaintext ends, also over connections that are there.
async fn a_cluster_that_turns_to_tls_is_not_called_in_plaintext(setup: Setup) {
    let backend = Backend::start(setup, "a");
    let world = World::serving(setup, &[&backend]).await;
    world.client.call(&Call::new()).await.unwrap();
    world.plane.set(secured(world.cluster("a"), "files"));
    world.plane.wait_acked(CDS).await;
    world.until("TLS to be asked for", Result::is_err).await;
    let (calls, connections) = (backend.count(), backend.connections());
    for _ in 0..20 {
        let failure = world.client.call(&Call::new()).await.unwrap_err();
        failure.assert(
            ErrorKind::NoCluster,
            Code::Unavailable,
            &["TLS", "cluster a"],
        );
    }
    assert_eq!(
        (backend.count(), backend.connections()),
        (calls, connections)
    );

    // And back.
    world.plane.set(world.cluster("a"));
    world.until("plaintext", Result::is_ok).await;
}

on_each_wire!(
    a_cluster_with_tls_is_never_dialled,
    nor_is_one_whose_transport_is_unknown,
    a_cluster_that_turns_to_tls_is_not_called_in_plaintext,
);
