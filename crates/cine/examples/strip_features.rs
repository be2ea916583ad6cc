//! Prints the features of all parts of screens that may be strips, as CSV, for `tools/strip_classifier.py`.

use std::path::PathBuf;

use cine::{Loop, STRIP_FEATURES, strip_parts};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for argument in std::env::args_os().skip(1).map(PathBuf::from) {
        if argument.is_dir() {
            files.extend(std::fs::read_dir(argument)?.filter_map(|entry| entry.ok().map(|entry| entry.path())));
        } else {
            files.push(argument);
        }
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dcm"));
    files.sort();
    println!("file,columns,left,top,right,bottom,{}", STRIP_FEATURES.join(","));
    for file in files {
        let mut opened = Loop::open(&file)?;
        let middle = opened.header().frames / 2;
        for part in strip_parts(&opened.frame(middle)?) {
            let values = part.place.iter().chain(&part.features).map(ToString::to_string);
            let columns = opened.header().columns;
            println!("{},{columns},{}", file.display(), values.collect::<Vec<_>>().join(","));
        }
    }
    Ok(())
}
