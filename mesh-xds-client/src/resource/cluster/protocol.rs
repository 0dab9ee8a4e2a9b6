//! What a cluster's connections speak. gRPC speaks HTTP/2 in its own way and reads none of this.

use std::time::Duration;

use mesh_core::config::{ClusterConfig, Http1Config, Http2Config, Protocol};
use mesh_proto::envoy::{
    config::{
        cluster::v3::{Cluster, cluster::ClusterProtocolSelection},
        core::v3::{
            Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions as CommonOptions,
            KeepaliveSettings,
        },
    },
    extensions::filters::network::http_connection_manager::v3::{
        HttpFilter, http_filter::ConfigType,
    },
    extensions::upstreams::http::v3::{
        HttpProtocolOptions,
        http_protocol_options::{
            ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig,
        },
    },
};

use crate::resource::{
    at::At,
    reader::{NO_EFFECT, Reader},
};

/// The key of the HTTP options in `typed_extension_protocol_options`.
const KEY: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
/// The type of the only upstream filter that does nothing of its own.
const CODEC_FILTER: &str = "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec";

impl Reader<'_> {
    pub(super) fn http_protocol(
        &mut self,
        at: &At<'_>,
        cluster: &Cluster,
        config: &mut ClusterConfig,
    ) {
        let map = at.field("typed_extension_protocol_options");
        for key in cluster.typed_extension_protocol_options.keys() {
            if key != KEY {
                self.warn(&map.key(key), "is not known here");
            }
        }
        let at = map.key(KEY);
        match cluster.typed_extension_protocol_options.get(KEY) {
            Some(any) => {
                let Some(options) = self.unpack::<HttpProtocolOptions>(&at, any) else {
                    return;
                };
                if !self.is_grpc() {
                    self.protocol_options(&at, &options, config);
                }
            }
            None if !self.is_grpc() => self.legacy_options(cluster, config),
            None => {}
        }
    }

    fn protocol_options(
        &mut self,
        at: &At<'_>,
        options: &HttpProtocolOptions,
        config: &mut ClusterConfig,
    ) {
        if let Some(common) = &options.common_http_protocol_options {
            self.connection_options(&at.field("common_http_protocol_options"), common, config);
        }
        match &options.upstream_protocol_options {
            Some(UpstreamProtocolOptions::ExplicitHttpConfig(explicit)) => {
                self.explicit_http(&at.field("explicit_http_config"), explicit, config);
            }
            Some(UpstreamProtocolOptions::UseDownstreamProtocolConfig(_)) => {
                let place = at.field("use_downstream_protocol_config");
                self.error(&place, "is not supported yet");
            }
            Some(UpstreamProtocolOptions::AutoConfig(_)) => {
                self.error(&at.field("auto_config"), "is not supported yet");
            }
            None => self.error(at, "has no upstream_protocol_options"),
        }
        self.upstream_filters(&at.field("http_filters"), &options.http_filters);
        if !options.request_mirror_policies.is_empty() {
            self.error(&at.field("request_mirror_policies"), "is not supported yet");
        }
        let unused = [
            (
                "upstream_http_protocol_options",
                options.upstream_http_protocol_options.is_some(),
            ),
            ("outlier_detection", options.outlier_detection.is_some()),
            ("hash_policy", !options.hash_policy.is_empty()),
            ("retry_policy", options.retry_policy.is_some()),
        ];
        self.no_effect(at, &unused);
    }

    /// Filters that run behind the balancer could change what a request says.
    fn upstream_filters(&mut self, at: &At<'_>, filters: &[HttpFilter]) {
        for (i, filter) in filters.iter().enumerate() {
            let codec = match &filter.config_type {
                Some(ConfigType::TypedConfig(any)) => any.full_name() == CODEC_FILTER,
                Some(ConfigType::ConfigDiscovery(_)) | None => false,
            };
            if !codec && !filter.is_optional {
                self.error(&at.index(i), "filters of a cluster are not supported yet");
            }
        }
    }

    fn explicit_http(
        &mut self,
        at: &At<'_>,
        explicit: &ExplicitHttpConfig,
        config: &mut ClusterConfig,
    ) {
        config.protocol = match &explicit.protocol_config {
            Some(ProtocolConfig::HttpProtocolOptions(options)) => {
                self.http1(&at.field("http_protocol_options"), options);
                Protocol::Http1(Http1Config::default())
            }
            Some(ProtocolConfig::Http2ProtocolOptions(options)) => {
                Protocol::Http2(self.http2(&at.field("http2_protocol_options"), options))
            }
            Some(ProtocolConfig::Http3ProtocolOptions(_)) => {
                return self.error(&at.field("http3_protocol_options"), "is not supported");
            }
            None => return self.error(at, "has no protocol_config"),
        };
    }

    /// The fields of the Cluster that came before `typed_extension_protocol_options`.
    fn legacy_options(&mut self, cluster: &Cluster, config: &mut ClusterConfig) {
        let at = At::ROOT;
        if let Some(common) = &cluster.common_http_protocol_options {
            self.connection_options(&at.field("common_http_protocol_options"), common, config);
        }
        if let Some(max) = cluster.max_requests_per_connection {
            config.max_requests_per_connection = (max > 0).then_some(max);
        }
        let use_downstream = ClusterProtocolSelection::UseDownstreamProtocol as i32;
        if cluster.protocol_selection == use_downstream {
            let reason = "USE_DOWNSTREAM_PROTOCOL is not supported yet";
            self.error(&at.field("protocol_selection"), reason);
        }
        if let Some(options) = &cluster.http2_protocol_options {
            let http2 = self.http2(&at.field("http2_protocol_options"), options);
            config.protocol = Protocol::Http2(http2);
        } else if let Some(options) = &cluster.http_protocol_options {
            self.http1(&at.field("http_protocol_options"), options);
        }
    }

    /// Limits of a connection. Zero means none.
    fn connection_options(
        &mut self,
        at: &At<'_>,
        options: &CommonOptions,
        config: &mut ClusterConfig,
    ) {
        if let Some(idle) = &options.idle_timeout {
            let idle = self.duration(&at.field("idle_timeout"), idle);
            config.idle_timeout = idle.filter(|idle| !idle.is_zero());
        }
        if let Some(max) = options.max_requests_per_connection {
            config.max_requests_per_connection = (max > 0).then_some(max);
        }
        let unused = [
            (
                "max_connection_duration",
                options.max_connection_duration.is_some(),
            ),
            ("max_stream_duration", options.max_stream_duration.is_some()),
            ("max_headers_count", options.max_headers_count.is_some()),
            (
                "max_response_headers_kb",
                options.max_response_headers_kb.is_some(),
            ),
            (
                "headers_with_underscores_action",
                options.headers_with_underscores_action != 0,
            ),
        ];
        self.no_effect(at, &unused);
    }

    fn http1(&mut self, at: &At<'_>, options: &Http1ProtocolOptions) {
        let unused = [
            ("header_key_format", options.header_key_format.is_some()),
            ("send_fully_qualified_url", options.send_fully_qualified_url),
            ("enable_trailers", options.enable_trailers),
            ("allow_chunked_length", options.allow_chunked_length),
        ];
        self.no_effect(at, &unused);
    }

    /// Bounds as Envoy checks them.
    fn http2(&mut self, at: &At<'_>, options: &Http2ProtocolOptions) -> Http2Config {
        const LARGEST: u32 = i32::MAX as u32;
        const SMALLEST_WINDOW: u32 = 65_535;
        let mut config = Http2Config::default();
        let fields = [
            (
                "max_concurrent_streams",
                1,
                options.max_concurrent_streams,
                &mut config.max_concurrent_streams,
            ),
            (
                "initial_stream_window_size",
                SMALLEST_WINDOW,
                options.initial_stream_window_size,
                &mut config.initial_stream_window,
            ),
            (
                "initial_connection_window_size",
                SMALLEST_WINDOW,
                options.initial_connection_window_size,
                &mut config.initial_connection_window,
            ),
        ];
        for (field, least, value, into) in fields {
            match value {
                None => {}
                Some(value) if (least..=LARGEST).contains(&value) => *into = value,
                Some(value) => {
                    let reason = format!("{value} is not within {least} to {LARGEST}");
                    self.error(&at.field(field), reason);
                }
            }
        }
        if let Some(keepalive) = &options.connection_keepalive {
            self.keepalive(&at.field("connection_keepalive"), keepalive, &mut config);
        }
        let unused = [
            ("hpack_table_size", options.hpack_table_size.is_some()),
            ("allow_metadata", options.allow_metadata),
            (
                "custom_settings_parameters",
                !options.custom_settings_parameters.is_empty(),
            ),
        ];
        self.no_effect(at, &unused);
        config
    }

    fn keepalive(&mut self, at: &At<'_>, keepalive: &KeepaliveSettings, config: &mut Http2Config) {
        const LEAST: Duration = Duration::from_millis(1);
        let place = at.field("interval");
        let interval = self.optional_duration(&place, keepalive.interval.as_ref());
        if interval.is_some_and(|interval| interval < LEAST) {
            self.error(&place, "must be at least 1 ms");
        }
        config.keepalive_interval = interval;
        let place = at.field("timeout");
        match &keepalive.timeout {
            Some(timeout) => {
                let timeout = self.duration(&place, timeout);
                if timeout.is_some_and(|timeout| timeout < LEAST) {
                    self.error(&place, "must be at least 1 ms");
                }
                config.keepalive_timeout = timeout.unwrap_or(config.keepalive_timeout);
            }
            None => self.error(&place, "is missing"),
        }
        if keepalive.connection_idle_interval.is_some() {
            let place = at.field("connection_idle_interval");
            self.warn(&place, NO_EFFECT);
        }
    }
}
