use std::collections::HashMap;

use super::{Prediction, Predictions, Truth};
use crate::error::{EvaluateError, Result};
use crate::ood::energy;
use crate::probability::softmax;

/// The word in the column `truth` for a row that shows none of the classes.
const OUTSIDE: &str = "(outside)";

/// Reads predictions from comma-separated values with a line of column names.
///
/// Columns, in any order: `patient`, `study`, `loop`, and either `p:NAME` or `logit:NAME` for every class; optional are
/// `beat`, `clip` (whole numbers from 0), `truth` (a class, `(outside)` for none of them, empty for unknown), `weight`,
/// `energy`, `expert_1`, `expert_2`, ... (a class, or empty for "not sure") and `f0`, `f1`, ... (features). Logits are
/// turned into probabilities and an energy score. Any other column is an error, so that a misspelled one is not overlooked.
///
/// # Errors
/// If a column is missing or unknown, a cell has a value that its column cannot have, or probabilities do not sum to 1.
pub fn from_csv(text: &str, classes: &[String]) -> Result<Predictions> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = Columns::find(reader.headers().map_err(EvaluateError::Csv)?, classes)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(EvaluateError::Csv)?;
        rows.push(columns.read(&record, classes)?);
    }
    Predictions::new(classes.to_vec(), rows)
}

