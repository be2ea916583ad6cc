//! Minimization of a smooth convex function: limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2006,
//! algorithm 7.5) with a backtracking line search.

use std::collections::VecDeque;

use evaluate::dot;

/// Pairs of steps and changes of the gradient that approximate the curvature.
const MEMORY: usize = 10;
const MAX_ITERATIONS: usize = 200;
/// The length of the gradient, as a share of that at the start, at which the minimum counts as found.
const TOLERANCE: f64 = 1e-4;
/// Share of the decrease promised by the slope that a step must bring (Armijo's condition).
const SUFFICIENT_DECREASE: f64 = 1e-4;
const MAX_HALVINGS: usize = 40;

/// Returns a point near the minimum of `function`, which gives value and gradient.
pub(crate) fn minimize(start: Vec<f64>, function: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Vec<f64> {
    let mut point = start;
    let (mut value, mut gradient) = function(&point);
    let goal = TOLERANCE * length(&gradient);
    let mut history: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::with_capacity(MEMORY);
    for _ in 0..MAX_ITERATIONS {
        if length(&gradient) <= goal {
            break;
        }
        let mut direction = descent_direction(&history, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Rounding spoiled the approximation; steepest descent always goes down.
            history.clear();
            direction = gradient.iter().map(|value| -value).collect();
            slope = -dot(&gradient, &gradient);
        }
        // Without curvature known, the first step is of length 1.
        let first = if history.is_empty() { 1.0 / length(&gradient).max(1.0) } else { 1.0 };
        let step = |share: f64| -> Vec<f64> { point.iter().zip(&direction).map(|(x, d)| x + share * d).collect() };
        let found = (0..MAX_HALVINGS).map(|halvings| first * 0.5f64.powi(halvings as i32)).find_map(|share| {
            let next = step(share);
            let (next_value, next_gradient) = function(&next);
            (next_value <= value + SUFFICIENT_DECREASE * share * slope).then_some((next, next_value, next_gradient))
        });
        let Some((next, next_value, next_gradient)) = found else { break };
        let moved: Vec<f64> = next.iter().zip(&point).map(|(new, old)| new - old).collect();
        let turned: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        if dot(&moved, &turned) > 0.0 {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back((moved, turned));
        }
        (point, value, gradient) = (next, next_value, next_gradient);
    }
    point
}

/// Returns minus the approximate inverse of the curvature times the gradient (algorithm 7.4, the two-loop recursion).
fn descent_direction(history: &VecDeque<(Vec<f64>, Vec<f64>)>, gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut shares = Vec::with_capacity(history.len());
    for (moved, turned) in history.iter().rev() {
        let share = dot(moved, &direction) / dot(moved, turned);
        direction.iter_mut().zip(turned).for_each(|(value, change)| *value -= share * change);
        shares.push(share);
    }
    if let Some((moved, turned)) = history.back() {
        let scale = dot(moved, turned) / dot(turned, turned);
        direction.iter_mut().for_each(|value| *value *= scale);
    }
    for ((moved, turned), share) in history.iter().zip(shares.into_iter().rev()) {
        let correction = share - dot(turned, &direction) / dot(moved, turned);
        direction.iter_mut().zip(moved).for_each(|(value, step)| *value += correction * step);
    }
    direction
}

fn length(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_minimum_of_a_stretched_bowl() {
        let scales = [1.0, 10.0, 1000.0];
        let bowl = |x: &[f64]| {
            let off: Vec<f64> = x.iter().enumerate().map(|(index, value)| value - index as f64).collect();
            let value = off.iter().zip(scales).map(|(off, scale)| 0.5 * scale * off * off).sum();
            (value, off.iter().zip(scales).map(|(off, scale)| scale * off).collect())
        };
        let found = minimize(vec![5.0, -3.0, 4.0], bowl);
        assert!(found.iter().enumerate().all(|(index, value)| (value - index as f64).abs() < 0.05), "{found:?}");
        assert_eq!(minimize(vec![0.0, 1.0, 2.0], bowl), [0.0, 1.0, 2.0]);
    }
}
