//! A line in the log for each request: target `mesh::access`, level debug.

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header::HOST};
use mesh_core::{error::GaveUp, local_reply::LocalReply};
use tracing::{Level, debug, enabled};

use super::admit::REQUEST_ID;

/// What the lines are told by in filters.
const TARGET: &str = "mesh::access";

/// What the line says of the request. Nothing is kept where nobody reads it.
pub(super) struct Line(Option<Asked>);

struct Asked {
    id: String,
    method: Method,
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
                method: request.method().clone(),
                authority: uri
                    .authority()
                    .map_or_else(|| header(&HOST), |it| it.as_str())
                    .into(),
                path: uri.path_and_query().map_or("", |it| it.as_str()).into(),
            }
        });
        Self(asked)
    }

    /// The service's own answer.
    pub(super) fn answered<B>(self, response: &Response<B>) {
        let flags = match response.extensions().get() {
            Some(GaveUp::Exhausted) => "URX",
            Some(GaveUp::Overflow) => "UO",
            Some(GaveUp::Outgrown) | None => "",
        };
        self.write(response.status(), flags, "via_upstream");
    }

    /// An answer that was made here.
    pub(super) fn replied(self, reply: &LocalReply) {
        self.write(reply.status, reply.flag, &reply.details);
    }

    fn write(self, status: StatusCode, flags: &str, details: &str) {
        if let Some(asked) = self.0 {
            debug!(
                target: TARGET,
                request_id = asked.id,
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
