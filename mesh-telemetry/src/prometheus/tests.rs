use std::{sync::Barrier, thread};

use mesh_core::bounds::Bound;
use metrics::{Key, Label, Level, Metadata, Recorder, Unit};

use super::*;

static METADATA: Metadata<'static> = Metadata::new("test", Level::INFO, None);

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels = labels
        .iter()
        .map(|(name, value)| Label::new(*name, value.to_string()));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}

fn counter(recorder: &PrometheusRecorder, key: &Key) -> Counter {
    recorder.register_counter(key, &METADATA)
}

fn gauge(recorder: &PrometheusRecorder, key: &Key) -> Gauge {
    recorder.register_gauge(key, &METADATA)
}

fn histogram(recorder: &PrometheusRecorder, key: &Key) -> Histogram {
    recorder.register_histogram(key, &METADATA)
}

fn recorder() -> PrometheusRecorder {
    PrometheusRecorder::new().other_buckets(&[1.0, 0.5])
}

#[test]
fn a_page_is_in_order_with_units_and_kinds_in_its_names() {
    let recorder = recorder();
    let describe = |name: &'static str, unit| {
        recorder.describe_counter(name.into(), unit, "Requests,\nall \\ of \"them\".".into());
    };
    describe("shop.requests", Some(Unit::Count));
    describe("read", Some(Unit::Bytes));
    recorder.describe_histogram("wait".into(), Some(Unit::Seconds), "".into());
    recorder.describe_gauge("never.set".into(), None, "Not shown.".into());
    counter(&recorder, &key("shop.requests", &[("z", "1"), ("a", "2")])).increment(3);
    counter(&recorder, &key("shop.requests", &[("a", "1")])).increment(1);
    counter(&recorder, &key("read", &[])).increment(7);
    counter(&recorder, &key("done_total", &[])).absolute(5);
    gauge(&recorder, &key("level", &[])).set(-1.5);
    let wait = histogram(&recorder, &key("wait", &[("a", "1")]));
    for value in [0.25, 0.5, 0.75, 2.0] {
        wait.record(value);
    }
    let due = "\
# TYPE done_total counter
done_total 5
# TYPE level gauge
level -1.5
# HELP read_bytes_total Requests,\\nall \\\\ of \"them\".
# TYPE read_bytes_total counter
read_bytes_total 7
# HELP shop_requests_total Requests,\\nall \\\\ of \"them\".
# TYPE shop_requests_total counter
shop_requests_total{a=\"1\"} 1
shop_requests_total{a=\"2\",z=\"1\"} 3
# TYPE wait_seconds histogram
wait_seconds_bucket{a=\"1\",le=\"0.5\"} 2
wait_seconds_bucket{a=\"1\",le=\"1\"} 3
wait_seconds_bucket{a=\"1\",le=\"+Inf\"} 4
wait_seconds_sum{a=\"1\"} 3.5
wait_seconds_count{a=\"1\"} 4
";
    assert_eq!(recorder.page().render(), due);
    let response = recorder.page().response();
    assert_eq!(
        response.headers()["content-type"],
        PrometheusPage::CONTENT_TYPE
    );
    assert_eq!(*response.body(), due);
}

#[test]
fn whatever_is_in_names_and_labels_the_page_stays_readable() {
    let recorder = recorder();
    let labels = [
        ("0 bad", "say \"hi\"\\\n{}"),
        ("_bad", "b"),
        ("le", "mine"),
        ("ok", ""),
        ("ünder", "é"),
    ];
    histogram(&recorder, &key("9 lives/ü", &labels)).record(0.1);
    counter(&recorder, &key("", &labels)).increment(1);
    let page = recorder.page().render();
    let labels = "_0_bad=\"say \\\"hi\\\"\\\\\\n{}\",_bad=\"b\",_nder=\"é\"";
    assert!(
        page.contains(&format!("__total{{{labels},le=\"mine\"}} 1\n")),
        "{page}"
    );
    let series = format!("_9_lives___sum{{{labels},exported_le=\"mine\"}} 0.1\n");
    assert!(page.contains(&series), "{page}");
}

#[test]
fn what_is_written_alike_is_one_series() {
    let recorder = recorder();
    counter(&recorder, &key("a.b", &[("x.y", "1"), ("z", "2")])).increment(1);
    counter(&recorder, &key("a_b", &[("z", "2"), ("x_y", "1")])).increment(1);
    counter(
        &recorder,
        &key("a-b", &[("z", "2"), ("x_y", "1"), ("none", "")]),
    )
    .increment(1);
    let page = recorder.page().render();
    assert_eq!(
        page,
        "# TYPE a_b_total counter\na_b_total{x_y=\"1\",z=\"2\"} 3\n"
    );
}

#[test]
fn of_two_metrics_that_would_be_called_the_same_one_is_shown() {
    let recorder = recorder();
    counter(&recorder, &key("a", &[])).increment(1);
    gauge(&recorder, &key("a_total", &[])).set(2.0);
    gauge(&recorder, &key("g", &[])).set(2.0);
    histogram(&recorder, &key("g", &[])).record(1.0);
    histogram(&recorder, &key("h", &[])).record(1.0);
    gauge(&recorder, &key("h_sum", &[])).set(2.0);
    let page = recorder.page().render();
    let mut shown = page.lines().filter(|line| line.starts_with("# TYPE"));
    let mut next = || shown.next().unwrap_or_default();
    assert_eq!(next(), "# TYPE a_total counter");
    assert_eq!(next(), "# TYPE g gauge");
    assert_eq!(next(), "# TYPE h histogram");
    assert_eq!(next(), "", "{page}");
}

#[test]
fn numbers_that_are_none_do_no_harm() {
    let recorder = recorder();
    let wait = histogram(&recorder, &key("wait", &[]));
    for value in [f64::NAN, 0.1, f64::NAN] {
        wait.record(value);
    }
    wait.record_many(0.2, 3);
    gauge(&recorder, &key("a", &[])).set(f64::NAN);
    gauge(&recorder, &key("b", &[])).set(f64::INFINITY);
    gauge(&recorder, &key("c", &[])).set(f64::NEG_INFINITY);
    let page = recorder.page().render();
    for line in [
        "a NaN",
        "b +Inf",
        "c -Inf",
        "wait_count 4",
        "wait_bucket{le=\"0.5\"} 4",
    ] {
        assert!(page.lines().any(|it| it == line), "{line}: {page}");
    }
    wait.record(f64::INFINITY);
    assert!(recorder.page().render().contains("wait_sum +Inf\n"));
}

#[test]
fn concurrent_adds_are_all_counted() {
    let recorder = recorder();
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let wait = histogram(&recorder, &key("wait", &[]));
                let done = counter(&recorder, &key("done", &[]));
                let level = gauge(&recorder, &key("level", &[]));
                barrier.wait();
                for n in 0..10_000_u32 {
                    wait.record(f64::from(n % 4) * 0.5);
                    done.increment(1);
                    level.increment(1.0);
                }
            });
        }
    });
    let page = recorder.page().render();
    let due = [
        "done_total 40000",
        "level 40000",
        "wait_bucket{le=\"0.5\"} 20000",
        "wait_bucket{le=\"1\"} 30000",
        "wait_bucket{le=\"+Inf\"} 40000",
        "wait_sum 30000",
        "wait_count 40000",
    ];
    for line in due {
        assert!(page.lines().any(|it| it == line), "{line}: {page}");
    }
}

#[test]
fn past_the_bound_series_are_not_kept_and_those_that_are_go_on() {
    let counted = Bound::MetricSeries.times();
    let recorder = recorder().max_series(3);
    for label in ["a", "b", "c", "d", "e"] {
        counter(&recorder, &key("n", &[("label", label)])).increment(1);
    }
    gauge(&recorder, &key("g", &[])).set(1.0);
    histogram(&recorder, &key("h", &[])).record(1.0);
    counter(&recorder, &key("n", &[("label", "c")])).increment(1);
    assert_eq!(
        recorder.page().render(),
        "# TYPE n_total counter\nn_total{label=\"a\"} 1\nn_total{label=\"b\"} 1\nn_total{label=\"c\"} 2\n"
    );
    assert_eq!(recorder.page().refused(), 4);
    assert!(Bound::MetricSeries.times() >= counted + 4);
    // Other ways to write the same series find it, however many there are.
    for n in 0..100 {
        let nothing: &'static str = format!("none{n}").leak();
        let labels = [("label", "a"), (nothing, "")];
        counter(&recorder, &key("n", &labels)).increment(1);
    }
    assert!(
        recorder
            .page()
            .render()
            .contains("n_total{label=\"a\"} 101\n")
    );
    // Descriptions do not grow without a bound either.
    for n in 0..10 {
        recorder.describe_counter(format!("d{n}").into(), None, "text".into());
    }
    assert!(recorder.registry.read().by_name.len() <= 3);
}

#[test]
fn buckets_are_put_into_order_and_found_by_any_spelling() {
    let recorder =
        PrometheusRecorder::new().buckets("a.b", &[3.0, f64::NAN, 1.0, 3.0, f64::INFINITY]);
    histogram(&recorder, &key("a_b", &[])).record(2.0);
    let page = recorder.page().render();
    let buckets: Vec<_> = page.lines().filter(|line| line.contains("le=")).collect();
    let due = [
        "a_b_bucket{le=\"1\"} 0",
        "a_b_bucket{le=\"3\"} 1",
        "a_b_bucket{le=\"+Inf\"} 1",
    ];
    assert_eq!(buckets, due);
}
