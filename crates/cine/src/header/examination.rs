//! Kind of examination, as far as the header tells one that is no transthoracic echo.

use dicom_dictionary_std::tags;

use crate::scan::DataSet;

/// Words of body parts and descriptions for examinations that are no transthoracic echo.
const OTHERS: [(&str, &[&str]); 7] = [
    ("transesophageal echo", &["TEE", "TOE", "TRANSESOPHAGEAL", "TRANSOESOPHAGEAL", "ESOPHAGUS"]),
    ("intracardiac or intravascular ultrasound", &["ICE", "IVUS", "INTRACARDIAC", "INTRAVASCULAR"]),
    ("obstetric", &["OBSTETRIC", "OBSTETRICS", "OB", "FETAL", "FOETAL", "FETUS", "UTERUS", "PREGNANCY", "GRAVID"]),
    (
        "vessels",
        &[
            "CAROTID", "CAROTIDS", "VENOUS", "VEIN", "VEINS", "ARTERIAL", "ARTERY", "ARTERIES", "VASCULAR", "DVT",
            "LEG", "NECK",
        ],
    ),
    ("abdomen", &["ABDOMEN", "ABDOMINAL", "LIVER", "KIDNEY", "KIDNEYS", "RENAL", "PANCREAS", "SPLEEN", "BLADDER"]),
    ("pelvis", &["PELVIS", "PELVIC", "PROSTATE", "OVARY", "TESTIS", "SCROTUM"]),
    ("other organ", &["THYROID", "BREAST", "LUNG", "LUNGS", "SHOULDER", "KNEE", "MUSCULOSKELETAL", "BRAIN"]),
];

/// Words that make an examination a transthoracic echo whatever else stands there.
const TRANSTHORACIC: [&str; 3] = ["TTE", "TRANSTHORACIC", "TRANSTHORAKAL"];

/// Returns the kind of examination that body part and descriptions name, where it is no transthoracic echo.
///
/// The texts themselves are not kept: people write names into descriptions.
pub(super) fn other_examination(data_set: &DataSet) -> Option<&'static str> {
    let of = |tag| data_set.text(tag).unwrap_or_default().to_ascii_uppercase();
    let text = [tags::BODY_PART_EXAMINED, tags::STUDY_DESCRIPTION, tags::SERIES_DESCRIPTION].map(of).join(" ");
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let names = |known: &[&str]| words.iter().any(|word| known.contains(word));
    if names(&TRANSTHORACIC) {
        return None;
    }
    OTHERS.iter().find(|(_, known)| names(known)).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;

    use super::*;
    use crate::scan::Value;

    fn of(tag: Tag, text: &str) -> Option<&'static str> {
        let mut data_set = DataSet::new(false);
        data_set.push(tag, Value::Bytes(text.as_bytes().to_vec()));
        other_examination(&data_set)
    }

    #[test]
    fn only_other_examinations_are_named() {
        for (text, expected) in [
            ("TEE with contrast", Some("transesophageal echo")),
            ("OB 20 weeks", Some("obstetric")),
            ("Fetal echocardiogram", Some("obstetric")),
            ("Carotid duplex", Some("vessels")),
            ("Echo complete", None),
            ("TTE, then carotid", None),
            ("Doe^Jane", None),
        ] {
            assert_eq!(of(tags::STUDY_DESCRIPTION, text), expected, "{text}");
        }
        assert_eq!(of(tags::BODY_PART_EXAMINED, "HEART"), None);
        assert_eq!(of(tags::BODY_PART_EXAMINED, "ABDOMEN"), Some("abdomen"));
    }
}
