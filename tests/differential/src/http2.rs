//! A client of HTTP/2.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request};
use tokio::net::TcpStream;

use crate::{Ask, outcome::Answer};

/// Sends one request on a connection of its own.
pub(crate) async fn send(at: SocketAddr, ask: &Ask, id: &str) -> Option<Answer> {
    let stream = TcpStream::connect(at).await.ok()?;
    let (sender, connection) = h2::client::handshake(stream).await.ok()?;
    let driver = tokio::spawn(connection);
    let answer = exchange(sender, ask, id).await;
    driver.abort();
    answer
}

async fn exchange(sender: h2::client::SendRequest<Bytes>, ask: &Ask, id: &str) -> Option<Answer> {
    let mut sender = sender.ready().await.ok()?;
    let mut request = Request::builder()
        .method(ask.method.as_str())
        .uri(format!("http://{}{}", ask.authority, ask.path))
        .header("x-request-id", id);
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some(body) = ask.body.as_ref().filter(|_| ask.untold_length().is_none()) {
        request = request.header("content-length", body.len());
    }
    let request = request.body(()).unwrap();
    let (response, mut stream) = sender.send_request(request, ask.body.is_none()).ok()?;
    if let Some(body) = &ask.body {
        let _ = stream.send_data(Bytes::copy_from_slice(body), ask.trailers.is_empty());
        if !ask.trailers.is_empty() {
            let trailers = ask.trailers.iter();
            let trailers =
                trailers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            let _ = stream.send_trailers(trailers.collect());
        }
    }
    let (head, mut body) = response.await.ok()?.into_parts();
    let (mut data, mut whole) = (Vec::new(), true);
    while let Some(piece) = body.data().await {
        match piece {
            Ok(piece) => {
                let _ = body.flow_control().release_capacity(piece.len());
                data.extend(piece);
            }
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    let trailers = body.trailers().await.ok().flatten().unwrap_or_default();
    Some(Answer {
        status: head.status.as_u16(),
        headers: fields(&head.headers),
        body: data,
        trailers: fields(&trailers),
        whole,
    })
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}
