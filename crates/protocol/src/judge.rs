//! A study against a protocol.

use domain::{Mode, named_enum};
use serde::Serialize;

use crate::{Item, Protocol};

/// A loop of a study whose view is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLoop {
    /// Its view.
    pub view: String,
    /// Its mode.
    pub mode: Mode,
}

named_enum! {
    /// State of an item in a study.
    ItemState {
        /// Enough loops show it.
        Present = "present",
        /// Enough loops may show it: the view need not.
        Probable = "probable",
        /// The model could see it, and too few loops show it.
        Missing = "missing",
        /// The model has no view of it.
        NotJudged = "not_judged",
    }
}

named_enum! {
    /// Verdict on a study.
    Verdict {
        /// Every item that is not optional is there.
        Complete = "complete",
        /// An item is missing.
        Lacks = "lacks",
        /// Nothing is missing of what can be judged, and not all can.
        CannotJudge = "cannot_judge",
    }
}

/// An item and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemResult {
    /// Name of the item.
    pub name: String,
    /// Its state.
    pub state: ItemState,
    /// Loops that show it, or may.
    pub loops: usize,
    /// Loops that it takes.
    pub count: usize,
    /// True if a complete examination may lack it.
    pub optional: bool,
}

/// A study against a protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completeness {
    /// Name of the protocol.
    pub protocol: String,
    /// True if an echo lead has checked the protocol.
    pub is_checked: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Reason why nothing is judged, where nothing is.
    pub reason: Option<String>,
    /// The items, in the order of the protocol; none where nothing is judged.
    pub items: Vec<ItemResult>,
}

impl Protocol {
    /// Judges a study by the loops that show a view. `label_set` lists the views that the model knows: an item is judged only if
    /// one of its views is among them. With a `withheld` reason, such as files that still wait, nothing is judged.
    pub fn judge(&self, loops: &[SeenLoop], label_set: &[String], withheld: Option<&str>) -> Completeness {
        let items: Vec<ItemResult> = match withheld {
            Some(_) => Vec::new(),
            None => self.items.iter().map(|item| item.judge(loops, label_set)).collect(),
        };
        let has = |state: ItemState| items.iter().any(|item| item.state == state && !item.optional);
        let verdict = match () {
            () if withheld.is_some() => Verdict::CannotJudge,
            () if has(ItemState::Missing) => Verdict::Lacks,
            () if has(ItemState::NotJudged) => Verdict::CannotJudge,
            () => Verdict::Complete,
        };
        Completeness {
            protocol: self.name.clone(),
            is_checked: self.is_checked,
            verdict,
            reason: withheld.map(str::to_owned),
            items,
        }
    }
}

impl Item {
    fn judge(&self, loops: &[SeenLoop], label_set: &[String]) -> ItemResult {
        let showing = |views: &[String]| {
            loops.iter().filter(|seen| views.contains(&seen.view) && self.modes.contains(&seen.mode)).count()
        };
        let knows = |views: &[String]| views.iter().any(|view| label_set.contains(view));
        let (sure, perhaps) = (showing(&self.views), showing(&self.perhaps));
        let (state, loops) = match () {
            () if sure >= self.count => (ItemState::Present, sure),
            () if sure + perhaps >= self.count => (ItemState::Probable, sure + perhaps),
            () if knows(&self.views) || knows(&self.perhaps) => (ItemState::Missing, sure + perhaps),
            () => (ItemState::NotJudged, 0),
        };
        ItemResult { name: self.name.clone(), state, loops, count: self.count, optional: self.optional }
    }
}

impl Completeness {
    /// Returns the names of the items that are not optional and are in a state.
    pub fn required(&self, state: ItemState) -> Vec<&str> {
        let is_wanted = |item: &&ItemResult| item.state == state && !item.optional;
        self.items.iter().filter(is_wanted).map(|item| item.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocol() -> Protocol {
        let text = r#"
            name = "lab"
            title = "Our lab"
            source = "our handbook"
            [[items]]
            name = "A4C"
            views = ["Apical-4ch", "a4ch-full"]
            [[items]]
            name = "A4C color"
            views = ["Apical-4ch"]
            modes = ["colour"]
            [[items]]
            name = "aorta"
            perhaps = ["PLAX"]
            count = 2
            [[items]]
            name = "TAPSE"
            views = ["mmode-a4ch-rv"]
            modes = ["m_mode"]
            [[items]]
            name = "arch"
            views = ["Suprasternal"]
            optional = true
        "#;
        Protocol::from_toml(text).unwrap()
    }

    fn seen(loops: &[(&str, Mode)]) -> Vec<SeenLoop> {
        loops.iter().map(|(view, mode)| SeenLoop { view: (*view).to_owned(), mode: *mode }).collect()
    }

    fn label_set() -> Vec<String> {
        ["Apical-4ch", "PLAX", "Suprasternal"].map(str::to_owned).into()
    }

    fn states(completeness: &Completeness) -> Vec<&str> {
        completeness.items.iter().map(|item| item.state.as_str()).collect()
    }

    #[test]
    fn items_count_in_their_modes_and_what_the_model_cannot_see_is_not_missing() {
        let loops = seen(&[("Apical-4ch", Mode::TwoD), ("PLAX", Mode::TwoD), ("PLAX", Mode::TwoD)]);
        let judged = protocol().judge(&loops, &label_set(), None);
        assert_eq!(states(&judged), ["present", "missing", "probable", "not_judged", "missing"]);
        assert_eq!(judged.verdict, Verdict::Lacks);
        assert_eq!(judged.required(ItemState::Missing), ["A4C color"], "the arch is optional");
    }

    #[test]
    fn a_study_is_complete_only_where_everything_can_be_judged() {
        let mut loops = seen(&[("Apical-4ch", Mode::TwoD), ("Apical-4ch", Mode::Color)]);
        loops.extend(seen(&[("PLAX", Mode::Dual), ("PLAX", Mode::TwoD)]));
        let judged = protocol().judge(&loops, &label_set(), None);
        assert_eq!((judged.verdict, judged.required(ItemState::NotJudged)), (Verdict::CannotJudge, vec!["TAPSE"]));
        loops.extend(seen(&[("mmode-a4ch-rv", Mode::MMode)]));
        assert_eq!(protocol().judge(&loops, &label_set(), None).verdict, Verdict::Complete);
    }

    #[test]
    fn nothing_is_judged_while_files_wait() {
        let judged = protocol().judge(&[], &label_set(), Some("files of the study still wait"));
        assert_eq!((judged.verdict, judged.items.len()), (Verdict::CannotJudge, 0));
        assert_eq!(judged.reason.as_deref(), Some("files of the study still wait"));
    }
}
