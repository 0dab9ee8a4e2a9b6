//! What the two kinds of stream have in common: the loop between the client and the resources.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, stream};
use prost::Message;
use tokio::sync::watch;
use tonic::{Status, Streaming};

use super::log::{AdsRequest, AdsResponse, Answer, StreamKind};
use super::plane::Plane;
use super::published::Published;

/// The server's side of one stream, without any I/O.
pub(super) trait Front: Send + 'static {
    type Request: Send + 'static;
    type Response: Message + Clone + 'static;
    const KIND: StreamKind;

    /// A stream that was just opened. `wrap`: resources travel inside a `Resource`.
    fn new(wrap: bool) -> Self;

    /// Takes a request.
    fn receive(&mut self, request: Self::Request) -> Received;

    /// The next response that is due, without a nonce. It counts as sent from here on.
    fn next(&mut self, published: &Published) -> Option<Self::Response>;

    /// Gives a response its nonce: it is really sent.
    fn stamp(&mut self, response: &mut Self::Response, nonce: String) -> AdsResponse;
}

/// What came out of a request.
pub(super) struct Received {
    /// All that the stream is subscribed to now, of the request's type; `*` for a wildcard.
    pub(super) subscribed: BTreeSet<String>,
    /// What the request says of a response.
    pub(super) answer: Option<Answer>,
    /// The request itself, without the stream's number.
    pub(super) request: AdsRequest,
}

pub(super) type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Runs a stream. Nothing is spawned: it lives in the response's body and dies with it.
pub(super) fn run<F: Front>(
    plane: Arc<Plane>,
    requests: Streaming<F::Request>,
) -> Result<Responses<F::Response>, Status> {
    let (id, wrap) = plane.open(F::KIND)?;
    let session = Session {
        published: plane.publications(),
        plane,
        id,
        front: F::new(wrap),
        requests,
        ready: VecDeque::new(),
        sent: 0,
    };
    Ok(Box::pin(stream::unfold(Some(session), |session| async {
        let mut session = session?;
        let response = session.next().await?;
        let session = response.is_ok().then_some(session);
        Some((response, session))
    })))
}

struct Session<F: Front> {
    plane: Arc<Plane>,
    id: u64,
    front: F,
    requests: Streaming<F::Request>,
    published: watch::Receiver<u64>,
    /// Responses that wait to be sent.
    ready: VecDeque<F::Response>,
    sent: u64,
}

impl<F: Front> Session<F> {
    /// The next message to the client; `None` ends the stream.
    async fn next(&mut self) -> Option<Result<F::Response, Status>> {
        loop {
            if let Some(response) = self.ready.pop_front() {
                return Some(Ok(response));
            }
            self.published.borrow_and_update();
            if let Some(status) = self.plane.ended(self.id) {
                return Some(Err(status));
            }
            if let Some(response) = self.plane.read(|published| self.front.next(published)) {
                self.prepare(response).await;
                continue;
            }
            tokio::select! {
                request = self.requests.message() => match request {
                    Ok(Some(request)) => {
                        let received = self.front.receive(request);
                        self.plane.received(self.id, received);
                    }
                    Ok(None) => return None,
                    Err(status) => return Some(Err(status)),
                },
                changed = self.published.changed() => changed.ok()?,
            }
        }
    }

    /// Puts a response into the queue: once, never or twice, as scripted.
    async fn prepare(&mut self, response: F::Response) {
        let fate = self.plane.fate();
        tokio::time::sleep(fate.delay).await;
        for _ in 0..fate.copies {
            let mut response = response.clone();
            self.sent += 1;
            let nonce = format!("{}-{}", self.id, self.sent);
            let mut sent = self.front.stamp(&mut response, nonce);
            sent.stream = self.id;
            sent.bytes = response.encoded_len();
            self.plane.sent(sent);
            self.ready.push_back(response);
        }
    }
}

impl<F: Front> Drop for Session<F> {
    fn drop(&mut self) {
        self.plane.close(self.id);
    }
}
