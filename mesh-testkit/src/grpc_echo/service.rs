//! The service itself: it says back what it was sent.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tonic::metadata::KeyAndValueRef;
use tonic::{Code, Request, Response, Status, Streaming};

use super::shape::Facts;
use crate::generated::mesh::test::v1::echo_server::Echo;
use crate::generated::mesh::test::v1::{EchoReply, EchoRequest};

type Replies = Pin<Box<dyn Stream<Item = Result<EchoReply, Status>> + Send>>;

/// Implements `mesh.test.v1.Echo`.
#[derive(Debug)]
pub(super) struct EchoCalls {
    server_id: String,
}

impl EchoCalls {
    pub(super) fn new(server_id: String) -> Self {
        Self { server_id }
    }

    /// The reply to a call so far, without what its requests say.
    fn begin<T>(&self, request: &Request<T>) -> EchoReply {
        let mut headers = BTreeMap::new();
        for entry in request.metadata().iter() {
            if let KeyAndValueRef::Ascii(key, value) = entry
                && let Ok(value) = value.to_str()
            {
                headers.insert(key.to_string(), value.to_owned());
            }
        }
        let previous = headers
            .get("grpc-previous-rpc-attempts")
            .and_then(|count| count.parse::<u64>().ok());
        let facts = request.extensions().get::<Facts>();
        EchoReply {
            server_id: self.server_id.clone(),
            path: facts.map(|facts| facts.path.clone()).unwrap_or_default(),
            authority: facts
                .map(|facts| facts.authority.clone())
                .unwrap_or_default(),
            headers,
            attempt: previous.unwrap_or(0) + 1,
            ..EchoReply::default()
        }
    }
}

/// Waits and fails as the request asks.
async fn obey(request: &EchoRequest) -> Result<(), Status> {
    // A sleep of zero takes a tick of the timer: too long for a stream of very many messages.
    if request.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(request.delay_ms)).await;
    }
    match i32::try_from(request.fail_with_code) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Status::new(Code::from_i32(code), &request.fail_message)),
        Err(_) => Err(Status::unknown(&request.fail_message)),
    }
}

/// Takes one more request into the reply.
fn add(reply: &mut EchoReply, request: EchoRequest) {
    reply.received += 1;
    reply.message = request.message;
    reply.payload = request.payload;
}

/// What a bidirectional call is in the middle of.
struct Talk {
    requests: Streaming<EchoRequest>,
    current: EchoRequest,
    left: u32,
    reply: EchoReply,
}

impl Talk {
    async fn next(&mut self) -> Option<Result<EchoReply, Status>> {
        if self.left == 0 {
            match self.requests.message().await {
                Ok(Some(request)) => {
                    self.left = request.repeat.max(1);
                    self.current = request.clone();
                    add(&mut self.reply, request);
                }
                Ok(None) => return None,
                Err(status) => return Some(Err(status)),
            }
        }
        self.left -= 1;
        Some(obey(&self.current).await.map(|()| self.reply.clone()))
    }
}

#[tonic::async_trait]
impl Echo for EchoCalls {
    async fn unary(&self, request: Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        let mut reply = self.begin(&request);
        let request = request.into_inner();
        obey(&request).await?;
        add(&mut reply, request);
        Ok(Response::new(reply))
    }

    async fn client_stream(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<EchoReply>, Status> {
        let mut reply = self.begin(&request);
        let mut requests = request.into_inner();
        while let Some(request) = requests.message().await? {
            obey(&request).await?;
            add(&mut reply, request);
        }
        Ok(Response::new(reply))
    }

    type ServerStreamStream = Replies;

    async fn server_stream(
        &self,
        request: Request<EchoRequest>,
    ) -> Result<Response<Replies>, Status> {
        let mut reply = self.begin(&request);
        let request = request.into_inner();
        // A call that fails with its first reply fails by trailers alone.
        obey(&request).await?;
        let (repeat, delay) = (request.repeat.max(1), request.delay_ms);
        add(&mut reply, request);
        let replies = stream::iter(0..repeat).then(move |number| {
            let reply = reply.clone();
            async move {
                if number > 0 {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                }
                Ok(reply)
            }
        });
        Ok(Response::new(Box::pin(replies)))
    }

    type BidiStreamStream = Replies;

    async fn bidi_stream(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<Replies>, Status> {
        let talk = Talk {
            reply: self.begin(&request),
            requests: request.into_inner(),
            current: EchoRequest::default(),
            left: 0,
        };
        let replies = stream::unfold(Some(talk), |talk| async move {
            let mut talk = talk?;
            let reply = talk.next().await?;
            // An error ends the call.
            let talk = reply.is_ok().then_some(talk);
            Some((reply, talk))
        });
        Ok(Response::new(Box::pin(replies)))
    }
}
