//! Text from outside, made fit for a terminal or a spreadsheet; instants and spans as every screen writes them.
//!
//! No screen writes a remote string but through `Safe`. JSON needs none of this: its own escapes are enough.

use std::{borrow::Cow, fmt, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Remote text for human eyes. Controls are shown as escapes, bidi controls are dropped: they change what is approved.
#[derive(Clone, Copy)]
pub struct Safe<'a> {
    text: &'a str,
    /// Can the terminal show more than ASCII?
    utf8: bool,
}

pub const fn safe(text: &str, utf8: bool) -> Safe<'_> {
    Safe { text, utf8 }
}

const fn bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}')
}

/// A document of JSON with what its own rules leave raw (controls beyond ASCII, bidi controls) escaped too: documents are read on
/// terminals as well. Outside strings JSON has none of these.
pub fn in_json(document: &str) -> String {
    let raw = |c: char| bidi(c) || (c.is_control() && !c.is_ascii()) || c == '\u{7f}';
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if raw(c) {
            out.push_str(&format!("\\u{:04x}", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

/// Takes no room or breaks a line: two strings that differ by it look the same. Joiners stay, scripts and emoji need them.
const fn unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for c in self.text.chars() {
            match c {
                c if bidi(c) => {}
                c if (c as u32) < 0x100 && c.is_control() => write!(f, "\\x{:02x}", c as u32)?,
                c if c.is_control() || unseen(c) || (!self.utf8 && !c.is_ascii()) => {
                    write!(f, "\\u{{{:x}}}", c as u32)?
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

pub fn width(s: &str) -> usize {
    UnicodeWidthStr::width(s)
}

pub fn pad(s: &str, to: usize) -> String {
    let mut out = s.to_owned();
    out.extend(std::iter::repeat_n(' ', to.saturating_sub(width(s))));
    out
}

/// Cuts the middle out, between graphemes, so that both ends can be told apart.
pub fn middle_cut(s: &str, to: usize) -> Cow<'_, str> {
    if width(s) <= to {
        return s.into();
    }
    if to < 5 {
        return ".".repeat(to).into();
    }
    let room = to - 3;
    let take = |all: &mut dyn Iterator<Item = &str>, room: usize| {
        let mut used = 0;
        let mut bytes = 0;
        for g in all {
            used += width(g);
            if used > room {
                break;
            }
            bytes += g.len();
        }
        bytes
    };
    let head = take(&mut s.graphemes(true), room.div_ceil(2));
    let tail = take(&mut s[head..].graphemes(true).rev(), room / 2);
    format!("{}...{}", &s[..head], &s[s.len() - tail..]).into()
}

/// Cuts the end, for live lines that are redrawn.
pub fn cut(s: &str, to: usize) -> String {
    let mut used = 0;
    s.graphemes(true)
        .take_while(|g| {
            used += width(g);
            used <= to
        })
        .collect()
}

/// Breaks between words; a word longer than the line stays whole.
pub fn wrap(s: &str, to: usize) -> Vec<String> {
    let mut lines = vec![];
    let mut line = String::new();
    for word in s.split_whitespace() {
        if !line.is_empty() && width(&line) + 1 + width(word) > to {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Letters of two alphabets in one word: a login that may be another than it looks.
pub fn mixed_script(s: &str) -> bool {
    #[derive(PartialEq, Clone, Copy)]
    enum Script {
        Latin,
        Greek,
        Cyrillic,
        Armenian,
        Hebrew,
        Arabic,
        Cherokee,
        Other,
    }
    let script = |c: char| {
        Some(match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}' => {
                Script::Latin
            }
            '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
            '\u{400}'..='\u{52f}' => Script::Cyrillic,
            '\u{530}'..='\u{58f}' => Script::Armenian,
            '\u{590}'..='\u{5ff}' => Script::Hebrew,
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => Script::Arabic,
            '\u{13a0}'..='\u{13ff}' => Script::Cherokee,
            c if c.is_alphabetic() => Script::Other,
            _ => return None,
        })
    };
    let mut seen = s.chars().filter_map(script);
    seen.next().is_some_and(|first| seen.any(|s| s != first))
}

/// Letters that a terminal may lay out from the right: the login goes before such a name.
pub fn right_to_left(s: &str) -> bool {
    s.chars()
        .any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'))
}

/// A cell that no spreadsheet runs as a formula, on one line as it came.
pub fn neutral(s: &str) -> Cow<'_, str> {
    let clean: String = s
        .chars()
        .filter(|c| !bidi(*c))
        .flat_map(|c| match c {
            '\n' | '\t' => vec![' '],
            c if c.is_control() => format!("\\x{:02x}", c as u32).chars().collect(),
            c => vec![c],
        })
        .collect();
    if clean.trim_start().starts_with(['=', '+', '-', '@']) {
        format!("'{clean}").into()
    } else if clean == s {
        s.into()
    } else {
        clean.into()
    }
}

/// One word of a POSIX shell, so that a printed command can be pasted.
pub fn shell(s: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._+-/:,=%".contains(c);
    if !s.is_empty() && s.chars().all(plain) {
        s.into()
    } else {
        format!("'{}'", s.replace('\'', "'\\''")).into()
    }
}

pub fn instant(t: DateTime<Utc>) -> String {
    t.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The time alone, where the day is the reader's own.
pub fn clock(t: DateTime<Utc>, beside: DateTime<Utc>) -> String {
    if t.date_naive() == beside.date_naive() {
        t.format("%H:%M:%SZ").to_string()
    } else {
        instant(t)
    }
}

/// `0.6 s`, `38 s`, `4m12s`, `3h05m`, `3d04h`.
pub fn span(d: Duration) -> String {
    let s = d.as_secs();
    match s {
        0..10 => format!("{:.1} s", (d.as_millis() / 100) as f64 / 10.0),
        10..60 => format!("{s} s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86400 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d{:02}h", s / 86400, s / 3600 % 24),
    }
}

/// From one instant to a later one; nothing, where it is earlier (two clocks).
pub fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    to.signed_duration_since(from)
        .max(TimeDelta::zero())
        .to_std()
        .unwrap_or_default()
}

/// `1 step`, `2 steps`.
pub fn count(n: usize, one: &str) -> String {
    match (n, one) {
        (1, _) => format!("1 {one}"),
        (n, "person") => format!("{n} people"),
        (n, "entry") => format!("{n} entries"),
        (n, _) => format!("{n} {one}s"),
    }
}

/// `a, b and c`
pub fn list<S: AsRef<str>>(all: &[S]) -> String {
    joined(all, "and")
}

/// `a, b or c`
pub fn or<S: AsRef<str>>(all: &[S]) -> String {
    joined(all, "or")
}

fn joined<S: AsRef<str>>(all: &[S], word: &str) -> String {
    match all {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {word} {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(t: &str) -> String {
        safe(t, true).to_string()
    }

    #[test]
    fn nothing_that_moves_a_cursor_or_turns_text_around_survives() {
        assert_eq!(s("a\u{1b}[31mred"), "a\\x1b[31mred");
        assert_eq!(s("a\u{202e}gnp.exe"), "agnp.exe");
        assert_eq!(s("a\u{9b}2J\r\n\t\u{7f}"), "a\\x9b2J\\x0d\\x0a\\x09\\x7f");
        assert_eq!(s("pay\u{200b}roll\u{e0041}"), "pay\\u{200b}roll\\u{e0041}");
        for c in (0..0x11_0000).filter_map(char::from_u32) {
            let shown = s(&c.to_string());
            assert!(!shown.chars().any(|c| c.is_control() || bidi(c)), "{:x}", c as u32);
        }
    }

    #[test]
    fn a_terminal_without_utf_8_gets_escapes() {
        assert_eq!(safe("Åsa", false).to_string(), "\\u{c5}sa");
        assert_eq!(s("Åsa"), "Åsa");
    }

    #[test]
    fn the_middle_is_cut_between_graphemes() {
        assert_eq!(middle_cut("short", 10), "short");
        assert_eq!(middle_cut("abcdefghijkl", 9), "abc...jkl");
        let family = "x👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧y";
        let cut = middle_cut(family, 9);
        assert!(width(&cut) <= 9);
        assert_eq!(cut.matches('\u{200d}').count() % 2, 0, "{cut}");
        assert!(cut.starts_with('x') && cut.ends_with('y'));
        assert!(width(&middle_cut("山田山田山田", 8)) <= 8);
    }

    #[test]
    fn alphabets_that_meet_in_a_word_are_seen() {
        assert!(mixed_script("p\u{430}ypal@acme.example"));
        assert!(!mixed_script("zoé.müller@acme.example"));
        assert!(!mixed_script("a1-b_2@x.y"));
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(neutral("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(neutral(" @x"), "' @x");
        assert_eq!(neutral("\t=1"), "' =1");
        assert_eq!(neutral("alice@acme.example"), "alice@acme.example");
        assert_eq!(neutral("a\u{1b}b"), "a\\x1bb");
    }

    #[test]
    fn a_printed_word_pastes_as_one() {
        assert_eq!(shell("alice@acme.example"), "alice@acme.example");
        assert_eq!(shell("a; rm -rf 'x'"), "'a; rm -rf '\\''x'\\'''");
    }

    #[test]
    fn spans_and_instants() {
        let ms = |n| span(Duration::from_millis(n));
        assert_eq!(
            [
                ms(0),
                ms(640),
                ms(9_999),
                ms(38_000),
                ms(252_000),
                ms(11_100_000),
                ms(273_600_000)
            ],
            ["0.0 s", "0.6 s", "9.9 s", "38 s", "4m12s", "3h05m", "3d04h"]
        );
        let t: DateTime<Utc> = "2026-03-02T09:04:31.250Z".parse().unwrap();
        assert_eq!(instant(t), "2026-03-02 09:04:31Z");
        assert_eq!(clock(t, t), "09:04:31Z");
        assert_eq!(between(t, t - TimeDelta::seconds(3)), Duration::ZERO);
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrap("", 8), Vec::<String>::new());
    }
}
