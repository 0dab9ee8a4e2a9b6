//! A line in the log for each request: target `mesh::access`, level debug.

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version, header::HOST};
use mesh_core::{
    Error, ErrorKind,
    error::GaveUp,
    filter::DelayNote,
    local_reply::{LocalReply, Made},
};
use tracing::{Level, debug, enabled};

use super::{admit::REQUEST_ID, body::Ending};

/// What the lines are told by in filters.
const TARGET: &str = "mesh::access";

/// What the line says of the request. Nothing is kept where nobody reads it.
pub(super) struct Line(Option<Asked>);

#[derive(Default)]
struct Asked {
    id: String,
    // Empty where it is not known.
    method: String,
    authority: String,
    path: String,
}

impl Line {
    pub(super) fn begin<B>(request: &Request<B>) -> Self {
        let asked = enabled!(target: TARGET, Level::DEBUG).then(|| {
            let uri = request.uri();
            let header = |name: &HeaderName| {
                let value = request.headers().get(name);
                value.map_or("", |value| HeaderValue::to_str(value).unwrap_or(""))
            };
            Asked {
                id: header(&REQUEST_ID).into(),
                method: request.method().as_str().into(),
                authority: uri
                    .authority()
                    .map_or_else(|| header(&HOST), |it| it.as_str())
                    .into(),
                path: uri.path_and_query().map_or("", |it| it.as_str()).into(),
            }
        });
        Self(asked)
    }

    /// That of a request of which nothing is known.
    pub(super) fn unread() -> Self {
        let asked = enabled!(target: TARGET, Level::DEBUG).then(Asked::default);
        Self(asked)
    }

    /// What is put into a request so that its line can say whether it was delayed.
    pub(super) fn note<B>(&self, request: &mut Request<B>) -> Option<DelayNote> {
        let _asked = self.0.as_ref()?;
        let note = DelayNote::default();
        request.extensions_mut().insert(note.clone());
        Some(note)
    }

    /// What writes the line of a service's own answer when it has been read.
    pub(super) fn at_end<B>(
        self,
        response: &Response<B>,
        note: Option<DelayNote>,
    ) -> Option<Ending> {
        let asked = self.0?;
        let status = response.status();
        let gave_up = match response.extensions().get() {
            Some(GaveUp::Exhausted) => "URX",
            Some(GaveUp::Overflow) => "UO",
            Some(GaveUp::Outgrown) | None => "",
        };
        let http1 = response.version() < Version::HTTP_2;
        Some(Box::new(move |ended| {
            let delayed = delayed(note.as_ref());
            match ended {
                Ok(()) => asked.write(status, &[delayed, gave_up], "via_upstream"),
                Err(error) => {
                    let (flag, details) = cut(error, http1);
                    asked.write(status, &[delayed, gave_up, flag], &details);
                }
            }
        }))
    }

    /// An answer that was made here.
    pub(super) fn made(self, status: StatusCode, made: &Made, note: Option<&DelayNote>) {
        let Some(asked) = self.0 else { return };
        let said = made.flag.starts_with("DI");
        let delayed = if said { "" } else { delayed(note) };
        asked.write(status, &[delayed, made.flag], &made.details);
    }
}

impl Asked {
    fn write(self, status: StatusCode, flags: &[&str], details: &str) {
        let flags = flags.iter().copied().filter(|flag| !flag.is_empty());
        let flags = flags.collect::<Vec<_>>().join(",");
        debug!(
            target: TARGET,
            request_id = self.id,
            method = %self.method,
            authority = self.authority,
            path = self.path,
            status = status.as_u16(),
            flags,
            details,
            "answered"
        );
    }
}

/// The flag of a request that a fault has delayed.
fn delayed(note: Option<&DelayNote>) -> &'static str {
    if note.is_some_and(DelayNote::is_written) {
        "DI"
    } else {
        ""
    }
}

/// Flag and details of an answer that had begun. Over HTTP/1.1 one that ends too early is no HTTP.
fn cut(error: &Error, http1: bool) -> (&'static str, String) {
    let closed = error.kind() == ErrorKind::Reset && error.h2_reason().is_none();
    let reply = if closed && http1 {
        LocalReply::of(&ErrorKind::Protocol.into())
    } else {
        LocalReply::of(error)
    };
    let details = reply.details.replace("before_response", "after_response");
    (reply.flag, details)
}
