//! Taking a response: good resources are applied whatever the others are like, and the response is
//! answered once.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use bytes::Bytes;
use mesh_core::bounds::Bound;
use mesh_proto::Any;

use super::{
    AdsResponse, AdsState, Decode, Limits, Variant, canonical,
    nack::Rejections,
    update::{Received, Sent, Unreadable, Update},
    wire::Reply,
};
use crate::{
    resource::ResourceType,
    store::{ErrorKind, ErrorState, Status},
};

/// What a response has said of each wanted resource: its bytes, if it could be unwrapped.
pub(super) type Mentioned = BTreeMap<Arc<str>, Option<Bytes>>;

/// A response being taken.
struct Turn {
    kind: ResourceType,
    version: Arc<str>,
    now: Instant,
    mentioned: Mentioned,
    /// Something in it could not be told apart from what is missing.
    nameless: bool,
    rejections: Rejections,
}

impl<D: Decode> AdsState<D> {
    /// A response came.
    pub fn handle_response(&mut self, now: Instant, response: impl Into<AdsResponse>) {
        if !self.link.hear() {
            self.counters.dropped += 1;
            return;
        }
        self.counters.responses += 1;
        if self.connection_error.take().is_some() {
            self.connection_changed = true;
        }
        let Some(mut update) = self.open(response.into()) else {
            return;
        };
        let (kind, nonce) = (update.kind, std::mem::take(&mut update.nonce));
        let version = update.version.clone();
        let rejections = self.apply(update, now);
        if rejections.count() > 0 {
            self.counters.nacks += 1;
        }
        let wire = &mut self.wires[kind as usize];
        let error = rejections.into_status();
        let sotw = self.config.variant == Variant::Sotw;
        if sotw && error.is_none() {
            wire.version = version;
        }
        wire.owe(Reply { nonce, error }, sotw, now);
    }

    /// Reads what can be answered. An unknown type is dropped with neither ACK nor NACK (gRFC A27),
    /// and so is one that was not asked for on this stream: its answer, without a name, would ask
    /// for everything.
    fn open(&mut self, response: AdsResponse) -> Option<Update> {
        let update = match (self.config.variant, response) {
            (Variant::Sotw, AdsResponse::Sotw(response)) => {
                ResourceType::from_type_url(&response.type_url)
                    .map(|kind| Update::from_sotw(kind, response))
            }
            (Variant::Delta, AdsResponse::Delta(response)) => {
                ResourceType::from_type_url(&response.type_url)
                    .map(|kind| Update::from_delta(kind, response))
            }
            _ => None,
        };
        let Some(update) = update.filter(|update| self.wires[update.kind as usize].started) else {
            self.counters.dropped += 1;
            return None;
        };
        if update.nonce.len() > self.config.limits.text {
            // It cannot be answered, since an answer repeats the nonce.
            self.exceeded(Bound::AdsText);
            return None;
        }
        Some(update)
    }

    fn apply(&mut self, update: Update, now: Instant) -> Rejections {
        let mut turn = Turn {
            kind: update.kind,
            version: update.version.clone(),
            now,
            mentioned: Mentioned::new(),
            nameless: false,
            rejections: Rejections::new(&self.config.node.id, self.config.limits.text),
        };
        if let Err((bound, reason)) = self.check_bounds(&update) {
            self.exceeded(bound);
            turn.rejections.push(None, &reason);
            return turn.rejections;
        }
        for sent in update.sent {
            self.take(&mut turn, sent);
        }
        for name in &update.removed {
            self.remove(turn.kind, &canonical(name), now);
        }
        for error in update.errors {
            if let Some(name) = self.refuse(turn.kind, error, now) {
                turn.mentioned.insert(name, None);
            }
        }
        // What could not be named may be any of those that are not mentioned.
        if update.complete && !turn.nameless {
            self.remove_unmentioned(turn.kind, &turn.mentioned, now);
        }
        turn.rejections
    }

