//! What happens to a resource that is deleted, refused by the server, or not sent in time.

use std::{sync::Arc, time::Instant};

use mesh_proto::envoy::service::discovery::v3::ResourceError;

use super::{AdsState, Decode, apply::Mentioned, canonical, nack::shorten};
use crate::{
    resource::ResourceType,
    store::{ErrorKind, ErrorState, Status},
};

/// `google.rpc.Code.UNKNOWN`, for an error without a status.
const UNKNOWN: i32 = 2;

impl<D: Decode> AdsState<D> {
    /// The server says that a resource does not exist.
    pub(super) fn remove(&mut self, kind: ResourceType, name: &str, now: Instant) {
        let Some((name, entry)) = self.store.of(kind).get_key_value(name) else {
            return;
        };
        let name = name.clone();
        let drop_value = self.retention.drop_deleted;
        let (status, what) = if entry.value().is_none() || drop_value {
            (Status::DoesNotExist, "does not exist on the server")
        } else {
            // Nothing was sent that could be in another state than the value in use.
            (Status::Acked, "was deleted by the server, and stays in use")
        };
        let error = self.error(ErrorKind::Absent, kind, &name, what, now);
        self.stop_timer(kind, &name);
        self.fail(kind, &name, status, error, drop_value);
    }

    /// Deletes what a complete response does not mention. What was never received may be on its
    /// way still: that is the timer's business (gRFC A53).
    pub(super) fn remove_unmentioned(
        &mut self,
        kind: ResourceType,
        mentioned: &Mentioned,
        now: Instant,
    ) {
        let missing: Vec<Arc<str>> = self
            .store
            .of(kind)
            .iter()
            .filter(|(name, entry)| {
                let received = entry.value().is_some() || entry.status() == Status::Nacked;
                received && !mentioned.contains_key(*name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in missing {
            self.remove(kind, &name, now);
        }
    }

    /// The server reports an error in place of a resource (gRFC A88); gives the name, if it is one
    /// that is wanted.
    pub(super) fn refuse(
        &mut self,
        kind: ResourceType,
        error: ResourceError,
        now: Instant,
    ) -> Option<Arc<str>> {
        let name = error.resource_name?.name;
        let name = self
            .store
            .of(kind)
            .get_key_value(&*canonical(&name))?
            .0
            .clone();
        let (code, message) = match error.error_detail {
            Some(status) => (status.code, status.message),
            None => (UNKNOWN, String::new()),
        };
        let kind_of_error = ErrorKind::Refused { code };
        // Bounded before it is quoted as well as after.
        let message = shorten(&message, self.config.limits.text);
        let what = format!("is refused by the server with status {code}: {message}");
        let error = self.error(kind_of_error, kind, &name, &what, now);
        let drop_value = !kind_of_error.is_transient() && self.retention.drop_faulty;
        self.stop_timer(kind, &name);
        self.fail(kind, &name, Status::ReceivedError, error, drop_value);
        Some(name)
    }

    /// Nothing was heard of a resource in time (gRFC A27; A88 where silence is not the way to say
    /// that it does not exist).
    pub(super) fn time_out(&mut self, kind: ResourceType, name: &Arc<str>, now: Instant) {
        let seconds = self.patience().as_secs();
        let what = format!("was not sent within {seconds} s of being asked for");
        let (status, kind_of_error) = if self.config.features.resource_timer_is_transient_error {
            (Status::Timeout, ErrorKind::Timeout)
        } else {
            (Status::DoesNotExist, ErrorKind::Absent)
        };
        let error = self.error(kind_of_error, kind, name, &what, now);
        if let Some(entry) = self.store.of_mut(kind).get_mut(name) {
            entry.set_timer(None);
        }
        self.fail(kind, name, status, error, false);
    }

    /// Notes an error of a resource and tells of it if it is news: the same text is told once.
    pub(super) fn fail(
        &mut self,
        kind: ResourceType,
        name: &Arc<str>,
        status: Status,
        error: ErrorState,
        drop_value: bool,
    ) {
        let entry = self.store.of_mut(kind).get_mut(name);
        if entry.is_some_and(|entry| entry.fail(status, error, drop_value)) {
            self.note(kind, name);
        }
    }

    /// Tells of a change, if anybody wants the resource.
    pub(super) fn note(&mut self, kind: ResourceType, name: &Arc<str>) {
        if self
            .store
            .get(kind, name)
            .is_some_and(|entry| !entry.is_lingering())
        {
            self.changed.insert((kind, name.clone()));
        }
    }

    pub(super) fn stop_timer(&mut self, kind: ResourceType, name: &Arc<str>) {
        if let Some(entry) = self.store.of_mut(kind).get_mut(name)
            && let Some(due) = entry.set_timer(None)
        {
            self.timers.remove(&(due, kind, name.clone()));
        }
    }

    fn error(
        &self,
        kind_of_error: ErrorKind,
        kind: ResourceType,
        name: &str,
        what: &str,
        now: Instant,
    ) -> ErrorState {
        ErrorState {
            kind: kind_of_error,
            details: self.describe(format_args!("{kind} {name:?} {what}")),
            version: Arc::from(""),
            rejected: None,
            at: now,
        }
    }
}
