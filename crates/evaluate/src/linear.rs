//! The little linear algebra that features need: principal directions of many vectors.

use random::Stream;

/// Row-major numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Matrix {
    pub(crate) fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..][..self.columns]
    }
}

/// Returns the sum of the products of two vectors of one length.
pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    // Eight sums side by side, which the compiler can keep in vector registers.
    let mut sums = [0.0; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f64 = ones.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in ones.zip(others) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

pub(crate) fn add_scaled(target: &mut [f64], scale: f64, source: &[f64]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += scale * source;
    }
}

pub(crate) fn squared_distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The covariance `[columns, columns]` of centered rows, divided by `divisor`.
pub(crate) fn covariance(centered: &Matrix, divisor: f64) -> Matrix {
    let width = centered.columns;
    let mut sums = Matrix::zeros(width, width);
    // Some rows at a time, so that a row of sums is fetched once for all of them.
    for block in centered.values.chunks(width.max(1) * 32) {
        for column in 0..width {
            let sums = &mut sums.values[column * width + column..(column + 1) * width];
            for row in block.chunks_exact(width) {
                add_scaled(sums, row[column], &row[column..]);
            }
        }
    }
    for row in 0..width {
        for column in row..width {
            let value = sums.values[row * width + column] / divisor;
            sums.values[row * width + column] = value;
            sums.values[column * width + row] = value;
        }
    }
    sums
}

/// The largest eigenvalues of a symmetric matrix, falling, and a row of unit length for each.
///
/// Orthogonal iteration with a Rayleigh-Ritz step (Golub and Van Loan, Matrix Computations, section 8.2), which is all
/// that a few leading directions of a large covariance need.
pub(crate) fn leading_eigenvectors(symmetric: &Matrix, count: usize) -> (Vec<f64>, Matrix) {
    let width = symmetric.rows;
    let count = count.min(width);
    // Some more directions than asked for: those at the end of the block converge slowest.
    let block = (count + 10).min(width);
    let mut stream = Stream::new(0);
    let mut basis = Matrix::zeros(block, width);
    basis.values.iter_mut().for_each(|value| *value = stream.normal());
    make_orthonormal(&mut basis);
    let mut values = vec![0.0; block];
    for _ in 0..MAX_ITERATIONS {
        let image = times_symmetric(&basis, symmetric);
        let mut projected = Matrix::zeros(block, block);
        for row in 0..block {
            for column in 0..=row {
                let value = dot(image.row(row), basis.row(column));
                projected.values[row * block + column] = value;
                projected.values[column * block + row] = value;
            }
        }
        let (new_values, turns) = all_eigenvectors(projected);
        basis = times(&turns, &image);
        make_orthonormal(&mut basis);
        let largest = new_values.first().copied().unwrap_or(0.0).abs();
        let changed =
            new_values.iter().zip(&values).take(count).any(|(new, old)| (new - old).abs() > TOLERANCE * largest);
        values = new_values;
        if !changed {
            break;
        }
    }
    values.truncate(count);
    basis.values.truncate(count * width);
    basis.rows = count;
    (values, basis)
}

const MAX_ITERATIONS: usize = 60;

/// The change of eigenvalues, as a share of the largest, at which they are found. A direction's error is about its root.
const TOLERANCE: f64 = 1e-7;

/// Every eigenvalue of a symmetric matrix, falling, and its eigenvectors as rows: Jacobi's rotations.
pub(crate) fn all_eigenvectors(mut matrix: Matrix) -> (Vec<f64>, Matrix) {
    let size = matrix.rows;
    let mut vectors = Matrix::zeros(size, size);
    (0..size).for_each(|index| vectors.values[index * size + index] = 1.0);
    let at = |row: usize, column: usize| row * size + column;
    for _sweep in 0..50 {
        let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
        let total = squares(&matrix.values);
        let beside_diagonal: f64 = (0..size).map(|row| squares(&matrix.row(row)[row + 1..])).sum();
        if beside_diagonal <= 1e-30 * total {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                let coupling = matrix.values[at(p, q)];
                if coupling == 0.0 {
                    continue;
                }
                let slope = (matrix.values[at(q, q)] - matrix.values[at(p, p)]) / (2.0 * coupling);
                let tangent = slope.signum() / (slope.abs() + (slope * slope + 1.0).sqrt());
                let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                let sine = tangent * cosine;
                for index in 0..size {
                    let (a, b) = (matrix.values[at(index, p)], matrix.values[at(index, q)]);
                    matrix.values[at(index, p)] = cosine * a - sine * b;
                    matrix.values[at(index, q)] = sine * a + cosine * b;
                }
                turn_rows(&mut matrix, p, q, cosine, sine);
                turn_rows(&mut vectors, p, q, cosine, sine);
            }
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|one, other| matrix.values[at(*other, *other)].total_cmp(&matrix.values[at(*one, *one)]));
    let values = order.iter().map(|index| matrix.values[at(*index, *index)]).collect();
    let rows = order.iter().flat_map(|index| vectors.row(*index).to_vec()).collect();
    (values, Matrix { rows: size, columns: size, values: rows })
}

