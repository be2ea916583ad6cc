//! Every recipe in `pipelines/train` reads and names a model that exists.

mod shared {
    pub mod recipe_paths;
}

use std::path::Path;

use shared::recipe_paths::recipe_paths;
use train::Recipe;
use zoo::Registry;

#[test]
fn every_shipped_recipe_reads_and_fits_its_model() {
    let paths = recipe_paths();
    assert!(paths.len() >= 15, "{paths:?}");
    let registry = Registry::open(Path::new("nowhere")).unwrap();
    for path in paths {
        let recipe = Recipe::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let card = registry.card(&recipe.model).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        recipe.views(card).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn a_recipe_that_cannot_be_says_what_to_change() {
    let parse = |text: &str| Recipe::parse(text, Path::new("mine.toml")).unwrap_err().to_string();
    let good = "name = \"a\"\nmodel = \"b\"\nseed = 1\ndata = { layout = \"tte47\", folder = \"x\" }\n\
                batch = { clips = 4 }\nstop = { steps = 2, validate_every = 2 }\n";
    assert!(Recipe::parse(good, Path::new("mine.toml")).is_ok());
    assert!(parse(&good.replace("clips = 4", "clips = 0")).contains("batch.clips"));
    assert!(parse(&good.replace("steps = 2", "steps = 0")).contains("stop.steps"));
    assert!(parse(&good.replace("seed = 1", "sead = 1")).contains("sead"));
    assert!(parse(&format!("{good}optimizer = {{ learning_rate = 0.0 }}")).contains("learning_rate"));
}
