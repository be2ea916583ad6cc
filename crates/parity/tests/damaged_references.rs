//! Reference files that are not right are named as such; the formula is that of the test vectors.

use std::path::{Path, PathBuf};

use candle_core::Device;
use parity::Check;
use serde_json::{Value, json};
use zoo::weights::{DeterministicInit, TensorSource, fill};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden")
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Verifies a small reference file after `change`; errors as text.
fn verify_changed(change: impl Fn(&mut Value)) -> Result<Vec<Check>, String> {
    let mut file = read(&fixtures().join("r2plus1d_block_maps.json"));
    change(&mut file);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.json");
    std::fs::write(&path, file.to_string()).unwrap();
    parity::verify(&path).map_err(|error| error.to_string())
}

#[test]
fn one_wrong_number_is_found() {
    let checks = verify_changed(|file| {
        let value = file["outputs"]["T6/logits"]["data"][3].as_f64().unwrap();
        file["outputs"]["T6/logits"]["data"][3] = json!(value + 1e-3);
    });
    let checks = checks.unwrap();
    let failed: Vec<&str> = checks.iter().filter(|check| !check.passes()).map(|check| check.output.as_str()).collect();
    assert_eq!(failed, ["T6/logits"]);
}

#[test]
fn a_wrong_number_of_parameters_is_found() {
    let checks = verify_changed(|file| file["params"]["total"] = json!(632_020)).unwrap();
    let parameters = checks.iter().find(|check| check.output == "parameters").unwrap();
    assert_eq!(parameters.deviation, 1.0);
    assert!(!parameters.passes());
}

/// Verifies another reference file after `change`; what does not pass.
fn failures(name: &str, change: impl Fn(&mut Value)) -> Vec<String> {
    let mut file = read(&fixtures().join(name));
    change(&mut file);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let checks = parity::verify(&path).unwrap();
    assert!(checks.len() > 20, "{}", checks.len());
    checks.into_iter().filter(|check| !check.passes()).map(|check| check.output).collect()
}

/// Adds to the number at `pointer`.
fn add(file: &mut Value, pointer: &str, difference: f64) {
    let number = file.pointer_mut(pointer).unwrap();
    *number = json!(number.as_f64().unwrap() + difference);
}

#[test]
fn one_wrong_number_of_a_loss_is_found() {
    let failures = |change: fn(&mut Value)| failures("losses.json", change);
    assert!(failures(|_| {}).is_empty());
    let mean = failures(|file| add(file, "/contrastive/0/losses/logsum/mean", 1e-8));
    assert_eq!(mean, ["mixed logsum mean"]);
    let gradient = failures(|file| add(file, "/contrastive/3/losses/supcon_out/grad_z/7", 1e-8));
    assert_eq!(gradient, ["interleaved supcon_out gradient of z"]);
    let digest = failures(|file| add(file, "/contrastive/10/losses/supcon_in/grad_raw_digest/stride_samples/9", 1e-5));
    assert_eq!(digest, ["batch32 supcon_in gradient samples"]);
    let value = failures(|file| add(file, "/cross_entropy/1/per_sample/2", 1e-7));
    assert_eq!(value, ["k11 smoothing 0.1 value"]);
    let anchor = failures(|file| file["contrastive"][0]["losses"]["logsum"]["per_anchor"][7] = json!(0.0));
    assert_eq!(anchor, ["mixed logsum per anchor"]);
    let unknown = failures(|file| {
        let losses = file["contrastive"][0]["losses"].as_object_mut().unwrap();
        let known = losses["logsum"].clone();
        losses.insert("dropcon".to_owned(), known);
    });
    assert_eq!(unknown, ["mixed dropcon: unsupported"]);
}

#[test]
fn one_wrong_pixel_is_found() {
    let failures = |change: fn(&mut Value)| {
        failures("resize/torch.json", |file| {
            // Large images take long and are compared elsewhere.
            file["large"].as_array_mut().unwrap().retain(|case| case["src"] == json!([100, 90]));
            change(file);
        })
    };
    assert!(failures(|_| {}).is_empty());
    let small = failures(|file| add(file, "/small/0/out/data/5", 1.0));
    assert_eq!(small, ["12x16 to 7x9 pil_bilinear"]);
    let hash = failures(|file| file["large"][7]["fnv1a64"] = json!("0"));
    assert_eq!(hash, ["100x90 to 224x224 cv2_linear"]);
    let gray = failures(|file| add(file, "/gray/pil_L/0", 1.0));
    assert_eq!(gray, ["torch pil_L"]);
    let moving = failures(|file| file["thesis_pipeline"][0]["moving_pixels"] = json!(7));
    assert_eq!(moving, ["video 434x636 to 288 moving"]);
    let unknown = failures(|file| file["small"][0]["method"] = json!("pil_bicubic"));
    assert_eq!(unknown, ["12x16 to 7x9 pil_bicubic: unsupported"]);
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 9] = [
        (|file| file["model"] = json!("r2plus2d"), "unknown reference model \"r2plus2d\""),
        (|file| file["tensors"][0]["name"] = json!("spatial.other"), "\"spatial.weight\" is missing"),
        (|file| file["tensors"][1]["shape"] = json!([180]), "[180], expected [181]"),
        (|file| file["tensors"][0]["xsum"] = json!("0"), "formula gives other numbers"),
        (
            |file| {
                let mut extra = file["tensors"][1].clone();
                extra["name"] = json!("extra");
                file["tensors"].as_array_mut().unwrap().push(extra);
            },
            "the first is \"extra\"",
        ),
        (|file| file["input"]["T6"]["shape"] = json!([2, 6, 352, 1u64 << 40, 1u64 << 40]), "an input of [2, 6, 352"),
        (|file| file["outputs"]["T6/other"] = file["outputs"]["T6/logits"].clone(), "\"T6/other\" is not one"),
        (|file| file["outputs"]["T6/logits"]["shape"] = json!([2, 12]), "is [2, 12], ours is [2, 11]"),
        (|file| file["f32_vs_f64"] = Value::Null, "rounding error of"),
    ];
    for (change, expected) in cases {
        let error = verify_changed(change).unwrap_err();
        assert!(error.contains(expected), "{error:?} does not say {expected:?}");
    }
}

