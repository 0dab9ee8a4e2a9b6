//! A resolver that follows a script, and what a watch shows.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use mesh_core::{
    config::{Address, ClusterEntry, ClusterSnapshot, Snapshot},
    source::{ConfigUpdate, ConfigWatch},
};
use mesh_tower::{
    connect::Executor,
    source::{Resolve, Resolving},
};
use tokio::time::Instant;

/// Addresses, or the reason why there are none.
pub(crate) type Answer = Result<Vec<SocketAddr>, &'static str>;

/// Gives its answers in turn; the last one for ever.
#[derive(Clone, Debug)]
pub(crate) struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    answers: VecDeque<Answer>,
    asked: Vec<(String, Instant)>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let (answers, asked) = (answers.into_iter().collect(), Vec::new());
        Self(Arc::new(Mutex::new(State { answers, asked })))
    }

    /// What was asked for, and when.
    pub(crate) fn asked(&self) -> Vec<(String, Instant)> {
        self.0.lock().unwrap().asked.clone()
    }
}

impl Resolve for Script {
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        let mut state = self.0.lock().unwrap();
        state.asked.push((format!("{host} {port}"), Instant::now()));
        let answer = match state.answers.len() {
            1 => state.answers[0].clone(),
            _ => state.answers.pop_front().unwrap(),
        };
        Box::pin(async move { answer.map_err(io::Error::other) })
    }
}

pub(crate) fn all(addresses: &[&str]) -> Vec<SocketAddr> {
    let read = |address: &&str| address.parse().unwrap();
    addresses.iter().map(read).collect()
}

/// The runtime of this test.
pub(crate) fn here() -> Executor {
    Executor::tokio(tokio::runtime::Handle::current())
}

/// Waits for the next update.
pub(crate) async fn next(watch: &mut ConfigWatch) -> ConfigUpdate {
    assert!(watch.changed().await, "the source is gone");
    watch.latest()
}

pub(crate) fn ready(update: ConfigUpdate) -> Arc<Snapshot> {
    match update {
        ConfigUpdate::Ready(snapshot) => snapshot,
        other => panic!("not ready: {other:?}"),
    }
}

pub(crate) fn absent(update: ConfigUpdate) -> Arc<str> {
    match update {
        ConfigUpdate::Absent(reason) => reason,
        other => panic!("not absent: {other:?}"),
    }
}

/// The only cluster.
pub(crate) fn cluster(snapshot: &Snapshot) -> &ClusterSnapshot {
    assert_eq!(snapshot.clusters.len(), 1);
    match snapshot.clusters.values().next().unwrap() {
        ClusterEntry::Ready(cluster) => cluster,
        other => panic!("{other:?}"),
    }
}

/// The addresses of the only cluster.
pub(crate) fn addresses(snapshot: &Snapshot) -> Vec<Address> {
    let localities = &cluster(snapshot).endpoints.localities;
    let endpoints = localities.iter().flat_map(|place| &place.endpoints);
    endpoints.map(|endpoint| endpoint.address.clone()).collect()
}

pub(crate) fn sockets(list: &[&str]) -> Vec<Address> {
    all(list).into_iter().map(Address::Socket).collect()
}
