//! Running cases against both.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use mesh_testkit::{ControlPlane, control::Resources as _};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Ask, Case, Envoy, Outcome, Protocol, Sidecar, differences::INTENDED, http1, http2, log::Lines,
};

/// Makes a case.
type Build = fn(&mut Case);

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many cases run at once.
const AT_ONCE: usize = 8;

/// Both, with the same configuration from one control plane.
#[derive(Debug)]
pub struct Suite {
    // Kept, so that they go on.
    _plane: ControlPlane,
    _envoy: Envoy,
    _sidecar: Sidecar,
    envoy: Side,
    sidecar: Side,
    cases: Vec<Case>,
}

/// One of both.
#[derive(Clone, Debug)]
struct Side {
    listeners: Arc<HashMap<String, SocketAddr>>,
    lines: Lines,
}

/// How often each text came of a request.
type Counts = BTreeMap<String, u32>;

impl Suite {
    /// Starts both, with all cases whose names contain `filter`.
    pub async fn start(envoy: &Path, filter: &str) -> Self {
        let plane = ControlPlane::start().await;
        let chosen = ALL.iter().filter(|(name, _)| name.contains(filter));
        let cases: Vec<_> = chosen
            .map(|(name, build)| {
                let mut case = Case::new(name);
                build(&mut case);
                case
            })
            .collect();
        let mut resources = Vec::new();
        for case in &cases {
            case.resources().add_to(&mut resources);
        }
        plane.set(resources);
        let names: Vec<_> = cases.iter().map(|case| case.name().to_owned()).collect();
        let envoy = Envoy::start(envoy, plane.socket()).await;
        let sidecar = Sidecar::start(plane.socket(), &names).await;
        let listeners = envoy.listeners(names.len()).await;
        Self {
            envoy: Side {
                listeners: Arc::new(listeners),
                lines: envoy.lines.clone(),
            },
            sidecar: Side {
                listeners: Arc::new(sidecar.listeners.clone()),
                lines: sidecar.lines.clone(),
            },
            _plane: plane,
            _envoy: envoy,
            _sidecar: sidecar,
            cases,
        }
    }

    /// Runs all cases; what differs, in words.
    pub async fn run(self) -> Vec<String> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut running = JoinSet::new();
        for case in self.cases {
            let (envoy, sidecar) = (self.envoy.clone(), self.sidecar.clone());
            let places = Arc::clone(&places);
            running.spawn(async move {
                let _place = places.acquire().await;
                run(&case, &envoy, &sidecar).await
            });
        }
        let mut found: Vec<_> = running.join_all().await.into_iter().flatten().collect();
        found.sort();
        found
    }
}

/// What differs in a case. One that is meant to differ has to.
async fn run(case: &Case, envoy: &Side, sidecar: &Side) -> Option<String> {
    let mut found = String::new();
    for (place, ask) in case.asks().iter().enumerate() {
        for protocol in &ask.protocols {
            sleep(ask.settle).await;
            let id = format!("{}/{place}/{protocol:?}", case.name());
            let theirs = envoy.counts(case, ask, *protocol, &id).await;
            let ours = sidecar.counts(case, ask, *protocol, &id).await;
            if let Some(difference) = compare(&theirs, &ours, ask.times > 1) {
                let _ = writeln!(found, "{id}: {} {}\n{difference}", ask.method, ask.path);
            }
        }
    }
    let intended = INTENDED.iter().find(|it| it.case == case.name());
    match (intended, found.is_empty()) {
        (None, true) | (Some(_), false) => None,
        (None, false) => Some(found),
        (Some(it), true) => Some(format!(
            "{}: does not differ any more: {}",
            it.case, it.reason
        )),
    }
}

impl Side {
    /// Asks as often as it is to be asked.
    async fn counts(&self, case: &Case, ask: &Ask, protocol: Protocol, id: &str) -> Counts {
        let mut counts = Counts::new();
        for time in 0..ask.times {
            let id = match ask.times {
                1 => id.to_owned(),
                _ => format!("{id}/{time}"),
            };
            for outcome in self.outcomes(case, ask, protocol, &id).await {
                // Each has its own.
                let text = outcome.text().replace(&id, "ID");
                *counts.entry(text).or_default() += 1;
            }
        }
        counts
    }

