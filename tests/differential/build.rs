//! Makes the list of all cases: the files of `cases` and its folders, each a module with a function
//! `build`.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("cases");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    find(&root, &mut files)?;
    files.sort();
    let (mut modules, mut list) = (String::new(), String::new());
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file).with_extension("");
        let name = name.to_string_lossy().into_owned();
        let module = name.replace('/', "_");
        let _ = writeln!(modules, "#[path = {file:?}]\nmod {module};");
        let _ = writeln!(list, "    ({name:?}, {module}::build as Build),");
    }
    let text = format!("{modules}\nconst ALL: &[(&str, Build)] = &[\n{list}];\n");
    let made = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("cases.rs");
    fs::write(made, text)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
