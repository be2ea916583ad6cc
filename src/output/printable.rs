//! Texts that may be shown on a terminal.
//!
//! Names of files, header texts and messages come from outside. A terminal obeys escape sequences in them, and marks of
//! writing direction let a name look like another.

use std::path::Path;

/// Returns the text with control characters and marks of direction written out, such as `\u{1b}`; line breaks and tabs stay.
pub fn printable(text: &str) -> String {
    escape(text, |character| !matches!(character, '\n' | '\t') && is_dangerous(character), rust_escape)
}

/// Returns a path as text without line breaks, so that a name cannot pose as a line of its own.
pub fn path(path: &Path) -> String {
    escape(&path.to_string_lossy(), is_dangerous, rust_escape)
}

/// Returns JSON with the same characters written as JSON writes them; they can stand in its strings only.
pub(super) fn json(text: &str) -> String {
    let is_dangerous = |character| !matches!(character, '\n' | '\t') && is_dangerous(character);
    escape(text, is_dangerous, |character| {
        let mut units = [0; 2];
        character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

/// Returns an error with its causes. What a cause only says again is left out, and so is a path that was named before.
pub fn error_text(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = without_known_paths(&text, &cause.to_string());
        if cause.is_empty() || text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}

fn without_known_paths(known: &str, cause: &str) -> String {
    let mut rest = cause.to_owned();
    for word in known.split_whitespace().map(|word| word.trim_matches([':', ',', ';', '(', ')', '"'])) {
        if word.contains('/') && word.len() > 1 {
            rest = rest.replace(&format!(": {word}"), "").replace(&format!("{word}: "), "");
        }
    }
    rest
}

fn escape(text: &str, is_dangerous: impl Fn(char) -> bool, written: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) { out.push_str(&written(character)) } else { out.push(character) }
    }
    out
}

fn rust_escape(character: char) -> String {
    character.escape_unicode().to_string()
}

fn is_dangerous(character: char) -> bool {
    // Marks, overrides and isolates of direction, and the separators that some terminals take for line breaks.
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn escape_sequences_are_written_out() {
        let name = "a\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}gpj.exe";
        assert_eq!(printable(name), r"a\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}gpj.exe");
        assert_eq!(printable("Ångström\t1\n2"), "Ångström\t1\n2");
        assert_eq!(path(Path::new("a\nfailed b")), r"a\u{a}failed b");
    }

    #[test]
    fn json_stays_json() {
        let value = "a\u{9b}\u{202e}\u{7f}\u{1b}b";
        let text = json(&serde_json::to_string_pretty(&serde_json::json!({ "path": value })).unwrap());
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["path"], value);
    }

    #[test]
    fn an_error_says_a_path_once() {
        let error = anyhow!("unable to open database file: /srv/lab.sqlite")
            .context("cannot open database /srv/lab.sqlite")
            .context("cannot open the database");
        assert_eq!(
            error_text(&error),
            "cannot open the database: cannot open database /srv/lab.sqlite: unable to open database file"
        );
        let error = anyhow!("permission denied").context("cannot read a.toml: permission denied");
        assert_eq!(error_text(&error), "cannot read a.toml: permission denied");
    }
}
