//! Values in the words of people.

/// Returns the date and time of a header, `20261130101500.5`, as `2026-11-30 10:15`.
pub(crate) fn acquired(text: Option<&str>) -> String {
    let digits: String = text.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    match digits.len() {
        0..8 => "unknown date".to_owned(),
        8..12 => format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8)),
        _ => format!("{}-{}-{} {}:{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12)),
    }
}

/// Returns a probability in percent. What rounds to all is not all.
pub(crate) fn percent(probability: f64) -> String {
    match probability * 100.0 {
        percent if percent > 99.4 && percent < 100.0 => "> 99 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_shares_are_short() {
        assert_eq!(acquired(Some("20261130101559.5")), "2026-11-30 10:15");
        assert_eq!(acquired(Some("20261130")), "2026-11-30");
        assert_eq!(acquired(Some("soon")), "unknown date");
        assert_eq!((percent(0.998), percent(1.0), percent(0.5)), ("> 99 %".into(), "100 %".into(), "50 %".into()));
    }
}
