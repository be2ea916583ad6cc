//! Division of patients into parts.

use std::collections::BTreeMap;

use random::Stream;

/// The part of each row; a patient is never in two.
pub(crate) struct Folds {
    of_rows: Vec<usize>,
    count: usize,
}

impl Folds {
    /// Divides the rows' patients into `count` parts, fewer if there are fewer patients, of about as many rows each.
    pub(crate) fn new(patients: &[String], count: usize, seed: u64) -> Self {
        let mut rows_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        patients.iter().enumerate().for_each(|(row, patient)| rows_of.entry(patient).or_default().push(row));
        let count = count.min(rows_of.len()).max(1);
        let mut order: Vec<Vec<usize>> = rows_of.into_values().collect();
        Stream::new(seed).shuffle(&mut order);
        let (mut of_rows, mut sizes) = (vec![0; patients.len()], vec![0; count]);
        for rows in order {
            let smallest = (0..count).min_by_key(|fold| sizes[*fold]).unwrap_or_default();
            sizes[smallest] += rows.len();
            rows.into_iter().for_each(|row| of_rows[row] = smallest);
        }
        Self { of_rows, count }
    }

    pub(crate) fn of_row(&self, row: usize) -> usize {
        self.of_rows[row]
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_in_one_part_and_parts_are_of_about_one_size() {
        let patients: Vec<String> = (0..60).map(|row| format!("p{}", row % 12)).collect();
        let folds = Folds::new(&patients, 5, 1);
        for (row, patient) in patients.iter().enumerate() {
            let first = patients.iter().position(|other| other == patient).expect("itself");
            assert_eq!(folds.of_row(row), folds.of_row(first));
        }
        let sizes: Vec<usize> = (0..5).map(|fold| (0..60).filter(|row| folds.of_row(*row) == fold).count()).collect();
        assert!(sizes.iter().all(|size| (10..=15).contains(size)), "{sizes:?}");
        assert_eq!(Folds::new(&patients[..2], 5, 1).count(), 2);
    }
}
