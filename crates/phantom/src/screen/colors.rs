//! Colors: gray maps and the map of flow velocities.

/// Red, green, blue.
pub type Color = [u8; 3];

/// Returns the color of gray level `index` of 256 in a map with a `tint` of blue from 0 to 1.
pub fn gray_ramp(index: usize, tint: f32) -> Color {
    let level = index as f32;
    let cool = tint * (level * (255.0 - level)) / 255.0 * 0.35;
    let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    [byte(level - 0.55 * cool), byte(level - 0.15 * cool), byte(level + 0.45 * cool)]
}

/// Returns the color of a velocity from -1 (away, blue) to 1 (towards, red) of the Nyquist speed.
pub fn flow_color(velocity: f32) -> Color {
    let strength = velocity.abs().clamp(0.0, 1.0);
    let strong = (90.0 + 165.0 * strength.sqrt()) as u8;
    let second = (230.0 * (strength - 0.25).max(0.0) / 0.75) as u8;
    let third = (120.0 * (strength - 0.75).max(0.0) / 0.25) as u8;
    if velocity > 0.0 { [strong, second, third / 3] } else { [third / 2, second, strong] }
}
