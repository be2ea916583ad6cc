//! The protocols that are part of the program.

use crate::Protocol;

const FILES: [&str; 3] = [
    include_str!("../../../models/protocols/minimal.toml"),
    include_str!("../../../models/protocols/ase-2019.toml"),
    include_str!("../../../models/protocols/bse-2020.toml"),
];

impl Protocol {
    /// Returns every protocol of this build.
    pub fn shipped() -> Vec<Self> {
        // The files are part of the program; the test below reads them all.
        FILES.iter().filter_map(|text| Self::from_toml(text).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_protocol_is_sound_and_says_whether_it_was_checked() {
        for text in FILES {
            let protocol = Protocol::from_toml(text).unwrap();
            assert_eq!(
                protocol.title.contains("not checked by an echo lead"),
                !protocol.is_checked && protocol.name != "minimal"
            );
        }
        let names: Vec<String> = Protocol::shipped().into_iter().map(|protocol| protocol.name).collect();
        assert_eq!(names, ["minimal", "ase-2019", "bse-2020"]);
    }
}
