//! Our own text in a document whose character set is that of the study's files.

/// Longest Code Meaning, Series Description and the like (VR LO), characters.
pub(crate) const MAX_LO: usize = 64;

/// Returns a text as ASCII in one line: in every character set that DICOM has for echo, ASCII means the same. Letters with
/// accents lose them; what has no likeness becomes a question mark.
pub(crate) fn ascii(text: &str) -> String {
    text.chars().map(ascii_character).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the same, at most `max` characters long.
pub(crate) fn short(text: &str, max: usize) -> String {
    ascii(text).chars().take(max).collect::<String>().trim_end().to_owned()
}

/// Returns a name of a person for VR PN, all of it as family name: which part is which is not known. Separators of parts,
/// which the text cannot mean, become spaces.
pub(crate) fn person_name(text: &str) -> String {
    format!("{}^", short(&text.replace(['^', '=', '\\'], " "), MAX_LO - 1))
}

fn ascii_character(character: char) -> char {
    const PLAIN: [(&str, char); 14] = [
        ("ÀÁÂÃÄÅ", 'A'),
        ("àáâãäå", 'a'),
        ("ÈÉÊË", 'E'),
        ("èéêë", 'e'),
        ("ÌÍÎÏ", 'I'),
        ("ìíîï", 'i'),
        ("ÒÓÔÕÖØ", 'O'),
        ("òóôõöø", 'o'),
        ("ÙÚÛÜ", 'U'),
        ("ùúûü", 'u'),
        ("Çç", 'c'),
        ("Ññ", 'n'),
        ("–—", '-'),
        ("‘’“”", '\''),
    ];
    match character {
        // The backslash separates values in most text of DICOM.
        '\\' => '/',
        ' '..='~' => character,
        _ if character.is_whitespace() || character.is_control() => ' ',
        _ => PLAIN.iter().find(|(letters, _)| letters.contains(character)).map_or('?', |(_, plain)| *plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_ascii_in_one_line() {
        assert_eq!(ascii("Müller\n\tsaid: 90\u{a0}%"), "Muller said: 90 %");
        assert_eq!(ascii("心"), "?");
        assert_eq!(ascii("a\\b"), "a/b");
        assert_eq!(short("one two", 4), "one");
        assert_eq!(person_name("Doe^Jane=x"), "Doe Jane x^");
    }
}
