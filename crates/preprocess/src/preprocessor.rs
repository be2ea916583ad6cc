use cine::{Header, Loop, PictureOrientation, footprint_share, picture_orientation};
use domain::{EcgSource, Finding, Mode, PixelRect, RgbView};
use ecg::{PlanSettings, SamplingPlan};
use serde::{Deserialize, Serialize};
use zoo::{LabelSet, ModelCard, Preparation};

use crate::beat::ignore_beats;
use crate::{DecodedFrames, FoundBeats, PreparedClips, Refusal, Result, find_beats, plan_settings};

/// An image whose width near the probe has at least this share of its greatest width is a rectangle. Public pictures of
/// hearts have up to 0.78, linear arrays 0.93 and more.
const MIN_RECTANGLE_FOOTPRINT: f64 = 0.85;
/// Frames whose outline is looked at, as many as the search for the sector takes: more show no more of it.
const OUTLINE_FRAMES: usize = 3;

/// The meaning of a loop without an ECG; a key of pipeline files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EcgRule {
    /// It is not labelled.
    Required,
    /// Its frames are spread evenly.
    Preferred,
    /// The ECG is not looked for.
    Ignore,
}

/// The choice of loops and frames of one pipeline, and the form in which its model takes them. Needs no weights.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    label_set: Option<LabelSet>,
    pub(crate) ecg: EcgRule,
    pub(crate) plan: PlanSettings,
    pub(crate) preparation: Preparation,
}

/// Milliseconds spent in each stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PreprocessTimings {
    /// Telling the mode, decoding a frame for it where the header does not name it.
    pub mode_ms: f64,
    /// Finding the beat, decoding frames for it included.
    pub ecg_ms: f64,
    /// Decoding the frames of the plan.
    pub decode_ms: f64,
    /// Cropping, resizing, masking.
    pub prepare_ms: f64,
}

/// A loop whose beats are known and whose frames are chosen; of the chosen ones none is decoded yet.
pub struct PlannedLoop<'a> {
    /// The beats, and the clock that they refer to.
    pub beats: FoundBeats,
    /// The frames of each clip.
    pub plan: SamplingPlan,
    pub(crate) frames: DecodedFrames<'a>,
}

impl<'a> PlannedLoop<'a> {
    /// Finds the beats of a loop as `ecg` asks for and chooses its frames.
    ///
    /// # Errors
    /// The loop has no frames, or `settings` are out of range.
    pub fn new(source: &'a mut Loop, ecg: EcgRule, settings: &PlanSettings) -> Result<Self> {
        let mut frames = DecodedFrames::new(source);
        let beats = match ecg {
            EcgRule::Ignore => ignore_beats(&mut frames)?,
            EcgRule::Preferred | EcgRule::Required => find_beats(&mut frames)?,
        };
        // The search for the trace passes over frames that cannot be decoded.
        frames.source().check_decoder()?;
        let plan = ecg::plan(&beats.beats, &beats.clock, settings)?;
        Ok(Self { beats, plan, frames })
    }

    /// Returns the number of frames that were decoded to find the beats.
    pub fn frames_decoded(&self) -> u32 {
        self.frames.decoded()
    }
}

/// The frames of a plan in the form that `T` says, with what is known about the loop.
#[derive(Debug, Clone)]
pub struct Preprocessed<T = PreparedClips> {
    /// The inputs of the model, or the reason why it must not be asked.
    pub inputs: std::result::Result<ModelInputs<T>, Refusal>,
    /// Mode of the image.
    pub mode: Mode,
    /// The source of the beats; none where they were not looked for.
    pub ecg_source: EcgSource,
    /// Number of frames that were decoded, those for the ECG included.
    pub frames_decoded: u32,
    /// Oddities of the loop, the beats, the plan and the decoding.
    pub findings: Vec<Finding>,
    /// The time that each stage took.
    pub timings: PreprocessTimings,
}

/// The clips of a plan, ready for a model.
#[derive(Debug, Clone)]
pub struct ModelInputs<T = PreparedClips> {
    /// The frames of each clip.
    pub plan: SamplingPlan,
    /// The prepared frames and the clips that they form, in the order of the plan.
    pub clips: T,
    /// Indexes in the loop of the prepared frames, ascending.
    pub frames: Vec<u32>,
}

impl Preprocessor {
    /// Returns the preprocessing of a pipeline; a `label_set` refuses modes that it has no views of.
    pub fn new(label_set: Option<LabelSet>, ecg: EcgRule, plan: PlanSettings, preparation: Preparation) -> Self {
        Self { label_set, ecg, plan, preparation }
    }

    /// Returns the preprocessing of the pipeline that is named after a model, with another limit of clips if one is given.
    ///
    /// # Errors
    /// The card names a label set that does not exist.
    pub fn for_card(card: &ModelCard, max_clips: Option<usize>) -> zoo::Result<Self> {
        let label_set = card.views()?;
        let usual = plan_settings(card);
        let plan = PlanSettings { max_clips: max_clips.or(usual.max_clips), ..usual };
        Ok(Self::new(label_set, EcgRule::Preferred, plan, card.prepare))
    }

    /// Returns the views of the pipeline; `None` where its model gives only vectors.
    pub fn label_set(&self) -> Option<&LabelSet> {
        self.label_set.as_ref()
    }

    /// Returns how the picture is turned, where it shows a view.
    pub(crate) fn orientation(
        &self,
        frames: &[RgbView<'_>],
        mode: Mode,
        sector: Option<PixelRect>,
    ) -> PictureOrientation {
        if self.shows_view(mode) {
            picture_orientation(frames.get(..frames.len().min(OUTLINE_FRAMES)).unwrap_or_default(), sector)
        } else {
            PictureOrientation::default()
        }
    }

    /// Returns whether a picture of this mode is one that views are told from: other modes show strips beside the fan, and a
    /// model without views describes any image.
    fn shows_view(&self, mode: Mode) -> bool {
        self.label_set.is_some() && matches!(mode, Mode::TwoD | Mode::Color)
    }

    /// Returns whether the image cannot be that of a phased array, which every view of the heart needs.
    pub(crate) fn has_no_fan(&self, frames: &[RgbView<'_>], mode: Mode, sector: Option<PixelRect>) -> bool {
        let frames = frames.get(..frames.len().min(OUTLINE_FRAMES)).unwrap_or_default();
        self.shows_view(mode) && footprint_share(frames, sector).is_some_and(|share| share >= MIN_RECTANGLE_FOOTPRINT)
    }

    /// Returns the reason why no model is asked about a loop, if its header gives one.
    pub(crate) fn refusal(&self, header: &Header, mode: Mode) -> Option<Refusal> {
        if let Some(what) = &header.not_transthoracic {
            return Some(Refusal::NotTransthoracic(what.clone()));
        }
        if !header.may_be_ultrasound() {
            return Some(Refusal::NotUltrasound(header.modality.clone().unwrap_or_default()));
        }
        let set = self.label_set.as_ref()?;
        (!set.modes.contains(&mode)).then(|| Refusal::NoViewsOfMode { label_set: set.name.clone(), mode })
    }
}