#[test]
fn a_file_that_is_no_reference_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.json");
    let whole = std::fs::read(fixtures().join("r2plus1d_block_maps.json")).unwrap();
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 3] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(parity::verify(&path).is_err(), "{length}");
    }
    assert!(parity::verify(&folder.path().join("absent.json")).is_err());
    assert!(parity::reference_files(folder.path()).unwrap().is_empty());
    assert!(parity::verify(folder.path()).unwrap_err().to_string().contains("no reference file"));
    std::fs::write(&path, "{\"seed\": \"x\", \"small\": []}").unwrap();
    assert!(parity::verify(&path).is_err());
    assert!(parity::reference_files(folder.path()).unwrap().is_empty());
}

#[test]
fn a_folder_is_verified_whole_and_other_files_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("heads");
    std::fs::create_dir(&below).unwrap();
    for (from, to) in [
        ("r2plus1d_block_maps.json", below.join("a.json")),
        ("conv3d_stack_frames.json", folder.path().join("b.json")),
        ("vectors.json", below.join("c.json")),
    ] {
        std::fs::copy(fixtures().join(from), to).unwrap();
    }
    std::fs::write(folder.path().join("other.json"), "{}").unwrap();
    let checks = parity::verify(folder.path()).unwrap();
    let models: std::collections::BTreeSet<&str> = checks.iter().map(|check| check.model.as_str()).collect();
    assert_eq!(models.into_iter().collect::<Vec<_>>(), ["conv3d_stack_frames", "r2plus1d_block_maps", "vectors"]);
    assert!(checks.iter().all(Check::passes));
}

#[test]
fn fill_gives_the_test_vectors() {
    let vectors = read(&fixtures().join("vectors.json"));
    let seed = vectors["seed"].as_str().unwrap();
    for case in vectors["fill"].as_array().unwrap() {
        let (center, half) = (case["center"].as_f64().unwrap(), case["half"].as_f64().unwrap());
        let values = fill(seed, case["name"].as_str().unwrap(), 8, center, half);
        let bits: Vec<String> = values.iter().map(|value| format!("{:08x}", value.to_bits())).collect();
        assert_eq!(json!(bits), case["first8_bits"], "{}", case["name"]);
    }
}

#[test]
fn images_are_those_of_the_test_vectors() {
    let vectors = read(&fixtures().join("vectors.json"));
    let seed = vectors["seed"].as_str().unwrap();
    let colored = vectors["image_u8"].as_array().unwrap().iter().filter(|case| case["c"] == 3);
    let mut compared = 0;
    for case in colored {
        let number = |key: &str| case[key].as_u64().unwrap() as usize;
        let make = if case["formula"] == "sector_u8" { parity::sector_u8 } else { parity::image_u8 };
        let pixels = make(seed, case["name"].as_str().unwrap(), number("h"), number("w"), number("t"));
        assert_eq!(json!(pixels[..16]), case["first16"], "{case}");
        assert_eq!(pixels.iter().map(|&pixel| u64::from(pixel)).sum::<u64>(), case["sum"], "{case}");
        compared += 1;
    }
    assert_eq!(compared, 5);
}

/// The registry's formula weights follow the rules that made the reference files, for every architecture.
#[test]
fn formula_weights_are_those_of_the_references() {
    let mut compared = 0;
    for path in parity::reference_files(&fixtures()).unwrap() {
        let file = read(&path);
        if file["tensors"].is_null() {
            continue;
        }
        let stem =
            file["tensors"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).find(|name| {
                name.ends_with("features.0.0.weight")
                    || name.ends_with("feature.0.0.weight")
                    || *name == "stem_conv/kernel"
            });
        let source = DeterministicInit {
            seed: file["seed"].as_str().unwrap().to_owned(),
            gain: file["gain"].as_f64().unwrap(),
            stem_gain: file["stem_gain"].as_f64().unwrap_or(1.0),
            stem: stem.map(ToOwned::to_owned),
        };
        for entry in file["tensors"].as_array().unwrap() {
            let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone()).unwrap();
            let count: usize = shape.iter().product();
            if count > 10_000 {
                continue;
            }
            let name = entry["name"].as_str().unwrap();
            // Files that give the range of each tensor instead follow a rule of their own, which `parity` reads with them.
            let Some(first) = entry["first4"].as_array() else { continue };
            let ours = source.tensor(name, &shape).unwrap().to_device(&Device::Cpu).unwrap();
            let ours: Vec<f32> = ours.flatten_all().unwrap().to_vec1().unwrap();
            for (ours, theirs) in ours.iter().zip(first) {
                assert_eq!(*ours, theirs.as_f64().unwrap() as f32, "{} {name}", path.display());
            }
            compared += 1;
        }
    }
    assert!(compared > 3000, "{compared}");
}
