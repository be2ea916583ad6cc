//! Numbers as text for people.

/// Writes `value` with a fixed number of decimals; what rounds to zero has no sign, so that "-0.0" is never written.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(unsigned) if unsigned.bytes().all(|byte| matches!(byte, b'0' | b'.')) => unsigned.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([fixed(-0.04, 1), fixed(-0.0, 0), fixed(-1e-17, 3)], ["0.0", "0", "0.000"]);
        assert_eq!([fixed(-0.05, 2), fixed(12.34, 1), fixed(f64::NEG_INFINITY, 1)], ["-0.05", "12.3", "-inf"]);
    }
}