fn turn_rows(matrix: &mut Matrix, p: usize, q: usize, cosine: f64, sine: f64) {
    let width = matrix.columns;
    let (before, from_q) = matrix.values.split_at_mut(q * width);
    for (a, b) in before[p * width..][..width].iter_mut().zip(&mut from_q[..width]) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

fn times(left: &Matrix, right: &Matrix) -> Matrix {
    let mut product = Matrix::zeros(left.rows, right.columns);
    for row in 0..left.rows {
        for (index, scale) in left.row(row).iter().enumerate() {
            add_scaled(product.row_mut(row), *scale, right.row(index));
        }
    }
    product
}

/// `basis x symmetric`; rows of a symmetric matrix are its columns.
fn times_symmetric(basis: &Matrix, symmetric: &Matrix) -> Matrix {
    let mut product = Matrix::zeros(basis.rows, symmetric.columns);
    for column in 0..symmetric.columns {
        let along = symmetric.row(column);
        for row in 0..basis.rows {
            product.values[row * symmetric.columns + column] = dot(basis.row(row), along);
        }
    }
    product
}

/// Gram-Schmidt, twice, which keeps rows orthogonal to the last digit; a row without a direction of its own becomes zero.
fn make_orthonormal(basis: &mut Matrix) {
    let width = basis.columns;
    for row in 0..basis.rows {
        let (before, from) = basis.values.split_at_mut(row * width);
        let vector = &mut from[..width];
        let length_before = dot(vector, vector).sqrt();
        for _ in 0..2 {
            for earlier in before.chunks_exact(width) {
                let along = dot(vector, earlier);
                add_scaled(vector, -along, earlier);
            }
        }
        let length = dot(vector, vector).sqrt();
        let scale = if length > 1e-12 * length_before { 1.0 / length } else { 0.0 };
        vector.iter_mut().for_each(|value| *value *= scale);
    }
}

/// The mean of the rows.
pub(crate) fn mean_row(matrix: &Matrix) -> Vec<f64> {
    let mut mean = vec![0.0; matrix.columns];
    for row in 0..matrix.rows {
        add_scaled(&mut mean, 1.0 / matrix.rows as f64, matrix.row(row));
    }
    mean
}

/// Rows `[n, columns]` as coordinates `[n, components]` along the directions in which they spread most.
pub(crate) fn principal_components(mut rows: Matrix, components: usize) -> Matrix {
    let mean = mean_row(&rows);
    (0..rows.rows).for_each(|row| add_scaled(rows.row_mut(row), -1.0, &mean));
    let divisor = rows.rows.saturating_sub(1).max(1) as f64;
    let (_, directions) = leading_eigenvectors(&covariance(&rows, divisor), components);
    let mut scores = Matrix::zeros(rows.rows, directions.rows);
    for row in 0..rows.rows {
        for direction in 0..directions.rows {
            scores.values[row * directions.rows + direction] = dot(rows.row(row), directions.row(direction));
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn random_matrix(rows: usize, columns: usize, seed: u64) -> Matrix {
        let mut stream = Stream::new(seed);
        Matrix { rows, columns, values: (0..rows * columns).map(|_| stream.normal()).collect() }
    }

    #[test]
    fn eigenvalues_of_a_known_matrix_are_found() {
        // [[2, 1], [1, 2]] has 3 along (1, 1) and 1 along (1, -1).
        let (values, vectors) = all_eigenvectors(Matrix { rows: 2, columns: 2, values: vec![2.0, 1.0, 1.0, 2.0] });
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
        assert!((vectors.values[0] - vectors.values[1]).abs() < 1e-12);
        let (values, _) = all_eigenvectors(Matrix::zeros(3, 3));
        assert_eq!(values, [0.0; 3]);
    }

    #[test]
    fn leading_directions_are_those_of_the_whole_decomposition() {
        let mut rows = random_matrix(80, 40, 3);
        for row in 0..80 {
            rows.row_mut(row).iter_mut().enumerate().for_each(|(column, value)| *value *= 0.8_f64.powi(column as i32));
        }
        let covariance = covariance(&rows, 79.0);
        let (all, _) = all_eigenvectors(covariance.clone());
        let (leading, directions) = leading_eigenvectors(&covariance, 6);
        for (index, value) in leading.iter().enumerate() {
            assert!((value - all[index]).abs() < 1e-8 * all[0], "{index}: {value} {}", all[index]);
            let image = times_symmetric(&directions, &covariance);
            let stretched: Vec<f64> = directions.row(index).iter().map(|along| along * value).collect();
            assert!(squared_distance(image.row(index), &stretched).sqrt() < 1e-3 * all[0], "{index}");
        }
    }

    #[test]
    fn rows_on_a_line_have_one_component() {
        let values = (0..10).flat_map(|index| [f64::from(index), 2.0 * f64::from(index), 0.0]).collect();
        let scores = principal_components(Matrix { rows: 10, columns: 3, values }, 2);
        assert!((0..10).all(|row| scores.row(row)[1].abs() < 1e-9));
        let ends = scores.row(9)[0] - scores.row(0)[0];
        assert!((ends.abs() - 9.0 * 5.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(principal_components(Matrix::zeros(2, 3), 5).columns, 3);
    }

    proptest! {
        #[test]
        fn a_decomposition_puts_the_matrix_together_again(size in 1..9_usize, seed in 0..100_u64) {
            let symmetric = covariance(&random_matrix(size + 2, size, seed), 1.0);
            let (values, vectors) = all_eigenvectors(symmetric.clone());
            prop_assert!(values.is_sorted_by(|one, other| one >= other));
            for row in 0..size {
                for column in 0..size {
                    let again: f64 = (0..size)
                        .map(|index| values[index] * vectors.row(index)[row] * vectors.row(index)[column])
                        .sum();
                    prop_assert!((again - symmetric.row(row)[column]).abs() < 1e-9 * (1.0 + values[0]));
                }
            }
        }
    }
}
