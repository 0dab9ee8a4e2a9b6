//! What you learn: plain HTTP goes through the same routes, retries and balancing as gRPC. The URL's
//! authority chooses the virtual host, its path the route; the target says whose configuration counts.

use std::process::ExitCode;

use bytes::Bytes;
use clap::Parser;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use mesh::HttpClient;
use mesh_examples::{stop, tally::Tally, target::mesh_for};

/// The most of a response body that is read, in bytes.
const LIMIT: usize = 1 << 20;

/// Gets a URL, and counts the answers.
#[derive(Debug, Parser)]
struct Args {
    /// Whom to call: `xds:///shop`, `dns:///host:port`, `ipv4:1.2.3.4:80`, `unix:/path`.
    /// For xds, GRPC_XDS_BOOTSTRAP names the bootstrap file.
    target: String,
    /// What to get, for example `http://shop/orders`.
    url: Uri,
    /// How many requests to make.
    #[arg(long, default_value_t = 1)]
    count: u32,
    /// A header to send, as `name:value`; may be given more than once.
    #[arg(short = 'H', long = "header", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut stop = std::pin::pin!(stop::requested()?);
    let mesh = mesh_for(&args.target)?;
    let client = mesh.http_client(&args.target)?;

    let mut tally = Tally::default();
    for made in 0..args.count {
        let answer = tokio::select! {
            answer = get(&client, &args) => answer,
            () = &mut stop => {
                eprintln!("stopped after {made} of {} calls", args.count);
                break;
            }
        };
        tally.add(answer);
    }

    Ok(tally.finish())
}

/// One request: its status and body. An answer of any status is an answer.
async fn get(client: &HttpClient, args: &Args) -> anyhow::Result<String> {
    let mut request = Request::get(&args.url).body(Empty::<Bytes>::new())?;
    request.headers_mut().extend(args.headers.iter().cloned());
    let response = client.send(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LIMIT).collect().await;
    let body = body
        .map_err(|error| anyhow::anyhow!("{status}, and the body failed: {error}"))?
        .to_bytes();
    let text = String::from_utf8_lossy(&body);
    Ok(format!("{}  {}", status.as_u16(), text.trim_end()))
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("is not name:value")?;
    let name = name
        .trim()
        .parse()
        .map_err(|error| format!("name: {error}"))?;
    let value = value
        .trim()
        .parse()
        .map_err(|error| format!("value: {error}"))?;
    Ok((name, value))
}
