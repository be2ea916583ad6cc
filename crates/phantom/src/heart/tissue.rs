//! Tissues on a beam, and how they scatter, reflect and attenuate.

/// A kind of tissue; blood is distinguished by chamber so that truth and color Doppler know where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Tissue {
    LeftVentricle,
    RightVentricle,
    LeftAtrium,
    RightAtrium,
    LeftOutflow,
    Aorta,
    PulmonaryArtery,
    RightOutflow,
    CavalVein,
    Branches,
    Myocardium,
    RightWall,
    AtrialWall,
    Papillary,
    Chord,
    MitralLeaflet,
    TricuspidLeaflet,
    AorticCusp,
    PulmonaryCusp,
    Annulus,
    VesselWall,
    Fat,
    Pericardium,
    Liver,
    LiverVessel,
    Kidney,
    KidneySinus,
    Water,
    WaterTarget,
    Lung,
    Mediastinum,
    ChestWall,
    Fascia,
}

/// Acoustic properties of a tissue.
#[derive(Debug, Clone, Copy)]
pub struct Acoustics {
    /// Scattering strength in dB, 0 for a valve leaflet seen head on.
    pub scatter_db: f32,
    /// Impedance on an arbitrary scale; its steps reflect.
    pub impedance: f32,
    /// Attenuation in dB per cm beyond what time-gain compensation makes up for.
    pub excess_db_per_cm: f32,
}

impl Tissue {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 33] = [
        Self::LeftVentricle,
        Self::RightVentricle,
        Self::LeftAtrium,
        Self::RightAtrium,
        Self::LeftOutflow,
        Self::Aorta,
        Self::PulmonaryArtery,
        Self::RightOutflow,
        Self::CavalVein,
        Self::Branches,
        Self::Myocardium,
        Self::RightWall,
        Self::AtrialWall,
        Self::Papillary,
        Self::Chord,
        Self::MitralLeaflet,
        Self::TricuspidLeaflet,
        Self::AorticCusp,
        Self::PulmonaryCusp,
        Self::Annulus,
        Self::VesselWall,
        Self::Fat,
        Self::Pericardium,
        Self::Liver,
        Self::LiverVessel,
        Self::Kidney,
        Self::KidneySinus,
        Self::Water,
        Self::WaterTarget,
        Self::Lung,
        Self::Mediastinum,
        Self::ChestWall,
        Self::Fascia,
    ];

    /// Returns whether it is blood.
    pub fn is_blood(self) -> bool {
        (self as u8) <= (Self::Branches as u8)
    }

    /// Returns the acoustic properties; chosen by eye against real screens, not measured.
    pub fn acoustics(self) -> Acoustics {
        let (scatter_db, impedance, excess_db_per_cm) = match self {
            tissue if tissue.is_blood() => (-42.0, 0.0, -0.35),
            Self::Myocardium => (-16.5, 1.0, 0.12),
            Self::RightWall => (-18.0, 1.0, 0.1),
            Self::AtrialWall => (-17.0, 1.3, 0.2),
            Self::Papillary => (-13.0, 1.1, 0.2),
            Self::Chord => (-14.0, 0.6, 0.1),
            Self::MitralLeaflet | Self::TricuspidLeaflet => (-4.0, 1.3, 0.3),
            Self::AorticCusp | Self::PulmonaryCusp => (-8.0, 1.0, 0.2),
            Self::Annulus => (-8.0, 1.4, 1.0),
            Self::VesselWall => (-16.0, 1.7, 0.3),
            Self::Fat => (-19.0, 0.9, 0.2),
            Self::Pericardium => (-12.0, 2.2, 0.8),
            Self::Liver => (-18.5, 0.9, 0.05),
            Self::LiverVessel => (-40.0, 0.2, -0.2),
            Self::Kidney => (-19.0, 0.9, 0.1),
            Self::KidneySinus => (-6.0, 1.2, 0.4),
            Self::Water => (-70.0, 0.0, -0.5),
            Self::WaterTarget => (4.0, 2.0, 0.5),
            Self::Lung => (-24.0, 1.1, 3.2),
            Self::ChestWall => (-22.0, 0.9, 0.1),
            Self::Fascia => (-11.0, 1.5, 0.3),
            _ => (-27.0, 1.0, 0.45),
        };
        Acoustics { scatter_db, impedance, excess_db_per_cm }
    }
}
