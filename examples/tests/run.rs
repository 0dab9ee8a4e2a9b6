//! Every program, run as its users run it, against one another.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A program that takes longer to say something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const AXUM_SERVICE: &str = env!("CARGO_BIN_EXE_axum-service");
const CANARY: &str = env!("CARGO_BIN_EXE_canary");
const CONTROL_PLANE: &str = env!("CARGO_BIN_EXE_control-plane");
const GREETER_CLIENT: &str = env!("CARGO_BIN_EXE_greeter-client");
const GREETER_SERVER: &str = env!("CARGO_BIN_EXE_greeter-server");
const HTTP_CLIENT: &str = env!("CARGO_BIN_EXE_http-client");

/// A child process and what it prints. Dropping it kills it.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    errors: mpsc::Receiver<String>,
}

/// How a program ended, and what it still printed.
struct Ended {
    status: ExitStatus,
    lines: Vec<String>,
    errors: Vec<String>,
}

impl Program {
    fn start(program: &str, arguments: &[&str]) -> Self {
        Self::start_with(program, arguments, None)
    }

    fn start_with(program: &str, arguments: &[&str], bootstrap: Option<&Path>) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_remove("GRPC_XDS_BOOTSTRAP")
            .env_remove("GRPC_XDS_BOOTSTRAP_CONFIG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(bootstrap) = bootstrap {
            command.env("GRPC_XDS_BOOTSTRAP", bootstrap);
        }
        let mut child = command.spawn().unwrap();
        Self {
            stdin: child.stdin.take(),
            lines: lines_of(child.stdout.take().unwrap()),
            errors: lines_of(child.stderr.take().unwrap()),
            child,
        }
    }

    /// The next line of its output.
    fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(why) => panic!("no line ({why}); it complained {:?}", rest(&self.errors)),
        }
    }

    /// Where a server listens; servers print that first.
    fn address(&mut self) -> SocketAddr {
        let line = self.line();
        let at = line.strip_prefix("listening on ");
        at.unwrap_or_else(|| panic!("{line:?}")).parse().unwrap()
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for its end.
    fn ended(mut self) -> Ended {
        let (lines, errors) = (rest(&self.lines), rest(&self.errors));
        // Both outputs are closed, so that this does not take long.
        let status = self.child.wait().unwrap();
        Ended {
            status,
            lines,
            errors,
        }
    }

    /// Asks it to end as orchestrators do.
    fn terminate(self) -> Ended {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        self.ended()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails where it has ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines_of(output: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (lines, received) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    received
}

/// All lines until the output is closed.
fn rest(lines: &mpsc::Receiver<String>) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => all.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return all,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end; so far {all:?}"),
        }
    }
}

fn run(program: &str, arguments: &[&str], bootstrap: Option<&Path>) -> Ended {
    Program::start_with(program, arguments, bootstrap).ended()
}

/// A control plane with the bootstrap that it wrote.
struct Plane {
    program: Program,
    bootstrap: PathBuf,
    _directory: TempDir,
}

impl Plane {
    fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bootstrap = directory.path().join("bootstrap.json");
        let file = bootstrap.to_str().unwrap();
        let mut all = vec!["--listen", "127.0.0.1:0", "--bootstrap", file];
        all.extend(arguments);
        let mut program = Program::start(CONTROL_PLANE, &all);
        program.address();
        assert_eq!(program.line(), format!("GRPC_XDS_BOOTSTRAP={file}"));
        Self {
            program,
            bootstrap,
            _directory: directory,
        }
    }
}

/// The `    12  text` lines of a client, as pairs.
fn counted(lines: &[String]) -> Vec<(u32, &str)> {
    let pairs = lines.iter().map(|line| {
        let (count, text) = line.trim_start().split_once("  ").unwrap();
        (count.parse().unwrap(), text)
    });
    pairs.collect()
}

