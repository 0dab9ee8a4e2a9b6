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

impl Ask {
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
