//! The burned-in trace shows its R peaks where the truth says they are, in each of the four styles.

use domain::RgbImage;
use phantom::{LoopSpec, SimulatedLoop, TraceStyle, View, simulate_loop};

fn ecg_only(style: TraceStyle) -> SimulatedLoop {
    let mut spec = LoopSpec::plain(View::Apical4, 3);
    spec.anatomy = false;
    spec.size = (400, 300);
    spec.frames = 100;
    if let Some(trace) = &mut spec.trace {
        trace.style = style;
    }
    simulate_loop(&spec)
}

/// The highest row of the trace in each column of its box, as rows below the box's top.
fn heights(simulated: &SimulatedLoop, image: &RgbImage) -> Vec<Option<u32>> {
    let rect = simulated.layout().trace_rect;
    let green = |x: u32, y: u32| {
        let at = ((y * image.width() + x) * 3) as usize;
        i32::from(image.pixels()[at + 1]) - i32::from(image.pixels()[at]) > 60
    };
    (rect.x0..=rect.x1).map(|x| (rect.y0..=rect.y1).find(|&y| green(x, y)).map(|y| y - rect.y0)).collect()
}

/// Columns whose trace reaches the upper half of the box, grouped into peaks.
fn peak_columns(heights: &[Option<u32>], box_height: u32) -> Vec<usize> {
    let mut peaks: Vec<(usize, u32)> = vec![];
    for (column, height) in heights.iter().enumerate() {
        let Some(height) = height.filter(|height| *height < box_height / 2) else { continue };
        match peaks.last_mut() {
            Some(last) if column - last.0 < 6 => {
                if height < last.1 {
                    *last = (column, height);
                }
            }
            _ => peaks.push((column, height)),
        }
    }
    peaks.into_iter().map(|(column, _)| column).collect()
}

#[test]
fn peaks_stand_where_the_truth_says() {
    for style in [TraceStyle::Grows, TraceStyle::Whole, TraceStyle::Scrolls] {
        let simulated = ecg_only(style);
        let (trace, duration_s) = (simulated.spec().trace.expect("a trace"), simulated.spec().duration_s());
        let rect = simulated.layout().trace_rect;
        let width_px = f64::from(rect.x1 - rect.x0);
        let speed = trace.pixels_per_second(width_px, duration_s);
        let last = simulated.frames() - 1;
        let columns = peak_columns(&heights(&simulated, &simulated.frame(last)), rect.y1 - rect.y0);
        let now_s = simulated.frame_time_s(last);
        for time_s in simulated.r_times_s() {
            let column = match style {
                TraceStyle::Scrolls => width_px - (now_s - time_s) * speed,
                _ => time_s * speed,
            };
            let inside = (3.0..width_px - 3.0).contains(&column);
            let near = columns.iter().any(|&peak| (peak as f64 - column).abs() <= 2.0);
            assert!(near || !inside, "{style:?}: no peak at {column:.1} among {columns:?}");
        }
    }
}

#[test]
fn a_growing_trace_ends_at_the_current_time_and_a_sweep_has_a_gap_there() {
    for (style, beyond_is_empty) in [(TraceStyle::Grows, true), (TraceStyle::Sweeps, false)] {
        let simulated = ecg_only(style);
        let rect = simulated.layout().trace_rect;
        let trace = simulated.spec().trace.expect("a trace");
        let speed = trace.pixels_per_second(f64::from(rect.x1 - rect.x0), simulated.spec().duration_s());
        let frame = 30;
        let heights = heights(&simulated, &simulated.frame(frame));
        let head = (simulated.frame_time_s(frame) * speed) as usize;
        assert!(heights[head - 2].is_some(), "{style:?}");
        assert!(heights[head + 3..head + 6].iter().all(Option::is_none), "{style:?}");
        assert_eq!(heights[heights.len() - 3..].iter().all(Option::is_none), beyond_is_empty, "{style:?}");
    }
}
