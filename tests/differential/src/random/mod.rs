//! Random route tables and requests, asked of both.
//!
//! Each table comes from a seed of its own, and holds together few words, so that its hosts, routes
//! and conditions are often close to one another and requests nearly miss them. What differs is made
//! smaller until nothing can be left out of it.

mod both;
mod condition;
mod domain;
mod path;
mod request;
mod show;
mod shrink;
mod spoil;
mod table;

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    path::Path,
    sync::Arc,
};

use mesh_proto::envoy::config::route::v3::RouteConfiguration;
use mesh_testkit::Seeded;
use tokio::{sync::Semaphore, task::JoinSet};

use self::{
    both::{Both, Difference},
    shrink::Question,
};
use crate::{Ask, get};

/// How many tables are published at once, each under a listener of its own.
const TOGETHER: usize = 40;

/// How many tables are asked about at once.
const AT_ONCE: usize = 6;

/// How many requests a table gets.
const REQUESTS: usize = 20;

/// So many differences are enough to work on.
const ENOUGH: usize = 6;

/// Of so many tables one more is spoilt, to see whether both refuse it.
const SPOILT: u64 = 5;

/// A table, and what is asked.
#[derive(Clone, Debug)]
struct Table {
    seed: u64,
    routes: RouteConfiguration,
    asks: Vec<Ask>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many tables were asked about.
    pub tables: u64,
    /// How many requests.
    pub requests: u64,
    /// How many spoilt tables were published.
    pub spoilt: u64,
    /// How many of them were refused.
    pub refused: u64,
    /// How often each server, or the proxy itself by each status, answered.
    pub answers: BTreeMap<String, u64>,
    /// How many requests to valid tables came out differently.
    pub differing: u64,
    /// What differs, in words: one of each kind in a batch of tables.
    pub differences: Vec<String>,
}

/// Asks about `tables` tables of the seeds from `seed` on.
pub async fn run(envoy: &Path, seed: u64, tables: u64) -> Report {
    let both = Arc::new(Both::start(envoy, TOGETHER).await);
    let mut report = Report::default();
    let seeds: Vec<u64> = (0..tables).map(|place| seed.wrapping_add(place)).collect();
    for seeds in seeds.chunks(TOGETHER) {
        let tables: Vec<_> = seeds.iter().map(|seed| Table::of(*seed)).collect();
        batch(&both, tables, &mut report).await;
        if report.differences.len() >= ENOUGH {
            return report;
        }
    }
    for seed in seeds.iter().step_by(SPOILT as usize) {
        spoilt(&both, *seed, &mut report).await;
    }
    report
}

impl Table {
    fn of(seed: u64) -> Self {
        let mut random = Seeded::exactly(seed);
        let routes = table::routes(&mut random);
        let asks = (0..REQUESTS).map(|_| request::ask(&mut random, &routes));
        Self {
            seed,
            asks: asks.collect(),
            routes,
        }
    }
}

/// Publishes tables, and asks about them.
async fn batch(both: &Arc<Both>, tables: Vec<Table>, report: &mut Report) {
    let routes: Vec<_> = tables.iter().map(|table| &table.routes).collect();
    if let Err(reason) = both.publish(&routes).await {
        for table in &tables {
            judge(both, table.seed, &table.routes, "a valid table", report).await;
        }
        let text = format!("a valid table is refused: {reason}");
        report.differences.push(text);
        return;
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    for (slot, table) in tables.into_iter().enumerate() {
        let (both, places) = (Arc::clone(both), Arc::clone(&places));
        asking.spawn(async move {
            let _place = places.acquire().await;
            let found = both.ask(slot, &table.asks).await;
            (table, found)
        });
    }
    let mut differing = Vec::new();
    for (table, found) in asking.join_all().await {
        report.tables += 1;
        report.requests += table.asks.len() as u64;
        for answer in found.answers {
            *report.answers.entry(answer).or_default() += 1;
        }
        for (place, difference) in found.differences {
            report.differing += 1;
            differing.push((table.clone(), place, difference));
        }
    }
    differing.sort_by_key(|(table, place, _)| (table.seed, *place));
    // One of each kind is enough to begin with.
    let mut kinds = HashSet::new();
    differing.retain(|(.., difference)| kinds.insert(difference.words.clone()));
    differing.truncate(ENOUGH);
    for (table, place, difference) in differing {
        let found = (table.routes, table.asks[place].clone());
        let differs = async |it: &Question| differs(both, it).await;
        let smallest = shrink::smallest(found.clone(), differs).await;
        let (found, difference) = smallest.unwrap_or((found, difference));
        let text = words(table.seed, &found, &difference);
        report.differences.push(text);
    }
}

async fn differs(both: &Both, (table, ask): &Question) -> Option<Difference> {
    // One that is not valid any more is no smaller one.
    both.publish(&[table]).await.ok()?;
    let found = both.ask(0, std::slice::from_ref(ask)).await;
    found.differences.into_iter().next().map(|(_, it)| it)
}

/// Publishes a table that is probably wrong.
async fn spoilt(both: &Both, seed: u64, report: &mut Report) {
    let mut random = Seeded::exactly(seed);
    let mut routes = table::routes(&mut random);
    let how = spoil::spoil(&mut random, &mut routes);
    report.spoilt += 1;
    let how = format!("a table that is spoilt ({how})");
    let taken = judge(both, seed, &routes, &how, report).await;
    report.refused += u64::from(!taken);
}

/// Whether Envoy takes a table; if so, we have to, and if not, we must not.
async fn judge(
    both: &Both,
    seed: u64,
    routes: &RouteConfiguration,
    what: &str,
    report: &mut Report,
) -> bool {
    let verdicts = both.verdicts(routes).await;
    let taken = verdicts.envoy.is_ok();
    if taken != verdicts.ours.is_ok() {
        let differs = async |(table, _): &Question| {
            let verdicts = both.verdicts(table).await;
            (verdicts.envoy.is_ok() != verdicts.ours.is_ok()).then_some(verdicts)
        };
        let smallest = shrink::smallest((routes.clone(), get("/")), differs).await;
        let ((table, _), verdicts) = smallest.unwrap_or(((routes.clone(), get("/")), verdicts));
        let text = format!(
            "{}\n{}  envoy: {:?}\n  ours:  {:?}\n",
            head(seed, what),
            show::table(&table),
            verdicts.envoy,
            verdicts.ours
        );
        report.differences.push(text);
    }
    taken
}

/// One of some words.
fn word(random: &mut Seeded, of: &[&'static str]) -> &'static str {
    of[random.in_range(0..of.len() as u64) as usize]
}

fn words(seed: u64, (table, ask): &Question, difference: &Difference) -> String {
    let mut text = head(seed, "a table and a request");
    let _ = writeln!(text, "\n{}\n{}", show::table(table), show::ask(ask));
    let _ = writeln!(text, "differing:\n{}", difference.words);
    for (who, outcome) in [("envoy", &difference.theirs), ("ours", &difference.ours)] {
        let _ = writeln!(text, "{who}:");
        for line in outcome.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

fn head(seed: u64, what: &str) -> String {
    format!("{what}, of MESH_SEED={seed} MESH_TABLES=1:")
}
