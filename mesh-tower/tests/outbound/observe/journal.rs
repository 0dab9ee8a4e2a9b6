//! An observer that writes down what it is told.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use mesh_core::{
    config::Snapshot,
    name::Target,
    observe::{AttemptSummary, Call, End, Observer, RequestObserver, RequestSummary, Watch},
    runtime::ClusterState,
    source::FixedSource,
};
use mesh_testkit::echo::EchoServer;
use mesh_tower::{HttpClient, Mesh};

use crate::support::{Dial, InMemory, routed};

/// What was told, a line for each request and each attempt that ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    requests: Mutex<Vec<String>>,
    attempts: Mutex<Vec<String>>,
    started: AtomicUsize,
    watches: Mutex<Vec<String>>,
    closed: AtomicBool,
    asked: AtomicUsize,
}

#[derive(Debug)]
struct Entry {
    of: String,
    told: Arc<Told>,
}

impl Journal {
    /// `"shop/only answered 200, attempts 1+0+0, route only"`: what was watched, how the request
    /// ended, status and code, the attempts by policy and those that never left.
    pub(super) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.0.requests.lock().unwrap())
    }

    /// `"shop/only 1 answered 200 at 127.0.0.1:80"`.
    pub(super) fn attempts(&self) -> Vec<String> {
        let ended = std::mem::take(&mut *self.0.attempts.lock().unwrap());
        let started = self.0.started.swap(0, Ordering::SeqCst);
        assert_eq!(
            started,
            ended.len(),
            "attempts started, and ended: {ended:?}"
        );
        ended
    }

    /// The one request that has ended.
    #[track_caller]
    pub(super) fn request(&self) -> String {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// The pairs that were asked for.
    pub(super) fn watches(&self) -> Vec<String> {
        std::mem::take(&mut self.0.watches.lock().unwrap())
    }

    /// Nothing is to be told any more, or again.
    pub(super) fn close(&self, closed: bool) {
        self.0.closed.store(closed, Ordering::SeqCst);
    }

    /// How often it was asked whether anything is to be told.
    pub(super) fn asked(&self) -> usize {
        self.0.asked.swap(0, Ordering::SeqCst)
    }

    /// That nothing was told.
    #[track_caller]
    pub(super) fn is_silent(&self) {
        assert_eq!(self.requests(), [""; 0]);
        assert_eq!(*self.0.attempts.lock().unwrap(), [""; 0]);
    }

    fn entry(&self, of: String) -> Watch {
        self.0.watches.lock().unwrap().push(of.clone());
        let told = Arc::clone(&self.0);
        Some(Arc::new(Entry { of, told }))
    }
}

impl Observer for Journal {
    fn watch_target(&self, target: &Target) -> Watch {
        self.entry(target.to_string())
    }

    fn watch(&self, target: &Target, cluster: &Arc<ClusterState>) -> Watch {
        self.entry(format!("{target}/{}", cluster.name()))
    }
}

fn ended(end: &End<'_>) -> String {
    match end {
        End::Failed(error) => format!("{:?}", error.kind()),
        end => end.as_str().to_owned(),
    }
}

impl RequestObserver for Entry {
    fn watches(&self) -> bool {
        self.told.asked.fetch_add(1, Ordering::SeqCst);
        !self.told.closed.load(Ordering::SeqCst)
    }

    fn attempt_started(&self, _: Call) {
        self.told.started.fetch_add(1, Ordering::SeqCst);
    }

    fn attempt_ended(&self, attempt: &AttemptSummary<'_>) {
        let mut line = format!("{} {} {}", self.of, attempt.number, ended(&attempt.end));
        line += &attempt
            .status
            .map_or(String::new(), |status| format!(" {}", status.as_u16()));
        line += &attempt
            .code
            .map_or(String::new(), |code| format!(" {code}"));
        if let Some(endpoint) = attempt.endpoint {
            line += &format!(" at {}", endpoint.key());
        }
        self.told.attempts.lock().unwrap().push(line);
    }

    fn ended(&self, request: &RequestSummary<'_>) {
        let mut line = format!("{} {}", self.of, ended(&request.end));
        line += &request
            .status
            .map_or(String::new(), |status| format!(" {}", status.as_u16()));
        line += &request
            .code
            .map_or(String::new(), |code| format!(" {code}"));
        if request.attempts > 0 {
            let (retries, transparent) = (request.retries, request.transparent_retries);
            let first = request.attempts - retries - transparent;
            line += &format!(", attempts {first}+{retries}+{transparent}");
        }
        line += &request
            .route
            .map_or(String::new(), |route| format!(", route {route}"));
        self.told.requests.lock().unwrap().push(line);
    }
}

/// A mesh that writes a journal, whose target `shop` has this configuration, on connections in
/// memory.
pub(super) fn observed(
    net: &Arc<InMemory>,
    snapshot: Option<Snapshot>,
) -> (Journal, HttpClient, FixedSource) {
    let (journal, source) = (Journal::default(), FixedSource::new());
    if let Some(snapshot) = snapshot {
        source.set("shop", snapshot);
    }
    let mesh = Mesh::builder()
        .source(source.clone())
        .connect(Dial(Arc::clone(net)))
        .observer(journal.clone());
    (journal, mesh.spawn().unwrap().http_client("shop"), source)
}

/// One server in memory behind a route with this policy.
pub(super) fn alone(
    protocol: mesh_core::config::Protocol,
    edit: impl FnOnce(&mut mesh_core::config::Forward),
) -> (Arc<EchoServer>, Journal, HttpClient) {
    let server = Arc::new(crate::support::server(protocol, "only"));
    let cluster = crate::support::cluster("only", protocol, &[server.socket()]);
    let net = InMemory::of([&server]);
    let (journal, client, _source) = observed(&net, Some(routed(cluster, edit)));
    (server, journal, client)
}
