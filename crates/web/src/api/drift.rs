//! Change from week to week as JSON.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use evaluate::drift::{MOVED, population_stability};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{DriftCount, DriftCounts};

use crate::PageError;
use crate::app::App;

/// Time that is looked back upon.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 7 * 26);
/// Category of loops without a view.
const NOT_SURE: &str = "not sure";

/// The loops of one scanner that arrived in one week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct DriftWeek {
    /// Monday of the week.
    pub(crate) week: String,
    /// Manufacturer and model.
    pub(crate) scanner: String,
    /// Loops that a model was asked about, of those that were counted.
    pub(crate) loops: u64,
    /// One loop in so many was counted: 1 where all were.
    pub(crate) one_in: u64,
    /// Mean confidence of the model.
    pub(crate) confidence: f64,
    /// Share of loops that it was not sure of.
    pub(crate) abstained: f64,
    /// Loops by view.
    pub(crate) views: BTreeMap<String, u64>,
    /// Loops by source of the beat.
    pub(crate) ecg_sources: BTreeMap<String, u64>,
    /// Loops that a person has read.
    pub(crate) reviewed: u64,
    /// Such loops where the person says what the model says.
    pub(crate) agreed: u64,
    /// Population stability index of the views against all earlier weeks of the scanner; `None` where there are too few.
    pub(crate) view_stability: Option<f64>,
    /// The same of the sources of the beat.
    pub(crate) ecg_stability: Option<f64>,
    /// True where either index is so large that a person should look.
    pub(crate) has_moved: bool,
}

/// Answers with the weeks of each scanner, newest first.
pub(crate) async fn weeks(State(app): State<App>) -> Result<Json<Vec<DriftWeek>>, PageError> {
    Ok(Json(read(&app).await?))
}

/// Reads the weeks of each scanner, newest first.
///
/// # Errors
/// The database cannot be read.
pub(crate) async fn read(app: &App) -> Result<Vec<DriftWeek>, PageError> {
    let counts = app.stores.read(|store| store.drift_counts(Timestamp::now() - LOOK_BACK)).await?;
    let mut weeks = weeks_of(&counts);
    weeks.reverse();
    Ok(weeks)
}

/// Joins counts, which are in the order of weeks, to one row a week and scanner.
fn weeks_of(DriftCounts { one_in, rows }: &DriftCounts) -> Vec<DriftWeek> {
    let mut before: BTreeMap<&str, [BTreeMap<String, u64>; 2]> = BTreeMap::new();
    rows.chunk_by(|a, b| (&a.week, &a.scanner) == (&b.week, &b.scanner))
        .map(|rows| {
            let sum = |of: fn(&DriftCount) -> u64| rows.iter().map(of).sum::<u64>();
            let loops = sum(|row| row.loops);
            let views = by(rows, |row| row.view.as_deref().unwrap_or(NOT_SURE));
            let ecg_sources = by(rows, |row| &row.ecg_source);
            let [known_views, known_sources] = before.entry(rows[0].scanner.as_str()).or_default();
            let view_stability = stability(&views, known_views);
            let ecg_stability = stability(&ecg_sources, known_sources);
            add(known_views, &views);
            add(known_sources, &ecg_sources);
            DriftWeek {
                week: rows[0].week.clone(),
                scanner: rows[0].scanner.clone(),
                loops,
                one_in: *one_in,
                confidence: rows.iter().map(|row| row.confidence).sum::<f64>() / loops as f64,
                abstained: views.get(NOT_SURE).copied().unwrap_or_default() as f64 / loops as f64,
                views,
                ecg_sources,
                reviewed: sum(|row| row.reviewed),
                agreed: sum(|row| row.agreed),
                view_stability,
                ecg_stability,
                has_moved: [view_stability, ecg_stability].into_iter().flatten().any(|index| index > MOVED),
            }
        })
        .collect()
}

fn by<'a>(rows: &'a [DriftCount], category: impl Fn(&'a DriftCount) -> &'a str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(category(row).to_owned()).or_default() += row.loops;
    }
    counts
}

fn add(known: &mut BTreeMap<String, u64>, counts: &BTreeMap<String, u64>) {
    for (category, loops) in counts {
        *known.entry(category.clone()).or_default() += loops;
    }
}

fn stability(now: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> Option<f64> {
    let of = |counts: &BTreeMap<String, u64>, category: &String| counts.get(category).copied().unwrap_or_default();
    let categories: Vec<&String> = now.keys().chain(before.keys().filter(|known| !now.contains_key(*known))).collect();
    let [now, before] = [now, before].map(|counts| categories.iter().map(|name| of(counts, name)).collect::<Vec<_>>());
    population_stability(&now, &before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(week: &str, scanner: &str, view: Option<&str>, loops: u64) -> DriftCount {
        DriftCount {
            week: week.to_owned(),
            scanner: scanner.to_owned(),
            view: view.map(str::to_owned),
            ecg_source: "waveform".to_owned(),
            loops,
            confidence: 0.5 * loops as f64,
            reviewed: 2,
            agreed: 1,
        }
    }

    #[test]
    fn a_week_is_compared_with_the_earlier_ones_of_its_scanner() {
        let counts = [
            count("2026-11-02", "A", Some("PLAX"), 60),
            count("2026-11-02", "A", Some("A4C"), 60),
            count("2026-11-02", "B", None, 90),
            count("2026-11-09", "A", Some("PLAX"), 62),
            count("2026-11-09", "A", Some("A4C"), 58),
            count("2026-11-16", "A", None, 100),
        ];
        let weeks = weeks_of(&DriftCounts { one_in: 1, rows: counts.into() });
        assert_eq!(weeks.len(), 4);
        assert_eq!((weeks[0].loops, weeks[0].confidence, weeks[0].reviewed), (120, 0.5, 4));
        assert_eq!((weeks[0].view_stability, weeks[0].has_moved), (None, false), "nothing before it");
        assert_eq!((weeks[1].scanner.as_str(), weeks[1].abstained), ("B", 1.0));
        assert!(weeks[2].view_stability.is_some_and(|index| index < 0.01) && !weeks[2].has_moved);
        assert!(weeks[3].has_moved, "{:?}", weeks[3]);
    }
}
