//! The ADS state machine: it holds what is subscribed to, says what to send, and takes what comes.
//! No I/O, no clock, no tasks (gRFC A27, A46, A53, A57, A88; the xDS protocol's delta rules).
//!
//! Four kinds of method:
//! - *commands*: [`subscribe`](AdsState::subscribe), [`unsubscribe`](AdsState::unsubscribe),
//!   [`switch_server`](AdsState::switch_server);
//! - *what happened*, `handle_*`: a stream opened, a message came, the stream ended, time passed;
//! - *what to do*, `poll_*`: after any of the above take [`poll_event`](AdsState::poll_event) until
//!   it gives none, then [`poll_request`](AdsState::poll_request) until it gives none, then wait
//!   until [`poll_timeout`](AdsState::poll_timeout) at the latest;
//! - *getters*.
//!
//! Flow control: read from the stream only while [`wants_response`](AdsState::wants_response). It
//! is false until all events of the last response were taken and its answer was handed out, so
//! that a slow reader of events slows the server down and nothing piles up here. A request for
//! which the stream has no room is no reason to wait: the server may be waiting to be read.
//!
//! Commands between two turns coalesce: a turn sends one request a type, however many names
//! changed, and none if the set of names came out the same.
//!
//! A server that sends what was just refused again and again is answered at a falling rate: a NACK
//! with the same text as the one before it is held back, longer each time.
//!
//! A stream stays open when the last name is gone, for the next one to come.
//!
//! One thing state of the world cannot mend: a request that crosses a response is stale, and a
//! server may ignore it whole. Where such a request drops a name and the next one has it again,
//! nothing has changed for the server, and it does not send the resource again; here it counts as
//! absent after its timer, until the server sends it for another reason. Delta has no such gap.
//!
//! Resources that nobody subscribed to are skipped without being looked at, so they can be neither
//! stored nor a reason for a NACK; gRPC validates them first.

mod absent;
mod apply;
mod config;
mod event;
mod link;
mod message;
mod nack;
mod name;
mod request;
mod state;
mod subscribe;
mod update;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

pub use self::{
    config::{AdsConfig, Limits, Variant},
    event::{Counters, Event},
    message::{AdsRequest, AdsResponse},
    name::canonical,
    state::{AdsState, Decode},
    subscribe::SubscribeError,
};
