//! Thin bright strokes in a plane, as vertical runs that are linked from column to column.

/// One vertical run of stroke pixels in one column; rows `top ..= bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub column: usize,
    pub top: usize,
    pub bottom: usize,
}

impl Run {
    pub fn height(&self) -> usize {
        self.bottom + 1 - self.top
    }

    /// Returns the number of rows between two runs that neither holds; 0 where they touch or overlap.
    pub fn rows_apart(&self, other: &Self) -> usize {
        let down = other.top.saturating_sub(self.bottom);
        let up = self.top.saturating_sub(other.bottom);
        down.max(up).saturating_sub(1)
    }
}

/// A stroke that crosses columns: at most one run a column, columns rising.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub runs: Vec<Run>,
    /// Runs that hang together with the stroke but lie beside it: many in text, few in a trace.
    pub side_runs: usize,
}

impl Stroke {
    pub fn first_column(&self) -> usize {
        self.runs.first().map_or(0, |run| run.column)
    }

    pub fn last_column(&self) -> usize {
        self.runs.last().map_or(0, |run| run.column)
    }

    pub fn span(&self) -> usize {
        self.last_column() + 1 - self.first_column()
    }

    /// Part of the columns within the span that are drawn.
    pub fn coverage(&self) -> f32 {
        self.runs.len() as f32 / self.span() as f32
    }

    /// Runs beside the stroke per column of it.
    pub fn clutter(&self) -> f32 {
        self.side_runs as f32 / self.runs.len().max(1) as f32
    }

    /// Usual height of a run: the thickness of the line.
    pub fn thickness(&self) -> f32 {
        let mut heights: Vec<usize> = self.runs.iter().map(Run::height).collect();
        heights.sort_unstable();
        heights.get(heights.len() / 2).map_or(0.0, |h| *h as f32)
    }
}

/// Strictness of the search for strokes.
#[derive(Debug, Clone, Copy)]
pub(super) struct StrokeRule {
    /// Least likeness (0..255) of a stroke pixel.
    pub threshold: u8,
    /// Part of its likeness that a stroke pixel must lose a few pixels to both sides.
    pub contrast: f32,
    /// Most columns in a row that may be missing within a stroke.
    pub longest_gap: usize,
}

/// Distances at which a stroke must have ended on both sides: a single line, and one that is thick or smeared. The
/// short one keeps apart the two flanks of a narrow QRS.
const SIDE_DISTANCES: [usize; 2] = [3, 5];

/// Stroke pixels of a plane: like enough, and thin either down or across.
fn stroke_mask(plane: &[u8], width: usize, height: usize, rule: StrokeRule) -> Vec<bool> {
    let mut mask = vec![false; plane.len()];
    // Outside the picture nothing is drawn.
    let at = |x: usize, y: usize| {
        if x < width && y < height { plane[y * width + x] } else { 0 }
    };
    for y in 0..height {
        for x in 0..width {
            let own = plane[y * width + x];
            if own < rule.threshold {
                continue;
            }
            let limit = (f32::from(own) * (1.0 - rule.contrast)) as u8;
            let thin_across = |d: usize| at(x.wrapping_sub(d), y) <= limit && at(x + d, y) <= limit;
            let thin_down = |d: usize| at(x, y.wrapping_sub(d)) <= limit && at(x, y + d) <= limit;
            mask[y * width + x] = SIDE_DISTANCES.iter().any(|d| thin_across(*d) || thin_down(*d));
        }
    }
    mask
}

fn column_runs(mask: &[bool], width: usize, height: usize) -> (Vec<Run>, Vec<usize>) {
    // Row by row is how the mask lies in memory, so open runs are kept per column and sorted into columns afterwards.
    let mut open: Vec<Option<usize>> = vec![None; width];
    let mut found: Vec<Run> = Vec::new();
    let mut counts = vec![0usize; width + 1];
    let is_blank = |y: usize| y >= height || !mask[y * width..(y + 1) * width].contains(&true);
    for y in 0..=height {
        // Nothing begins in a blank row, and behind another one nothing ends there.
        if is_blank(y) && (y == 0 || is_blank(y - 1)) {
            continue;
        }
        for (column, start) in open.iter_mut().enumerate() {
            let set = y < height && mask[y * width + column];
            match (*start, set) {
                (None, true) => *start = Some(y),
                (Some(top), false) => {
                    found.push(Run { column, top, bottom: y - 1 });
                    counts[column + 1] += 1;
                    *start = None;
                }
                _ => {}
            }
        }
    }
    for column in 0..width {
        counts[column + 1] += counts[column];
    }
    let mut next = counts.clone();
    let mut runs = found.clone();
    for run in found {
        runs[next[run.column]] = run;
        next[run.column] += 1;
    }
    (runs, counts)
}