    /// Asks once, or as often at once as it is to be.
    async fn outcomes(&self, case: &Case, ask: &Ask, protocol: Protocol, id: &str) -> Vec<Outcome> {
        let at = self.listeners[case.name()];
        for (_, server) in case.servers() {
            server.forget();
        }
        for (name, behaviour) in &ask.scripts {
            let mut servers = case.servers().iter();
            let server = servers.find(|(it, _)| it == name);
            server
                .expect("a server of the case")
                .1
                .next(1, behaviour.clone());
        }
        let before: Vec<_> = case
            .servers()
            .iter()
            .map(|(_, it)| it.requests().len())
            .collect();
        let mut asking = JoinSet::new();
        for number in 0..ask.at_once {
            let (ask, lines) = (ask.clone(), self.lines.clone());
            let id = match ask.at_once {
                1 => id.to_owned(),
                _ => format!("{id}#{number}"),
            };
            asking.spawn(async move {
                let sent = async {
                    match protocol {
                        Protocol::Http1 => http1::send(at, &ask, &id).await,
                        Protocol::Http2 => http2::send(at, &ask, &id).await,
                    }
                };
                let answer = timeout(PATIENCE, sent).await.ok().flatten();
                let line = match ask.logged {
                    true => lines.of(&id).await,
                    false => None,
                };
                Outcome {
                    answer,
                    line,
                    untold_length: ask.untold_length(),
                    seen: Vec::new(),
                }
            });
        }
        let mut outcomes = asking.join_all().await;
        // Of many at once nobody knows which was whose.
        if let [only] = &mut outcomes[..] {
            for ((name, server), before) in case.servers().iter().zip(before) {
                let seen = server.requests().split_off(before);
                only.seen.extend(seen.into_iter().map(|it| (*name, it)));
            }
        }
        outcomes
    }
}

/// What differs between two sets of texts; where `chance` has a part, their shares may, by five
/// standard deviations.
#[must_use]
pub fn compare(theirs: &Counts, ours: &Counts, chance: bool) -> Option<String> {
    let total: u32 = theirs.values().sum();
    let differs = |text: &String| {
        let (one, other) = (count(theirs, text), count(ours, text));
        if !chance {
            return one != other;
        }
        let (one, other, total) = (f64::from(one), f64::from(other), f64::from(total));
        let share = (one + other) / (2.0 * total);
        let deviation = (2.0 * share * (1.0 - share) / total).sqrt();
        ((one - other) / total).abs() > 5.0 * deviation
    };
    let mut texts: Vec<_> = theirs.keys().chain(ours.keys()).collect();
    texts.sort();
    texts.dedup();
    let differing: Vec<_> = texts.into_iter().filter(|text| differs(text)).collect();
    match differing[..] {
        [] => None,
        // One each: what differs, line by line.
        [one, other] if total == 1 => {
            let (one, other) = match theirs.contains_key(one) {
                true => (one, other),
                false => (other, one),
            };
            Some(by_line(one, other))
        }
        _ => Some(differing.iter().fold(String::new(), |mut all, text| {
            let _ = writeln!(
                all,
                "  envoy {} times, ours {} times:\n{}",
                count(theirs, text),
                count(ours, text),
                text.lines()
                    .fold(String::new(), |all, line| all + "    " + line + "\n")
            );
            all
        })),
    }
}

fn count(counts: &Counts, text: &String) -> u32 {
    counts.get(text).copied().unwrap_or_default()
}

fn by_line(theirs: &str, ours: &str) -> String {
    let only = |lines: &str, others: &str, mark: &str| {
        let mut left: Vec<_> = others.lines().collect();
        let mut text = String::new();
        for line in lines.lines() {
            match left.iter().position(|it| *it == line) {
                Some(place) => drop(left.remove(place)),
                None => {
                    let _ = writeln!(text, "  {mark} {line}");
                }
            }
        }
        text
    };
    only(theirs, ours, "envoy") + &only(ours, theirs, "ours ")
}
