//! What operators read of trouble with a control plane.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use mesh_core::source::ConfigSource;
use mesh_proto::envoy::config::listener::v3::Listener as Proto;
use tokio::time::Instant;
use tonic::Status;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

use super::plane::{Plane, listener, soon};
use crate::{protocol::Variant, resource::ResourceType::Listener};

/// Keeps lines of level info and above: level, message and fields.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl Subscriber for Log {
    /// Asked each time: other tests, on other threads, keep nothing.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= tracing::Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log {
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_told_once_and_so_is_its_return() {
    let log = Log::default();
    let _installed = tracing::subscriber::set_default(log.clone());
    let mut plane = Plane::new();
    plane.set_up(false);
    let source = plane.source(Variant::Sotw);
    let _watch = source.watch(&"shop".into());
    tokio::time::sleep(Duration::from_secs(50)).await;
    let lines = log.lines();
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    for part in ["WARN", "cannot be reached", "plane.test:1", "unsaid=0"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    plane.set_up(true);
    let returned = tokio::time::timeout(Duration::from_secs(300), plane.sotw.recv());
    let mut stream = returned.await.unwrap().unwrap();
    stream.asked(Listener).await;
    log.lines();
    stream.answer("1", vec![listener("shop", "routes")]).await;
    stream.asked(Listener).await;
    let due = "INFO message=the xDS server can be reached again server=\"plane.test:1\"";
    assert_eq!(log.lines(), [due]);
    // A stream that was of use ends, as streams do.
    stream.fail(Status::unavailable("restarting")).await;
    let _next = soon(plane.sotw.recv()).await;
    assert_eq!(log.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_once_however_often_it_is_sent() {
    let log = Log::default();
    let _installed = tracing::subscriber::set_default(log.clone());
    let mut plane = Plane::new();
    let source = plane.source(Variant::Sotw);
    let _watch = source.watch(&"shop".into());
    let mut stream = soon(plane.sotw.recv()).await.unwrap();
    stream.asked(Listener).await;
    let bad = |n: usize| Proto {
        name: "shop".into(),
        stat_prefix: "x".repeat(n),
        ..Proto::default()
    };
    let start = Instant::now();
    for n in 0..50 {
        stream.answer("1", vec![bad(n)]).await;
        let request = stream.asked(Listener).await;
        assert!(request.error_detail.is_some());
    }
    let (lines, minutes) = (log.lines(), start.elapsed().as_secs() / 60);
    assert!(lines.len() as u64 <= minutes + 1, "{minutes}: {lines:?}");
    assert!(lines.len() < 20, "{lines:?}");
    for part in [
        "WARN",
        "resources are refused",
        "Listener",
        "shop",
        "plane.test:1",
        "unsaid=0",
    ] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
}
