//! A protocol as its file says it.

use std::collections::BTreeSet;

use domain::Mode;
use serde::{Deserialize, Serialize};

/// A protocol: the items of a complete examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// Name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Publication that it follows, and how faithfully.
    pub source: String,
    /// True if an echo lead has checked the list against its source.
    #[serde(default)]
    pub is_checked: bool,
    /// The items, in the order of the examination.
    pub items: Vec<Item>,
}

/// An item: enough loops that show one of some views in one of some modes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Name.
    pub name: String,
    /// Alternatives: views of label sets that show it. Empty where no label set has such a view.
    #[serde(default)]
    pub views: Vec<String>,
    /// Views that may show it, but need not.
    #[serde(default)]
    pub perhaps: Vec<String>,
    /// Modes in which it counts.
    #[serde(default = "gray_scale")]
    pub modes: Vec<Mode>,
    /// Loops that it takes.
    #[serde(default = "one")]
    pub count: usize,
    /// True if a complete examination may lack it.
    #[serde(default)]
    pub optional: bool,
}

fn gray_scale() -> Vec<Mode> {
    vec![Mode::TwoD, Mode::Dual]
}

const fn one() -> usize {
    1
}

/// Errors of a protocol.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The text is no protocol.
    #[error("protocol: {0}")]
    Parse(#[from] Box<toml::de::Error>),
    /// The protocol contradicts itself.
    #[error("protocol {name}: {problem}")]
    Invalid {
        /// Name of the protocol.
        name: String,
        /// The contradiction.
        problem: String,
    },
}

impl Protocol {
    /// Reads a protocol.
    ///
    /// # Errors
    /// [`ProtocolError`]: an unknown key, no items, two of one name, an item that nothing can fulfill.
    pub fn from_toml(text: &str) -> Result<Self, ProtocolError> {
        let protocol: Self = toml::from_str(text).map_err(Box::new)?;
        protocol.check().map_err(|problem| ProtocolError::Invalid { name: protocol.name.clone(), problem })?;
        Ok(protocol)
    }

    fn check(&self) -> Result<(), String> {
        if self.items.is_empty() {
            return Err("it has no items".to_owned());
        }
        let mut seen = BTreeSet::new();
        for item in &self.items {
            if !seen.insert(item.name.to_lowercase()) {
                return Err(format!("two items are named {:?}", item.name));
            }
            if item.count == 0 || item.modes.is_empty() {
                return Err(format!("item {:?} takes no loop, or is in no mode", item.name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(items: &str) -> Result<Protocol, String> {
        let text = format!("name = \"lab\"\ntitle = \"Our lab\"\nsource = \"our handbook\"\n{items}");
        Protocol::from_toml(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_item_has_defaults() {
        let protocol = read("[[items]]\nname = \"A4C\"\nviews = [\"Apical-4ch\"]").unwrap();
        let item = &protocol.items[0];
        assert_eq!((item.count, item.optional, protocol.is_checked), (1, false, false));
        assert_eq!(item.modes, [Mode::TwoD, Mode::Dual]);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (items, expected) in [
            ("items = []", "no items"),
            ("[[items]]\nname = \"a\"\n[[items]]\nname = \"A\"", "two items are named \"A\""),
            ("[[items]]\nname = \"a\"\ncount = 0", "takes no loop"),
            ("[[items]]\nname = \"a\"\nviewz = []", "viewz"),
            ("[[items]]\nname = \"a\"\nmodes = [\"4d\"]", "4d"),
        ] {
            let error = read(items).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
