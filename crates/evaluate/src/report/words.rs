//! Numbers and names as text for people.

use crate::comparison::Interval;
use crate::evaluation::Metric;
use crate::format::fixed;

pub(super) fn readable(name: &str) -> String {
    let words = name.replace('_', " ").replace(" f1", " F1");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub(super) fn value(metric: &Metric) -> String {
    if metric.is_share { percent(metric.value) } else { decimal(metric.value) }
}

pub(super) fn interval(metric: &Metric) -> String {
    match &metric.interval {
        Some(interval) if metric.is_share => percent_range(interval),
        Some(interval) => format!("{} to {}", fixed(interval.low, 3), fixed(interval.high, 3)),
        None => String::new(),
    }
}

pub(super) fn percent_range(interval: &Interval) -> String {
    format!("{} to {}%", fixed(100.0 * interval.low, 1), fixed(100.0 * interval.high, 1))
}

pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{}%", fixed(100.0 * value, 1)))
}

pub(super) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| if value != 0.0 && value.abs() < 0.001 { format!("{value:.1e}") } else { fixed(value, 3) },
    )
}