#[test]
fn a_greeting_goes_where_the_control_plane_says_and_moves_when_it_says_so() {
    let mut v1 = Program::start(GREETER_SERVER, &["--name", "v1"]);
    let mut v2 = Program::start(GREETER_SERVER, &["--name", "v2"]);
    let endpoints = format!("v1={},v2={}", v1.address(), v2.address());
    let mut plane = Plane::start(&["--route", "v1=1,v2=0", "--endpoints", &endpoints]);

    let call = ["xds:///greeter", "--count", "20", "--wait-for-ready"];
    let said = run(GREETER_CLIENT, &call, Some(&plane.bootstrap));
    assert!(said.status.success(), "{:?}", said.errors);
    assert_eq!(counted(&said.lines), [(20, "hello mesh, this is v1")]);

    plane.program.type_line("v1=0,v2=1");
    assert_eq!(plane.program.line(), "published v1=0,v2=1");
    let said = run(GREETER_CLIENT, &call, Some(&plane.bootstrap));
    assert!(said.status.success(), "{:?}", said.errors);
    assert_eq!(counted(&said.lines), [(20, "hello mesh, this is v2")]);

    plane.program.type_line("v3=1");
    let refusal = r#"not published: cluster "v3" has no --endpoints"#;
    assert_eq!(plane.program.line(), refusal);
    plane.program.type_line("v1");
    let refusal = r#"not published: "v1" is not of the form v1=90"#;
    assert_eq!(plane.program.line(), refusal);

    for program in [v1, v2, plane.program] {
        let ended = program.terminate();
        assert!(ended.status.success(), "{:?}", ended.errors);
    }
}

#[test]
fn a_greeting_needs_no_control_plane_where_the_target_has_the_address() {
    let mut server = Program::start(GREETER_SERVER, &["--name", "alone"]);
    let target = format!("ipv4:{}", server.address());
    let said = run(GREETER_CLIENT, &[&target, "--count", "3"], None);
    assert!(said.status.success(), "{:?}", said.errors);
    assert_eq!(counted(&said.lines), [(3, "hello mesh, this is alone")]);
}

#[test]
fn failed_greetings_are_told_apart_and_fail_the_program() {
    let dead = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let endpoints = format!("v1={dead}");
    let plane = Plane::start(&["--route", "v1=1", "--endpoints", &endpoints]);

    let said = run(GREETER_CLIENT, &["xds:///greeter"], Some(&plane.bootstrap));
    assert_eq!(said.status.code(), Some(1));
    let failures = counted(&said.errors);
    assert!(failures[0].1.starts_with("Unavailable: "), "{failures:?}");

    // The same endpoint, waited for: then it is the deadline that ends the call.
    let patient = ["xds:///greeter", "--wait-for-ready", "--timeout-ms", "200"];
    let said = run(GREETER_CLIENT, &patient, Some(&plane.bootstrap));
    assert_eq!(said.status.code(), Some(1));
    let failures = counted(&said.errors);
    let expected = "DeadlineExceeded: ";
    assert!(failures[0].1.starts_with(expected), "{failures:?}");

    let said = run(GREETER_CLIENT, &["xds:///greeter"], None);
    assert_eq!(said.status.code(), Some(1));
    assert!(said.errors[0].contains("bootstrap"), "{:?}", said.errors);
}

#[test]
fn a_client_that_is_asked_to_end_says_how_far_it_came() {
    // Accepts connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("ipv4:{}", silent.local_addr().unwrap());
    for (program, url) in [
        (GREETER_CLIENT, None),
        (HTTP_CLIENT, Some("http://silent/")),
    ] {
        let arguments: Vec<_> = [Some(&*target), url].into_iter().flatten().collect();
        let client = Program::start(program, &arguments);
        let connected = {
            let (silent, (told, connected)) = (silent.try_clone().unwrap(), mpsc::channel());
            thread::spawn(move || told.send(silent.accept().unwrap()));
            connected.recv_timeout(PATIENCE).unwrap()
        };
        let ended = client.terminate();
        drop(connected);
        assert!(ended.status.success(), "{:?}", ended.errors);
        assert_eq!(ended.errors, ["stopped after 0 of 1 calls"]);
    }
}

/// What a GET of this path is answered with, head and all.
fn fetch(address: SocketAddr, path: &str) -> String {
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    std::io::read_to_string(connection).unwrap()
}

