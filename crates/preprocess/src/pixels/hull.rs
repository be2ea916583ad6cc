//! The convex hull of pixels.

/// A pixel as column and row.
type Point = (i64, i64);

/// Returns the corners of the smallest convex polygon around the points, in order around it (Andrew's monotone chain).
pub(super) fn convex_hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_unstable();
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let mut corners = half(points.iter().copied());
    corners.extend(half(points.iter().rev().copied()));
    corners
}

/// One half of the hull without its last point, which begins the other half.
fn half(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut chain: Vec<Point> = Vec::new();
    for point in points {
        while let [.., before, last] = chain.as_slice() {
            let turn = (last.0 - before.0) * (point.1 - before.1) - (last.1 - before.1) * (point.0 - before.0);
            if turn > 0 {
                break;
            }
            chain.pop();
        }
        chain.push(point);
    }
    chain.pop();
    chain
}

/// Returns the distance of a point from the nearest point of an edge, in pixels.
pub(super) fn distance_to_edge(point: Point, (from, to): (Point, Point)) -> f64 {
    let (along, offset) = ((to.0 - from.0, to.1 - from.1), (point.0 - from.0, point.1 - from.1));
    let length = (along.0 * along.0 + along.1 * along.1).max(1) as f64;
    let share = ((offset.0 * along.0 + offset.1 * along.1) as f64 / length).clamp(0.0, 1.0);
    (offset.0 as f64 - share * along.0 as f64).hypot(offset.1 as f64 - share * along.1 as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hull_has_the_corners_alone() {
        let square = (0..5).flat_map(|y| (0..5).map(move |x| (x, y))).collect();
        assert_eq!(convex_hull(square), [(0, 0), (4, 0), (4, 4), (0, 4)]);
        assert_eq!(convex_hull(vec![(1, 1), (1, 1)]), [(1, 1)]);
        assert_eq!(convex_hull(vec![(0, 0), (1, 1), (2, 2)]), [(0, 0), (2, 2)]);
    }

    #[test]
    fn distances_are_those_to_the_nearest_point() {
        let edge = ((0, 0), (4, 0));
        assert_eq!(distance_to_edge((2, 3), edge), 3.0);
        assert_eq!(distance_to_edge((7, 4), edge), 5.0);
        assert_eq!(distance_to_edge((3, 4), ((0, 0), (0, 0))), 5.0);
    }
}
