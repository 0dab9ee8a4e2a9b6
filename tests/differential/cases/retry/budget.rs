//! A share of what is under way may be retried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let a = case.server("a");
    let endpoints = |name: &str| xds::endpoints(name, &[a]);
    let budget = |percent: f64, least: u32| RetryBudget {
        budget_percent: Some(Percent { value: percent }),
        min_retry_concurrency: Some(least),
        ..RetryBudget::default()
    };
    let none = case.cluster_with("none", endpoints, |cluster| {
        cluster.edit_limits(|limits| limits.retry_budget = Some(budget(0.0, 0)))
    });
    let one = case.cluster_with("one", endpoints, |cluster| {
        cluster
            .max_retries(0)
            .edit_limits(|limits| limits.retry_budget = Some(budget(0.0, 1)))
    });
    let all = case.cluster_with("all", endpoints, |cluster| {
        cluster.edit_limits(|limits| limits.retry_budget = Some(budget(100.0, 0)))
    });
    let policy = || retry("5xx", 1).backoff(ms(1), ms(2));
    case.routes([
        to(&none).prefix("/none").retry(policy()),
        to(&one).prefix("/one").retry(policy()),
        to(&all).retry(policy()),
    ]);
    for path in ["/none", "/one", "/all"] {
        case.ask(get(path).script("a", [Behaviour::status(503)]));
    }
}
