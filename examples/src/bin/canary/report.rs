//! What became of the calls, and whether it is what should have.

use std::{fmt, ops::RangeInclusive};

use serde::Serialize;

/// The phases so far, and whether all went well.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    phases: Vec<Phase>,
    pub(crate) ok: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            phases: Vec::new(),
            ok: true,
        }
    }
}

/// The calls of one phase.
#[derive(Debug, Serialize)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) calls: u32,
    pub(crate) failures: u32,
    pub(crate) v1_share: f64,
    pub(crate) v2_share: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// What the first failed call said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_failure: Option<String>,
}

impl Report {
    /// Adds a phase in which v1 should have had a share within `expected`.
    pub(crate) fn add(&mut self, phase: Phase, expected: RangeInclusive<f64>) {
        self.ok &= phase.failures == 0 && phase.is_within(&expected);
        self.phases.push(phase);
    }
}

impl Phase {
    /// Whether v1's share is one that `calls` draws give: within five standard deviations of the
    /// binomial distribution at either edge. A right share misses that once in a million runs, and
    /// the draws are seeded, so in none or in all.
    fn is_within(&self, expected: &RangeInclusive<f64>) -> bool {
        let calls = f64::from(self.calls);
        let slack = |share: f64| 5.0 * (share * (1.0 - share) / calls).sqrt();
        let (low, high) = (*expected.start(), *expected.end());
        (low - slack(low)..=high + slack(high)).contains(&self.v1_share)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24} {:>7} {:>9} {:>7} {:>7} {:>9} {:>9}",
            "phase", "calls", "failures", "v1", "v2", "p50", "p99"
        )?;
        for phase in &self.phases {
            writeln!(
                f,
                "{:<24} {:>7} {:>9} {:>6.1}% {:>6.1}% {:>6} us {:>6} us",
                phase.name,
                phase.calls,
                phase.failures,
                phase.v1_share * 100.0,
                phase.v2_share * 100.0,
                phase.p50_us,
                phase.p99_us
            )?;
            if let Some(failure) = &phase.first_failure {
                writeln!(f, "    {failure}")?;
            }
        }
        writeln!(f, "{}", if self.ok { "ok" } else { "NOT OK" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(calls: u32, failures: u32, v1_share: f64) -> Phase {
        Phase {
            name: "phase",
            calls,
            failures,
            v1_share,
            v2_share: 1.0 - v1_share,
            p50_us: 1,
            p99_us: 1,
            first_failure: (failures > 0).then(|| "lost".to_owned()),
        }
    }

    fn is_ok(phases: impl IntoIterator<Item = Phase>) -> bool {
        let mut report = Report::default();
        for phase in phases {
            report.add(phase, 0.9..=0.9);
        }
        report.ok
    }

    #[test]
    fn one_failed_call_spoils_the_report() {
        assert!(is_ok([phase(10_000, 0, 0.9)]));
        assert!(!is_ok([phase(10_000, 1, 0.9)]));
        assert!(!is_ok([phase(10_000, 1, 0.9), phase(10_000, 0, 0.9)]));
    }

    #[test]
    fn shares_are_right_within_five_standard_deviations() {
        // The standard deviation is 0.003.
        for (share, expected) in [(0.884, false), (0.886, true), (0.914, true), (0.916, false)] {
            assert_eq!(is_ok([phase(10_000, 0, share)]), expected, "{share}");
        }
        // With fewer calls it is larger.
        assert!(is_ok([phase(100, 0, 0.76)]) && !is_ok([phase(100, 0, 0.74)]));
    }

    #[test]
    fn the_keys_of_the_json_are_fixed() {
        let mut report = Report::default();
        report.add(phase(100, 0, 0.9), 0.9..=0.9);
        let json = serde_json::to_value(&report).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<_> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(keys(&json), ["ok", "phases"]);
        let mut found = keys(&json["phases"][0]);
        found.sort_unstable();
        let mut expected = [
            "name", "calls", "failures", "v1_share", "v2_share", "p50_us", "p99_us",
        ];
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}
