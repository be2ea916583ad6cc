use super::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/files")
}

fn content(description: &str) -> Content {
    serde_json::from_slice(&std::fs::read(folder().join(description)).unwrap()).unwrap()
}

/// Every weight file in the fixtures with its description.
fn weight_files() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for description in ["tiny_keras213.json", "tiny_keras215.json", "tiny_keras3.json", "tiny_torch.json"] {
        let stem = description.trim_end_matches(".json");
        let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
        let of_it = entries.filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(stem) && !name.ends_with(".json")
        });
        files.extend(of_it.map(|path| (path, description.to_owned())));
    }
    files
}

fn arrange(path: &Path, checkpoint: Checkpoint, content: &Content) -> Result<Arranged> {
    Ok(Arranged::new(path, checkpoint, needed(content, &path.file_name().unwrap().to_string_lossy())?)?)
}

#[test]
fn every_description_and_its_files_are_as_the_frameworks_computed() {
    for description in ["tiny_keras213.json", "tiny_keras215.json", "tiny_keras3.json", "tiny_torch.json"] {
        let checks = verify(&folder().join(description)).unwrap_or_else(|error| panic!("{description}: {error:?}"));
        assert!(checks.len() >= 4, "{description}: {}", checks.len());
        for check in checks {
            assert!(check.passes(), "{check:?}");
        }
    }
}

#[test]
fn a_tensor_that_is_missing_renamed_or_misshapen_is_named() {
    let files = weight_files();
    assert!(files.len() >= 14, "{}", files.len());
    for (path, description) in files {
        let content = content(&description);
        let read = || checkpoint::read(&path).unwrap();
        assert!(arrange(&path, read(), &content).is_ok());
        for index in 0..read().tensors.len() {
            let name = read().tensors[index].name.clone();
            let fault = |change: &dyn Fn(&mut Checkpoint)| {
                let mut checkpoint = read();
                change(&mut checkpoint);
                arrange(&path, checkpoint, &content).map(drop).map_err(|error| error.to_string())
            };
            let removed = fault(&|checkpoint| drop(checkpoint.tensors.remove(index))).unwrap_err();
            assert!(removed.contains(path.to_str().unwrap()), "{name}: {removed}");
            let renamed = fault(&|checkpoint| checkpoint.tensors[index].name.push_str("_x")).unwrap_err();
            assert!(
                ["missing", "does not use", "out of the order"].iter().any(|fault| renamed.contains(fault)),
                "{name}: {renamed}"
            );
            let reshaped = fault(&|checkpoint| checkpoint.tensors[index].shape.insert(0, 1)).unwrap_err();
            assert!(reshaped.contains(&name), "{name}: {reshaped}");
            let extra = fault(&|checkpoint| {
                let mut another = read().tensors.remove(index);
                another.name.push_str("_more");
                checkpoint.tensors.push(another);
            });
            assert!(extra.unwrap_err().contains(&format!("{name}_more")), "{name}");
        }
    }
}

#[test]
fn a_file_of_another_model_or_framework_is_refused() {
    for (path, description) in weight_files() {
        let other = if description.contains("torch") { "tiny_keras215.json" } else { "tiny_torch.json" };
        assert!(arrange(&path, checkpoint::read(&path).unwrap(), &content(other)).is_err(), "{}", path.display());
    }
}
