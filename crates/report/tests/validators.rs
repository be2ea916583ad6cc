//! Other people's programs read the documents, and refuse broken copies of them.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::study;
use dicom_core::Tag;
use dicom_core::ops::{ApplyOp as _, AttributeAction, AttributeOp, AttributeSelector, AttributeSelectorStep};
use dicom_dictionary_std::tags;
use dicom_object::from_reader;
use test_support::{installed_file, python_with};

/// Words of dciodvfy about a document that is as it should be: its list of attributes is older than Device UID there.
const KNOWN_TO_DCIODVFY: [&str; 2] =
    ["Attribute is not present in standard DICOM IOD - (0x0018,0x1002)", "this is a Standard Extended SOP Class"];

/// Words of dsrdump about every document: it does not check templates.
const KNOWN_TO_DSRDUMP: &str = "Check for template constraints not yet supported";

/// Words of PixelMed about documents that are as they should be. Its rules of 2022 know CID 100 without echocardiography,
/// TID 1501 without qualitative evaluations, and look for the title of key objects in the wrong place.
const KNOWN_TO_PIXELMED: [&str; 4] = [
    // Context group 100 is extensible; an honest code for echocardiography cannot be in it.
    "433236007",
    // Its copy of TID 1501 has no rows for qualitative evaluations; the template is extensible.
    "Content Item not in template",
    // Its test of the title looks for a sibling instead of the container's own title, which demands a modifier.
    "Template 2010 KeyObjectSelection/[Row 1] CONTAINER CID 7010_WithTCE/[Row 3] CODE CID 7011",
    "Template 2010 KeyObjectSelection/[Row 1] CONTAINER CID 7010_WithTCE/[Row 4] CODE CID 7012",
];

struct Files {
    _folder: tempfile::TempDir,
    report: PathBuf,
    key_objects: PathBuf,
}

fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (report, key_objects) = (folder.path().join("study.sr.dcm"), folder.path().join("study.ko.dcm"));
    fs::write(&report, study().structured_report().unwrap()).unwrap();
    fs::write(&key_objects, study().key_objects().unwrap().unwrap()).unwrap();
    Files { _folder: folder, report, key_objects }
}

/// Returns whether a program succeeded, and all that it said.
fn run(program: &Path, arguments: &[&Path]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Returns what dciodvfy finds wrong.
fn faults_of_dciodvfy(program: &Path, file: &Path) -> Vec<String> {
    let (_, said) = run(program, &[file]);
    let is_fault = |line: &&str| line.starts_with("Error") || line.starts_with("Warning");
    let known = |line: &&str| KNOWN_TO_DCIODVFY.iter().any(|known| line.contains(known));
    said.lines().filter(is_fault).filter(|line| !known(line)).map(str::to_owned).collect()
}

/// Returns what dsrdump finds wrong.
fn faults_of_dsrdump(program: &Path, file: &Path) -> Vec<String> {
    let (ok, said) = run(program, &[file]);
    let is_fault = |line: &&str| line.starts_with("E:") || line.starts_with("W:");
    let mut faults: Vec<String> =
        said.lines().filter(is_fault).filter(|line| !line.contains(KNOWN_TO_DSRDUMP)).map(str::to_owned).collect();
    if !ok {
        faults.push("it cannot be read".to_owned());
    }
    faults
}

#[test]
fn dciodvfy_finds_nothing() {
    let Some(program) = test_support::program("dciodvfy") else { return };
    let files = files();
    for file in [&files.report, &files.key_objects] {
        assert_eq!(faults_of_dciodvfy(&program, file), [""; 0], "{}", file.display());
    }
}

#[test]
fn dcentvfy_finds_the_two_consistent() {
    let Some(program) = test_support::program("dcentvfy") else { return };
    let files = files();
    let (ok, said) = run(&program, &[&files.report, &files.key_objects]);
    assert!(ok && !said.contains("Error"), "{said}");
}

#[test]
fn dsrdump_reads_the_whole_tree() {
    let Some(program) = test_support::program("dsrdump") else { return };
    let files = files();
    for file in [&files.report, &files.key_objects] {
        assert_eq!(faults_of_dsrdump(&program, file), [""; 0], "{}", file.display());
    }
    let (_, said) = run(&program, &[&files.report]);
    assert_eq!(said.matches("\"Measurement Group\"").count(), 7, "{said}");
    assert_eq!(said.matches("(373068000,SCT,\"Undetermined\")").count(), 3, "{said}");
}

/// Reads the report the way a viewer does, and prints what it found.
const HIGHDICOM: &str = r#"
import sys, highdicom as hd
report = hd.sr.srread(sys.argv[1])
groups = report.content.get_image_measurement_groups()
for group in groups:
    views = [str(e.value.meaning) for e in group.get_qualitative_evaluations() if e.name.value == "111031"]
    print(group.tracking_identifier, group.source_images[0].referenced_sop_instance_uid, views)
key = hd.ko.KeyObjectSelectionDocument.from_dataset(__import__("pydicom").dcmread(sys.argv[2]))
print("key", len(key.content.get_references()))
"#;

#[test]
fn highdicom_finds_every_group_and_key_object() {
    let Some(python) = python_with("highdicom") else { return };
    let files = files();
    let output = Command::new(python)
        .args(["-W", "ignore", "-c", HIGHDICOM])
        .args([&files.report, &files.key_objects])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Loop 1 1.2.3.4.1 ['Parasternal long axis']"), "{said}");
    assert_eq!((said.matches("Loop ").count(), said.matches("Undetermined").count()), (7, 3), "{said}");
    assert!(said.contains("key 2"), "{said}");
}

#[test]
fn pixelmed_finds_nothing_but_what_is_known() {
    let Some(java) = test_support::program("java") else { return };
    if installed_file("/usr/share/java/pixelmed.jar").is_none() {
        return;
    }
    let files = files();
    for file in [&files.report, &files.key_objects] {
        let output = Command::new(&java)
            .args(["-Djdk.xml.xpathTotalOpLimit=0", "-Djdk.xml.xpathExprOpLimit=0", "-Djdk.xml.xpathExprGrpLimit=0"])
            .args(["-cp", "/usr/share/java/*", "com.pixelmed.validate.DicomSRValidator"])
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("Found"), "it looks at templates: {said}");
        let faults: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("Error") || line.contains("Warning"))
            .filter(|line| !KNOWN_TO_PIXELMED.iter().any(|known| line.contains(known)))
            .collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", file.display());
    }
}

