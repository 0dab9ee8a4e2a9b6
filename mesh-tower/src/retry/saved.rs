//! A request kept so that it can be sent again.

use http::{Extensions, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::replay::Replay;
use crate::body::RequestBody;

/// What is needed to make the request anew: its head, and its body as far as that can be had.
///
/// Connections consume a request, and say only later that they never sent it; so the head is saved
/// for every request: one allocation, where a clone of the header map would take two.
#[derive(Debug)]
pub(super) struct Saved {
    method: Method,
    uri: Uri,
    version: Version,
    headers: Vec<(HeaderName, HeaderValue)>,
    extensions: Extensions,
    body: SavedBody,
}

#[derive(Debug)]
enum SavedBody {
    /// All of it, at hand.
    Full(RequestBody),
    /// As it streams by, up to a limit.
    Replay(Replay),
}

impl Saved {
    /// Saves `request`, of its extensions what `save` keeps. Up to `limit` bytes of a streaming body
    /// are kept, as it is sent.
    pub(super) fn of(
        request: &mut Request<RequestBody>,
        limit: usize,
        save: impl FnOnce(&Extensions) -> Extensions,
    ) -> Self {
        let body = match request.body().try_clone() {
            Some(copy) => SavedBody::Full(copy),
            None => {
                let replay = Replay::new(std::mem::take(request.body_mut()), limit);
                *request.body_mut() = replay.body();
                SavedBody::Replay(replay)
            }
        };
        let lines = request.headers().iter();
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            headers: lines.map(|(n, v)| (n.clone(), v.clone())).collect(),
            extensions: save(request.extensions()),
            body,
        }
    }

    /// Stops the attempt before, and says whether [`Self::replay`] can make the request anew.
    pub(super) fn rewind(&self) -> bool {
        match &self.body {
            SavedBody::Full(_) => true,
            SavedBody::Replay(replay) => replay.rewind(),
        }
    }

    /// The request anew. Only after [`Self::rewind`] said that it can be.
    pub(super) fn replay(&self) -> Request<RequestBody> {
        let body = match &self.body {
            SavedBody::Full(body) => body.try_clone().unwrap_or_default(),
            SavedBody::Replay(replay) => replay.body(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.extensions_mut() = self.extensions.clone();
        request.headers_mut().reserve(self.headers.len());
        for (name, value) in &self.headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        request
    }

    /// The answer stands: stops keeping what still streams by.
    pub(super) fn commit(self) {
        if let SavedBody::Replay(replay) = self.body {
            replay.commit();
        }
    }
}