    fn check_bounds(&self, update: &Update) -> Result<(), (Bound, String)> {
        let Limits {
            resources, text, ..
        } = self.config.limits;
        let (len, version) = (update.len(), update.version.len());
        if len > resources {
            let reason = format!("resources: {len} in one response, at most {resources}");
            return Err((Bound::AdsResources, reason));
        }
        if version > text {
            let reason = format!("version_info: {version} bytes, at most {text}");
            return Err((Bound::AdsText, reason));
        }
        Ok(())
    }

    /// Takes one resource of a response.
    fn take(&mut self, turn: &mut Turn, sent: Sent) {
        let (name, body) = match sent.read(turn.kind) {
            Ok(Received { name, version, any }) => (name, Ok((version, any))),
            Err(Unreadable {
                name: Some(name),
                reason,
            }) => (name, Err(reason)),
            Err(Unreadable { name: None, reason }) => {
                turn.nameless = true;
                self.counters.reject(turn.kind);
                turn.rejections.push(None, &reason);
                return;
            }
        };
        let Some((name, _)) = self.store.of(turn.kind).get_key_value(&*canonical(&name)) else {
            self.counters.unwanted += 1;
            return;
        };
        let name = name.clone();
        let bytes = body.as_ref().ok().map(|(_, any)| any.value.clone());
        let again = turn.mentioned.get(&name).map(|first| *first == bytes);
        match again {
            Some(true) => return,
            Some(false) => {
                let reason = "sent twice in one response, and not the same";
                return self.reject(turn, &name, reason, None);
            }
            None => turn.mentioned.insert(name.clone(), bytes),
        };
        self.stop_timer(turn.kind, &name);
        match body {
            Ok((version, any)) => self.read(turn, &name, any, version),
            Err(reason) => self.reject(turn, &name, &reason, None),
        }
    }

    /// Reads one wanted resource. Delta gives a `version` of its own, state of the world the
    /// response's.
    fn read(&mut self, turn: &mut Turn, name: &Arc<str>, any: Any, version: Option<Arc<str>>) {
        let version = version.unwrap_or_else(|| turn.version.clone());
        if version.len() > self.config.limits.text {
            self.exceeded(Bound::AdsText);
            let reason = format!(
                "version: {} bytes, at most {}",
                version.len(),
                self.config.limits.text
            );
            return self.reject(turn, name, &reason, None);
        }
        let digest = self.store.digest(&any.value);
        let Some(entry) = self.store.of_mut(turn.kind).get_mut(name) else {
            return;
        };
        if entry.digest() == Some(digest) {
            self.counters.unchanged += 1;
            self.counters.valid[turn.kind as usize] += 1;
            if entry.confirm(version) {
                self.note(turn.kind, name);
            }
            return;
        }
        match self.decoder.decode(turn.kind, &any) {
            Ok(value) => {
                entry.accept(value, digest, version, turn.now);
                self.counters.accepted += 1;
                self.counters.valid[turn.kind as usize] += 1;
                self.note(turn.kind, name);
            }
            Err(errors) => {
                // A slice would keep the whole response alive for as long as this one resource.
                let rejected = Some((version, Bytes::copy_from_slice(&any.value)));
                self.reject(turn, name, &errors.to_string(), rejected);
            }
        }
    }

    /// Refuses one wanted resource; the last good value stays unless the server's features say
    /// otherwise (gRFC A88).
    fn reject(
        &mut self,
        turn: &mut Turn,
        name: &Arc<str>,
        reason: &str,
        sent: Option<(Arc<str>, Bytes)>,
    ) {
        self.counters.reject(turn.kind);
        turn.rejections.push(Some(name), reason);
        let (version, rejected) = match sent {
            Some((version, bytes)) => (version, Some(bytes)),
            None => (turn.version.clone(), None),
        };
        let error = ErrorState {
            kind: ErrorKind::Rejected,
            details: self.describe(format_args!("{} {name:?} is refused: {reason}", turn.kind)),
            version,
            rejected,
            at: turn.now,
        };
        self.fail(
            turn.kind,
            name,
            Status::Nacked,
            error,
            self.retention.drop_faulty,
        );
    }
}