/// Finds the strokes of a plane (`width * height` bytes) that have at least `fewest_columns` columns, longest first.
pub(super) fn find_strokes(
    plane: &[u8],
    width: usize,
    height: usize,
    rule: StrokeRule,
    fewest_columns: usize,
) -> Vec<Stroke> {
    let mask = stroke_mask(plane, width, height, rule);
    let (runs, starts) = column_runs(&mask, width, height);
    let links = link_runs(&runs, &starts, rule.longest_gap);
    let mut group: Vec<usize> = (0..runs.len()).collect();
    for (left, right, _) in &links {
        let (a, b) = (root(&mut group, *left), root(&mut group, *right));
        group[a.max(b)] = a.min(b);
    }
    let mut strokes = best_paths(&runs, &links, &mut group, fewest_columns);
    strokes.sort_by_key(|stroke| std::cmp::Reverse(stroke.runs.len()));
    strokes
}

fn root(group: &mut [usize], mut index: usize) -> usize {
    while group[index] != index {
        group[index] = group[group[index]];
        index = group[index];
    }
    index
}

/// Links (left run, right run, cost), left runs rising. A run reaches over a gap only where nothing nearer follows it.
fn link_runs(runs: &[Run], starts: &[usize], longest_gap: usize) -> Vec<(usize, usize, f32)> {
    let width = starts.len() - 1;
    let mut links = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        for gap in 0..=longest_gap {
            let column = run.column + 1 + gap;
            if column >= width {
                break;
            }
            let reach = 2 + 2 * gap;
            let mut linked = false;
            for (offset, next) in runs[starts[column]..starts[column + 1]].iter().enumerate() {
                if next.top > run.bottom + 1 + reach {
                    break;
                }
                let apart = run.rows_apart(next);
                if apart <= reach {
                    linked = true;
                    let cost = 0.4 * apart as f32 + 0.7 * gap as f32;
                    links.push((index, starts[column] + offset, cost));
                }
            }
            if linked {
                break;
            }
        }
    }
    links
}

/// Returns the path with the most columns through each group of linked runs.
fn best_paths(runs: &[Run], links: &[(usize, usize, f32)], group: &mut [usize], fewest_columns: usize) -> Vec<Stroke> {
    let mut score = vec![1.0f32; runs.len()];
    let mut previous = vec![usize::MAX; runs.len()];
    // Links come sorted by their left run and runs by column, so a run's score is final before it is used.
    for (left, right, cost) in links {
        let reached = score[*left] + 1.0 - cost;
        if reached > score[*right] {
            score[*right] = reached;
            previous[*right] = *left;
        }
    }
    let mut best: Vec<usize> = (0..runs.len()).collect();
    let mut sizes = vec![0usize; runs.len()];
    for index in 0..runs.len() {
        let head = root(group, index);
        sizes[head] += 1;
        if score[index] > score[best[head]] {
            best[head] = index;
        }
    }
    let mut strokes = Vec::new();
    for head in 0..runs.len() {
        if sizes[head] < fewest_columns {
            continue;
        }
        let mut path = Vec::new();
        let mut at = best[head];
        while at != usize::MAX {
            path.push(runs[at]);
            at = previous[at];
        }
        if path.len() >= fewest_columns {
            path.reverse();
            let side_runs = sizes[head] - path.len();
            strokes.push(Stroke { runs: path, side_runs });
        }
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: StrokeRule = StrokeRule { threshold: 100, contrast: 0.4, longest_gap: 3 };

    fn plane(width: usize, height: usize, dots: impl Iterator<Item = (usize, usize)>) -> Vec<u8> {
        let mut plane = vec![0u8; width * height];
        for (x, y) in dots {
            plane[y * width + x] = 255;
        }
        plane
    }

    #[test]
    fn a_line_with_a_spike_and_a_short_gap_is_one_stroke() {
        let line = (5..95).filter(|x| !(60..63).contains(x)).map(|x| (x, 30));
        let spike = (10..30).map(|y| (40, y));
        let strokes = find_strokes(&plane(100, 40, line.chain(spike)), 100, 40, RULE, 20);
        let [stroke] = strokes.as_slice() else { panic!("{strokes:?}") };
        assert_eq!((stroke.first_column(), stroke.last_column(), stroke.runs.len()), (5, 94, 87));
        assert_eq!((stroke.thickness(), stroke.side_runs), (1.0, 0));
        // Where line and spike meet nothing is thin, so the spike's run ends one row above.
        assert!(stroke.runs.iter().any(|run| (run.column, run.top, run.bottom) == (40, 10, 29)));
    }

    #[test]
    fn filled_areas_short_lines_and_empty_planes_are_no_strokes() {
        let area = (20..70).flat_map(|x| (5..35).map(move |y| (x, y)));
        let edges = find_strokes(&plane(100, 40, area), 100, 40, RULE, 20);
        assert!(edges.iter().all(|stroke| stroke.runs.len() < 50), "{edges:?}");
        assert!(find_strokes(&plane(100, 40, (5..15).map(|x| (x, 20))), 100, 40, RULE, 20).is_empty());
        assert!(find_strokes(&[], 0, 0, RULE, 20).is_empty());
    }
}
