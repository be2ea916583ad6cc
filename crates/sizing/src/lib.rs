//! Forecasts how long labelling an archive takes, and which resource holds it up, by discrete simulation.
//!
//! A loop is read from the store, comes over the line of the computer that labels it, is decoded and prepared on a core, goes
//! through the model on a device (or on a core), and is written down. A computer has so many loops in hand and takes
//! the next one when one is done. Every resource serves in order of arrival.

mod installation;
mod resource;
mod simulation;

pub use installation::{Archive, Forecast, Installation, LoopTime, ResourceUse};

/// Simulates the labelling of an archive whose loops take the times of a sample, in turns.
///
/// Returns `None` where the sample is empty, or a resource has no capacity.
pub fn forecast(sample: &[LoopTime], installation: &Installation, archive: &Archive) -> Option<Forecast> {
    let Installation { computers, cores, workers, line_mb_per_s, store_mb_per_s, labels_per_s, .. } = *installation;
    let counts = [computers, cores, workers];
    let rates = [line_mb_per_s, store_mb_per_s, labels_per_s];
    let is_usable = counts.iter().all(|&count| count > 0) && rates.iter().all(|&rate| rate > 0.0);
    (is_usable && !sample.is_empty()).then(|| simulation::run(sample, installation, archive))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: LoopTime = LoopTime { core_ms: 60.0, model_ms: 40.0 };

    fn installation() -> Installation {
        Installation {
            computers: 1,
            cores: 1,
            devices: 0,
            workers: 4,
            line_mb_per_s: 1e6,
            store_mb_per_s: 1e6,
            labels_per_s: 1e6,
        }
    }

    fn of(installation: &Installation, loops: u64, megabytes_per_loop: f64) -> Forecast {
        forecast(&[TIME], installation, &Archive { loops, megabytes_per_loop }).unwrap()
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 0.01, "{found}, expected {expected}");
    }

    #[test]
    fn each_resource_alone_takes_the_time_that_its_rate_says() {
        let loops = 5_000;
        let one_core = of(&installation(), loops, 0.0);
        assert_near(one_core.seconds, 500.0);
        assert_eq!(one_core.bottleneck, "cores");

        let device = of(&Installation { cores: 4, devices: 1, workers: 8, ..installation() }, loops, 0.0);
        assert_near(device.seconds, 200.0);
        assert_eq!(device.bottleneck, "devices");

        let line = of(&Installation { line_mb_per_s: 10.0, ..installation() }, loops, 4.0);
        assert_near(line.seconds, 2_000.0);
        assert_eq!(line.bottleneck, "lines");

        // Four lines bring four times as much, until the store gives no more.
        let four = Installation { computers: 4, line_mb_per_s: 10.0, ..installation() };
        assert_near(of(&four, loops, 4.0).seconds, 500.0);
        let store = of(&Installation { store_mb_per_s: 10.0, ..four }, loops, 4.0);
        assert_near(store.seconds, 2_000.0);
        assert_eq!(store.bottleneck, "store");

        let database = of(&Installation { labels_per_s: 2.0, ..installation() }, loops, 0.0);
        assert_near(database.seconds, 2_500.0);
        assert_eq!(database.bottleneck, "database");
    }

    #[test]
    fn too_few_loops_in_hand_leave_resources_idle() {
        let one = Installation { cores: 4, devices: 1, workers: 1, ..installation() };
        let forecast = of(&one, 1_000, 0.0);
        assert_near(forecast.seconds, 100.0);
        assert!(forecast.resources.iter().all(|resource| resource.busy < 0.5));
    }

    #[test]
    fn a_hundred_million_loops_take_a_hundred_times_as_long_as_a_million() {
        let many = Installation { computers: 8, cores: 16, devices: 2, workers: 32, ..installation() };
        assert_near(of(&many, 100_000_000, 1.0).seconds, 100.0 * of(&many, 1_000_000, 1.0).seconds);
    }

    #[test]
    fn nothing_is_forecast_without_a_sample_or_capacity() {
        let archive = Archive { loops: 1, megabytes_per_loop: 1.0 };
        assert_eq!(forecast(&[], &installation(), &archive), None);
        assert_eq!(forecast(&[TIME], &Installation { cores: 0, ..installation() }, &archive), None);
        assert_eq!(forecast(&[TIME], &Installation { store_mb_per_s: 0.0, ..installation() }, &archive), None);
    }
}
