use crate::error::{Result, need_at_least, need_size};
use crate::linear::{Matrix, add_scaled, dot, principal_components, squared_distance};
use random::Stream;

/// Options of the clustering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Principal components that are kept.
    pub components: usize,
    /// Clusters.
    pub clusters: usize,
    /// Rows a step of the mini-batch k-means.
    pub batch: usize,
    /// The average number of batches that a row is in.
    pub passes: usize,
    /// The seed of everything random.
    pub seed: u64,
}

impl ClusterOptions {
    /// EchoView47's: 200 components, as many clusters as classes, batches of 1024, seed 42.
    pub fn for_classes(classes: usize) -> Self {
        Self { components: 200, clusters: classes, batch: 1024, passes: 20, seed: 42 }
    }
}

/// Proposes a label for every row: the most frequent label of the cluster that its features lie in.
///
/// Rows `[n, features]` are brought to unit length, then to their principal components, then into clusters by
/// mini-batch k-means (Sculley, WWW 2010) from k-means++ starts (Arthur and Vassilvitskii, SODA 2007). Of equally
/// frequent labels the smallest is taken.
///
/// # Errors
/// There are fewer rows than clusters, no clusters, an empty batch, or lists that differ in length.
pub fn cluster_labels(features: &[&[f32]], labels: &[usize], options: ClusterOptions) -> Result<Vec<usize>> {
    need_size("labels of feature vectors", features.len(), labels.len())?;
    need_at_least("clusters", 1, options.clusters)?;
    need_at_least("rows a batch", 1, options.batch)?;
    need_at_least("feature vectors", options.clusters, features.len())?;
    let width = features[0].len();
    let mut rows = Matrix::zeros(features.len(), width);
    for (index, vector) in features.iter().enumerate() {
        need_size("features", width, vector.len())?;
        let row = rows.row_mut(index);
        row.iter_mut().zip(*vector).for_each(|(value, feature)| *value = f64::from(*feature));
        let length = dot(row, row).sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value /= length);
        }
    }
    let points = principal_components(rows, options.components);
    let clusters = k_means(&points, options);
    let classes = labels.iter().max().map_or(0, |last| last + 1);
    let mut votes = vec![vec![0_usize; classes]; options.clusters];
    clusters.iter().zip(labels).for_each(|(cluster, label)| votes[*cluster][*label] += 1);
    let most_frequent = |votes: &Vec<usize>| {
        let most = votes.iter().max();
        votes.iter().position(|count| Some(count) == most).unwrap_or_default()
    };
    let label_of_cluster: Vec<usize> = votes.iter().map(most_frequent).collect();
    Ok(clusters.into_iter().map(|cluster| label_of_cluster[cluster]).collect())
}

/// The cluster of every point.
fn k_means(points: &Matrix, options: ClusterOptions) -> Vec<usize> {
    let mut stream = Stream::new(options.seed);
    let mut centers = spread_starts(points, options.clusters, &mut stream);
    let mut seen = vec![0.0; options.clusters];
    let batch = options.batch.min(points.rows);
    let steps = options.passes * points.rows.div_ceil(batch);
    for _ in 0..steps {
        let drawn: Vec<usize> = (0..batch).map(|_| stream.below(points.rows)).collect();
        let nearest: Vec<usize> = drawn.iter().map(|row| nearest_center(points.row(*row), &centers).0).collect();
        for (row, cluster) in drawn.into_iter().zip(nearest) {
            // Every center is the running mean of all rows that it was ever given.
            seen[cluster] += 1.0;
            let rate = 1.0 / seen[cluster];
            let center = centers.row_mut(cluster);
            center.iter_mut().for_each(|value| *value *= 1.0 - rate);
            add_scaled(center, rate, points.row(row));
        }
    }
    (0..points.rows).map(|row| nearest_center(points.row(row), &centers).0).collect()
}

/// Starts far apart: each next one is a point drawn with a chance that grows with its squared distance from the others.
///
/// As scikit-learn does, some points are drawn each time and the one that leaves the least distance is taken, because
/// one unlucky start puts two starts into one class for good.
fn spread_starts(points: &Matrix, clusters: usize, stream: &mut Stream) -> Matrix {
    let tries = 2 + (clusters as f64).ln() as usize;
    let mut centers = Matrix::zeros(0, points.columns);
    let mut add = |row: usize| {
        centers.values.extend_from_slice(points.row(row));
        centers.rows += 1;
    };
    let first = stream.below(points.rows);
    add(first);
    let distances_with = |row: usize, before: &[f64]| -> Vec<f64> {
        let to_new = (0..points.rows).map(|other| squared_distance(points.row(other), points.row(row)));
        to_new.zip(before).map(|(new, before)| new.min(*before)).collect()
    };
    let mut distances = distances_with(first, &vec![f64::INFINITY; points.rows]);
    for _ in 1..clusters {
        let candidates = (0..tries).map(|_| {
            let row = draw(&distances, stream);
            (row, distances_with(row, &distances))
        });
        let left = |(_, distances): &(usize, Vec<f64>)| distances.iter().sum::<f64>();
        let Some((row, best)) = candidates.min_by(|one, other| left(one).total_cmp(&left(other))) else { break };
        add(row);
        distances = best;
    }
    centers
}

/// A row, drawn with a chance proportional to its weight; any row where all weights are 0.
fn draw(weights: &[f64], stream: &mut Stream) -> usize {
    let mut left = stream.unit() * weights.iter().sum::<f64>();
    for (row, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return row;
        }
    }
    stream.below(weights.len())
}

fn nearest_center(point: &[f64], centers: &Matrix) -> (usize, f64) {
    let distances = (0..centers.rows).map(|cluster| (cluster, squared_distance(point, centers.row(cluster))));
    distances.min_by(|one, other| one.1.total_cmp(&other.1)).unwrap_or((0, f64::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_take_the_most_frequent_label() {
        let features: [&[f32]; 6] = [&[1.0, 0.0], &[2.0, 0.1], &[3.0, 0.0], &[0.0, 1.0], &[0.1, 5.0], &[0.0, 2.0]];
        let options = ClusterOptions::for_classes(2);
        assert_eq!(cluster_labels(&features, &[0, 0, 1, 1, 1, 0], options).unwrap(), [0, 0, 0, 1, 1, 1]);
    }

    #[test]
    fn equal_rows_and_zero_rows_are_no_trouble() {
        let features: [&[f32]; 3] = [&[0.0, 0.0], &[0.0, 0.0], &[0.0, 0.0]];
        assert_eq!(cluster_labels(&features, &[1, 1, 0], ClusterOptions::for_classes(2)).unwrap(), [1, 1, 1]);
        assert!(cluster_labels(&features, &[1, 1, 0], ClusterOptions::for_classes(4)).is_err());
        assert!(cluster_labels(&features, &[1, 1], ClusterOptions::for_classes(2)).is_err());
    }
}
