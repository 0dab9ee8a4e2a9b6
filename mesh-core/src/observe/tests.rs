use std::sync::{Mutex, PoisonError};

use super::*;
use crate::runtime::Registry;

#[test]
fn a_method_is_the_same_wherever_it_is_named_and_others_are_others() {
    let greeter: &'static str = String::from("test.Greeter").leak();
    let again: &'static str = String::from("test.Greeter").leak();
    let hello = GrpcMethod::of(greeter, "SayHello").unwrap();
    assert_eq!(GrpcMethod::of(again, "SayHello"), Some(hello));
    assert_eq!(GrpcMethod::of(greeter, "SayHello"), Some(hello));
    assert_eq!(hello.to_string(), "test.Greeter/SayHello");
    // Begins at the same place.
    let shorter = GrpcMethod::of(greeter, &"SayHello"[..3]).unwrap();
    assert_eq!(shorter.to_string(), "test.Greeter/Say");
    let both: &'static str = String::from("SayHello").leak();
    let long = GrpcMethod::of(greeter, both).unwrap();
    let short = GrpcMethod::of(greeter, &both[..3]).unwrap();
    assert_eq!((long, short), (hello, shorter));
    assert_eq!(GrpcMethod::of(greeter, both), Some(hello));
    assert_eq!(
        (&*hello.service(), &*short.method()),
        ("test.Greeter", "Say")
    );
}

#[test]
fn methods_of_http_that_no_standard_names_are_one() {
    for &method in HttpMethod::ALL {
        let name = http::Method::from_bytes(method.as_str().as_bytes()).unwrap();
        assert_eq!(HttpMethod::from(&name), method);
    }
    let odd = http::Method::from_bytes(b"get").unwrap();
    assert_eq!(HttpMethod::from(&odd), HttpMethod::Other);
}

#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn note(&self, text: impl Into<String>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(text.into());
    }
}

/// Watches one cluster only, and traces if asked to.
#[derive(Debug)]
struct Scribe {
    notes: Notes,
    name: &'static str,
    cluster: &'static str,
    traces: bool,
}

#[derive(Debug)]
struct Pen(Notes, &'static str, bool);

impl Observer for Scribe {
    fn watch(&self, _: &Target, cluster: &Arc<ClusterState>) -> Watch {
        let pen = Pen(self.notes.clone(), self.name, self.traces);
        (cluster.name().as_str() == self.cluster).then(|| Arc::new(pen) as Arc<_>)
    }
}

impl RequestObserver for Pen {
    fn watches(&self) -> bool {
        self.2
    }

    fn traces(&self) -> bool {
        self.2
    }

    fn begin(&self, head: &RequestHead<'_>) -> Option<Box<dyn Trace>> {
        let pen = Self(self.0.clone(), self.1, true);
        pen.0.note(format!("{} begin {}", pen.1, head.path()));
        Some(Box::new(pen))
    }

    fn ended(&self, request: &RequestSummary<'_>) {
        self.0.note(format!("{} {}", self.1, request.end.as_str()));
    }
}

impl Trace for Pen {
    fn attempt_started(&mut self, number: u32, headers: &mut HeaderMap) {
        headers.insert(self.1, number.into());
    }

    fn routed(&mut self, route: &str, cluster: &ClusterName) {
        self.0.note(format!("{} {route} {cluster}", self.1));
    }
}

#[test]
fn several_observers_are_told_in_order_and_only_of_what_they_watch() {
    let notes = Notes::default();
    let mut all = Several::default();
    for (name, cluster, traces) in [
        ("one", "shop", true),
        ("two", "elsewhere", true),
        ("three", "shop", false),
        ("four", "shop", true),
    ] {
        let notes = notes.clone();
        all.push(Arc::new(Scribe {
            notes,
            name,
            cluster,
            traces,
        }));
    }
    let registry = Registry::default();
    let (target, shop) = (Target::from("shop"), registry.cluster(&"shop".into()));
    let nobodys = registry.cluster(&"nobodys".into());
    assert!(all.watch(&target, &nobodys).is_none());
    assert!(all.watch_target(&target).is_none());

    let watch = all.watch(&target, &shop).unwrap();
    let request = http::Request::get("http://shop.test/orders")
        .body(())
        .unwrap();
    let mut trace = watch.begin(&RequestHead::of(&request)).unwrap();
    trace.routed("all", shop.name());
    let mut headers = HeaderMap::new();
    trace.attempt_started(2, &mut headers);
    assert_eq!(
        (&headers["one"], &headers["four"]),
        (&headers["four"], &2.into())
    );
    assert!(!headers.contains_key("three"));
    let call = Call::Http(HttpMethod::Get);
    watch.ended(&RequestSummary::new(call, End::Cancelled));
    let told = notes.0.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "one begin /orders",
            "four begin /orders",
            "one all shop",
            "four all shop",
            "one cancelled",
            "three cancelled",
            "four cancelled",
        ]
    );
}

#[test]
fn several_watch_if_one_of_them_does() {
    let registry = Registry::default();
    let shop = registry.cluster(&"shop".into());
    for (watching, expected) in [
        ([false, false], false),
        ([false, true], true),
        ([true, true], true),
    ] {
        let mut all = Several::default();
        for traces in watching {
            all.push(Arc::new(Scribe {
                notes: Notes::default(),
                name: "one",
                cluster: "shop",
                traces,
            }));
        }
        let watch = all.watch(&"shop".into(), &shop).unwrap();
        assert_eq!(watch.watches(), expected, "{watching:?}");
    }
}
