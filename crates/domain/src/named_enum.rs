//! The macro of enums that are stored and serialized by a name.

/// Declares an enum whose variants have one name each, in JSON, TOML, database and messages. The crate that uses it needs
/// `serde`.
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* $enum:ident { $($(#[$variant_meta:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $enum {
            $($(#[$variant_meta])* #[serde(rename = $name)] $variant),+
        }

        impl $enum {
            /// Every variant, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name that is stored and serialized.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns the variant of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{EcgSource, Mode, Precision, SamplingStrategy, WeightStatus};

    #[test]
    fn the_serialized_name_is_the_stored_one() {
        macro_rules! check {
            ($($enum:ident),+) => {$(
                for value in $enum::ALL.iter().copied() {
                    assert_eq!(serde_json::to_value(value).expect("a name"), value.as_str());
                    assert_eq!($enum::from_name(value.as_str()), Some(value));
                }
            )+};
        }
        check!(EcgSource, Mode, Precision, SamplingStrategy, WeightStatus);
        assert_eq!(Mode::from_name("color"), None);
    }
}
