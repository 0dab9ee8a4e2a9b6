//! The answer to one request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Behaviour, Journal, Seen};
use crate::net::{Answer, Answering, Body, BoxError, Failure, full};

/// Bytes of a request body that are remembered and, if they are text, reported.
const BODY_KEPT: usize = 64 * 1024;
/// The size of the pieces in which a body of a given size is sent.
const PIECE: usize = 16 * 1024;
/// What a head gets to leave the socket before its stream is reset: a reset overtakes it otherwise.
const BEFORE_RESET: Duration = Duration::from_millis(100);

/// What an echo server says of a request: the JSON body of its response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EchoReport {
    /// The server's name.
    pub server_id: String,
    /// The request's number on this server, from 1.
    pub serial: u64,
    /// The number of its connection on this server, from 1.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// `:authority`, or `host` over HTTP/1.
    pub authority: String,
    /// The HTTP version, for example `HTTP/2.0`.
    pub version: String,
    /// All values of all headers; bytes that are not text are replaced.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The length of the body.
    pub body_len: u64,
    /// The body, if it is text and at most 64 KiB long.
    pub body: Option<String>,
}

impl EchoReport {
    /// Reads the body of a response.
    ///
    /// # Panics
    /// If it is no report.
    #[must_use]
    pub fn parse(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(report) => report,
            Err(error) => panic!("{error} in {:?}", String::from_utf8_lossy(body)),
        }
    }

    /// The first value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.first()?.as_str())
    }

    fn new(server_id: &str, seen: &Seen) -> Self {
        let mut headers = BTreeMap::<_, Vec<_>>::new();
        for (name, value) in &seen.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers.entry(name.to_string()).or_default().push(value);
        }
        let body_len = seen.body_len.unwrap_or_default();
        let whole = seen.body.len() as u64 == body_len;
        Self {
            server_id: server_id.to_owned(),
            serial: seen.serial,
            connection: seen.connection,
            method: seen.method.to_string(),
            path: seen.path.clone(),
            authority: seen.authority.clone(),
            version: format!("{:?}", seen.version),
            headers,
            body_len,
            body: whole
                .then(|| String::from_utf8(seen.body.to_vec()).ok())
                .flatten(),
        }
    }
}

/// The state behind an echo server.
#[derive(Debug)]
pub(super) struct Echoing {
    server_id: String,
    script: Mutex<Script>,
    held: watch::Sender<bool>,
    pub(super) journal: Arc<Journal>,
}

#[derive(Debug)]
struct Script {
    always: Behaviour,
    next: VecDeque<(usize, Behaviour)>,
}

impl Script {
    fn pop(&mut self) -> Behaviour {
        let Some((count, behaviour)) = self.next.front_mut() else {
            return self.always.clone();
        };
        let behaviour = behaviour.clone();
        *count -= 1;
        if *count == 0 {
            self.next.pop_front();
        }
        behaviour
    }
}

impl Echoing {
    pub(super) fn new(server_id: String, always: Behaviour) -> Self {
        let next = VecDeque::new();
        Self {
            server_id,
            script: Mutex::new(Script { always, next }),
            held: watch::Sender::default(),
            journal: Arc::default(),
        }
    }

    pub(super) fn always(&self, behaviour: Behaviour) {
        self.with_script(|script| script.always = behaviour);
    }

    pub(super) fn next(&self, count: usize, behaviour: Behaviour) {
        if count > 0 {
            self.with_script(|script| script.next.push_back((count, behaviour)));
        }
    }

    pub(super) fn forget(&self) {
        self.with_script(|script| script.next.clear());
    }

    pub(super) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    fn with_script<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        act(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn respond(
        &self,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, BoxError> {
        let (head, body) = request.into_parts();
        let (mut seen, in_flight) = self.journal.begin(connection, &head);
        let behaviour = self.with_script(Script::pop);
        let behaviour = match behaviour.overridden_by(&head.headers) {
            Ok(behaviour) => behaviour,
            Err(header) => {
                in_flight.answered();
                let mut response = Response::new(full(format!("{header} makes no sense")));
                *response.status_mut() = StatusCode::BAD_REQUEST;
                return Ok(response);
            }
        };
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| !held).await;
        tokio::time::sleep(behaviour.delay).await;
        if let (Some(reason), None) = (behaviour.reset, behaviour.reset_after) {
            in_flight.answered();
            return Err(h2::Error::from(reason).into());
        }
        let (kept, length) = read(body).await?;
        self.journal.complete(seen.serial, kept.clone(), length);
        seen.body = kept;
        seen.body_len = Some(length);
        in_flight.answered();
        response(behaviour, &EchoReport::new(&self.server_id, &seen))
    }
}

impl Answer for Echoing {
    fn answer(self: Arc<Self>, connection: u64, request: Request<Incoming>) -> Answering {
        Box::pin(async move { self.respond(connection, request).await.map_err(Failure) })
    }
}

/// Reads a body to its end; gives its beginning and its length.
async fn read(mut body: Incoming) -> Result<(Bytes, u64), BoxError> {
    let (mut kept, mut length) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            length += data.len() as u64;
            let room = BODY_KEPT - kept.len();
            kept.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Ok((kept.freeze(), length))
}

fn response(behaviour: Behaviour, report: &EchoReport) -> Result<Response<Body>, BoxError> {
    let mut response = Response::new(());
    *response.status_mut() = behaviour.status.unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    let (kind, data) = match behaviour.body_size {
        Some(size) => ("application/octet-stream", Bytes::from(vec![b'x'; size])),
        None => ("application/json", serde_json::to_vec(report)?.into()),
    };
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("x-echo-server", HeaderValue::from_str(&report.server_id)?);
    headers.extend(behaviour.headers);
    let body = match (behaviour.reset, behaviour.reset_after) {
        (Some(reason), Some(after)) => broken(data.slice(..after.min(data.len())), reason),
        _ if behaviour.trailers.is_empty() && data.len() <= PIECE => full(data),
        _ => pieces(data, behaviour.trailers),
    };
    Ok(response.map(|()| body))
}

/// A body in pieces, with trailers if there are any.
fn pieces(data: Bytes, trailers: HeaderMap) -> Body {
    let mut frames: Vec<_> = (0..data.len())
        .step_by(PIECE)
        .map(|start| Frame::data(data.slice(start..data.len().min(start + PIECE))))
        .collect();
    if !trailers.is_empty() {
        frames.push(Frame::trailers(trailers));
    }
    StreamBody::new(stream::iter(frames.into_iter().map(Ok))).boxed_unsync()
}

/// A body that fails after `data`.
fn broken(data: Bytes, reason: h2::Reason) -> Body {
    let end = stream::once(async move {
        tokio::time::sleep(BEFORE_RESET).await;
        Err(h2::Error::from(reason).into())
    });
    let frames = stream::once(async { Ok(Frame::data(data)) }).chain(end);
    StreamBody::new(frames).boxed_unsync()
}
