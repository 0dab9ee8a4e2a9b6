//! The README says only what is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Where the repository begins.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(of: &str) -> String {
    std::fs::read_to_string(root().join(of)).unwrap()
}

/// What stands between `open` and the next `close`, each time.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let rest = text.split(open).skip(1);
    rest.filter_map(|rest| Some(rest.split_once(close)?.0))
        .collect()
}

/// The keys of a table of a Cargo.toml, or the texts of a list in it.
fn entries(manifest: &str, begin: &str, end: &str) -> BTreeSet<String> {
    let part = manifest.split_once(begin).unwrap().1;
    let part = part.split_once(end).unwrap().0;
    let lines = part.lines().map(str::trim);
    let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    entries
        .map(|line| {
            line.split(['=', ','])
                .next()
                .unwrap()
                .trim_matches([' ', '"'])
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_file_that_it_names_is_there() {
    let readme = text("README.md");
    let links: BTreeSet<_> = between(&readme, "](", ")").into_iter().collect();
    let files = links.into_iter().filter(|link| !link.contains("://"));
    let files: Vec<_> = files.collect();
    assert!(files.len() > 40, "links are not found any more: {files:?}");
    let missing: Vec<_> = files
        .into_iter()
        .filter(|file| !root().join(file).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_feature_names_a_test() {
    let readme = text("README.md");
    let features = readme.split_once("## What it does\n").unwrap().1;
    let features = features.split_once("## Status").unwrap().0;
    let rows = features.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<_> = rows.filter(|row| !row.ends_with("| test |")).collect();
    assert!(rows.len() > 40, "{}", rows.len());
    for row in rows {
        let files = between(row, "](", ")");
        assert!(!files.is_empty(), "{row}");
        for file in files {
            let marks = ["test]", "test(", "proptest!", "\non_each_wire"];
            let test = marks.iter().any(|mark| text(file).contains(mark));
            assert!(test, "{file} tests nothing: {row}");
        }
    }
}

#[test]
fn every_figure_was_measured() {
    let (readme, results) = (text("README.md"), text("benches/RESULTS.md"));
    let measured = readme.split_once("## Measured\n").unwrap().1;
    let measured = measured.split_once("\n## ").unwrap().0;
    let results: BTreeSet<_> = results.lines().collect();
    let rows = measured.lines().filter(|line| line.starts_with('|'));
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        assert!(results.contains(row), "not in benches/RESULTS.md: {row}");
    }
}

#[test]
fn every_crate_of_the_workspace_is_listed() {
    let (readme, manifest) = (text("README.md"), text("Cargo.toml"));
    let members = entries(&manifest, "members = [", "]");
    assert!(members.contains("mesh-core"), "{members:?}");
    for member in members.iter().filter(|it| it.starts_with("mesh")) {
        assert!(readme.contains(&format!("\n| `{member}` |")), "{member}");
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let (readme, manifest) = (text("README.md"), text("Cargo.toml"));
    let table = readme.split_once("## Dependencies").unwrap().1;
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let first: String = rows
        .map(|row| row.split('|').nth(1).unwrap())
        .collect::<Vec<_>>()
        .concat();
    let listed: BTreeSet<_> = first.split('`').skip(1).step_by(2).collect();
    let dependencies = entries(&manifest, "[workspace.dependencies]", "[workspace.lints");
    let foreign: Vec<_> = dependencies
        .iter()
        .filter(|it| !it.starts_with("mesh"))
        .collect();
    assert!(foreign.len() > 30, "{foreign:?}");
    for dependency in foreign {
        assert!(listed.contains(dependency.as_str()), "{dependency}");
    }
}

#[test]
fn every_program_that_it_runs_is_there() {
    let readme = text("README.md");
    let programs = between(&readme, "--bin ", " ");
    assert!(programs.len() > 3, "{programs:?}");
    for program in programs {
        let program = program.trim_end();
        let one_file = root().join(format!("examples/src/bin/{program}.rs"));
        let folder = root().join(format!("examples/src/bin/{program}/main.rs"));
        assert!(one_file.exists() || folder.exists(), "{program}");
    }
    for command in [
        "cargo run --locked -p mesh-examples --bin canary",
        ".ci/test",
    ] {
        assert!(readme.contains(&format!("\n{command} ")), "{command}");
    }
}
