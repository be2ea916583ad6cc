use std::fmt::Write as _;

use super::{Anchor, Drawing, Ink, PALETTE, Place, Shape};

/// Inks that follow the page. Prefixed, because a style within an inline picture holds for the whole page.
const STYLE: &str = "<style>.ev-w{fill:#1f2328}.ev-q{fill:#59636e}.ev-f{fill:#dfe3e8}.ev-p{fill:#fff}.ev-s{fill:#fff}\
.ev-lw{stroke:#1f2328}.ev-lq{stroke:#59636e}.ev-lf{stroke:#dfe3e8}.ev-ls{stroke:#fff}\
@media(prefers-color-scheme:dark){.ev-w{fill:#e6edf3}.ev-q{fill:#9aa4af}.ev-f{fill:#30363d}.ev-p{fill:#0d1117}\
.ev-lw{stroke:#e6edf3}.ev-lq{stroke:#9aa4af}.ev-lf{stroke:#30363d}}</style>";

impl Drawing {
    /// The drawing as an SVG document, which may also stand within an HTML page. It follows the reader's light or dark
    /// page and scales to the width it is given.
    pub fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
             aria-label=\"{title}\" font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,sans-serif\">{STYLE}\
             <rect width=\"100%\" height=\"100%\" class=\"ev-p\"/>",
            w = number(self.width),
            h = number(self.height),
            title = escaped(&self.title),
        );
        for shape in &self.shapes {
            add_shape(&mut svg, shape);
        }
        svg.push_str("</svg>");
        svg
    }
}

fn add_shape(svg: &mut String, shape: &Shape) {
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Box { at: (x, y), size: (width, height), ink, hint } => {
            let [x, y, width, height] = [x, y, width, height].map(|value| number(*value));
            write!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {}",
                closed("rect", *ink, hint)
            )
        }
        Shape::Circle { at: (x, y), radius, ink, hint } => {
            let [x, y, radius] = [x, y, radius].map(|value| number(*value));
            write!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {}", closed("circle", *ink, hint))
        }
        Shape::Polygon { places, ink, hint } => {
            write!(svg, "<polygon points=\"{}\" {}", joined(places), closed("polygon", *ink, hint))
        }
        Shape::Line { places, ink, width, dashed } => {
            let dash = if *dashed { " stroke-dasharray=\"4 3\"" } else { "" };
            let (points, ink, width) = (joined(places), line_ink(*ink), number(*width));
            write!(
                svg,
                "<polyline points=\"{points}\" fill=\"none\" stroke-linejoin=\"round\" stroke-width=\"{width}\"{dash} {ink}/>"
            )
        }
        Shape::Text { at: (x, y), words, size, anchor, ink, upright } => {
            let (x, y, size) = (number(*x), number(*y), number(*size));
            let turn = if *upright { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            write!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\"{turn} {}>{}</text>",
                fill_ink(*ink),
                escaped(words)
            )
        }
    };
}

fn closed(name: &str, ink: Ink, hint: &Option<String>) -> String {
    match hint {
        Some(hint) => format!("{}><title>{}</title></{name}>", fill_ink(ink), escaped(hint)),
        None => format!("{}/>", fill_ink(ink)),
    }
}

fn fill_ink(ink: Ink) -> String {
    match ink {
        Ink::Words => "class=\"ev-w\"".to_owned(),
        Ink::Quiet => "class=\"ev-q\"".to_owned(),
        Ink::Faint => "class=\"ev-f\"".to_owned(),
        Ink::OnStrong => "class=\"ev-s\"".to_owned(),
        Ink::Color(index) => format!("fill=\"{}\"", color(index)),
        Ink::Tint(index, strength) => format!("fill=\"{}\" fill-opacity=\"{}\"", color(index), number(strength)),
    }
}

fn line_ink(ink: Ink) -> String {
    match ink {
        Ink::Words => "class=\"ev-lw\"".to_owned(),
        Ink::Quiet => "class=\"ev-lq\"".to_owned(),
        Ink::Faint => "class=\"ev-lf\"".to_owned(),
        Ink::OnStrong => "class=\"ev-ls\"".to_owned(),
        Ink::Color(index) => format!("stroke=\"{}\"", color(index)),
        Ink::Tint(index, strength) => format!("stroke=\"{}\" stroke-opacity=\"{}\"", color(index), number(strength)),
    }
}

fn color(index: usize) -> String {
    let [red, green, blue] = PALETTE[index % PALETTE.len()];
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn joined(places: &[Place]) -> String {
    places.iter().map(|(x, y)| format!("{},{}", number(*x), number(*y))).collect::<Vec<_>>().join(" ")
}

/// Two digits after the point at most, as short as may be.
fn number(value: f64) -> String {
    // Adding 0 turns -0 into 0.
    ((value * 100.0).round() / 100.0 + 0.0).to_string()
}

fn escaped(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // Control characters are not allowed in XML at all.
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
