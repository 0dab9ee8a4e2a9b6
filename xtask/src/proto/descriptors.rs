//! Where the descriptors come from, and what is left out of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

use super::roots::{ENVOY, SERVICES, VENDORED};

/// Files that only declare options: once options are dropped, nothing refers to them.
const ANNOTATIONS: [&str; 8] = [
    "buf/validate/",
    "envoy/annotations/",
    "google/api/annotations.proto",
    "google/api/http.proto",
    "google/protobuf/descriptor.proto",
    "udpa/annotations/",
    "validate/",
    "xds/annotations/",
];

/// The descriptors of everything in `mesh-proto`, sorted by file name.
pub(super) fn xds(repository: &Path) -> anyhow::Result<FileDescriptorSet> {
    let path = types_bin(&repository.join("interop/envoy-types/Cargo.toml"))?;
    let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
    let envoy = FileDescriptorSet::decode(bytes.as_slice())
        .with_context(|| format!("decoding {}", path.display()))?;
    let vendored = compile(&repository.join("mesh-proto/proto"), &VENDORED)?;
    let mut files: BTreeMap<String, FileDescriptorProto> = BTreeMap::new();
    for file in envoy.file.into_iter().chain(vendored.file) {
        files.entry(file.name().to_owned()).or_insert(file);
    }
    let roots = ENVOY.iter().chain(&VENDORED);
    let mut set = FileDescriptorSet {
        file: closure(&files, roots)?,
    };
    set.file.iter_mut().for_each(strip);
    Ok(set)
}

/// Compiles `.proto` files below `include`, with their imports but without comments.
///
/// Each root gets a compiler of its own, because protox resolves relative names against the
/// packages of every file it has loaded, imported or not.
pub(super) fn compile(include: &Path, roots: &[&str]) -> anyhow::Result<FileDescriptorSet> {
    let mut files: BTreeMap<String, FileDescriptorProto> = BTreeMap::new();
    for root in roots {
        let mut compiler = protox::Compiler::new([include])?;
        compiler
            .include_imports(true)
            .open_file(include.join(root))?;
        for file in compiler.file_descriptor_set().file {
            files.insert(file.name().to_owned(), file);
        }
    }
    Ok(FileDescriptorSet {
        file: files.into_values().collect(),
    })
}

/// Finds the descriptor set inside the `envoy-types` package that the interop workspace locks.
fn types_bin(manifest: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?;
    let package = packages
        .iter()
        .find(|package| package["name"] == "envoy-types")
        .context("envoy-types is not among the packages")?;
    let manifest = package["manifest_path"]
        .as_str()
        .context("a package without manifest")?;
    Ok(Path::new(manifest).with_file_name("src/generated/types.bin"))
}

/// The roots and all that they import, sorted by name, without annotations.
///
/// Google's well-known types are among them: no code comes of them, but the generator wants to know
/// their shapes.
fn closure<'a>(
    files: &BTreeMap<String, FileDescriptorProto>,
    roots: impl Iterator<Item = &'a &'static str>,
) -> anyhow::Result<Vec<FileDescriptorProto>> {
    let mut wanted = BTreeSet::new();
    let mut queue: Vec<&str> = roots.copied().collect();
    while let Some(name) = queue.pop() {
        let left_out = ANNOTATIONS.iter().any(|prefix| name.starts_with(prefix));
        if left_out || !wanted.insert(name) {
            continue;
        }
        let file = files
            .get(name)
            .with_context(|| format!("no descriptor of {name}"))?;
        queue.extend(file.dependency.iter().map(String::as_str));
    }
    Ok(wanted
        .into_iter()
        .filter_map(|name| files.get(name).cloned())
        .collect())
}

/// Drops comments, options and the services that nobody calls.
///
/// Deprecation marks go too: a client has to read a field for as long as control planes send it.
fn strip(file: &mut FileDescriptorProto) {
    file.source_code_info = None;
    file.options = None;
    file.dependency
        .retain(|name| !ANNOTATIONS.iter().any(|prefix| name.starts_with(prefix)));
    file.public_dependency.clear();
    file.weak_dependency.clear();
    file.extension.clear();
    file.service
        .retain(|service| SERVICES.contains(&service.name()));
    for service in &mut file.service {
        service.options = None;
        service
            .method
            .iter_mut()
            .for_each(|method| method.options = None);
    }
    file.message_type.iter_mut().for_each(strip_message);
    file.enum_type.iter_mut().for_each(strip_enum);
}

fn strip_message(message: &mut DescriptorProto) {
    if let Some(options) = &mut message.options {
        options.deprecated = None;
    }
    for options in message
        .field
        .iter_mut()
        .filter_map(|field| field.options.as_mut())
    {
        options.deprecated = None;
    }
    message.nested_type.iter_mut().for_each(strip_message);
    message.enum_type.iter_mut().for_each(strip_enum);
}

fn strip_enum(decl: &mut EnumDescriptorProto) {
    if let Some(options) = &mut decl.options {
        options.deprecated = None;
    }
    decl.value.iter_mut().for_each(|value| value.options = None);
}
