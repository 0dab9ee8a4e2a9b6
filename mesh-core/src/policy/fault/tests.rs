use super::*;
use crate::entropy::{Entropy, mix};

const ALWAYS: FaultDraws = FaultDraws { delay: 0, abort: 0 };
const HEADER_DELAY: FaultDelay = FaultDelay::Header { denominator: 100 };
const HEADER_ABORT: FaultAbort = FaultAbort::Header { denominator: 100 };

fn percent(n: u32) -> Fraction {
    Fraction::new(n, 100)
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn delay(delay: FaultDelay, share: Fraction) -> FaultConfig {
    FaultConfig {
        delay: Some((delay, share)),
        ..FaultConfig::default()
    }
}

fn abort(abort: FaultAbort, share: Fraction) -> FaultConfig {
    FaultConfig {
        abort: Some((abort, share)),
        ..FaultConfig::default()
    }
}

fn http(status: u16) -> Option<Abort> {
    Some(Abort::Http(StatusCode::from_u16(status).unwrap()))
}

#[test]
fn fixed_faults_need_no_headers() {
    let second = Duration::from_secs(1);
    let both = FaultConfig {
        delay: Some((FaultDelay::Fixed(second), Fraction::ONE)),
        abort: Some((FaultAbort::Http(503), Fraction::ONE)),
        ..FaultConfig::default()
    };
    let faults = Faults {
        delay: Some(second),
        abort: http(503),
    };
    assert_eq!(both.faults(&HeaderMap::new(), ALWAYS), faults);
    let none = FaultConfig::default();
    assert_eq!(none.faults(&HeaderMap::new(), ALWAYS), Faults::default());
}

#[test]
fn an_abort_is_a_real_status() {
    let cases = [
        (FaultAbort::Http(199), None),
        (FaultAbort::Http(200), http(200)),
        (FaultAbort::Http(599), http(599)),
        (FaultAbort::Http(600), None),
        (FaultAbort::Http(0), None),
        (FaultAbort::Grpc(0), Some(Abort::Grpc(GrpcCode::OK))),
        (FaultAbort::Grpc(16), Some(Abort::Grpc(GrpcCode::new(16)))),
        (FaultAbort::Grpc(17), Some(Abort::Grpc(GrpcCode::UNKNOWN))),
    ];
    for (fault, expected) in cases {
        let faults = abort(fault, Fraction::ONE).faults(&HeaderMap::new(), ALWAYS);
        assert_eq!(faults.abort, expected, "{fault:?}");
    }
}

#[test]
fn a_header_asks_for_a_delay() {
    let cases = [
        (Some("250"), Some(250)),
        (Some("0"), None),
        (Some("-1"), None),
        (Some("+1"), None),
        (Some("1.5"), None),
        (Some(""), None),
        (Some("99999999999999999999"), None),
        (None, None),
    ];
    for (value, millis) in cases {
        let name = "x-envoy-fault-delay-request";
        let headers = value.map_or_else(HeaderMap::new, |value| headers(&[(name, value)]));
        let faults = delay(HEADER_DELAY, Fraction::ONE).faults(&headers, ALWAYS);
        assert_eq!(faults.delay, millis.map(Duration::from_millis), "{value:?}");
    }
}

#[test]
fn a_header_asks_for_an_abort_and_http_comes_first() {
    const HTTP: &str = "x-envoy-fault-abort-request";
    const GRPC: &str = "x-envoy-fault-abort-grpc-request";
    let grpc = |code| Some(Abort::Grpc(GrpcCode::new(code)));
    type Lines = &'static [(&'static str, &'static str)];
    let cases: [(Lines, Option<Abort>); 8] = [
        (&[], None),
        (&[(HTTP, "503")], http(503)),
        (&[(GRPC, "5")], grpc(5)),
        (&[(GRPC, "5"), (HTTP, "503")], http(503)),
        (&[(HTTP, "700")], None),
        (&[(HTTP, "700"), (GRPC, "5")], grpc(5)),
        (&[(HTTP, "nonsense")], None),
        (&[(GRPC, "-5")], None),
    ];
    for (lines, expected) in cases {
        let faults = abort(HEADER_ABORT, Fraction::ONE).faults(&headers(lines), ALWAYS);
        assert_eq!(faults.abort, expected, "{lines:?}");
    }
    // A fixed fault does not look at headers.
    let fixed = abort(FaultAbort::Http(401), Fraction::ONE);
    let faults = fixed.faults(&headers(&[(HTTP, "503")]), ALWAYS);
    assert_eq!(faults.abort, http(401));
}

#[test]
fn a_header_can_only_lower_the_share() {
    let name = ABORT_SHARE.clone();
    let cases = [
        (30, None, 100, 300_000),
        (30, Some("10"), 100, 100_000),
        (30, Some("90"), 100, 300_000),
        (30, Some("0"), 100, 0),
        (30, Some("4294967296"), 100, 300_000),
        (30, Some("nonsense"), 100, 300_000),
        (30, Some("10"), 10_000, 1_000),
        (30, Some("10"), 1_000_000, 10),
    ];
    for case @ (share, value, denominator, expected) in cases {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(&name, value.parse().unwrap());
        }
        let lowered = lowered(percent(share), &headers, &name, denominator);
        assert_eq!(lowered.millionths(), expected, "{case:?}");
    }
}

