//! A study with every kind of observation.

use domain::{DicomCode, Mode, StudyAttributes};
use report::{
    Algorithm, CodedView, DocumentUids, ImageReference, KeyLoop, LoopFinding, Observation, Observer, ReportedObject,
    Revision, StudyReport,
};

pub const MULTI_FRAME: &str = "1.2.840.10008.5.1.4.1.1.3.1";
pub const STILL: &str = "1.2.840.10008.5.1.4.1.1.6.1";

fn image(number: u32, class: &str) -> ImageReference {
    ImageReference {
        class: class.to_owned(),
        sop: format!("1.2.3.4.{number}").parse().unwrap(),
        series: format!("1.2.3.{}", number % 2).parse().unwrap(),
    }
}

fn view(name: &str, code: (&str, &str), site: Option<(&str, &str)>) -> LoopFinding {
    let sct = |(value, meaning): (&str, &str)| DicomCode::new(value, "SCT", meaning);
    LoopFinding::View {
        name: name.to_owned(),
        codes: Some(CodedView {
            view: Some(sct(code)),
            modifiers: if name == "Apical-5ch" { vec![sct(("43674008", "Apical"))] } else { Vec::new() },
            sites: site.map(sct).into_iter().collect(),
            is_equivalent: site.is_none(),
        }),
    }
}

fn by_model(finding: LoopFinding, certainty: Option<f64>, comment: Option<&str>) -> Observation {
    let frames = Vec::new();
    Observation { observer: Observer::Algorithm(0), finding, frames, certainty, comment: comment.map(str::to_owned) }
}

fn object(number: u32, class: &str, mode: Option<Mode>, observations: Vec<Observation>) -> ReportedObject {
    ReportedObject { image: image(number, class), number, mode, observations }
}

/// A study of a patient whose name is in Latin-1: two views, an abstention, a review, a Doppler strip, a failed file.
pub fn study() -> StudyReport {
    let mut attributes = StudyAttributes::default();
    for (tag, value) in [
        ((0x0008, 0x0005), &b"ISO_IR 100"[..]),
        ((0x0008, 0x0020), b"20260102"),
        ((0x0008, 0x0030), b"081500"),
        ((0x0008, 0x0050), b"A-17"),
        ((0x0008, 0x0090), b"M\xFCller^Eva "),
        ((0x0008, 0x1030), b"TTE"),
        ((0x0010, 0x0010), b"Bj\xF6rk^Anna"),
        ((0x0010, 0x0020), b"4711"),
        ((0x0010, 0x0021), b"LAB"),
        ((0x0010, 0x0030), b"19700101"),
        ((0x0010, 0x0040), b"F "),
        ((0x0010, 0x1020), b"1.68"),
        ((0x0020, 0x0010), b"17"),
    ] {
        attributes.insert(tag, value.to_vec());
    }
    let plax = || view("PLAX", ("399139001", "Parasternal long axis"), None);
    let five = || view("Apical-5ch", ("398994001", "Five chamber"), None);
    let apex = ("128564006", "Apex of left ventricle");
    let apical = view("PSAX-apical", ("399306005", "Parasternal short axis"), Some(apex));
    let program = |comment: &str| Observation {
        observer: Observer::Program,
        finding: LoopFinding::Undetermined,
        frames: Vec::new(),
        certainty: None,
        comment: Some(comment.to_owned()),
    };
    let person = Observation {
        observer: Observer::Person { name: "Kim Müller".to_owned() },
        finding: apical,
        frames: Vec::new(),
        certainty: None,
        comment: Some("foreshortened".to_owned()),
    };
    let unsure = by_model(LoopFinding::Undetermined, None, Some("two views are equally likely"));
    let strange = LoopFinding::View { name: "our own view".to_owned(), codes: None };
    StudyReport {
        study: "1.2.3".parse().unwrap(),
        attributes,
        revision: Revision {
            number: 2,
            time: "2026-01-02T09:30:00".parse().unwrap(),
            predecessor: Some(DocumentUids {
                report: "2.25.1".parse().unwrap(),
                report_series: "2.25.2".parse().unwrap(),
                key_objects: "2.25.3".parse().unwrap(),
                key_objects_series: "2.25.4".parse().unwrap(),
            }),
        },
        algorithms: vec![Algorithm {
            name: "tte11-video-dilated".to_owned(),
            version: "weights 104cb312f9c6, f32".to_owned(),
            parameters: "TRAINED ON SIMULATED IMAGES: NOT FOR CLINICAL USE".to_owned(),
            digests: "104cb312f9c6 f32".to_owned(),
            is_validated: false,
        }],
        objects: vec![
            object(1, MULTI_FRAME, Some(Mode::TwoD), vec![by_model(plax(), Some(0.987), None)]),
            object(2, MULTI_FRAME, Some(Mode::Color), vec![by_model(five(), Some(0.5), None), person]),
            object(3, MULTI_FRAME, Some(Mode::TwoD), vec![unsure]),
            object(4, STILL, Some(Mode::Pw), vec![program("no views of mode pw")]),
            object(5, MULTI_FRAME, Some(Mode::TwoD), vec![by_model(strange, Some(0.75), None)]),
            object(6, STILL, None, vec![program("the file could not be read or labelled")]),
        ],
        file_counts: "Image files of the study: 4 labelled, 1 not sure, 1 failed".to_owned(),
        key_loops: vec![
            KeyLoop { view: "PLAX".to_owned(), image: image(1, MULTI_FRAME) },
            KeyLoop { view: "PSAX-apical".to_owned(), image: image(2, MULTI_FRAME) },
        ],
        software_version: "echolabel test".to_owned(),
    }
}
