use mesh_core::server::{ChannelCredentials, ServerAddress};
use mesh_proto::google::protobuf::value::Kind;

use super::*;

/// Everything that a bootstrap can say, with keys of all levels that nobody knows.
const FULL: &str = r#"{
  "xds_servers": [
    {
      "server_uri": "unix:///etc/istio/proxy/XDS",
      "channel_creds": [{"type": "google_default"}, {"type": "insecure", "config": 7}],
      "server_features": ["xds_v3", "delta_xds", "ignore_resource_deletion", "fail_on_data_errors"],
      "call_creds": [{"type": "never-heard-of"}],
      "unknown": 1
    },
    {
      "server_uri": "second.test:18000",
      "channel_creds": [{"type": "tls", "config": {
        "ca_certificate_file": "/ca.pem", "certificate_file": "/cert.pem",
        "private_key_file": "/key.pem", "refresh_interval": "900s"}}],
      "server_features": ["resource_timer_is_transient_error", "trusted_xds_server"]
    }
  ],
  "node": {
    "id": "sidecar~10.0.0.1~a~b",
    "cluster": "shop",
    "locality": {"region": "r", "zone": "z", "sub_zone": "s", "else": 0},
    "metadata": {"GENERATOR": "grpc", "N": 1.5, "B": true, "L": [null, {"x": "y"}]},
    "unknown": {}
  },
  "certificate_providers": {"default": {"plugin_name": "file_watcher", "config": {"a": 1}}},
  "server_listener_resource_name_template": "xds.istio.io/grpc/lds/inbound/%s",
  "client_default_listener_resource_name_template": "prefix/%s",
  "authorities": {
    "plain": {},
    "own": {
      "client_listener_resource_name_template": "xdstp://own/envoy.config.listener.v3.Listener/d/%s",
      "xds_servers": [{"server_uri": "third.test", "channel_creds": [{"type": "tls"}]}]
    }
  },
  "unknown": []
}"#;

const NONE: ServerFeatures = ServerFeatures {
    ignore_resource_deletion: false,
    fail_on_data_errors: false,
    resource_timer_is_transient_error: false,
    delta: false,
    trusted_xds_server: false,
};

#[test]
fn everything_is_read() {
    let bootstrap = Bootstrap::from_json(FULL).unwrap();
    let [first, second] = &*bootstrap.servers else {
        panic!("{:?}", bootstrap.servers);
    };
    assert_eq!(&*first.server.uri, "unix:///etc/istio/proxy/XDS");
    assert_eq!(
        first.server.address,
        ServerAddress::Unix("/etc/istio/proxy/XDS".into())
    );
    assert_eq!(first.server.credentials, ChannelCredentials::Insecure);
    let features = ServerFeatures {
        delta: true,
        ignore_resource_deletion: true,
        fail_on_data_errors: true,
        ..NONE
    };
    assert_eq!(first.features, features);
    let ChannelCredentials::Tls(tls) = &second.server.credentials else {
        panic!("{second:?}");
    };
    assert_eq!(tls.ca_certificate_file.as_deref(), Some("/ca.pem".as_ref()));
    assert_eq!(
        tls.refresh_interval,
        Some(std::time::Duration::from_secs(900))
    );
    let identity = tls.identity.as_ref().unwrap();
    assert_eq!(identity.certificate_file, Path::new("/cert.pem"));
    assert_eq!(identity.private_key_file, Path::new("/key.pem"));
    assert!(second.features.resource_timer_is_transient_error);
    assert!(second.features.trusted_xds_server);
    assert_eq!(
        bootstrap.server_listener_resource_name_template.as_deref(),
        Some("xds.istio.io/grpc/lds/inbound/%s")
    );
    assert_eq!(
        bootstrap.certificate_providers["default"]["plugin_name"],
        "file_watcher"
    );
    let [third] = &*bootstrap.authorities["own"].servers else {
        panic!("{:?}", bootstrap.authorities);
    };
    assert_eq!(
        third.server.credentials,
        ChannelCredentials::Tls(Default::default())
    );
}

#[test]
fn the_node_introduces_itself_with_all_it_was_given() {
    let node = Bootstrap::from_json(FULL).unwrap().node.to_proto();
    assert_eq!(
        (&*node.id, &*node.cluster),
        ("sidecar~10.0.0.1~a~b", "shop")
    );
    let locality = node.locality.unwrap();
    assert_eq!(
        (&*locality.region, &*locality.zone, &*locality.sub_zone),
        ("r", "z", "s")
    );
    let fields = node.metadata.unwrap().fields;
    let field = |key: &str| fields[key].kind.clone().unwrap();
    assert_eq!(field("GENERATOR"), Kind::StringValue("grpc".into()));
    assert_eq!(field("N"), Kind::NumberValue(1.5));
    assert_eq!(field("B"), Kind::BoolValue(true));
    let Kind::ListValue(list) = field("L") else {
        panic!("{fields:?}");
    };
    assert_eq!(list.values[0].kind, Some(Kind::NullValue(0)));
    assert!(
        matches!(&list.values[1].kind, Some(Kind::StructValue(inner))
        if inner.fields["x"].kind == Some(Kind::StringValue("y".into())))
    );
    assert_eq!(node.user_agent_name, "mesh");
    assert_eq!(
        node.client_features,
        [
            "envoy.lb.does_not_support_overprovisioning",
            "xds.config.resource-in-sotw"
        ]
    );
    let anonymous = Node::default().to_proto();
    assert_eq!((anonymous.metadata, anonymous.locality), (None, None));
}