#[test]
fn each_percentage_header_lowers_its_own_fault() {
    let both = FaultConfig {
        delay: Some((HEADER_DELAY, Fraction::ONE)),
        abort: Some((HEADER_ABORT, Fraction::ONE)),
        ..FaultConfig::default()
    };
    let base = [
        ("x-envoy-fault-delay-request", "5"),
        ("x-envoy-fault-abort-request", "500"),
    ];
    let with = |name, value| headers(&[base[0], base[1], (name, value)]);
    let no_delay = both.faults(&with("x-envoy-fault-delay-request-percentage", "0"), ALWAYS);
    assert_eq!((no_delay.delay, no_delay.abort), (None, http(500)));
    let no_abort = both.faults(&with("x-envoy-fault-abort-request-percentage", "0"), ALWAYS);
    assert_eq!(no_abort.delay, Some(Duration::from_millis(5)));
    assert_eq!(no_abort.abort, None);
}

#[test]
fn shares_hold_and_are_independent() {
    let seed = 5;
    let entropy = Entropy::seeded(seed);
    let config = FaultConfig {
        delay: Some((FaultDelay::Fixed(Duration::from_secs(1)), percent(50))),
        abort: Some((FaultAbort::Http(500), percent(20))),
        ..FaultConfig::default()
    };
    let (mut delays, mut aborts, mut both) = (0, 0, 0);
    for _ in 0..20_000 {
        let draw = entropy.draw();
        let draws = FaultDraws {
            delay: mix(draw),
            abort: mix(draw ^ 1),
        };
        let faults = config.faults(&HeaderMap::new(), draws);
        delays += u32::from(faults.delay.is_some());
        aborts += u32::from(faults.abort.is_some());
        both += u32::from(faults.delay.is_some() && faults.abort.is_some());
    }
    let shares = (delays, aborts, both);
    assert!((9_700..10_300).contains(&delays), "seed {seed}: {shares:?}");
    assert!((3_800..4_200).contains(&aborts), "seed {seed}: {shares:?}");
    assert!((1_850..2_150).contains(&both), "seed {seed}: {shares:?}");
}

#[test]
fn an_abort_is_answered_in_the_callers_protocol() {
    let cases = [
        (Abort::Http(StatusCode::UNAUTHORIZED), 401, "16", true),
        (Abort::Http(StatusCode::NOT_FOUND), 404, "12", true),
        (Abort::Http(StatusCode::OK), 200, "2", true),
        (Abort::Grpc(GrpcCode::ABORTED), 200, "10", true),
        (Abort::Grpc(GrpcCode::OK), 200, "0", false),
    ];
    for (abort, status, code, message) in cases {
        let reply = abort.reply(false);
        assert_eq!((reply.flag, &*reply.details), ("FI", "fault_filter_abort"));
        let plain = reply.clone().into_response(false);
        assert_eq!(plain.status(), status, "{abort:?}");
        assert_eq!(plain.body(), "fault filter abort");
        let grpc = reply.into_response(true);
        assert_eq!(grpc.status(), 200);
        assert_eq!(grpc.headers()["grpc-status"], code, "{abort:?}");
        assert_eq!(grpc.headers().contains_key("grpc-message"), message);
        assert!(grpc.body().is_empty());
    }
    assert_eq!(Abort::Grpc(GrpcCode::OK).reply(true).flag, "DI,FI");
}

#[test]
fn a_configuration_without_faults_is_inert() {
    assert!(FaultConfig::default().is_inert());
    let mut config = abort(FaultAbort::Http(500), Fraction::ONE);
    assert!(!config.is_inert());
    config.max_active = Some(0);
    assert!(config.is_inert());
}
