//! HTTP exchanges.

use ::http::Request;
use anyhow::anyhow;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use mesh::{CallerDeadline, HttpClient};
use serde_json::Value;

use super::{DEADLINE, Failure};

pub(super) async fn exchange(client: &HttpClient, body: Bytes) -> Result<(), Failure> {
    let length = body.len() as u64;
    let request = Request::post("http://soak.test/orders?since=monday");
    let request = request.extension(CallerDeadline(DEADLINE));
    let request = request.body(Full::new(body)).map_err(Failure::plain)?;
    let response = client.send(request).await.map_err(Failure::plain)?;
    let status = response.status();
    let answer = response.into_body().collect().await;
    let answer = answer.map_err(|error| Failure {
        begun: true,
        error: error.into(),
    })?;
    let answer = answer.to_bytes();
    if !status.is_success() {
        let text = String::from_utf8_lossy(&answer);
        return Err(Failure::plain(anyhow!("{status}: {text}")));
    }
    let report: Value = serde_json::from_slice(&answer).map_err(Failure::plain)?;
    match report["body_len"].as_u64() {
        Some(seen) if seen == length => Ok(()),
        seen => {
            let error = anyhow!("{length} bytes went, {seen:?} came");
            Err(Failure::plain(error))
        }
    }
}
