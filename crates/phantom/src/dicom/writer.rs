//! Writes a loop frame by frame, so that memory does not grow with its length.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileDicomObject, FileMetaTableBuilder, InMemDicomObject};

use super::header::{LoopIdentity, data_set, sop_class_uid, transfer_syntax_uid};
use super::pixels::encode;
use crate::error::PhantomError;
use crate::simulate::{SimulatedLoop, simulate_loop};
use crate::spec::{LoopSpec, PixelEncoding};
use crate::truth::{LoopTruth, ecg_source, view_label};
use domain::EcgSource;

/// Simulates a loop and writes it to `path`.
///
/// # Errors
/// The specification is out of range, the file cannot be written or a frame cannot be encoded.
pub fn write_loop(spec: &LoopSpec, identity: &LoopIdentity, path: &Path) -> Result<LoopTruth, PhantomError> {
    spec.check()?;
    write_simulated(&simulate_loop(spec), identity, path)
}

/// Writes a loop that has been set up already.
///
/// # Errors
/// The file cannot be written or a frame cannot be encoded.
pub fn write_simulated(
    simulated: &SimulatedLoop,
    identity: &LoopIdentity,
    path: &Path,
) -> Result<LoopTruth, PhantomError> {
    let spec = simulated.spec();
    let mut object = data_set(simulated, identity);
    if spec.encoding == PixelEncoding::DeflatedRgb {
        put_native_pixels(&mut object, simulated)?;
    }
    let file_object = with_meta(object, simulated, identity, path)?;
    let write_error = |source: std::io::Error| PhantomError::WriteFile { path: path.to_path_buf(), source };
    let mut file = BufWriter::new(File::create(path).map_err(write_error)?);
    file_object
        .write_all(&mut file)
        .map_err(|source| PhantomError::EncodeHeader { path: path.to_path_buf(), source: Box::new(source) })?;
    match spec.encoding {
        PixelEncoding::DeflatedRgb => Ok(()),
        PixelEncoding::JpegBaseline | PixelEncoding::RleRgb => write_fragments(&mut file, simulated, &write_error),
        _ => write_native(&mut file, simulated, &write_error),
    }?;
    file.flush().map_err(write_error)?;
    Ok(truth_of(simulated, identity, path))
}

fn with_meta(
    object: InMemDicomObject,
    simulated: &SimulatedLoop,
    identity: &LoopIdentity,
    path: &Path,
) -> Result<FileDicomObject<InMemDicomObject>, PhantomError> {
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(sop_class_uid(simulated.frames()))
        .media_storage_sop_instance_uid(identity.sop_instance_uid.as_str())
        .transfer_syntax(transfer_syntax_uid(simulated.spec().encoding));
    object
        .with_meta(meta)
        .map_err(|source| PhantomError::EncodeHeader { path: path.to_path_buf(), source: Box::new(source) })
}

fn put_native_pixels(object: &mut InMemDicomObject, simulated: &SimulatedLoop) -> Result<(), PhantomError> {
    let mut bytes = vec![];
    for frame in 0..simulated.frames() {
        bytes.extend(encode(&simulated.frame(frame), simulated.spec().encoding, frame)?);
    }
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(bytes)));
    Ok(())
}

type ToError<'a> = &'a dyn Fn(std::io::Error) -> PhantomError;

/// Encapsulated pixel data (PS3.5 A.4): an offset table filled in at the end, one fragment per frame.
fn write_fragments(
    file: &mut BufWriter<File>,
    simulated: &SimulatedLoop,
    to_error: ToError,
) -> Result<(), PhantomError> {
    let frames = simulated.frames();
    let put = |file: &mut BufWriter<File>, bytes: &[u8]| file.write_all(bytes).map_err(to_error);
    put(file, &[0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])?;
    put(file, &[0xFE, 0xFF, 0x00, 0xE0])?;
    put(file, &(4 * frames).to_le_bytes())?;
    let table_at = file.stream_position().map_err(to_error)?;
    put(file, &vec![0; 4 * frames as usize])?;
    let (mut offset, mut table) = (0_u32, vec![]);
    for frame in 0..frames {
        let fragment = encode(&simulated.frame(frame), simulated.spec().encoding, frame)?;
        table.extend(offset.to_le_bytes());
        offset += 8 + fragment.len() as u32;
        put(file, &[0xFE, 0xFF, 0x00, 0xE0])?;
        put(file, &(fragment.len() as u32).to_le_bytes())?;
        put(file, &fragment)?;
    }
    put(file, &[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0])?;
    file.seek(SeekFrom::Start(table_at)).map_err(to_error)?;
    put(file, &table)?;
    file.seek(SeekFrom::End(0)).map_err(to_error)?;
    Ok(())
}

/// Native pixel data, explicit or implicit little endian.
fn write_native(file: &mut BufWriter<File>, simulated: &SimulatedLoop, to_error: ToError) -> Result<(), PhantomError> {
    let spec = simulated.spec();
    let pixels = u64::from(spec.size.0) * u64::from(spec.size.1);
    let frame_bytes = match spec.encoding {
        PixelEncoding::Palette => pixels,
        PixelEncoding::RawYbr422 => u64::from(spec.size.0.div_ceil(2)) * 4 * u64::from(spec.size.1),
        _ => pixels * 3,
    };
    let bytes = frame_bytes * u64::from(simulated.frames());
    let length = u32::try_from(bytes + bytes % 2).map_err(|_| PhantomError::BadOption {
        option: "frames",
        value: simulated.frames().to_string(),
        reason: "uncompressed pixel data must stay below 4 GiB",
    })?;
    let explicit: &[u8] = if spec.encoding == PixelEncoding::ImplicitRgb { &[] } else { b"OW\0\0" };
    let put = |file: &mut BufWriter<File>, bytes: &[u8]| file.write_all(bytes).map_err(to_error);
    put(file, &[0xE0, 0x7F, 0x10, 0x00])?;
    put(file, explicit)?;
    put(file, &length.to_le_bytes())?;
    for frame in 0..simulated.frames() {
        put(file, &encode(&simulated.frame(frame), spec.encoding, frame)?)?;
    }
    if bytes % 2 == 1 {
        put(file, &[0])?;
    }
    Ok(())
}

fn truth_of(simulated: &SimulatedLoop, identity: &LoopIdentity, path: &Path) -> LoopTruth {
    let spec = simulated.spec();
    // Where a file carries no ECG, nobody can tell its R waves; `phases` still says when the ventricle is fullest.
    let shows_r_peaks = !spec.mode.has_strip() && ecg_source(spec) != EcgSource::None;
    let frame_of = |time_s: f64| (time_s * 1000.0 / spec.frame_time_ms * 1000.0).round() / 1000.0;
    let last = f64::from(spec.frames.saturating_sub(1));
    LoopTruth {
        file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        sop_instance_uid: identity.sop_instance_uid.clone(),
        view: view_label(spec),
        mode: spec.mode,
        ecg_source: ecg_source(spec),
        r_peaks: match shows_r_peaks {
            true => simulated.r_times_s().into_iter().map(frame_of).filter(|&frame| frame <= last).collect(),
            false => vec![],
        },
        frame_time_ms: spec.frame_time_ms,
        frames: spec.frames,
        phases: simulated.phases(),
        rhythm: spec.rhythm,
        heart_rate_bpm: spec.heart_rate_bpm,
        vendor: spec.vendor,
        encoding: spec.encoding,
        trace: spec.trace,
        trace_box: spec.trace.map(|_| simulated.layout().trace_rect),
        sector: simulated.layout().sector_rect,
        regions: spec.regions,
        seed: spec.seed,
    }
}
