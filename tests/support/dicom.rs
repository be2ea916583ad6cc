//! DICOM objects of a disc, written byte by byte: loops, reports, documents, waveforms, and what damages them.
#![allow(dead_code, reason = "every test file uses another part of it")]

const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const MULTI_FRAME_ULTRASOUND: &str = "1.2.840.10008.5.1.4.1.1.3.1";

/// Header values of an object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Study Instance UID.
    pub study: String,
    /// SOP Instance UID.
    pub sop: String,
    /// SOP Class UID.
    pub class: &'static str,
    /// Modality.
    pub modality: &'static str,
    /// Transfer Syntax UID.
    pub transfer_syntax: &'static str,
    /// Patient ID.
    pub patient_id: String,
    /// Study Description.
    pub description: &'static str,
    /// Bits Allocated, where it has pixels.
    pub bits_allocated: u16,
    /// Seed of the samples; `None` for an object without pixels.
    pub samples: Option<u8>,
}

impl Object {
    /// Returns a loop of three gray frames.
    pub fn new_loop(study: &str, sop: &str, samples: u8) -> Self {
        Self {
            study: study.to_owned(),
            sop: sop.to_owned(),
            class: MULTI_FRAME_ULTRASOUND,
            modality: "US",
            transfer_syntax: EXPLICIT_LITTLE,
            patient_id: "T0".to_owned(),
            description: "",
            bits_allocated: 8,
            samples: Some(samples),
        }
    }

    /// Returns an object without an image: a report, key objects, a waveform.
    pub fn without_image(study: &str, sop: &str, class: &'static str, modality: &'static str) -> Self {
        Self { class, modality, samples: None, ..Self::new_loop(study, sop, 0) }
    }

    /// Returns the file's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut file = vec![0; 128];
        file.extend_from_slice(b"DICM");
        let mut element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
            file.extend_from_slice(&group.to_le_bytes());
            file.extend_from_slice(&number.to_le_bytes());
            file.extend_from_slice(vr);
            match vr {
                b"OB" | b"OW" => {
                    file.extend_from_slice(&[0, 0]);
                    file.extend_from_slice(&(value.len() as u32).to_le_bytes());
                }
                _ => file.extend_from_slice(&(value.len() as u16).to_le_bytes()),
            }
            file.extend_from_slice(value);
        };
        element(2, 0x10, b"UI", &text(self.transfer_syntax, 0));
        element(8, 0x16, b"UI", &text(self.class, 0));
        element(8, 0x18, b"UI", &text(&self.sop, 0));
        element(8, 0x60, b"CS", &text(self.modality, b' '));
        element(8, 0x1030, b"LO", &text(self.description, b' '));
        element(0x10, 0x20, b"LO", &text(&self.patient_id, b' '));
        element(0x18, 0x1063, b"DS", b"40");
        element(0x20, 0x0D, b"UI", &text(&self.study, 0));
        element(0x20, 0x0E, b"UI", &text(&format!("{}.1", self.study), 0));
        if let Some(seed) = self.samples {
            element(0x28, 2, b"US", &1_u16.to_le_bytes());
            element(0x28, 4, b"CS", b"MONOCHROME2 ");
            element(0x28, 8, b"IS", b"3 ");
            element(0x28, 0x10, b"US", &(SIZE as u16).to_le_bytes());
            element(0x28, 0x11, b"US", &(SIZE as u16).to_le_bytes());
            element(0x28, 0x100, b"US", &self.bits_allocated.to_le_bytes());
            element(0x28, 0x101, b"US", &self.bits_allocated.to_le_bytes());
            let bytes = SIZE * SIZE * usize::from(self.bits_allocated / 8) * 3;
            let samples: Vec<u8> = (0..bytes).map(|at| (at * 7 + usize::from(seed) * 31) as u8).collect();
            element(0x7FE0, 0x10, if self.bits_allocated == 8 { b"OB" } else { b"OW" }, &samples);
        }
        file
    }
}

/// Rows and columns of a frame.
const SIZE: usize = 48;

/// Returns a DICOMDIR: an object of no study.
pub fn dicomdir() -> Vec<u8> {
    let mut file = vec![0; 128];
    file.extend_from_slice(b"DICM");
    for (number, value) in [(0x02_u16, "1.2.840.10008.1.3.10"), (0x10, EXPLICIT_LITTLE)] {
        let value = text(value, 0);
        file.extend_from_slice(&[2, 0]);
        file.extend_from_slice(&number.to_le_bytes());
        file.extend_from_slice(b"UI");
        file.extend_from_slice(&(value.len() as u16).to_le_bytes());
        file.extend_from_slice(&value);
    }
    file.extend_from_slice(&[4, 0, 0x30, 0x11, b'C', b'S', 4, 0]);
    file.extend_from_slice(b"DISC");
    file
}

/// A text padded to an even length.
fn text(value: &str, padding: u8) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(padding);
    }
    bytes
}
