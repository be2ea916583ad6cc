//! Values and gradients of losses that no golden file holds: tables of the reference, finite differences, bad input.

use candle_core::{DType, Device, Tensor, Var};
use zoo::losses::{ContrastiveForm, ContrastiveLoss, CrossEntropy, PartialLabelLoss};
use zoo::weights::fill;

const FORMS: [ContrastiveForm; 5] = [
    ContrastiveForm::LogSum,
    ContrastiveForm::SupConOutside,
    ContrastiveForm::SupConInside,
    ContrastiveForm::Hybrid { supcon_weight: 0.5 },
    ContrastiveForm::Hybrid { supcon_weight: 0.2 },
];

fn matrix(values: &[f64], width: usize) -> Tensor {
    Tensor::from_slice(values, (values.len() / width, width), &Device::Cpu).unwrap()
}

fn numbers(name: &str, count: usize, half: f64) -> Vec<f64> {
    fill("losses", name, count, 0.0, half).into_iter().map(f64::from).collect()
}

fn scalar(value: &Tensor) -> f64 {
    value.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

fn vector(value: &Tensor) -> Vec<f64> {
    value.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Compares the gradient of `loss` at `point` with central differences.
fn check_gradient(point: &[f64], width: usize, loss: impl Fn(&Tensor) -> Tensor) {
    const STEP: f64 = 1e-5;
    let variable = Var::from_tensor(&matrix(point, width)).unwrap();
    let gradients = loss(variable.as_tensor()).backward().unwrap();
    let gradient = vector(gradients.get(&variable).unwrap());
    for (at, &analytic) in gradient.iter().enumerate() {
        let value_at = |offset: f64| {
            let mut moved = point.to_vec();
            moved[at] += offset;
            scalar(&loss(&matrix(&moved, width)))
        };
        let difference = (value_at(STEP) - value_at(-STEP)) / (2.0 * STEP);
        assert!((analytic - difference).abs() < 1e-7, "element {at}: {analytic} and {difference}");
    }
    assert!(gradient.iter().any(|value| value.abs() > 1e-4), "a gradient of nothing proves nothing");
}

/// Values of the reference implementation: both views identical, values times the temperature.
#[test]
fn small_check_values_of_the_reference() {
    let view = matrix(&[1.0, 0.0, 0.6, 0.8, 0.0, 1.0, -0.6, 0.8], 2);
    let labels = [0, 0, 1, 1];
    let table = [
        (
            0.1,
            0.010_689_00,
            [0.000_009, 0.023_313, 0.019_317, 0.000_117],
            0.224_465_05,
            [0.270_273, 0.293_577, 0.176_605, 0.157_405],
        ),
        (
            0.3,
            0.086_820_98,
            [0.015_505, 0.174_861, 0.129_889, 0.027_029],
            0.456_307_08,
            [0.409_201, 0.568_557, 0.475_165, 0.372_305],
        ),
        (
            0.5,
            0.197_199_25,
            [0.085_081, 0.335_367, 0.261_892, 0.106_456],
            0.770_092_18,
            [0.672_321, 0.922_607, 0.820_438, 0.665_002],
        ),
    ];
    for (temperature, log_sum, log_sum_anchors, supcon, supcon_anchors) in table {
        let forms = [
            (ContrastiveForm::LogSum, log_sum, log_sum_anchors),
            (ContrastiveForm::SupConOutside, supcon, supcon_anchors),
        ];
        for (form, mean, anchors) in forms {
            for l2_normalize in [false, true] {
                let loss = ContrastiveLoss { form, temperature, l2_normalize, times_temperature: true };
                let value = loss.of_two_views(&view, &view, &labels).unwrap();
                assert!((scalar(&value.mean) - mean).abs() < 1e-8, "{loss:?}: {}", scalar(&value.mean));
                for (ours, theirs) in vector(&value.per_anchor).iter().zip(anchors.iter().cycle()) {
                    assert!((ours - theirs).abs() < 1e-6, "{loss:?}: {ours} and {theirs}");
                }
            }
        }
    }
}

#[test]
fn two_views_are_all_first_ones_then_all_second_ones() {
    let (first, second) = (numbers("first", 12, 1.0), numbers("second", 12, 1.0));
    let loss = ContrastiveLoss {
        form: ContrastiveForm::LogSum,
        temperature: 0.3,
        l2_normalize: true,
        times_temperature: false,
    };
    let views = loss.of_two_views(&matrix(&first, 4), &matrix(&second, 4), &[0, 1, 0]).unwrap();
    let rows = loss.of(&matrix(&[first, second].concat(), 4), &[0, 1, 0, 0, 1, 0]).unwrap();
    assert_eq!(vector(&views.per_anchor), vector(&rows.per_anchor));
}

#[test]
fn contrastive_gradients_are_those_of_finite_differences() {
    let labels = [0, 1, 0, 2, 1, 0];
    for form in FORMS {
        for (l2_normalize, times_temperature) in [(true, false), (false, true)] {
            let loss = ContrastiveLoss { form, temperature: 0.4, l2_normalize, times_temperature };
            check_gradient(&numbers("rows", 24, 1.0), 4, |rows| loss.of(rows, &labels).unwrap().mean);
        }
    }
}

#[test]
fn the_hybrid_is_the_weighted_sum() {
    let rows = matrix(&numbers("rows", 24, 1.0), 4);
    let value = |form| {
        let loss = ContrastiveLoss { form, temperature: 0.4, l2_normalize: true, times_temperature: false };
        scalar(&loss.of(&rows, &[0, 1, 0, 2, 1, 0]).unwrap().mean)
    };
    let hybrid = value(ContrastiveForm::Hybrid { supcon_weight: 0.3 });
    let parts = 0.3 * value(ContrastiveForm::SupConOutside) + 0.7 * value(ContrastiveForm::LogSum);
    assert!((hybrid - parts).abs() < 1e-14);
}

#[test]
fn extreme_embeddings_give_finite_values_and_gradients() {
    let zero_row: Vec<f64> = [vec![0.0; 4], vec![1e4; 4], vec![-1e4; 4], vec![1e-20; 4]].concat();
    for form in FORMS {
        for (l2_normalize, kind) in [(true, DType::F32), (false, DType::F64), (true, DType::F64)] {
            let rows = Var::from_tensor(&matrix(&zero_row, 4).to_dtype(kind).unwrap()).unwrap();
            let loss = ContrastiveLoss { form, temperature: 0.07, l2_normalize, times_temperature: false };
            let value = loss.of(rows.as_tensor(), &[0, 0, 0, 1]).unwrap();
            assert_eq!(value.valid, [true, true, true, false]);
            assert!(scalar(&value.mean).is_finite(), "{loss:?}");
            let gradients = value.mean.backward().unwrap();
            assert!(vector(gradients.get(&rows).unwrap()).iter().all(|value| value.is_finite()), "{loss:?}");
        }
    }
}

/// torch.nn.functional.cross_entropy([[0, ln 2, ln 5]], [1], weight=[1, 2, 4]) by hand: p = 1/8, 2/8, 5/8.
#[test]
fn class_weights_as_in_torch() {
    let logits = matrix(&[0.0, 2f64.ln(), 5f64.ln(), 0.0, 0.0, 0.0], 3);
    let loss = CrossEntropy { label_smoothing: 0.0, class_weights: Some(vec![1.0, 2.0, 4.0]) };
    let value = loss.of(&logits, &[1, 2]).unwrap();
    let (first, second) = (2.0 * 4f64.ln(), 4.0 * 3f64.ln());
    let ours = vector(&value.per_sample);
    assert!((ours[0] - first).abs() < 1e-14 && (ours[1] - second).abs() < 1e-14, "{ours:?}");
    assert!((scalar(&value.mean) - (first + second) / 6.0).abs() < 1e-14);
    let smoothed = CrossEntropy { label_smoothing: 0.3, ..loss };
    let spread = 0.1 * (8f64.ln() + 2.0 * 4f64.ln() + 4.0 * 1.6f64.ln());
    let ours = vector(&smoothed.of(&logits, &[1, 2]).unwrap().per_sample);
    assert!((ours[0] - (0.7 * first + spread)).abs() < 1e-14, "{ours:?}");
}

#[test]
fn gradients_of_losses_on_logits_are_those_of_finite_differences() {
    let logits = numbers("logits", 30, 3.0);
    let labels = [4, 0, 2, 4, 1, 3];
    for label_smoothing in [0.0, 0.2] {
        let loss = CrossEntropy { label_smoothing, class_weights: Some(vec![1.01, 2.58, 2.39, 3.35, 0.67]) };
        check_gradient(&logits, 5, |logits| loss.of(logits, &labels).unwrap().mean);
    }
    check_gradient(&logits, 5, |logits| PartialLabelLoss::tmed2().of(logits, &labels).unwrap().mean);
}

/// Probabilities 0.1, 0.2, 0.3, 0.15, 0.25: the label 4 counts the last three.
#[test]
fn tmed2_merges_the_classes_that_a_label_leaves_open() {
    let probabilities = [0.1f64, 0.2, 0.3, 0.15, 0.25];
    let logits: Vec<f64> = probabilities.iter().map(|probability| probability.ln() + 7.0).collect();
    for (label, merged) in [(0, 0.1f64), (1, 0.2), (2, 0.3), (3, 0.15), (4, 0.7)] {
        let value = PartialLabelLoss::tmed2().of(&matrix(&logits, 5), &[label]).unwrap();
        assert!((scalar(&value.mean) + merged.ln()).abs() < 1e-14, "{label}");
    }
    let plain = CrossEntropy::default().of(&matrix(&logits, 5), &[2]).unwrap();
    let partial = PartialLabelLoss::tmed2().of(&matrix(&logits, 5), &[2]).unwrap();
    assert!((scalar(&plain.mean) - scalar(&partial.mean)).abs() < 1e-14);
}

#[test]
fn bad_input_is_an_error() {
    let rows = matrix(&numbers("rows", 20, 1.0), 5);
    let bytes = rows.to_dtype(DType::U8).unwrap();
    let flat = rows.flatten_all().unwrap();
    let good = ContrastiveLoss {
        form: ContrastiveForm::LogSum,
        temperature: 0.1,
        l2_normalize: true,
        times_temperature: false,
    };
    assert!(good.of(&rows, &[0, 0, 1, 1]).is_ok());
    assert!(good.of(&rows, &[0, 0, 1]).is_err());
    assert!(good.of(&bytes, &[0, 0, 1, 1]).is_err());
    assert!(good.of(&flat, &[0; 20]).is_err());
    assert!(good.of_two_views(&rows, &matrix(&[0.0; 10], 5), &[0, 0, 1, 1]).is_err());
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(ContrastiveLoss { temperature, ..good }.of(&rows, &[0, 0, 1, 1]).is_err());
    }
    let form = ContrastiveForm::Hybrid { supcon_weight: 1.5 };
    assert!(ContrastiveLoss { form, ..good }.of(&rows, &[0, 0, 1, 1]).is_err());

    let plain = CrossEntropy::default();
    assert!(plain.of(&rows, &[0, 4, 1, 2]).is_ok());
    assert!(plain.of(&rows, &[0, 5, 1, 2]).unwrap_err().to_string().contains("label 5 of 5 classes"));
    assert!(plain.of(&rows, &[0, 1]).is_err());
    for class_weights in [vec![1.0; 4], vec![-1.0; 5], vec![f64::NAN; 5], vec![0.0; 5]] {
        let weighted = CrossEntropy { class_weights: Some(class_weights), ..plain.clone() };
        assert!(weighted.of(&rows, &[0, 4, 1, 2]).is_err());
    }
    for label_smoothing in [-0.1, 1.1, f64::NAN] {
        assert!(CrossEntropy { label_smoothing, class_weights: None }.of(&rows, &[0, 4, 1, 2]).is_err());
    }

    let partial = PartialLabelLoss::tmed2();
    assert!(partial.of(&rows, &[0, 4, 1, 2]).is_ok());
    assert!(partial.of(&rows, &[0, 5, 1, 2]).is_err());
    assert!(partial.of(&matrix(&[0.0; 8], 4), &[0, 4]).is_err(), "4 means a class that is not there");
    assert!(PartialLabelLoss::new(vec![vec![0], vec![]]).is_err());
}
