//! Everything that is kept about a loop.

use serde::Serialize;
use store::{Review, StoredLoop, StoredPrediction};

use crate::PageError;
use crate::app::App;
use crate::names::LoopAddress;

/// Header facts, predictions and reviews of a loop.
#[derive(Debug, Serialize)]
pub(crate) struct LoopRecord {
    /// Short name.
    pub(crate) name: String,
    /// Number of loops of the study.
    #[serde(skip)]
    pub(crate) loops: usize,
    /// Views that the study's label set has, in their order.
    pub(crate) label_set: Vec<String>,
    /// Header facts.
    #[serde(flatten)]
    pub(crate) stored: StoredLoop,
    /// Every model's prediction, oldest first.
    pub(crate) predictions: Vec<StoredPrediction>,
    /// Every review, oldest first.
    pub(crate) reviews: Vec<Review>,
}

impl LoopRecord {
    /// Reads the record of a loop.
    ///
    /// # Errors
    /// There is no such loop, or the database cannot be read.
    pub(crate) async fn read(app: &App, address: LoopAddress) -> Result<Self, PageError> {
        let named = app.stores.named_loop(address).await?;
        let (study, sop) = (named.study.clone(), named.sop.clone());
        let record = app
            .stores
            .read(move |store| {
                let of_loop = |uid: &domain::SopUid| *uid == sop;
                let all = store.loops(&study)?;
                let loops = all.len();
                let stored = all.into_iter().find(|stored| of_loop(&stored.facts.sop_instance_uid));
                let mut predictions = store.predictions(&study)?;
                predictions.retain(|said| of_loop(&said.sop_instance_uid));
                let mut reviews = store.reviews(&study)?;
                reviews.retain(|review| of_loop(&review.sop_instance_uid));
                let label_set = store.label_set(&study)?;
                let name = named.address.name();
                Ok(stored.map(|stored| Self { name, loops, label_set, stored, predictions, reviews }))
            })
            .await?;
        record.ok_or_else(|| PageError::NotFound(format!("loop {}", address.name())))
    }
}
