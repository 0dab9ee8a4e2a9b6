//! Clients as they should be.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub(crate) async fn connect(at: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let io = TokioIo::new(TcpStream::connect(at).await.unwrap());
    let (sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) fn request(host: &str, path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(path).header("host", host);
    request.body(Full::default()).unwrap()
}

pub(crate) async fn get(at: SocketAddr, host: &str, path: &str) -> Response<Incoming> {
    let sent = connect(at).await.send_request(request(host, path)).await;
    sent.unwrap()
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