/// Writes predictions as [`from_csv`] reads them, with probabilities in full precision.
///
/// # Errors
/// If the table cannot be written.
pub fn to_csv(predictions: &Predictions) -> Result<String> {
    let rows = predictions.rows();
    let experts = rows.first().map_or(0, |row| row.experts.len());
    let features = rows.iter().find_map(|row| row.features.as_ref()).map_or(0, Vec::len);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header =
        ["patient", "study", "loop", "beat", "clip", "truth", "weight", "energy"].map(str::to_owned).into_iter();
    let header = header.chain((1..=experts).map(|number| format!("expert_{number}")));
    let header = header.chain(predictions.classes().iter().map(|name| format!("p:{name}")));
    let header = header.chain((0..features).map(|number| format!("f{number}")));
    writer.write_record(header).map_err(EvaluateError::Csv)?;
    let class_name = |class: usize| predictions.classes()[class].clone();
    for row in rows {
        let number = |value: Option<usize>| value.map(|value| value.to_string()).unwrap_or_default();
        let truth = match row.truth {
            Truth::Class(class) => class_name(class),
            Truth::Outside => OUTSIDE.to_owned(),
            Truth::Unlabelled => String::new(),
        };
        let mut cells = vec![row.patient.clone(), row.study.clone(), row.loop_name.clone()];
        cells.extend([number(row.beat), number(row.clip), truth, row.weight.to_string()]);
        cells.push(row.energy.map(|energy| energy.to_string()).unwrap_or_default());
        cells.extend(row.experts.iter().map(|label| label.map(class_name).unwrap_or_default()));
        cells.extend(row.probabilities.iter().map(f64::to_string));
        let vector = row.features.as_deref().unwrap_or_default();
        cells.extend((0..features).map(|index| vector.get(index).map(f32::to_string).unwrap_or_default()));
        writer.write_record(cells).map_err(EvaluateError::Csv)?;
    }
    let bytes = writer.into_inner().map_err(|error| EvaluateError::Csv(error.into_error().into()))?;
    // Only text was written.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The positions of the columns in the table.
struct Columns {
    names: Vec<String>,
    patient: usize,
    study: usize,
    loop_name: usize,
    beat: Option<usize>,
    clip: Option<usize>,
    truth: Option<usize>,
    weight: Option<usize>,
    energy: Option<usize>,
    experts: Vec<usize>,
    outputs: Vec<usize>,
    outputs_are_logits: bool,
    features: Vec<usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord, classes: &[String]) -> Result<Self> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut left: HashMap<&str, usize> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            if left.insert(name, index).is_some() {
                return Err(EvaluateError::UnexpectedColumn {
                    column: name.clone(),
                    reason: "it stands twice".to_owned(),
                });
            }
        }
        let outputs_are_logits = names.iter().any(|name| name.starts_with("logit:"));
        let prefix = if outputs_are_logits { "logit" } else { "p" };
        let mut numbered = |prefix: &str, first: usize| -> Vec<usize> {
            (first..).map_while(|number| left.remove(format!("{prefix}{number}").as_str())).collect()
        };
        let (experts, features) = (numbered("expert_", 1), numbered("f", 0));
        let mut needed = |column: String| match left.remove(column.as_str()) {
            Some(index) => Ok(index),
            None => Err(EvaluateError::MissingColumn { column }),
        };
        let (patient, study, loop_name) = (needed("patient".into())?, needed("study".into())?, needed("loop".into())?);
        let outputs = classes.iter().map(|class| needed(format!("{prefix}:{class}"))).collect::<Result<_>>()?;
        let mut optional = |column: &str| left.remove(column);
        let (beat, clip, truth) = (optional("beat"), optional("clip"), optional("truth"));
        let (weight, energy) = (optional("weight"), optional("energy"));
        if let Some(column) = left.into_keys().min() {
            let reason = match column.split_once(':') {
                Some(("p" | "logit", _)) if outputs_are_logits && column.starts_with("p:") => {
                    "probabilities beside logits; give one of the two".to_owned()
                }
                Some(("p" | "logit", class)) => format!("`{class}` is none of the {} classes", classes.len()),
                _ => "no such column is known, or its number does not follow on".to_owned(),
            };
            return Err(EvaluateError::UnexpectedColumn { column: column.to_owned(), reason });
        }
        Ok(Self {
            patient,
            study,
            loop_name,
            beat,
            clip,
            truth,
            weight,
            energy,
            experts,
            outputs,
            outputs_are_logits,
            features,
            names,
        })
    }

    fn read(&self, record: &csv::StringRecord, classes: &[String]) -> Result<Prediction> {
        let cell = |column: usize| record.get(column).unwrap_or_default().trim();
        let invalid = |column: usize, expected: &str| EvaluateError::Cell {
            line: record.position().map_or(0, csv::Position::line),
            column: self.names[column].clone(),
            value: cell(column).to_owned(),
            expected: expected.to_owned(),
        };
        let number = |column: usize| match cell(column).parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(invalid(column, "a number")),
        };
        let whole = |column: Option<usize>| match column {
            Some(column) if !cell(column).is_empty() => {
                cell(column).parse::<usize>().map(Some).map_err(|_| invalid(column, "a whole number from 0"))
            }
            _ => Ok(None),
        };
        let class = |column: usize| match cell(column) {
            "" => Ok(None),
            name => match classes.iter().position(|class| class == name) {
                Some(class) => Ok(Some(class)),
                None => Err(invalid(column, "one of the classes")),
            },
        };
        let name = |column: usize| match cell(column) {
            "" => Err(invalid(column, "a name")),
            name => Ok(name.to_owned()),
        };
        let filled = |column: Option<usize>| column.filter(|column| !cell(*column).is_empty());
        let outputs = self.outputs.iter().map(|column| number(*column)).collect::<Result<Vec<f64>>>()?;
        let energy_cell = filled(self.energy).map(number).transpose()?;
        let (probabilities, energy) =
            if self.outputs_are_logits { (softmax(&outputs), Some(energy(&outputs))) } else { (outputs, energy_cell) };
        let truth = match self.truth {
            Some(column) if cell(column) == OUTSIDE => Truth::Outside,
            Some(column) => class(column)?.map_or(Truth::Unlabelled, Truth::Class),
            None => Truth::Unlabelled,
        };
        let has_features = self.features.iter().any(|column| !cell(*column).is_empty());
        let features = self.features.iter().map(|column| number(*column).map(|value| value as f32));
        Ok(Prediction {
            patient: name(self.patient)?,
            study: name(self.study)?,
            loop_name: name(self.loop_name)?,
            beat: whole(self.beat)?,
            clip: whole(self.clip)?,
            truth,
            probabilities,
            energy,
            features: if has_features { Some(features.collect::<Result<_>>()?) } else { None },
            experts: self.experts.iter().map(|column| class(*column)).collect::<Result<_>>()?,
            weight: filled(self.weight).map_or(Ok(1.0), number)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::predictions::tests::{names, row};

    #[test]
    fn a_table_is_read() {
        let text = "loop,patient,study,truth,p:view1,p:view0,expert_1,expert_2,f0,f1,beat\n\
                    7,\"Doe, J\",s1,view1,0.75,0.25,view0,,1.5,-2,0\n\
                    8,x,s1,(outside),0.5,0.5,,,,,\n";
        let predictions = from_csv(text, &names(2)).unwrap();
        let first = &predictions.rows()[0];
        assert_eq!((first.patient.as_str(), first.loop_name.as_str()), ("Doe, J", "7"));
        assert_eq!(first.probabilities, [0.25, 0.75]);
        assert_eq!((first.truth, first.beat, first.clip), (Truth::Class(1), Some(0), None));
        assert_eq!(first.experts, [Some(0), None]);
        assert_eq!(first.features.as_deref(), Some(&[1.5, -2.0][..]));
        assert_eq!((predictions.rows()[1].truth, &predictions.rows()[1].features), (Truth::Outside, &None));
    }

    #[test]
    fn logits_become_probabilities_and_an_energy() {
        let text = "patient,study,loop,logit:view0,logit:view1\na,a,1,1000,1000\n";
        let row = from_csv(text, &names(2)).unwrap().rows()[0].clone();
        assert_eq!(row.probabilities, [0.5, 0.5]);
        assert!((row.energy.unwrap() + 1000.0 + 2.0_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn errors_name_line_and_column() {
        let message = |text: &str| from_csv(text, &names(2)).unwrap_err().to_string();
        let header = "patient,study,loop,truth,p:view0,p:view1\n";
        assert_eq!(message("patient,study,p:view0,p:view1\n"), "predictions have no column `loop`");
        assert_eq!(message("patient,study,loop,p:view0\n"), "predictions have no column `p:view1`");
        assert!(message("patient,study,loop,p:view0,p:view1,p:view2\n").contains("`view2` is none of the 2 classes"));
        assert!(message("patient,study,loop,loop,p:view0,p:view1\n").contains("it stands twice"));
        assert!(message("patient,study,loop,p:view0,p:view1,expert_2\n").contains("`expert_2`"));
        assert!(message("patient,study,loop,logit:view0,logit:view1,p:view0\n").contains("beside logits"));
        assert_eq!(
            message(&format!("{header}a,a,1,view0,1,0\na,a,2,view9,1,0\n")),
            "line 3, column `truth`: `view9` is not one of the classes"
        );
        assert_eq!(message(&format!("{header}a,a,1,view0,one,0\n")), "line 2, column `p:view0`: `one` is not a number");
        assert_eq!(message(&format!("{header}a,,1,view0,1,0\n")), "line 2, column `study`: `` is not a name");
        assert!(message(&format!("{header}a,a,1,view0,1\n")).contains("CSV"));
        assert!(message(&format!("{header}a,a,1,view0,inf,0\n")).contains("not a number"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            first in 0.0..1.0_f64,
            patient in "[a-z\",;\n=]{1,8}",
            truth in 0..4_usize,
            expert in proptest::option::of(0..2_usize),
            feature in proptest::option::of(-1e30..1e30_f32),
            energy in proptest::option::of(-50.0..50.0_f64),
            beat in proptest::option::of(0..9_usize),
        ) {
            let patient = format!("p{}", patient.trim());
            let truth = [Truth::Class(0), Truth::Class(1), Truth::Outside, Truth::Unlabelled][truth];
            let mut written = row(&patient, "1", truth, &[first, 1.0 - first]);
            (written.beat, written.energy, written.experts) = (beat, energy, vec![expert, None]);
            written.features = feature.map(|value| vec![value, 0.0]);
            let predictions = Predictions::new(names(2), vec![written]).unwrap();
            prop_assert_eq!(from_csv(&to_csv(&predictions).unwrap(), &names(2)).unwrap(), predictions);
        }
    }
}
