//! A connector that does as it is told, and counts.

use std::{
    collections::VecDeque,
    future, io,
    sync::{Arc, Mutex},
};

use mesh_core::config::Address;
use mesh_testkit::echo::EchoServer;
use tokio::{
    io::DuplexStream,
    sync::{mpsc, oneshot},
};

use crate::connect::{Connect, Connecting, Io};

/// What comes of an attempt to connect.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// It is refused.
    Refuse,
    /// Nothing, ever.
    Hang,
    /// The peer accepts and closes.
    Die,
    /// The peer accepts and says nothing.
    Silence,
    /// A connection whose other end the test has.
    Accept,
    /// A connection to this server.
    Serve(Arc<EchoServer>),
    /// What the next receiver in line gives: nothing until it is told.
    Later(Arc<Mutex<Option<oneshot::Receiver<Answer>>>>),
}

#[derive(Clone, Debug)]
pub(super) struct Script(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    dials: usize,
    next: VecDeque<Answer>,
    always: Answer,
    accepted: Option<mpsc::UnboundedSender<DuplexStream>>,
    // The far ends of the connections that say nothing.
    silent: Vec<DuplexStream>,
}

impl Script {
    pub(super) fn new(always: Answer) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            dials: 0,
            next: VecDeque::new(),
            always,
            accepted: None,
            silent: Vec::new(),
        })))
    }

    /// Attempts so far.
    pub(super) fn dials(&self) -> usize {
        self.0.lock().unwrap().dials
    }

    /// The answer to the next attempt that has none yet.
    pub(super) fn next(&self, answer: Answer) {
        self.0.lock().unwrap().next.push_back(answer);
    }

    pub(super) fn always(&self, answer: Answer) {
        self.0.lock().unwrap().always = answer;
    }

    /// From now on connections end in the hands of the test.
    pub(super) fn accept(&self) -> mpsc::UnboundedReceiver<DuplexStream> {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let mut lines = self.0.lock().unwrap();
        lines.accepted = Some(accepted);
        lines.always = Answer::Accept;
        receiver
    }

    fn accepted(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 << 10);
        let lines = self.0.lock().unwrap();
        lines.accepted.as_ref().unwrap().send(far).unwrap();
        near
    }

    fn silent(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 << 10);
        self.0.lock().unwrap().silent.push(far);
        near
    }

    async fn act(self, answer: Answer) -> io::Result<Box<dyn Io>> {
        match answer {
            Answer::Refuse => Err(io::Error::other("nobody is there")),
            Answer::Hang => future::pending().await,
            Answer::Die => Ok(Box::new(tokio::io::duplex(64).0)),
            Answer::Accept => Ok(Box::new(self.accepted())),
            Answer::Silence => Ok(Box::new(self.silent())),
            Answer::Serve(server) => Ok(Box::new(server.connect_in_memory())),
            Answer::Later(told) => {
                let told = told.lock().unwrap().take().unwrap();
                let answer = told.await.map_err(io::Error::other)?;
                Box::pin(self.act(answer)).await
            }
        }
    }
}

impl Connect for Script {
    fn connect(&self, _: &Address) -> Connecting {
        let answer = {
            let mut lines = self.0.lock().unwrap();
            lines.dials += 1;
            let always = lines.always.clone();
            lines.next.pop_front().unwrap_or(always)
        };
        Box::pin(self.clone().act(answer))
    }
}

/// An answer that the test gives when it likes.
pub(super) fn later() -> (oneshot::Sender<Answer>, Answer) {
    let (tell, told) = oneshot::channel();
    (tell, Answer::Later(Arc::new(Mutex::new(Some(told)))))
}
