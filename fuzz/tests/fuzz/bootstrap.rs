//! The bootstrap: no text makes reading it panic, and what is wrong names its field on one line.

use mesh_core::{config::ConfigErrors, name::Target};
use mesh_xds_client::{Bootstrap, BootstrapError};
use serde_json::{Map, Value, json};

use crate::{draw::Draw, engine::run};

/// Keys that mean something somewhere.
const KEYS: &[&str] = &[
    "xds_servers",
    "server_uri",
    "channel_creds",
    "type",
    "config",
    "server_features",
    "node",
    "id",
    "cluster",
    "locality",
    "region",
    "zone",
    "sub_zone",
    "metadata",
    "authorities",
    "a",
    "",
    "client_listener_resource_name_template",
    "client_default_listener_resource_name_template",
    "server_listener_resource_name_template",
    "certificate_providers",
    "plugin_name",
    "ca_certificate_file",
    "certificate_file",
    "private_key_file",
    "refresh_interval",
    "\n",
];

const WORDS: &[&str] = &[
    "insecure",
    "tls",
    "google_default",
    "delta_xds",
    "xds_v3",
    "ignore_resource_deletion",
    "fail_on_data_errors",
    "trusted_xds_server",
    "unix:///x",
    "dns:///a:1",
    "ipv4:1.2.3.4:5",
    "ipv6:[::1]:80",
    "[::1",
    "[]:80",
    "a:+1",
    "a:0",
    "xdstp://a/t/%s",
    "xdstp://a/%s?b=c",
    "%s%s",
    "600s",
    "0.5s",
    "-1s",
    "9999999999999s",
    "1.s",
    "file_watcher",
];

#[test]
fn bytes() {
    run("bootstrap::bytes", 20_000, |input| {
        if let Ok(text) = str::from_utf8(input) {
            check(text);
        }
    });
}

#[test]
fn json() {
    run("bootstrap::json", 10_000, |input| {
        let mut draw = Draw::new(input);
        let mut value = full();
        for _ in 0..=draw.below(6) {
            change(&mut draw, &mut value);
        }
        let mut text = value.to_string();
        if draw.one_in(8) {
            let mut cut = draw.below(text.len() + 1);
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            text.truncate(cut);
        }
        check(&text);
    });
}

fn check(text: &str) {
    let read = Bootstrap::from_json(text);
    if let (Ok(one), Ok(other)) = (&read, &Bootstrap::from_json(text)) {
        assert_eq!(one, other);
    }
    match read {
        Ok(bootstrap) => {
            assert!(!bootstrap.servers().is_empty());
            for target in ["a", "xds:///a b", "xds://a/b", "xds:a", "", "xds://a"] {
                if let Ok(name) = bootstrap.listener_name(&Target::from(target)) {
                    assert!(!name.as_str().contains("%s"), "{name}");
                }
            }
        }
        Err(error) => {
            let text = error.to_string();
            assert!(
                !text.contains(char::is_control),
                "more than a line: {text:?}"
            );
            if let BootstrapError::Invalid(errors) = error {
                assert!((1..=ConfigErrors::MAX).contains(&errors.iter().len()));
                for error in errors.iter() {
                    assert!(error.to_string().len() <= 2_000, "{error}");
                    assert!(
                        is_of_root(&error.reason) || error.path.to_string() != "",
                        "{error}"
                    );
                }
            }
        }
    }
}

/// Whether the whole is not even an object.
fn is_of_root(reason: &str) -> bool {
    reason.ends_with("not an object")
}

/// A bootstrap with everything that there is.
fn full() -> Value {
    json!({
        "xds_servers": [{
            "server_uri": "unix:///etc/istio/proxy/XDS",
            "channel_creds": [{"type": "google_default"}, {"type": "insecure"}],
            "server_features": ["xds_v3", "delta_xds"],
        }, {
            "server_uri": "second.test:18000",
            "channel_creds": [{"type": "tls", "config": {
                "ca_certificate_file": "/ca.pem", "certificate_file": "/cert.pem",
                "private_key_file": "/key.pem", "refresh_interval": "900s"}}],
        }],
        "node": {
            "id": "a", "cluster": "b", "locality": {"region": "r", "zone": "z", "sub_zone": "s"},
            "metadata": {"GENERATOR": "grpc", "N": 1.5, "B": true, "L": [null, {"x": "y"}]},
        },
        "certificate_providers": {"default": {"plugin_name": "file_watcher", "config": {"a": 1}}},
        "server_listener_resource_name_template": "lds/inbound/%s",
        "client_default_listener_resource_name_template": "prefix/%s",
        "authorities": {"a": {
            "client_listener_resource_name_template": "xdstp://a/envoy.config.listener.v3.Listener/%s",
            "xds_servers": [{"server_uri": "third.test", "channel_creds": [{"type": "tls"}]}],
        }},
    })
}

/// Goes down to somewhere, and changes what is there.
fn change(draw: &mut Draw<'_>, value: &mut Value) {
    match value {
        Value::Object(map) if !map.is_empty() && !draw.one_in(4) => {
            let at = draw.below(map.len());
            let key = map.keys().nth(at).unwrap().clone();
            change(draw, &mut map[&key]);
        }
        Value::Array(list) if !list.is_empty() && !draw.one_in(4) => {
            let at = draw.below(list.len());
            change(draw, &mut list[at]);
        }
        Value::Object(map) => match draw.below(3) {
            0 => drop(map.insert((*draw.pick(KEYS)).to_owned(), any(draw, 3))),
            1 if !map.is_empty() => {
                let key = map.keys().nth(draw.below(map.len())).unwrap().clone();
                map.remove(&key);
            }
            _ => drop(map.insert(draw.word(), any(draw, 3))),
        },
        Value::Array(list) if draw.bool() => list.push(any(draw, 3)),
        value => *value = any(draw, 3),
    }
}

fn any(draw: &mut Draw<'_>, depth: usize) -> Value {
    match draw.below(if depth > 0 { 9 } else { 6 }) {
        0 => Value::Null,
        1 => Value::Bool(draw.bool()),
        2 => json!(draw.number()),
        3 => json!(draw.float()),
        4 => json!(draw.text()),
        5 | 6 => json!(draw.pick(WORDS)),
        7 => {
            let len = draw.below(4);
            (0..len).map(|_| any(draw, depth - 1)).collect()
        }
        _ => {
            let len = draw.below(4);
            let entries = (0..len).map(|_| ((*draw.pick(KEYS)).to_owned(), any(draw, depth - 1)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
