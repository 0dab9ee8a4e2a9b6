//! A case: servers, clusters, routes and what is asked.

use std::{net::SocketAddr, time::Duration};

use mesh_proto::envoy::config::cluster::v3::cluster::LbPolicy;
use mesh_testkit::{
    RefusingAddress, black_hole,
    control::{Resource, Resources},
    dead::BlackHole,
    echo::{EchoBuilder, EchoServer},
    refusing_address,
    xds::{
        self, ClusterBuilder, EndpointsBuilder, ListenerBuilder, RouteBuilder, RouteConfigBuilder,
        split, to,
    },
};

use crate::{Ask, ask::get, choosing::Choosing as _, log, raw_server::RawServer};

/// What is configured under one listener, and what is asked of it.
#[derive(Debug)]
pub struct Case {
    name: String,
    servers: Vec<(&'static str, EchoServer)>,
    refusing: Vec<RefusingAddress>,
    silent: Vec<BlackHole>,
    raw: Vec<RawServer>,
    resources: Vec<Resource>,
    routes: RouteConfigBuilder,
    listener: ListenerBuilder,
    asks: Vec<Ask>,
}

impl Case {
    /// One with this name, which its listener has too.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            servers: Vec::new(),
            refusing: Vec::new(),
            silent: Vec::new(),
            raw: Vec::new(),
            resources: Vec::new(),
            routes: xds::route_config(name),
            listener: xds::listener(name, name).edit(|manager| {
                manager.access_log = vec![log::access_log()];
            }),
            asks: Vec::new(),
        }
    }

    /// Starts a server of HTTP/1.1, and gives its address.
    pub fn server(&mut self, name: &'static str) -> SocketAddr {
        self.start(name, EchoServer::http1())
    }

    /// Starts a server of HTTP/2, and gives its address.
    pub fn server2(&mut self, name: &'static str) -> SocketAddr {
        self.start(name, EchoServer::http2())
    }

    fn start(&mut self, name: &'static str, server: EchoBuilder) -> SocketAddr {
        let server = server.server_id(name).start();
        let at = server.socket();
        self.servers.push((name, server));
        at
    }

    /// An address at which nothing listens.
    pub fn nowhere(&mut self) -> SocketAddr {
        let refusing = refusing_address();
        let at = refusing.socket();
        self.refusing.push(refusing);
        at
    }

    /// An address at which nobody answers.
    pub fn silent(&mut self) -> SocketAddr {
        let silent = black_hole();
        let at = silent.socket();
        self.silent.push(silent);
        at
    }

    /// A server that answers each request with these bytes, and closes the connection.
    pub fn saying(&mut self, bytes: &str) -> SocketAddr {
        let server = RawServer::start(bytes);
        let at = server.at();
        self.raw.push(server);
        at
    }

    /// Adds a cluster of one new server of HTTP/1.1, and gives its full name.
    pub fn backend(&mut self, name: &'static str) -> String {
        let at = self.server(name);
        self.cluster(name, &[at])
    }

    /// Adds a cluster of one new server of HTTP/2, and gives its full name.
    pub fn backend2(&mut self, name: &'static str) -> String {
        let at = self.server2(name);
        self.cluster2(name, &[at])
    }

    /// One server, `a`, for all requests, by a route as it is told.
    pub fn one(&mut self, edit: impl FnOnce(RouteBuilder) -> RouteBuilder) {
        let a = self.backend("a");
        self.routes([edit(to(&a))]);
    }

    /// The same with a server of HTTP/2.
    pub fn one2(&mut self, edit: impl FnOnce(RouteBuilder) -> RouteBuilder) {
        let a = self.backend2("a");
        self.routes([edit(to(&a))]);
    }

    /// Sends what a route takes to the server `hit`, and all else to `miss`.
    pub fn hit_or_miss(&mut self, edit: impl FnOnce(RouteBuilder) -> RouteBuilder) {
        let (hit, miss) = (self.backend("hit"), self.backend("miss"));
        self.routes([edit(to(&hit)), to(&miss)]);
    }

    /// Virtual hosts of these domains, each with a server of its own.
    pub fn hosts(&mut self, hosts: &[(&'static str, &[&str])]) {
        for (server, domains) in hosts {
            let cluster = self.backend(server);
            self.host(domains, [to(&cluster)]);
        }
    }

    /// Sends all requests to these servers by their weights, and the number in a header is the dice.
    pub fn weighted(&mut self, servers: &[(&'static str, u32)], header: &str) {
        let with_cluster = |&(name, weight)| (self.backend(name), weight);
        let shares: Vec<_> = servers.iter().map(with_cluster).collect();
        let shares: Vec<_> = shares
            .iter()
            .map(|(name, share)| (name.as_str(), *share))
            .collect();
        self.routes([split(&shares).dice_in(header)]);
    }

    /// Adds a cluster of HTTP/1.1 servers, and gives its full name.
    pub fn cluster(&mut self, name: &str, servers: &[SocketAddr]) -> String {
        self.cluster_with(
            name,
            |full| xds::endpoints(full, servers),
            |cluster| cluster,
        )
    }

    /// Adds a cluster of HTTP/2 servers.
    pub fn cluster2(&mut self, name: &str, servers: &[SocketAddr]) -> String {
        let endpoints = |full: &str| xds::endpoints(full, servers);
        self.cluster_with(name, endpoints, ClusterBuilder::http2)
    }

    /// Adds a cluster as it is told, and gives its full name.
    pub fn cluster_with(
        &mut self,
        name: &str,
        endpoints: impl FnOnce(&str) -> EndpointsBuilder,
        edit: impl FnOnce(ClusterBuilder) -> ClusterBuilder,
    ) -> String {
        let full = self.full(name);
        let cluster = xds::cluster(&full).http1().lb(LbPolicy::RoundRobin);
        let cluster = cluster.connect_timeout(Duration::from_secs(2));
        edit(cluster).add_to(&mut self.resources);
        endpoints(&full).add_to(&mut self.resources);
        full
    }

    /// The name under which both know a cluster of this case.
    #[must_use]
    pub fn full(&self, cluster: &str) -> String {
        format!("{}.{cluster}", self.name)
    }

    /// Adds a virtual host.
    pub fn host<I>(&mut self, domains: &[&str], routes: I)
    where
        I: IntoIterator<Item = RouteBuilder>,
    {
        self.routes = self.routes.clone().host(domains, routes);
    }

    /// Adds a virtual host of all domains.
    pub fn routes<I>(&mut self, routes: I)
    where
        I: IntoIterator<Item = RouteBuilder>,
    {
        self.host(&["*"], routes);
    }

    /// Changes the route configuration itself.
    pub fn edit_routes(&mut self, edit: impl FnOnce(RouteConfigBuilder) -> RouteConfigBuilder) {
        self.routes = edit(self.routes.clone());
    }

    /// Changes the listener.
    pub fn edit_listener(&mut self, edit: impl FnOnce(ListenerBuilder) -> ListenerBuilder) {
        self.listener = edit(self.listener.clone());
    }

    /// Asks this next.
    pub fn ask(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    /// Asks for each of these paths.
    pub fn gets(&mut self, paths: &[&str]) {
        for path in paths {
            self.ask(get(path));
        }
    }

    /// Asks at each of these authorities.
    pub fn at(&mut self, authorities: &[&str]) {
        for authority in authorities {
            self.ask(get("/").at(authority));
        }
    }

    /// Asks once without the header, and once with each of these values.
    pub fn with(&mut self, name: &str, values: &[&str]) {
        self.ask(get("/"));
        for value in values {
            self.ask(get("/").header(name, value));
        }
    }

    /// Asks with each of these numbers for `x-dice`.
    pub fn dice(&mut self, numbers: &[&str]) {
        for number in numbers {
            self.ask(get("/").header("x-dice", number));
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn asks(&self) -> &[Ask] {
        &self.asks
    }

    pub(crate) fn servers(&self) -> &[(&'static str, EchoServer)] {
        &self.servers
    }

    /// All that the control plane is to serve of it.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let mut all = self.resources.clone();
        self.routes.clone().add_to(&mut all);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        self.listener.clone().socket(any).add_to(&mut all);
        all
    }
}
