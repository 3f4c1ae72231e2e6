//! Colour, which only repeats what a mark or a word says: a pass over finished text, so that no renderer knows of it.

use anstyle::{AnsiColor, Style};

const fn fg(c: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(c)))
}

const GOOD: Style = fg(AnsiColor::Green);
const BAD: Style = fg(AnsiColor::Red);
const LOOK: Style = fg(AnsiColor::Yellow);
const HEAD: Style = Style::new().bold();

/// Words that stand for themselves on every screen, whole words only.
const WORDS: &[(&str, Style)] = &[
    ("COMPLETE", GOOD),
    ("verified", GOOD),
    ("PARTIAL", LOOK),
    ("HELD", LOOK),
    ("owed", LOOK),
    ("REFUSED", BAD),
    ("failed", BAD),
    ("FAILED", BAD),
    ("BRAKE:", BAD),
    ("error:", BAD),
    ("Still", HEAD),
];

pub fn paint(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let mut mark = true;
        for (i, word) in line.split(' ').enumerate() {
            if i > 0 {
                out.push(' ');
            }
            let style = match word {
                "+" if mark => Some(GOOD),
                "-" if mark => Some(BAD),
                "!" | "?" => Some(LOOK),
                w => WORDS.iter().find(|(known, _)| *known == w).map(|(_, s)| *s),
            };
            // A mark stands at the head of its column: nothing but headings and numbers before it.
            mark &= i < 24;
            match style {
                Some(s) => out += &format!("{s}{word}{s:#}"),
                None => out += word,
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_its_colours_a_text_is_what_it_was() {
        let text = "1 contain   - okta   suspend   ! look\nPARTIAL, contained\n";
        let painted = paint(text);
        assert!(painted.contains("\u{1b}[31m-\u{1b}[0m"), "{painted:?}");
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), text);
    }
}
