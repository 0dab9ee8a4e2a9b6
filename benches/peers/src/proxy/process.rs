//! A proxy in a process of its own, on the core that nothing else is on.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::sleep;

use super::{Behind, Protocol, drive::Caller, servers::LISTENER};
use crate::plane;

/// The sidecar's program, Envoy's, and words to put before any, such as those that count instructions.
const SIDECAR: &str = "BENCH_SIDECAR";
const ENVOY: &str = "BENCH_ENVOY";
const UNDER: &str = "BENCH_UNDER";

/// How long it may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Proxy {
    pub at: SocketAddr,
    /// None, if it is the server itself.
    child: Option<Child>,
    began: Instant,
}

impl Proxy {
    /// Starts it; it may not listen yet.
    pub fn start(name: &str, protocol: Protocol, behind: &Behind) -> Result<Self> {
        let began = Instant::now();
        let (child, at) = match name {
            "direct" => (None, behind.servers[0]),
            "envoy" => {
                let mut envoy = on_its_core(&required(ENVOY)?);
                envoy.args(["--use-dynamic-base-id", "--concurrency", "1"]);
                envoy.args(["--log-level", "off"]);
                envoy.args(["--config-yaml", &envoy_bootstrap(behind.ads)]);
                (Some(envoy.spawn()?), behind.listener)
            }
            "bare" => said(bare(protocol, behind)?)?,
            "sidecar" => said(sidecar(behind)?)?,
            _ => bail!("no proxy of the name {name}"),
        };
        Ok(Self { at, child, began })
    }

    /// Asks until there is an answer, and gives the time since the start.
    pub async fn answers(&self, protocol: Protocol, path: &str) -> Result<Duration> {
        loop {
            let once = async { Caller::connect(self.at, protocol, path).await?.call().await };
            match once.await {
                Ok(()) => return Ok(self.began.elapsed()),
                Err(error) if self.began.elapsed() > PATIENCE => {
                    return Err(error.context("the proxy does not answer"));
                }
                Err(_) => sleep(Duration::from_millis(1)).await,
            }
        }
    }

    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// KiB of it that are in memory.
    pub fn memory(&self) -> Result<u64> {
        let Some(id) = self.id() else { return Ok(0) };
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
        let words = line.context("/proc says nothing of its memory")?;
        let first = words.split_whitespace().next();
        Ok(first.context("the line is empty")?.parse()?)
    }

    /// Ends it, and waits until it has written what it has to say.
    pub async fn end(mut self) -> Result<()> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        let asked = Command::new("kill").arg(child.id().to_string()).status()?;
        ensure!(asked.success(), "kill failed");
        let asked = Instant::now();
        while child.try_wait()?.is_none() {
            ensure!(asked.elapsed() < PATIENCE, "the proxy does not end");
            // Meanwhile its clients see that it wants to go.
            sleep(Duration::from_millis(10)).await;
        }
        self.child = None;
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn bare(protocol: Protocol, behind: &Behind) -> Result<Command> {
    let program = env::current_exe()?;
    let mut bare = on_its_core(program.to_str().context("its path is no text")?);
    let ports: Vec<_> = behind
        .servers
        .iter()
        .map(|at| at.port().to_string())
        .collect();
    bare.args(["bare", protocol.name(), &ports.join(",")]);
    Ok(bare)
}

fn sidecar(behind: &Behind) -> Result<Command> {
    let mut sidecar = on_its_core(&required(SIDECAR)?);
    sidecar.args([
        "--workers",
        "1",
        "--log-level",
        "warn",
        "--admin",
        "127.0.0.1:0",
    ]);
    sidecar.args(["--listen", &format!("127.0.0.1:0={LISTENER}")]);
    let bootstrap = plane::bootstrap(&behind.ads.to_string());
    sidecar.env("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap);
    Ok(sidecar)
}

/// The second core, if there is one: the servers and whoever asks have the first.
fn on_its_core(program: &str) -> Command {
    let core = if thread::available_parallelism().is_ok_and(|it| it.get() > 1) {
        "1"
    } else {
        "0"
    };
    let mut command = Command::new("taskset");
    command.args(["-c", core]);
    command.args(env::var(UNDER).unwrap_or_default().split_whitespace());
    command
        .arg(program)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Starts what says where it listens: `listening on ADDRESS for ..`.
fn said(mut command: Command) -> Result<(Option<Child>, SocketAddr)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    let line = lines.next().context("it says nothing")??;
    // Its output stays open until it ends.
    thread::spawn(move || lines.for_each(drop));
    let rest = line.strip_prefix("listening on ");
    let address = rest.and_then(|rest| rest.split(' ').next());
    Ok((Some(child), address.context("no address")?.parse()?))
}

fn required(variable: &str) -> Result<String> {
    env::var(variable).with_context(|| format!("{variable} is not set"))
}

/// What Envoy is told of a control plane at `ads`.
fn envoy_bootstrap(ads: SocketAddr) -> String {
    let (ip, port) = (ads.ip(), ads.port());
    let at = format!(
        r#"{{"endpoint": {{"address": {{"socket_address": {{"address": "{ip}", "port_value": {port}}}}}}}}}"#
    );
    format!(
        r#"{{
            "node": {{"id": "envoy", "cluster": "envoy"}},
            "dynamic_resources": {{
                "ads_config": {{
                    "api_type": "GRPC",
                    "transport_api_version": "V3",
                    "grpc_services": [{{"envoy_grpc": {{"cluster_name": "plane"}}}}]
                }},
                "lds_config": {{"ads": {{}}, "resource_api_version": "V3"}},
                "cds_config": {{"ads": {{}}, "resource_api_version": "V3"}}
            }},
            "static_resources": {{"clusters": [{{
                "name": "plane",
                "type": "STATIC",
                "typed_extension_protocol_options": {{
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {{
                        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                        "explicit_http_config": {{"http2_protocol_options": {{}}}}
                    }}
                }},
                "load_assignment": {{"cluster_name": "plane", "endpoints": [{{"lb_endpoints": [{at}]}}]}}
            }}]}}
        }}"#
    )
}
