//! The machine, drawn at random: frequency, aperture, focus, display.

use random::Stream;

/// Speed of sound in tissue in cm per second.
const SPEED_CM_S: f32 = 154_000.0;

/// Settings of the array, the chest in front of it and the screen behind it.
#[derive(Debug, Clone, Copy)]
pub struct ArraySettings {
    /// Radians per cm of the wave in tissue.
    pub wave_number: f32,
    /// Width of the aperture in cm.
    pub aperture_cm: f32,
    /// Depth of the transmit focus in cm.
    pub focus_cm: f32,
    /// Standard deviation of the pulse's envelope along the beam in cm.
    pub pulse_sigma_cm: f32,
    /// Thickness of the slice where it is thinnest, one standard deviation in cm, and that depth in cm.
    pub slice: (f32, f32),
    /// Strength of interfaces in dB relative to scatter.
    pub interface_db: f32,
    /// Standard deviation of the loudness of each kind of tissue in dB.
    pub tissue_deviation_db: f32,
    /// Gain in dB, and the range of levels that the screen shows in dB.
    pub gain_db: f32,
    /// Range of levels that the screen shows in dB.
    pub range_db: f32,
    /// Share of the S-shaped part in the curve from level to gray, 0 to 1.
    pub s_shape: f32,
    /// Noise of the receiver near the probe in dB, and its rise per cm by the time-gain compensation.
    pub noise: (f32, f32),
    /// Haze of multiple reflections near the probe in dB, and the depth in cm over which it falls to a third.
    pub haze: (f32, f32),
    /// Strength of the filter against speckle, 0 (none) to 1.
    pub speckle_filter: f32,
    /// Attenuation of the chest over a part of the aperture, by ribs and lung: middle and half width in radians, dB.
    pub shadow: (f32, f32, f32),
}

impl ArraySettings {
    /// Returns a machine drawn at random.
    pub fn random(seed: u64) -> Self {
        let draws = &mut Stream::for_purpose(seed, "phased array");
        let mut within = |low: f64, high: f64| draws.uniform(low, high) as f32;
        let frequency_hz = within(1.7e6, 3.5e6);
        let wavelength_cm = SPEED_CM_S / frequency_hz;
        Self {
            wave_number: std::f32::consts::TAU / wavelength_cm,
            aperture_cm: within(1.5, 2.2),
            focus_cm: within(6.0, 12.0),
            // Pulses of one and a half to three periods.
            pulse_sigma_cm: wavelength_cm * within(0.32, 0.6),
            slice: (within(0.08, 0.16), within(6.0, 9.0)),
            interface_db: within(-3.0, 9.0),
            tissue_deviation_db: within(1.0, 3.0),
            gain_db: within(-2.0, 8.0),
            range_db: within(46.0, 66.0),
            s_shape: within(0.0, 1.0),
            noise: (within(-62.0, -50.0), within(0.4, 1.3)),
            haze: (within(-26.0, -10.0), within(0.8, 2.5)),
            speckle_filter: within(0.0, 1.0),
            shadow: (within(-0.8, 0.8), within(0.03, 0.18), within(0.0, 22.0)),
        }
    }
}