/// The whole way of a request by HTTP: client, mesh, service, mesh, service.
fn a_request_goes_through_a_service_to_another(protocol: &[&str]) {
    let mut last = Program::start(AXUM_SERVICE, &["--name", "last"]);
    let endpoints = format!("last={}", last.address());
    let mut flags = vec!["--listener", "last", "--route", "last=1", "--endpoints"];
    flags.push(&endpoints);
    flags.extend(protocol);
    let to_last = Plane::start(&flags);

    let front = ["--name", "front", "--upstream", "xds:///last"];
    let mut front = Program::start_with(AXUM_SERVICE, &front, Some(&to_last.bootstrap));
    let at = front.address();
    let endpoints = format!("front={at}");
    let mut flags = vec!["--listener", "front", "--route", "front=1", "--endpoints"];
    flags.push(&endpoints);
    flags.extend(protocol);
    let to_front = Plane::start(&flags);

    let get = ["xds:///front", "http://front/where", "--count", "5"];
    let said = run(HTTP_CLIENT, &get, Some(&to_front.bootstrap));
    assert!(said.status.success(), "{:?}", said.errors);
    assert_eq!(counted(&said.lines), [(5, "200  front > last")]);

    // The service shows what its mesh has counted.
    let page = fetch(at, "/metrics");
    let counted_there = "http_client_request_duration_seconds_count{\
        http_request_method=\"GET\",http_response_status_code=\"200\",mesh_cluster=\"last\",\
        server_address=\"xds:///last\"} 5";
    assert!(page.lines().any(|line| line == counted_there), "{page}");

    // An answer of any status is an answer.
    let get = ["xds:///front", "http://front/elsewhere", "-H", "x-a: b"];
    let said = run(HTTP_CLIENT, &get, Some(&to_front.bootstrap));
    assert!(said.status.success(), "{:?}", said.errors);
    assert_eq!(counted(&said.lines), [(1, "404  ")]);

    // The service behind goes away: the one before it says so.
    assert!(last.terminate().status.success());
    let get = ["xds:///front", "http://front/where"];
    let said = run(HTTP_CLIENT, &get, Some(&to_front.bootstrap));
    assert!(said.status.success(), "{:?}", said.errors);
    let answers = counted(&said.lines);
    assert!(answers[0].1.starts_with("502  "), "{answers:?}");
    assert!(front.terminate().status.success());
}

#[test]
fn http2_requests_go_through_a_service_to_another() {
    a_request_goes_through_a_service_to_another(&[]);
}

#[test]
fn http1_requests_go_through_a_service_to_another() {
    a_request_goes_through_a_service_to_another(&["--http1"]);
}

#[test]
fn wrong_flags_are_named() {
    let endpoints = ["--endpoints", "v1=127.0.0.1:1"];
    let cases: [(&[&str], &str); 4] = [
        (&["--route", "v1"], r#""v1" is not of the form v1=90"#),
        (&["--route", "v1=many"], r#"the weight "many""#),
        (&["--route", "v2=1"], r#"cluster "v2" has no --endpoints"#),
        (&["--route", "v1=0"], "all weights are zero"),
    ];
    for (flags, expected) in cases {
        let said = run(CONTROL_PLANE, &[flags, &endpoints].concat(), None);
        assert!(!said.status.success());
        let complaint = said.errors.join("\n");
        assert!(complaint.contains(expected), "{flags:?}: {complaint}");
    }
    let said = run(HTTP_CLIENT, &["nonsense", "http://a/"], None);
    assert!(!said.status.success());
    let complaint = said.errors.join("\n");
    assert!(complaint.contains("has no scheme"), "{complaint}");
    let said = run(HTTP_CLIENT, &["unix:/a", "http://a/", "-H", "a"], None);
    assert!(!said.status.success());
    let complaint = said.errors.join("\n");
    assert!(complaint.contains("is not name:value"), "{complaint}");
}

#[test]
fn a_canary_release_loses_no_call() {
    let said = run(CANARY, &["--calls", "300", "--json"], None);
    assert!(said.status.success(), "{:?} {:?}", said.lines, said.errors);
    assert_eq!(said.lines.len(), 1, "{:?}", said.lines);
    let report: serde_json::Value = serde_json::from_str(&said.lines[0]).unwrap();
    assert_eq!(report["ok"], true);
    let phases = report["phases"].as_array().unwrap();
    let names: Vec<_> = phases.iter().map(|phase| &phase["name"]).collect();
    let expected = [
        "90/10",
        "flip to 50/50",
        "50/50",
        "kill a v1 backend",
        "stop the control plane",
    ];
    assert_eq!(names, expected);
    for phase in phases {
        assert_eq!(phase["calls"], 300, "{phase}");
        assert_eq!(phase["failures"], 0, "{phase}");
        let share = |key: &str| phase[key].as_f64().unwrap();
        let whole = share("v1_share") + share("v2_share");
        assert!((whole - 1.0).abs() < 1e-9, "{phase}");
        let time = |key: &str| phase[key].as_u64().unwrap();
        assert!(
            0 < time("p50_us") && time("p50_us") <= time("p99_us"),
            "{phase}"
        );
    }
}
