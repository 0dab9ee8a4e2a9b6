//! What is asked of both.

use std::time::Duration;

use mesh_testkit::echo::Behaviour;

/// By what a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, the request written byte by byte.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// A request, and how the servers behave meanwhile.
#[derive(Clone, Debug)]
pub struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authority: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) chunked: bool,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) raw: Option<String>,
    pub(crate) logged: bool,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) scripts: Vec<(&'static str, Behaviour)>,
    pub(crate) times: u32,
    pub(crate) at_once: u32,
    pub(crate) settle: Duration,
}

/// A GET of `path` at `shop.test`, by each protocol.
#[must_use]
pub fn get(path: &str) -> Ask {
    Ask {
        method: "GET".to_owned(),
        path: path.to_owned(),
        authority: "shop.test".to_owned(),
        headers: Vec::new(),
        body: None,
        chunked: false,
        trailers: Vec::new(),
        raw: None,
        logged: true,
        protocols: vec![Protocol::Http1, Protocol::Http2],
        scripts: Vec::new(),
        times: 1,
        at_once: 1,
        settle: Duration::ZERO,
    }
}

/// A POST with this body.
#[must_use]
pub fn post(path: &str, body: &str) -> Ask {
    let mut ask = get(path).method("POST");
    ask.body = Some(body.as_bytes().to_vec());
    ask
}

/// A request of HTTP/1.1 of these lines, to which one with its id is added behind the first.
#[must_use]
pub fn raw(lines: &[&str]) -> Ask {
    let mut ask = get("-").method("raw").by(Protocol::Http1);
    let (first, rest) = lines.split_first().expect("a first line");
    let mut text = format!("{first}\r\nx-request-id: ID\r\n");
    for line in rest {
        text.push_str(line);
        text.push_str("\r\n");
    }
    ask.raw = Some(text + "\r\n");
    ask.path = lines.join(" / ");
    ask
}

impl Ask {
    /// With these bytes behind the lines of [`raw`].
    #[must_use]
    pub fn then(mut self, bytes: &str) -> Self {
        self.raw.get_or_insert_default().push_str(bytes);
        self
    }

    /// Without the empty line behind the lines of [`raw`].
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        let raw = self.raw.get_or_insert_default();
        raw.truncate(raw.trim_end_matches("\r\n").len());
        self
    }

    /// Without a look at the log, where a request that cannot be read has no id.
    #[must_use]
    pub fn unlogged(mut self) -> Self {
        self.logged = false;
        self
    }

    /// With a body whose length is not told: in chunks over HTTP/1.1.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// With a trailer behind a body whose length is not told.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self.chunked()
    }

    /// With another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    /// At another authority: `host` over HTTP/1.1.
    #[must_use]
    pub fn at(mut self, authority: &str) -> Self {
        self.authority = authority.to_owned();
        self
    }

    /// With one more header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As a gRPC call without a message.
    #[must_use]
    pub fn grpc(mut self) -> Self {
        self.body = Some(vec![0; 5]);
        self.method("POST")
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .by(Protocol::Http2)
    }

    /// The length of its body where that is not told: then it is up to each proxy whether it tells.
    pub(crate) fn untold_length(&self) -> Option<usize> {
        let untold = self.chunked || self.is_grpc();
        self.body.as_ref().filter(|_| untold).map(Vec::len)
    }

    /// Whether it says that it is of gRPC.
    pub(crate) fn is_grpc(&self) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(name, value)| name == "content-type" && value.starts_with("application/grpc"))
    }

    /// By one protocol alone.
    #[must_use]
    pub fn by(mut self, protocol: Protocol) -> Self {
        self.protocols = vec![protocol];
        self
    }

    /// How `server` answers what it is sent next, in turn.
    #[must_use]
    pub fn script(
        mut self,
        server: &'static str,
        behaviours: impl IntoIterator<Item = Behaviour>,
    ) -> Self {
        let behaviours = behaviours.into_iter().map(|it| (server, it));
        self.scripts.extend(behaviours);
        self
    }

    /// How often it is asked, where chance has a part: then the shares of the servers are compared,
    /// and all that is the same each time.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// How many of it are under way at once: then it is compared how many ended how.
    #[must_use]
    pub fn at_once(mut self, count: u32) -> Self {
        self.at_once = count;
        self
    }

    /// How long to wait before it is asked.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.settle = wait;
        self
    }
}
