//! The Rust files of the workspace, with and without their test code.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// A Rust file.
pub struct SourceFile {
    /// Path relative to the workspace.
    pub path: PathBuf,
    /// Content.
    pub text: String,
}

/// Returns the folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the names of the crates in `crates/`, sorted.
pub fn crate_names() -> Vec<String> {
    let folder = workspace().join("crates");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("crates/ is there")
        .map(|entry| entry.expect("an entry of crates/").path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// Reads the Rust files below a folder of the workspace.
pub fn rust_files(folder: &str) -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = WalkDir::new(workspace().join(folder))
        .into_iter()
        .map(|entry| entry.expect("the folder can be read").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| SourceFile {
            text: fs::read_to_string(&path).expect("source is UTF-8"),
            path: path.strip_prefix(workspace()).expect("a path below the workspace").to_owned(),
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Reads the Rust files below a folder without what is compiled for tests only. Lines keep their numbers: what is left
/// out becomes empty.
pub fn production_files(folder: &str) -> Vec<SourceFile> {
    let mut files = rust_files(folder);
    let test_modules: HashSet<PathBuf> = files.iter().flat_map(test_module_files).collect();
    files.retain(|file| {
        !test_modules.iter().any(|module| file.path.starts_with(module.with_extension("")))
            && !test_modules.contains(&file.path)
    });
    for file in &mut files {
        file.text = without_tests(&file.text);
    }
    files
}

/// The files of modules that are declared as `#[cfg(test)] mod name;`.
fn test_module_files(file: &SourceFile) -> Vec<PathBuf> {
    let stem = file.path.file_stem().unwrap_or_default();
    let parent = file.path.parent().unwrap_or(Path::new(""));
    let folder =
        if ["mod", "lib", "main"].iter().any(|name| stem == *name) { parent.to_owned() } else { parent.join(stem) };
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| pair[1].strip_suffix(';')?.split_once("mod ").map(|(_, name)| name))
        .map(|name| folder.join(name).with_extension("rs"))
        .collect()
}

/// Empties the items under `#[cfg(test)]`. Relies on rustfmt: an item ends at the first line that is indented like its
/// attribute and closes it.
fn without_tests(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut skipped_indent: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match skipped_indent {
            Some(outer) => {
                let is_end = indent == outer && (line.trim_end().ends_with('}') || line.trim_end().ends_with(';'));
                if is_end {
                    skipped_indent = None;
                }
            }
            None if line.trim() == "#[cfg(test)]" => skipped_indent = Some(indent),
            None => kept.push_str(line),
        }
        kept.push('\n');
    }
    kept
}

#[test]
fn test_code_is_left_out_and_lines_keep_their_numbers() {
    let text =
        "use a;\n#[cfg(test)]\nmod seeded;\nfn b() {}\n#[cfg(test)]\nmod tests {\n    fn c() {\n    }\n}\nfn d() {}\n";
    assert_eq!(without_tests(text), "use a;\n\n\nfn b() {}\n\n\n\n\n\nfn d() {}\n");
}

#[test]
fn files_of_test_modules_are_left_out() {
    let file = SourceFile { path: "crates/x/src/a.rs".into(), text: "#[cfg(test)]\nmod tests;\n".to_owned() };
    assert_eq!(test_module_files(&file), [PathBuf::from("crates/x/src/a/tests.rs")]);
    let root = SourceFile { path: "crates/x/src/lib.rs".into(), text: "#[cfg(test)]\npub mod seeded;\n".to_owned() };
    assert_eq!(test_module_files(&root), [PathBuf::from("crates/x/src/seeded.rs")]);
}
