//! A line in the log for each request, at level debug.

use http::{HeaderValue, Method, Request, StatusCode, header::HOST};
use mesh_core::local_reply::LocalReply;
use tracing::{Level, debug, enabled};

/// What the line says of the request. Nothing is kept where nobody reads it.
pub(super) struct Line(Option<Asked>);

struct Asked {
    method: Method,
    authority: String,
    path: String,
}

impl Line {
    pub(super) fn begin<B>(request: &Request<B>) -> Self {
        let asked = enabled!(Level::DEBUG).then(|| {
            let uri = request.uri();
            let host = || {
                let host = request.headers().get(HOST);
                host.map_or("", |host| HeaderValue::to_str(host).unwrap_or(""))
            };
            Asked {
                method: request.method().clone(),
                authority: uri.authority().map_or_else(host, |it| it.as_str()).into(),
                path: uri.path_and_query().map_or("", |it| it.as_str()).into(),
            }
        });
        Self(asked)
    }

    /// The service's own answer.
    pub(super) fn answered(self, status: StatusCode) {
        self.write(status, "", "via_upstream");
    }

    /// An answer that was made here.
    pub(super) fn replied(self, reply: &LocalReply) {
        self.write(reply.status, reply.flag, &reply.details);
    }

    fn write(self, status: StatusCode, flags: &str, details: &str) {
        if let Some(asked) = self.0 {
            debug!(
                method = %asked.method,
                authority = asked.authority,
                path = asked.path,
                status = status.as_u16(),
                flags,
                details,
                "answered"
            );
        }
    }
}
