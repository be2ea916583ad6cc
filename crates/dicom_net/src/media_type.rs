//! Media types of HTTP and of multipart bodies (RFC 9110 section 8.3.1).

/// A media type with its parameters. Peers leave quotation marks out where the standard asks for them, so it is read
/// more leniently than the standard says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads the value of a header.
    pub fn from_header(value: &str) -> Self {
        let (essence, mut rest) = value.split_once(';').unwrap_or((value, ""));
        let mut parameters = Vec::new();
        while let Some((name, after)) = rest.split_once('=') {
            let after = after.trim_start();
            let (text, next) = match after.strip_prefix('"') {
                Some(quoted) => quoted_text(quoted),
                None => {
                    let (text, next) = after.split_once(';').unwrap_or((after, ""));
                    (text.trim().to_owned(), next)
                }
            };
            parameters.push((name.trim().trim_start_matches([';', ' ']).to_ascii_lowercase(), text));
            rest = next.trim_start().trim_start_matches(';');
        }
        Self { essence: essence.trim().to_ascii_lowercase(), parameters }
    }

    /// Returns type and subtype in lower case, such as `multipart/related`.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Returns the value of a parameter, whose name is in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the boundary of a multipart type, where it is one that may be (RFC 2046 section 5.1.1).
    pub fn boundary(&self) -> Option<&str> {
        let boundary = self.parameter("boundary").filter(|_| self.essence.starts_with("multipart/"))?;
        let is_valid = (1..=MAX_BOUNDARY).contains(&boundary.len())
            && boundary.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        is_valid.then_some(boundary)
    }
}

/// Longest boundary: the standard says 70 characters, and some programs write longer ones.
const MAX_BOUNDARY: usize = 200;

/// Returns the text up to the closing quotation mark, and what follows.
fn quoted_text(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => text.push(letter),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_quoted_or_not_in_any_order() {
        for (value, boundary, kind) in [
            ("multipart/related; boundary=a", Some("a"), None),
            ("Multipart/Related;TYPE=\"application/dicom\" ; Boundary=\"a b\"", Some("a b"), Some("application/dicom")),
            ("multipart/related; type=application/dicom; boundary=x; start=1", Some("x"), Some("application/dicom")),
            (
                "multipart/related; boundary=\"a;b=c\\\"d\"; type=application/dicom",
                Some("a;b=c\"d"),
                Some("application/dicom"),
            ),
            ("application/dicom; boundary=a", None, None),
            ("multipart/related", None, None),
            ("multipart/related; boundary=", None, None),
            ("multipart/related; boundary=\"", None, None),
            ("multipart/related; boundary=\"a\r\nb\"", None, None),
            ("", None, None),
            (";;=;==", None, None),
        ] {
            let read = MediaType::from_header(value);
            assert_eq!((read.boundary(), read.parameter("type")), (boundary, kind), "{value}");
        }
        assert_eq!(MediaType::from_header(" Application/DICOM ; x=1").essence(), "application/dicom");
    }
}
