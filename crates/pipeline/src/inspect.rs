//! The content of a loop, without a model: the object that `echolabel inspect --json` prints.

use cine::{Loop, RegionKind};
use domain::{EcgSource, Finding, FindingCode, Mode, PixelRect, SeriesUid, SopUid, StudyUid};
use ecg::trace::TraceReading;
use ecg::{FramePhase, PlanSettings};
use preprocess::{EcgRule, FoundBeats, PlannedLoop};
use serde::Serialize;

use crate::LabelError;

/// The content of a loop.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// SOP Instance UID.
    pub sop_instance_uid: SopUid,
    /// Study Instance UID.
    pub study_instance_uid: StudyUid,
    /// Series Instance UID.
    pub series_instance_uid: SeriesUid,
    /// Transfer Syntax UID.
    pub transfer_syntax: String,
    /// Image height in pixels.
    pub rows: u32,
    /// Image width in pixels.
    pub columns: u32,
    /// Number of frames.
    pub frames: u32,
    /// Mean time between frames in milliseconds, as the header says.
    pub frame_time_ms: f64,
    /// The origin of the frame time.
    pub frame_time_source: cine::TimingSource,
    /// Manufacturer.
    pub manufacturer: Option<String>,
    /// The mode of the image.
    pub mode: Mode,
    /// The reason for that mode.
    pub mode_reason: String,
    /// The regions as far as they lie inside the image.
    pub regions: Vec<InspectedRegion>,
    /// The box of the ultrasound image.
    pub sector: Option<PixelRect>,
    /// The heart beat.
    pub ecg: InspectedEcg,
    /// Oddities of the loop.
    pub findings: Vec<Finding>,
    /// The sampling plan.
    pub clips: Vec<InspectedClip>,
}

impl Inspection {
    /// Returns the parts of the image that were recognized, outside which names and dates of birth stand: the sector, the
    /// trace, and the regions of the header that hold no 2-D image, whose sector is smaller than they.
    pub fn recognized_parts(&self, trace: Option<&TraceReading>) -> Vec<PixelRect> {
        let regions = self.regions.iter().map(|region| region.pixels);
        let others = regions.filter(|region| self.sector.is_none_or(|sector| region.intersection(&sector).is_none()));
        self.sector.into_iter().chain(others).chain(trace.map(|trace| trace.bounding_box)).collect()
    }
}

/// A region of the image.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct InspectedRegion {
    /// The kind of region.
    pub kind: RegionKind,
    /// Its box.
    #[serde(flatten)]
    pub pixels: PixelRect,
}

/// The heart beat of a loop.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedEcg {
    /// The source of the beats.
    pub source: EcgSource,
    /// R peaks as frame indexes from 0, fractional.
    pub r_peaks: Vec<f64>,
    /// Beats a minute.
    pub heart_rate_bpm: Option<f64>,
    /// The style of the trace, where it was read from the pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_style: Option<ecg::trace::TraceStyle>,
    /// Frames that were decoded to find it.
    pub frames_decoded: u32,
}

/// One clip of the plan.
#[derive(Debug, Clone, Serialize)]
pub struct InspectedClip {
    /// The beat's number, or `null` where no beat is known.
    pub beat: Option<usize>,
    /// Its frames in time order.
    pub frames: Vec<InspectedFrame>,
}

/// A frame of a clip.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct InspectedFrame {
    /// Index from 0.
    pub index: u32,
    /// The phase of the beat.
    pub phase: Option<FramePhase>,
}

/// Describes an open loop; returns the beats as well, for drawing.
///
/// # Errors
/// The loop has no frames, or `settings` are out of range.
pub fn inspect(source: &mut Loop, settings: &PlanSettings) -> Result<(Inspection, FoundBeats), LabelError> {
    let header = source.header().clone();
    let mut findings = Vec::new();
    let (mode, mode_reason) = source.mode().unwrap_or_else(|error| {
        findings.push(Finding::new(FindingCode::FrameNotDecoded, error.to_string()));
        (Mode::Other, "no header tells and no frame can be decoded".to_owned())
    });
    let sector = source.sector();
    source.check_decoder()?;
    findings.extend(source.findings().iter().cloned());
    let planned = PlannedLoop::new(source, EcgRule::Preferred, settings)?;
    let frames_decoded = planned.frames_decoded();
    let PlannedLoop { beats: found, plan, .. } = planned;
    findings.extend(found.findings.iter().cloned());
    findings.extend(plan.findings.iter().cloned());
    let inspection = Inspection {
        frame_time_ms: header.timing.frame_time_ms(),
        frame_time_source: header.timing.source,
        mode,
        mode_reason,
        regions: header
            .regions
            .iter()
            .filter_map(|region| {
                let pixels = region.pixel_rect(header.columns, header.rows)?;
                Some(InspectedRegion { kind: region.kind, pixels })
            })
            .collect(),
        sector,
        ecg: InspectedEcg {
            source: found.beats.source,
            r_peaks: found.beats.r_peaks.clone(),
            heart_rate_bpm: found.beats.heart_rate_bpm,
            trace_style: found.trace.as_ref().map(|trace| trace.style),
            frames_decoded,
        },
        findings,
        clips: plan
            .clips
            .iter()
            .map(|clip| InspectedClip {
                beat: clip.beat,
                frames: clip
                    .frames
                    .iter()
                    .map(|frame| InspectedFrame { index: frame.index, phase: frame.phase })
                    .collect(),
            })
            .collect(),
        sop_instance_uid: header.sop_instance_uid,
        study_instance_uid: header.study_instance_uid,
        series_instance_uid: header.series_instance_uid,
        transfer_syntax: header.transfer_syntax,
        rows: header.rows,
        columns: header.columns,
        frames: header.frames,
        manufacturer: header.manufacturer,
    };
    Ok((inspection, found))
}
