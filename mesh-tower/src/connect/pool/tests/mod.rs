//! Pools over a scripted connector, with time held.

mod connecting;
mod http1;
mod http2;
mod script;
mod streams;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use mesh_core::{
    config::{
        Address, ClusterConfig, Dialect, Discovery, EndpointConfig, EndpointsConfig, Http1Config,
        Http2Config, Limits, Protocol,
    },
    runtime::{ClusterState, Connectivity, EndpointState, Registry},
};
use mesh_testkit::echo::{EchoReport, EchoServer};

use self::script::{Answer, Script};
use super::{Pool, Pools, SendError};
use crate::{
    body::{RequestBody, ResponseBody},
    connect::Executor,
};

const HTTP1: Protocol = Protocol::Http1(Http1Config::new());

fn http2() -> Protocol {
    Protocol::Http2(Http2Config::default())
}

fn both() -> [Protocol; 2] {
    [HTTP1, http2()]
}

/// A pool to one endpoint, and all that it reports to.
struct Fixture {
    script: Script,
    pool: Arc<Pool>,
    endpoint: Arc<EndpointState>,
    cluster: Arc<ClusterState>,
    limits: Limits,
    tasks: Arc<AtomicUsize>,
}

impl Fixture {
    fn new(protocol: Protocol, answer: Answer) -> Self {
        Self::with(protocol, answer, |_| {})
    }

    fn with(protocol: Protocol, answer: Answer, edit: impl FnOnce(&mut ClusterConfig)) -> Self {
        let tasks = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Handle::current();
        let counted = Arc::clone(&tasks);
        let executor = Executor::new(move |task| {
            let task = Counted::new(&counted, task);
            runtime.spawn(task.run());
        });
        Self::on(executor, tasks, protocol, answer, edit)
    }

    fn on(
        executor: Executor,
        tasks: Arc<AtomicUsize>,
        protocol: Protocol,
        answer: Answer,
        edit: impl FnOnce(&mut ClusterConfig),
    ) -> Self {
        let address = Address::Socket(([192, 0, 2, 1], 80).into());
        let endpoints = Arc::new(EndpointsConfig::of([address.clone()]));
        let mut config = ClusterConfig::new("shop", Discovery::Static(endpoints), Dialect::Envoy);
        config.protocol = protocol;
        edit(&mut config);
        let registry = Registry::default();
        let cluster = registry.cluster(&config.name);
        let endpoint = registry.endpoint(&cluster, &EndpointConfig::new(address));
        let script = Script::new(answer);
        let pools = Pools::new(Arc::new(script.clone()), executor);
        Self {
            pool: Arc::new(pools.pool(&config, &endpoint, &cluster)),
            limits: config.limits,
            script,
            endpoint,
            cluster,
            tasks,
        }
    }

    fn start_connecting(&self) {
        match &*self.pool {
            Pool::Http1(pool) => pool.start_connecting(),
            Pool::Http2(pool) => pool.start_connecting(),
            Pool::Refused(..) => {}
        }
    }

    /// Sends a request that carries a body.
    fn send(
        &self,
    ) -> impl Future<Output = Result<Response<ResponseBody>, SendError>> + Send + 'static {
        let (pool, limits) = (Arc::clone(&self.pool), self.limits);
        async move { pool.send(&mut post(), &limits).await }
    }

    /// Sends a request and reads its answer.
    async fn get(&self) -> EchoReport {
        read(soon(self.send()).await.unwrap()).await
    }

    /// Starts this many requests at once; each reads its answer.
    fn start(&self, count: usize) -> Sending {
        let sending = (0..count).map(|_| {
            let sending = self.send();
            tokio::spawn(async { Ok(read(sending.await?).await) })
        });
        sending.collect()
    }

    fn is(&self, connectivity: Connectivity) -> bool {
        self.endpoint.connectivity() == connectivity
    }

    fn tasks(&self) -> usize {
        self.tasks.load(Ordering::SeqCst)
    }
}

type Sending = Vec<tokio::task::JoinHandle<Result<EchoReport, SendError>>>;

struct Counted {
    count: Arc<AtomicUsize>,
    task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Counted {
    fn new(
        count: &Arc<AtomicUsize>,
        task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        let count = Arc::clone(count);
        Self { count, task }
    }

    async fn run(mut self) {
        self.task.as_mut().await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::SeqCst);
    }
}

fn post() -> Request<RequestBody> {
    Request::post("http://shop.test:8080/orders/7?sort=up")
        .header("x-first", "1")
        .body(RequestBody::full(Bytes::from_static(b"two apples")))
        .unwrap()
}

fn server(protocol: Protocol) -> Arc<EchoServer> {
    let server = match protocol {
        Protocol::Http1(_) => EchoServer::http1(),
        Protocol::Http2(_) => EchoServer::http2(),
    };
    Arc::new(server.start())
}

async fn read(response: Response<ResponseBody>) -> EchoReport {
    let body = soon(response.into_body().collect()).await.unwrap();
    let report = EchoReport::parse(&body.to_bytes());
    assert_eq!(report.path, "/orders/7?sort=up");
    assert_eq!(report.authority, "shop.test:8080");
    assert_eq!(report.body.as_deref(), Some("two apples"));
    report
}

/// Fails the test instead of hanging; nothing depends on how long it is.
async fn soon<F: Future>(future: F) -> F::Output {
    let hour = std::time::Duration::from_secs(3600);
    tokio::time::timeout(hour, future)
        .await
        .expect("the test hangs")
}

/// Lets all tasks run until `holds`. Time stands still meanwhile.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never: {what}");
}

/// Lets all tasks run as far as they get while time stands still.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
