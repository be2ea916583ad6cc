//! Natural order: `conv2d`, `conv2d_1`, `conv2d_2`, `conv2d_10`.

use std::cmp::Ordering;

/// Compares paths name by name, and runs of digits within a name by their number.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a_names, mut b_names) = (a.split('/'), b.split('/'));
    loop {
        match (a_names.next(), b_names.next()) {
            (Some(a_name), Some(b_name)) => match compare_names(a_name, b_name) {
                Ordering::Equal => {}
                decided => return decided,
            },
            (a_name, b_name) => return a_name.cmp(&b_name).then_with(|| a.cmp(b)),
        }
    }
}

fn compare_names(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() && !b.is_empty() {
        let ((a_piece, a_rest), (b_piece, b_rest)) = (split_piece(a), split_piece(b));
        let both_numbers = a_piece.starts_with(is_digit) && b_piece.starts_with(is_digit);
        let order = if both_numbers { compare_numbers(a_piece, b_piece) } else { a_piece.cmp(b_piece) };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.len().cmp(&b.len())
}

/// Without leading zeros the longer number is the larger one.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The first run of digits or of anything else, and what follows it.
fn split_piece(name: &str) -> (&str, &str) {
    let starts_with_digit = name.starts_with(is_digit);
    let end = name.find(|character| is_digit(character) != starts_with_digit).unwrap_or(name.len());
    name.split_at(end)
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_in_the_order_they_were_counted() {
        let sorted = [
            "layers/batch_normalization/vars/3",
            "layers/conv2d/vars/0",
            "layers/conv2d/vars/2",
            "layers/conv2d/vars/10",
            "layers/conv2d_1/vars/0",
            "layers/conv2d_2/vars/0",
            "layers/conv2d_10/vars/0",
            "layers/conv2d_10/vars/00",
            "vars/0",
        ];
        let mut shuffled = sorted;
        shuffled.reverse();
        shuffled.sort_by(|a, b| compare(a, b));
        assert_eq!(shuffled, sorted);
    }
}