/// A place in the tree: items of Content Sequence, by their places from 0, then an element.
fn at(items: &[u32], tag: Tag) -> AttributeSelector {
    let steps = items.iter().map(|item| AttributeSelectorStep::Nested { tag: tags::CONTENT_SEQUENCE, item: *item });
    AttributeSelector::new(steps.chain([AttributeSelectorStep::Tag(tag)])).unwrap()
}

/// The unit of the number at a place in the tree.
fn unit(items: &[u32]) -> AttributeSelector {
    let steps = items.iter().map(|item| AttributeSelectorStep::Nested { tag: tags::CONTENT_SEQUENCE, item: *item });
    let value = AttributeSelectorStep::Nested { tag: tags::MEASURED_VALUE_SEQUENCE, item: 0 };
    let unit = AttributeSelectorStep::Tag(tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
    AttributeSelector::new(steps.chain([value, unit])).unwrap()
}

#[test]
fn ten_broken_copies_are_refused() {
    let (Some(dciodvfy), Some(dsrdump)) = (test_support::program("dciodvfy"), test_support::program("dsrdump")) else {
        return;
    };
    let text = |value: &str| AttributeAction::SetStr(value.to_owned().into());
    // The places of items are those of the golden report: see `dsrdump`.
    let group = [8, 0];
    let broken = [
        ("no instance UID", at(&[], tags::SOP_INSTANCE_UID), AttributeAction::Remove),
        ("no completion flag", at(&[], tags::COMPLETION_FLAG), AttributeAction::Remove),
        ("no patient ID", at(&[], tags::PATIENT_ID), AttributeAction::Remove),
        ("no evidence", at(&[], tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE), AttributeAction::Remove),
        ("an unknown completion flag", at(&[], tags::COMPLETION_FLAG), text("DONE")),
        ("no title", at(&[], tags::CONCEPT_NAME_CODE_SEQUENCE), AttributeAction::Remove),
        ("a relationship that a container cannot have", at(&group, tags::RELATIONSHIP_TYPE), text("HAS PROPERTIES")),
        ("a type of value that there is none of", at(&group, tags::VALUE_TYPE), text("BOX")),
        ("a number without a unit", unit(&[8, 0, 6]), AttributeAction::Remove),
        ("a code without a value", at(&[8, 0, 7], tags::CONCEPT_CODE_SEQUENCE), AttributeAction::Remove),
    ];
    let folder = tempfile::tempdir().unwrap();
    let whole = study().structured_report().unwrap();
    for (fault, selector, action) in broken {
        let mut object = from_reader(&*whole).unwrap();
        object.apply(AttributeOp::new(selector, action)).unwrap();
        let path = folder.path().join("broken.dcm");
        object.write_to_file(&path).unwrap();
        let faults = [faults_of_dciodvfy(&dciodvfy, &path), faults_of_dsrdump(&dsrdump, &path)].concat();
        assert!(!faults.is_empty(), "{fault}: nobody objects");
    }
}

#[test]
fn a_number_is_what_the_broken_copy_takes_it_for() {
    let object = from_reader(&*study().structured_report().unwrap()).unwrap();
    let value_type = |place: u32| object.value_at(at(&[8, 0, place], tags::VALUE_TYPE)).unwrap().to_str().unwrap();
    assert_eq!((value_type(6).trim(), value_type(7).trim()), ("NUM", "CODE"));
}
