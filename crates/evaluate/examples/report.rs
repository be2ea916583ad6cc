//! Writes reports and plots of made-up predictions with 11 and 47 classes, to look at:
//! `cargo run -p evaluate --example report -- FOLDER`

use std::error::Error;
use std::path::Path;

use evaluate::calibration::{ConformalMethod, ConformalSets, fit_temperature};
use evaluate::comparison::RunComparison;
use evaluate::plots::{self, Cells};
use evaluate::{
    Decisions, Evaluation, EvaluationOptions, Grouping, Level, Prediction, Predictions, RunHeader, Truth, TsneOptions,
    to_csv, tsne,
};
use random::Stream;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder to write to")?;
    for (classes, loops) in [(11, 600), (47, 1500)] {
        let folder = Path::new(&folder).join(format!("{classes}-classes"));
        std::fs::create_dir_all(&folder)?;
        let (validation, test, weaker) =
            (made_up(classes, loops, 1, 2.6), made_up(classes, loops, 2, 2.6), made_up(classes, loops, 2, 2.3));
        println!("{classes} classes: {:?}", fit_temperature(&validation, 0.0)?);
        let features: Vec<&[f32]> = test.rows().iter().filter_map(|row| row.features.as_deref()).collect();
        let options = EvaluationOptions {
            groupings: vec![Grouping {
                name: "groups".to_owned(),
                group_of_class: (0..classes).map(|class| class / 4).collect(),
            }],
            decisions: Some(Decisions::from_thresholds(&test, 0.6, None)),
            conformal: Some(ConformalSets::fit(&validation, ConformalMethod::Lac, 0.1)?),
            embedding: Some(tsne(&features, TsneOptions { steps: 500, ..TsneOptions::default() })?),
            comparison: Some(RunComparison::new(("this run", &test), ("a weaker one", &weaker), 1000, 42)?),
            ..EvaluationOptions::new(Level::Loop)
        };
        let evaluation = Evaluation::new(&test, header(), options)?;
        std::fs::write(folder.join("report.html"), evaluation.to_html())?;
        std::fs::write(folder.join("metrics.json"), evaluation.to_json()?)?;
        std::fs::write(folder.join("predictions.csv"), to_csv(&test)?)?;
        let (points, truths): (Vec<_>, Vec<_>) = evaluation.embedding.iter().copied().unzip();
        for (name, drawing) in [
            ("shares", plots::confusion(&evaluation.confusion, &evaluation.classes, Cells::Shares)),
            ("counts", plots::confusion(&evaluation.confusion, &evaluation.classes, Cells::Counts)),
            ("reliability", plots::reliability(&evaluation.reliability)),
            ("coverage", plots::coverage(&evaluation.coverage_curve)),
            ("roc", plots::roc(&evaluation.abstention_roc, "wrong answers abstained from", "right answers lost")),
            ("embedding", plots::embedding(&points, &truths, &evaluation.classes)),
        ] {
            std::fs::write(folder.join(format!("{name}.svg")), drawing.to_svg())?;
            std::fs::write(folder.join(format!("{name}.png")), drawing.to_png()?)?;
        }
    }
    Ok(())
}

fn header() -> RunHeader {
    RunHeader {
        title: "Evaluation of a made-up model".to_owned(),
        model: "made-up 1".to_owned(),
        weights: "none".to_owned(),
        data: "random numbers".to_owned(),
        data_fingerprint: "none".to_owned(),
        data_note: "Random numbers that look like predictions. Not for clinical use.".to_owned(),
        seed: 2,
        date: "2026-01-01".to_owned(),
        more: Vec::new(),
    }
}

/// Loops whose logits grow by `skill` for the true class and by half of it for its neighbor.
fn made_up(classes: usize, loops: usize, seed: u64, skill: f64) -> Predictions {
    let mut stream = Stream::new(seed);
    let names = (0..classes).map(|class| {
        let stems = ["a4ch-full", "doppler-tissue-lateral", "plax-valves-av", "psax-lv-base", "suprasternal"];
        format!("{}-{class}", stems[class % 5])
    });
    let rows = (0..loops).map(|number| {
        let class = number * 7 % classes;
        let outside = number % 20 == 19;
        let mut normal = || stream.normal();
        let gain = |other: usize| match other {
            _ if outside => 0.0,
            other if other == class => skill * 2.5,
            other if other == (class + 1) % classes => skill * 1.25,
            _ => 0.0,
        };
        let logits: Vec<f64> = (0..classes).map(|other| 1.5 * (gain(other) + 1.3 * normal())).collect();
        let features = (0..16)
            .map(|index| ((class * 37 + index * (class + 11) * 5) as f64).sin().mul_add(4.0, normal()) as f32)
            .collect();
        let largest = logits.iter().copied().fold(f64::MIN, f64::max);
        let exponentials: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        let expert = |doubt: usize| {
            if number % doubt == 0 { None } else { Some((class + usize::from(number % 13 < doubt / 9)) % classes) }
        };
        Prediction {
            patient: format!("patient {}", number / 12),
            study: format!("1.2.826.0.1.{}", number / 6),
            loop_name: format!("1.2.826.0.1.{}.{number}", number / 6),
            beat: None,
            clip: None,
            truth: if outside { Truth::Outside } else { Truth::Class(class) },
            probabilities: exponentials.iter().map(|value| value / sum).collect(),
            energy: Some(-largest - sum.ln()),
            features: Some(features),
            experts: vec![Some(class), expert(17), expert(23)],
            weight: 1.0,
        }
    });
    let rows = rows.collect();
    Predictions::new(names.collect(), rows).unwrap_or_else(|error| panic!("{error}"))
}
