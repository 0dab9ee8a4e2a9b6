//! RouteConfigurations that are decoded in parts are what they are as a whole, whatever the bytes.

use prost::Message as _;

use super::*;

/// Decoded at once, which says what a RouteConfiguration is.
fn whole(any: &Any, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    read(None, any, options, |reader, message| {
        crate::resource::route::read(reader, message, &Hosts::Decoded(&message.virtual_hosts))
    })
}

fn agree(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let any = Any {
        type_url: RouteConfiguration::TYPE_URL.to_owned(),
        value: bytes.to_vec().into(),
    };
    let [first, _] = BOTH.map(|dialect| {
        let options = DecodeOptions::new(dialect);
        let decoded = decode(ResourceType::RouteConfig, &any, &options);
        assert_eq!(decoded, whole(&any, &options), "{bytes:?}");
        decoded
    });
    first
}

/// Two hosts with three routes, fields of all kinds around them, and some that have no effect.
fn message() -> RouteConfiguration {
    let odd = pb::RouteAction {
        priority: 1,
        timeout: Some(Span {
            seconds: 3,
            nanos: 5,
        }),
        ..forward("b")
    };
    let mut message = routes(vec![to(forward("a")), to(odd)]);
    message.virtual_hosts.push(pb::VirtualHost {
        name: "other".to_owned(),
        domains: vec!["*.test".to_owned(), "x".to_owned()],
        routes: vec![to(forward("a"))],
        include_request_attempt_count: true,
        ..Default::default()
    });
    message.ignore_port_in_host_matching = true;
    message.internal_only_headers.push("x-internal".to_owned());
    message
}

#[test]
fn parts_make_the_same_as_the_whole() {
    let bytes = message().encode_to_vec();
    let (rest, hosts) = crate::resource::parts::split(&bytes).unwrap();
    assert!(
        rest.virtual_hosts.is_empty() && matches!(hosts, Hosts::Encoded(hosts) if hosts.len() == 2)
    );
    let decoded = agree(&bytes).unwrap();
    assert_eq!(decoded.name, "routes");
    assert!(!decoded.warnings.is_empty());
    // The name behind the hosts, and fields that nobody knows: one of each kind, and a group of old,
    // which parts are not made of.
    let name = RouteConfiguration {
        name: "late".to_owned(),
        ..Default::default()
    };
    let late = [&bytes[..], &name.encode_to_vec()].concat();
    assert_eq!(agree(&late).unwrap().name, "late");
    for unknown in [
        &b"\xf8\x07\x96\x01"[..],
        b"\xf9\x07\x01\x02\x03\x04\x05\x06\x07\x08",
        b"\xfa\x07\x02ab",
        b"\xfd\x07\x01\x02\x03\x04",
        b"\xfb\x07\x08\x01\xfc\x07",
    ] {
        for bytes in [[unknown, &bytes].concat(), [&bytes, unknown].concat()] {
            agree(&bytes).unwrap();
        }
    }
}

#[test]
fn what_is_malformed_is_told_as_of_the_whole() {
    let bytes = message().encode_to_vec();
    for end in 0..bytes.len() {
        // Some ends are those of a field.
        let _ = agree(&bytes[..end]);
    }
    let mut refused = 0;
    for place in 0..bytes.len() {
        for flip in [0x01, 0x08, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[place] ^= flip;
            refused += usize::from(agree(&bytes).is_err());
        }
    }
    assert!(refused > 100, "{refused}");
    let mut broken = message();
    broken.name.clear();
    assert!(agree(&broken.encode_to_vec()).is_err());
}
