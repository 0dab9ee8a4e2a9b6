//! The whole client without its I/O: the ADS state machine and the graph, turned together.

use std::{collections::HashSet, sync::Arc, time::Instant};

use mesh_core::source::ConfigUpdate;
use tracing::{debug, info, warn};

use super::{decoder::Decoder, repeats::Repeats};
use crate::{
    bootstrap::Bootstrap,
    graph::{Graph, Origin},
    protocol::{AdsRequest, AdsResponse, AdsState, Event},
    resource::ResourceType,
};

/// The state behind a driver and its sources.
#[derive(Debug)]
pub(crate) struct Client {
    bootstrap: Arc<Bootstrap>,
    /// Which of the bootstrap's servers is asked.
    server: usize,
    ads: AdsState<Decoder>,
    graph: Graph,
    watched: HashSet<Arc<str>>,
    /// Why the last stream ended, until the next one brings something; for those who wait. A stream
    /// that ends after a message is no error of the connection, and may still be the reason why
    /// nothing more comes.
    last_end: Option<String>,
    // What was logged of the connection, and of refused resources by type.
    trouble: Repeats,
    refusals: [Repeats; ResourceType::ALL.len()],
}

/// What is to be done after a turn.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    /// Open a stream.
    pub(crate) connect: bool,
    /// What to tell the watches, by listener.
    pub(crate) updates: Vec<(Arc<str>, ConfigUpdate)>,
}

impl Client {
    pub(crate) fn new(bootstrap: Arc<Bootstrap>, ads: AdsState<Decoder>) -> Self {
        Self {
            bootstrap,
            server: 0,
            ads,
            graph: Graph::default(),
            watched: HashSet::new(),
            last_end: None,
            trouble: Repeats::default(),
            refusals: Default::default(),
        }
    }

    pub(crate) const fn ads(&self) -> &AdsState<Decoder> {
        &self.ads
    }

    pub(super) fn bootstrap(&self) -> &Bootstrap {
        &self.bootstrap
    }

    /// The place of the server that is asked among those of the bootstrap.
    pub(crate) const fn server_index(&self) -> usize {
        self.server
    }

    /// Turns to another server.
    pub(super) fn switch_to(&mut self, server: usize) {
        let from = Arc::clone(self.server_uri());
        self.server = server;
        self.ads
            .switch_server(self.bootstrap.servers()[server].features);
        warn!(
            from = &*from,
            to = &**self.server_uri(),
            "turning to another xDS server"
        );
    }

    /// The URI of the server that is asked.
    pub(crate) fn server_uri(&self) -> &Arc<str> {
        &self.bootstrap.servers()[self.server].server.uri
    }

    /// Watches just these listeners from now on.
    pub(crate) fn watch_only(&mut self, listeners: HashSet<Arc<str>>) {
        for gone in self.watched.difference(&listeners) {
            self.graph.unwatch(gone);
        }
        for new in listeners.difference(&self.watched) {
            self.graph.watch(new);
        }
        self.watched = listeners;
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.ads.handle_timeout(now);
    }

    pub(crate) fn handle_connected(&mut self, now: Instant) {
        self.ads.handle_connected(now);
    }

    pub(crate) fn handle_closed(&mut self, now: Instant, reason: &str) {
        // The error of a dialler begins with the server already.
        let whole = match self.server_uri() {
            server if reason.starts_with(&**server) => reason.to_owned(),
            server => format!("{server}: {reason}"),
        };
        self.ads.handle_closed(now, &whole);
        self.log_closed(now, reason);
        self.last_end = Some(whole);
        self.graph.note_connection();
    }

    pub(crate) fn handle_response(&mut self, response: AdsResponse, now: Instant) {
        self.last_end = None;
        let failed = self.ads.connection_error().is_some();
        self.ads.handle_response(now, response);
        if failed && self.ads.connection_error().is_none() {
            let server = &**self.server_uri();
            info!(server, "the xDS server can be reached again");
            self.trouble.forget();
        }
    }

    fn log_closed(&mut self, now: Instant, reason: &str) {
        let server = Arc::clone(self.server_uri());
        let server = &*server;
        // A stream that ends after it was of use is nothing unusual (gRFC A57).
        if self.ads.connection_error().is_none() {
            debug!(server, reason, "the xDS stream ended");
        } else if let Some(unsaid) = self.trouble.say(reason, now) {
            warn!(server, reason, unsaid, "the xDS server cannot be reached");
        }
    }

    /// The next request to send, once a turn is over.
    pub(crate) fn poll_request(&mut self, now: Instant) -> Option<AdsRequest> {
        let request = self.ads.poll_request(now)?;
        let (type_url, error) = match &request {
            AdsRequest::Sotw(request) => (&request.type_url, &request.error_detail),
            AdsRequest::Delta(request) => (&request.type_url, &request.error_detail),
        };
        if let Some(error) = error
            && let Some(kind) = ResourceType::from_type_url(type_url)
            && let Some(unsaid) = self.refusals[kind as usize].say(&error.message, now)
        {
            warn!(
                type_url,
                server = &**self.server_uri(),
                reason = error.message,
                unsaid,
                "xDS resources are refused"
            );
        }
        Some(request)
    }

    /// Takes all that happened through the graph, until nothing is left to do.
    pub(crate) fn turn(&mut self) -> Turned {
        let mut turned = Turned::default();
        loop {
            if self.should_fall_back() {
                self.switch_to(self.server + 1);
            }
            while let Some(event) = self.ads.poll_event() {
                match event {
                    Event::Connect => turned.connect = true,
                    Event::Connection => self.graph.note_connection(),
                    Event::Changed { kind, name } => self.graph.note(kind, &name),
                }
            }
            if self.graph.is_clean() {
                if self.should_fall_back() {
                    continue;
                }
                return turned;
            }
            let error = self.ads.connection_error().map(|error| &*error.details);
            let origin = Origin {
                node: &self.bootstrap.node.id,
                server: &self.bootstrap.servers()[self.server].server.uri,
                error: error.or(self.last_end.as_deref()),
            };
            let turn = self.graph.turn(&self.ads, &origin);
            turned.updates.extend(turn.updates);
            for (kind, name) in turn.unsubscribe {
                self.ads.unsubscribe(kind, &name);
            }
            for (kind, name) in turn.subscribe {
                if let Err(reason) = self.subscribe(kind, &name) {
                    let node = &self.bootstrap.node.id;
                    let text = format!("xDS node {node:?}: {kind} {name:?}: {reason}");
                    self.graph.refuse(kind, name, text.into());
                }
            }
        }
    }

    fn subscribe(&mut self, kind: ResourceType, name: &str) -> Result<(), String> {
        self.check_authority(name)?;
        let subscribed = self.ads.subscribe(kind, name);
        subscribed.map_err(|error| error.to_string())
    }

    /// A resource of an authority that the bootstrap lacks cannot be had (gRFC A47).
    fn check_authority(&self, name: &str) -> Result<(), String> {
        let Some(rest) = name.strip_prefix("xdstp://") else {
            return Ok(());
        };
        let authority = rest.split('/').next().unwrap_or_default();
        match self.bootstrap.authorities.get(authority) {
            None => Err(format!(
                "the authority {authority:?} is not in the bootstrap"
            )),
            Some(known)
                if known.servers.is_empty() || *known.servers == *self.bootstrap.servers() =>
            {
                Ok(())
            }
            Some(_) => Err(format!(
                "the authority {authority:?} has control planes of its own, which is not supported"
            )),
        }
    }
}

#[cfg(test)]
mod tests;
