//! Generates the protobuf code that is committed, or checks that it is up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

mod descriptors;
mod render;
mod roots;

use render::Style;

/// What one crate gets: every file of one directory, by file name.
struct Output {
    dir: PathBuf,
    files: BTreeMap<String, String>,
}

/// Generates everything and replaces the committed files.
pub(crate) fn write() -> anyhow::Result<()> {
    for output in generate()? {
        for stale in present(&output.dir)?
            .iter()
            .filter(|name| !output.files.contains_key(*name))
        {
            fs::remove_file(output.dir.join(stale))?;
        }
        fs::create_dir_all(&output.dir)?;
        for (name, text) in &output.files {
            let path = output.dir.join(name);
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        let lines: usize = output.files.values().map(|text| text.lines().count()).sum();
        println!(
            "{}: {} files, {lines} lines",
            output.dir.display(),
            output.files.len()
        );
    }
    Ok(())
}

/// Generates everything in memory and compares it with the committed files.
///
/// # Errors
/// Names every file that is missing, stale or different.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for output in generate()? {
        let present = present(&output.dir)?;
        let expected: BTreeSet<String> = output.files.keys().cloned().collect();
        for name in present.difference(&expected) {
            wrong.push(format!(
                "{}: should not exist",
                output.dir.join(name).display()
            ));
        }
        for (name, text) in &output.files {
            let path = output.dir.join(name);
            if !present.contains(name) {
                wrong.push(format!("{}: missing", path.display()));
            } else if fs::read_to_string(&path)? != *text {
                wrong.push(format!("{}: differs", path.display()));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "generated code is not up to date; run `cargo run -p xtask -- proto`:\n  {}",
        wrong.join("\n  ")
    )
}

/// Prints the `.proto` files that end up in `mesh-proto`, and how many messages they hold.
pub(crate) fn list() -> anyhow::Result<()> {
    let mut set = descriptors::xds(&repository())?;
    set.file.retain(|file| file.package() != "google.protobuf");
    for file in &set.file {
        println!("{}", file.name());
    }
    let messages: usize = set.file.iter().map(|file| count(&file.message_type)).sum();
    eprintln!("{} files, {messages} messages", set.file.len());
    Ok(())
}

/// Counts messages at every depth, leaving out the entry types that stand for maps.
fn count(messages: &[prost_types::DescriptorProto]) -> usize {
    let real = |message: &&prost_types::DescriptorProto| {
        !message
            .options
            .as_ref()
            .is_some_and(prost_types::MessageOptions::map_entry)
    };
    messages
        .iter()
        .filter(real)
        .map(|message| 1 + count(&message.nested_type))
        .sum()
}

fn generate() -> anyhow::Result<Vec<Output>> {
    let repository = repository();
    let at = |dir: &str, style: Style, set| -> anyhow::Result<Output> {
        let files = render::render(set, &style).with_context(|| format!("generating {dir}"))?;
        Ok(Output {
            dir: repository.join(dir),
            files,
        })
    };
    let compile = |dir: &str, root: &str| descriptors::compile(&repository.join(dir), &[root]);
    Ok(vec![
        at(
            "mesh-proto/src/generated",
            Style::Xds,
            descriptors::xds(&repository)?,
        )?,
        at(
            "mesh-testkit/src/generated",
            Style::Service,
            compile("mesh-testkit/proto", "mesh/test/v1/echo.proto")?,
        )?,
        at(
            "examples/src/generated",
            Style::Service,
            compile("examples/proto", "helloworld.proto")?,
        )?,
    ])
}

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The names of the files in `dir`; a directory that does not exist is empty.
fn present(dir: &Path) -> anyhow::Result<BTreeSet<String>> {
    if !dir.exists() {
        return Ok(BTreeSet::new());
    }
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        names.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}