#[test]
fn every_error_names_its_field() {
    let server = r#"{"server_uri": "a:1", "channel_creds": [{"type": "insecure"}]}"#;
    for (json, says) in [
        ("[]".to_owned(), vec!["is a list, not an object"]),
        ("{}".into(), vec!["xds_servers: is missing"]),
        (
            r#"{"xds_servers": []}"#.into(),
            vec!["xds_servers: names no server"],
        ),
        (
            r#"{"xds_servers": {}}"#.into(),
            vec!["xds_servers: is an object, not a list"],
        ),
        (
            r#"{"xds_servers": [3]}"#.into(),
            vec!["xds_servers[0]: is a number"],
        ),
        (
            r#"{"xds_servers": [{}]}"#.into(),
            vec![
                "xds_servers[0].server_uri: is missing",
                "xds_servers[0].channel_creds: is missing",
            ],
        ),
        (
            r#"{"xds_servers": [{"server_uri": "", "channel_creds": []}]}"#.into(),
            vec![
                "xds_servers[0].server_uri: is empty",
                "xds_servers[0].channel_creds: names no credentials",
            ],
        ),
        (
            r#"{"xds_servers": [{"server_uri": "https://a", "channel_creds":
                [{"type": "google_default"}, {"type": "alts"}]}]}"#
                .into(),
            vec![
                "xds_servers[0].server_uri: the scheme \"https\"",
                "xds_servers[0].channel_creds: none of these is supported: google_default, alts",
            ],
        ),
        (
            r#"{"xds_servers": [{"server_uri": "a:1", "channel_creds": [{}]}]}"#.into(),
            vec!["xds_servers[0].channel_creds[0].type: is missing"],
        ),
        (
            r#"{"xds_servers": [{"server_uri": "a:1", "channel_creds": [{"type": "tls", "config":
                {"certificate_file": "c", "refresh_interval": "1h",
                 "spiffe_trust_bundle_map_file": "f"}}]}]}"#
                .into(),
            vec![
                "xds_servers[0].channel_creds[0].config.private_key_file: is missing",
                "xds_servers[0].channel_creds[0].config.refresh_interval: \"1h\" is not a duration",
                "xds_servers[0].channel_creds[0].config.spiffe_trust_bundle_map_file: is not",
            ],
        ),
        (
            format!(
                r#"{{"xds_servers": [{server}], "node": {{"id": 1, "locality": [],
                "metadata": "x"}}}}"#
            ),
            vec![
                "node.id: is a number, not a text",
                "node.locality: is a list, not an object",
                "node.metadata: is a text, not an object",
            ],
        ),
        (
            format!(
                r#"{{"xds_servers": [{server}], "authorities": {{"a": {{
                "client_listener_resource_name_template": "xdstp://b/%s",
                "xds_servers": [{{}}]}}, "c": 1}}}}"#
            ),
            vec![
                r#"authorities["a"].client_listener_resource_name_template: must begin with xdstp://a/"#,
                r#"authorities["a"].xds_servers[0].server_uri: is missing"#,
                r#"authorities["c"]: is a number"#,
            ],
        ),
        (
            format!(
                r#"{{"xds_servers": [{server}], "certificate_providers": 1,
                "client_default_listener_resource_name_template": 1}}"#
            ),
            vec![
                "certificate_providers: is a number",
                "client_default_listener_resource_name_template: is a number",
            ],
        ),
    ] {
        let error = Bootstrap::from_json(&json).unwrap_err().to_string();
        for says in says {
            assert!(error.contains(says), "{json}\n{error}\nlacks: {says}");
        }
    }
}

#[test]
fn null_counts_as_left_out() {
    let json = r#"{"xds_servers": [{"server_uri": "a:1", "channel_creds": [{"type": "tls",
        "config": null}], "server_features": null}], "node": null, "authorities": null}"#;
    let bootstrap = Bootstrap::from_json(json).unwrap();
    assert_eq!(bootstrap.node, Node::default());
    assert_eq!(bootstrap.servers[0].features, NONE);
}

#[test]
fn targets_are_named_by_template() {
    let bootstrap = Bootstrap::from_json(FULL).unwrap();
    for (target, is) in [
        ("greeter:80", Ok("prefix/greeter:80")),
        ("xds:///greeter:80", Ok("prefix/greeter:80")),
        ("xds:greeter", Ok("prefix/greeter")),
        ("xds:///a b", Ok("prefix/a b")),
        (
            "xds://plain/a b",
            Ok("xdstp://plain/envoy.config.listener.v3.Listener/a%20b"),
        ),
        (
            "xds://own/x/y",
            Ok("xdstp://own/envoy.config.listener.v3.Listener/d/x/y"),
        ),
        (
            "xds://nobody/x",
            Err(TargetError::UnknownAuthority("nobody".into())),
        ),
        ("xds:///", Err(TargetError::Empty)),
        ("xds://own", Err(TargetError::Empty)),
        ("", Err(TargetError::Empty)),
    ] {
        let name = bootstrap.listener_name(&target.into());
        assert_eq!(
            name.map(|name| name.to_string()),
            is.map(str::to_owned),
            "{target}"
        );
    }
}
