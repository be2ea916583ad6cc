//! Figures as people read them.

use crate::comparison::Interval;
use crate::evaluation::Figure;

pub(super) fn readable(name: &str) -> String {
    let words = name.replace('_', " ").replace(" f1", " F1");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(super) fn value(figure: &Figure) -> String {
    if figure.is_share { percent(figure.value) } else { decimal(figure.value) }
}

pub(super) fn interval(figure: &Figure) -> String {
    match &figure.interval {
        Some(interval) if figure.is_share => percent_range(interval),
        Some(interval) => format!("{:.3} to {:.3}", interval.low, interval.high),
        None => String::new(),
    }
}

pub(super) fn percent_range(interval: &Interval) -> String {
    format!("{:.1} to {:.1}%", 100.0 * interval.low, 100.0 * interval.high)
}

pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1}%", 100.0 * value))
}

pub(super) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| if value.abs() < 0.001 { format!("{value:.1e}") } else { format!("{value:.3}") },
    )
}
