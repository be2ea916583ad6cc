//! Captures whose header names no region: what their pixels show.

mod support;

use serde_json::Value;
use support::run;

const STILLS_PER_LOOK: usize = 3;

fn is_strip(mode: &Value) -> bool {
    matches!(mode.as_str(), Some("pw" | "cw" | "tissue_doppler" | "m_mode"))
}

#[test]
fn strips_are_recognized_and_no_fan_is_taken_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("stills");
    let count = STILLS_PER_LOOK.to_string();
    let (code, _, stderr) =
        run(&["phantom", "--stills", &count, "--seed", "7", "--out", out.to_str().expect("a plain path")]);
    assert_eq!(code, 0, "{stderr}");
    let truth = std::fs::read(out.join("truth.json")).expect("truth.json is there");
    let truth: Vec<Value> = serde_json::from_slice(&truth).expect("truth.json is JSON");
    let (mut strips, mut found, mut kinds) = (0, 0, 0);
    for still in &truth {
        let path = out.join(still["file"].as_str().expect("a name"));
        let (code, stdout, stderr) = run(&["inspect", "--json", path.to_str().expect("a plain path")]);
        assert_eq!(code, 0, "{stderr}");
        let inspected: Value = serde_json::from_str(&stdout).expect("inspect prints JSON");
        let mode = &inspected["mode"];
        if is_strip(&still["mode"]) {
            strips += 1;
            found += usize::from(is_strip(mode));
            kinds += usize::from(is_strip(mode) && (mode == "m_mode") == (still["mode"] == "m_mode"));
        } else if matches!(still["look"].as_str(), Some("gray_fan" | "color_fan" | "gray_curved")) {
            assert!(!is_strip(mode), "{still}: {mode}");
        }
    }
    assert_eq!(strips, 9 * STILLS_PER_LOOK);
    // Some strips are nearly black or cut by a wide gap; a picture that is lost would be worse.
    assert!(found * 10 >= strips * 9, "{found} of {strips} strips");
    assert!(kinds * 10 >= found * 9, "{kinds} of {found} with their kind");
}
