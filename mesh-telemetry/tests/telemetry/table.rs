//! The manual's table is what is registered.

use std::collections::{BTreeMap, BTreeSet};

use http_body_util::BodyExt;
use mesh_core::observe::Observer;
use mesh_telemetry::{METRICS, MetricKind, MetricsObserver, PrometheusRecorder};
use mesh_testkit::echo::Behaviour;

use crate::support::{World, get};

#[test]
fn the_manuals_table_is_the_one_in_the_code() {
    let manual = include_str!("../../src/manual.md");
    let rows: Vec<_> = METRICS
        .iter()
        .map(|metric| {
            let unit = match metric.unit.as_canonical_label() {
                "" => "1",
                unit => unit,
            };
            let labels = metric.labels.iter().map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            let (name, kind, help) = (metric.name, metric.kind.as_str(), metric.help);
            format!("| `{name}` | {kind} | {unit} | {labels} | {help} |")
        })
        .collect();
    let shown: Vec<_> = manual
        .lines()
        .filter(|line| {
            METRICS
                .iter()
                .any(|it| line.starts_with(&format!("| `{}`", it.name)))
        })
        .collect();
    assert_eq!(shown, rows, "the table is to be:\n{}", rows.join("\n"));
}

/// On the page: the labels that each family has, by its name there.
fn families(page: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut families = BTreeMap::new();
    let mut family = String::new();
    for line in page.lines() {
        if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, kind) = described.split_once(' ').unwrap();
            family = name.to_owned();
            families.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((_, labels)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let labels = labels.rsplit_once('}').unwrap().0;
            let names = labels
                .split("\",")
                .map(|label| label.split('=').next().unwrap());
            let names = names.filter(|name| *name != "le").map(ToOwned::to_owned);
            families.get_mut(&family).unwrap().1.extend(names);
        }
    }
    families
}

#[tokio::test]
async fn all_that_is_registered_is_in_the_table_and_the_other_way_round() {
    let recorder = PrometheusRecorder::new();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let observer = MetricsObserver::new();
    let mut world = World::new(observer.clone());
    observer.control_plane(std::sync::Arc::new(Connected));
    // All that can go right, wrong, or be given up.
    world.call().await.unwrap();
    world.http.next(1, Behaviour::status(503));
    world.get("/shop/a").await;
    world.http.next(1, Behaviour::status(404));
    world.get("/shop/a").await;
    world.client.send(get("/dead/")).await.unwrap_err();
    let size = Some(4 << 20);
    world.http.next(
        1,
        Behaviour {
            body_size: size,
            ..Behaviour::default()
        },
    );
    let mut half = world.client.send(get("/shop/a")).await.unwrap();
    half.frame().await.unwrap().unwrap();
    drop(half);
    observer.publish();

    let page = recorder.page().render();
    let mut families = families(&page);
    for metric in METRICS {
        let plain = metric.name.replace('.', "_");
        let name = match (metric.kind, metric.unit) {
            (MetricKind::Counter, _) => format!("{plain}_total"),
            (_, metrics::Unit::Seconds) => format!("{plain}_seconds"),
            _ => plain,
        };
        let Some((kind, labels)) = families.remove(&name) else {
            panic!("{name} is not registered: {page}");
        };
        assert_eq!(kind, metric.kind.as_str(), "{name}");
        let due = metric.labels.iter().map(|label| label.replace('.', "_"));
        assert_eq!(labels, due.collect(), "{name}: {page}");
        assert!(
            page.contains(&format!("# HELP {name} {}\n", metric.help)),
            "{name}"
        );
    }
    let rest: Vec<_> = families.keys().collect();
    assert!(rest.is_empty(), "not in the table: {rest:?}");
}

#[derive(Debug)]
struct Connected;

impl mesh_core::observe::ControlPlane for Connected {
    fn numbers(&self) -> Option<mesh_core::observe::ControlPlaneNumbers> {
        Some(mesh_core::observe::ControlPlaneNumbers {
            server: "plane.test:80".into(),
            connected: true,
            failures: 0,
            resources: vec![mesh_core::observe::ResourceNumbers {
                kind: "envoy.config.cluster.v3.Cluster",
                valid: 1,
                invalid: 0,
                states: vec![("acked", 1)],
            }],
        })
    }
}
