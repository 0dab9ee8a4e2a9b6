use http::{HeaderMap, HeaderValue};

use mesh_core::{name::Target, observe::Observer as _};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

use super::{
    TraceObserver,
    context::{Incoming, TraceContext},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

#[test]
fn a_traceparent_is_read_by_the_rules_of_its_version() {
    let valid = [
        (format!("00-{TRACE}-{SPAN}-01"), "01"),
        (format!("00-{TRACE}-{SPAN}-00"), "00"),
        (format!("00-{TRACE}-{SPAN}-03"), "03"),
        // Flags that are not known are not set.
        (format!("00-{TRACE}-{SPAN}-ff"), "03"),
        // Later versions may add something behind another dash.
        (format!("01-{TRACE}-{SPAN}-01"), "01"),
        (
            format!("cc-{TRACE}-{SPAN}-01-what.the.future.will.be"),
            "01",
        ),
    ];
    for (value, flags) in valid {
        let context = TraceContext::parse(value.as_bytes()).unwrap_or_else(|| panic!("{value}"));
        assert_eq!(context.to_string(), format!("00-{TRACE}-{SPAN}-{flags}"));
        assert_eq!((&*context.trace_id(), &*context.span_id()), (TRACE, SPAN));
        assert_eq!(context.is_sampled(), flags != "00");
    }
    let invalid = [
        String::new(),
        "00".to_owned(),
        format!("00-{TRACE}-{SPAN}"),
        format!("00-{TRACE}-{SPAN}-1"),
        format!("00-{TRACE}-{SPAN}-01-more"),
        format!("00-{TRACE}-{SPAN}-01 "),
        format!("cc-{TRACE}-{SPAN}-01.more"),
        format!("ff-{TRACE}-{SPAN}-01"),
        format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{}-01", SPAN.replace('f', "g")),
        format!("00-{}-{SPAN}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00_{TRACE}-{SPAN}-01"),
        format!("+0-{TRACE}-{SPAN}-01"),
        format!("00-{TRACE}-{SPAN}-é"),
    ];
    for value in invalid {
        assert_eq!(TraceContext::parse(value.as_bytes()), None, "{value}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = 0x5eed;
    let mut random = fastrand::Rng::with_seed(seed);
    let valid = format!("00-{TRACE}-{SPAN}-01").into_bytes();
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..random.usize(0..4) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..3) {
                0 => bytes[at] = random.u8(..),
                1 => bytes.insert(at, random.u8(..)),
                _ => drop(bytes.remove(at)),
            }
        }
        let _ = TraceContext::parse(&bytes);
    }
}

#[test]
fn several_traceparents_say_nothing() {
    let mut headers = HeaderMap::new();
    assert_eq!(Incoming::read(&headers), Incoming::None);
    let value = HeaderValue::try_from(format!("00-{TRACE}-{SPAN}-01")).unwrap();
    headers.append("traceparent", value.clone());
    assert!(matches!(Incoming::read(&headers), Incoming::Of(_)));
    headers.append("traceparent", value);
    assert_eq!(Incoming::read(&headers), Incoming::Malformed);
}

#[test]
fn a_child_stays_in_its_trace_and_a_root_begins_another() {
    let parent = TraceContext::parse(format!("00-{TRACE}-{SPAN}-01").as_bytes()).unwrap();
    let child = parent.child();
    assert_eq!((&*child.trace_id(), child.is_sampled()), (TRACE, true));
    assert_ne!(child.span_id(), SPAN);
    let root = TraceContext::root(true);
    assert_ne!(root.trace_id(), TRACE);
    assert!(root.is_sampled() && !TraceContext::root(false).is_sampled());
    let sent = root.header_value().unwrap();
    assert_eq!(TraceContext::parse(sent.as_bytes()), Some(root));
}

/// Collects spans, and forgets them.
struct Dropping;

impl Subscriber for Dropping {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn no_request_is_watched_until_somebody_collects_spans() {
    let target = Target::from("shop");
    let watches = |observer: TraceObserver| {
        let watch = observer.watch_target(&target).unwrap();
        (watch.watches(), watch.traces())
    };
    let always = TraceObserver::new().always_propagate();
    assert_eq!(watches(TraceObserver::new()), (false, false));
    assert_eq!(watches(always), (true, true));
    tracing::subscriber::with_default(Dropping, || {
        assert_eq!(watches(TraceObserver::new()), (true, true));
    });
}
