//! Why a file is refused: where, what stands there, and what to do.

use crate::model::Failure;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub line: Option<usize>,
    pub column: Option<String>,
    why: String,
    hint: Option<String>,
}

impl Fault {
    pub(super) fn file(why: impl Into<String>) -> Self {
        Fault {
            line: None,
            column: None,
            why: why.into(),
            hint: None,
        }
    }
    pub(super) fn line(line: usize, why: impl Into<String>) -> Self {
        Fault {
            line: Some(line),
            ..Self::file(why)
        }
    }
    pub(super) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.to_owned());
        self
    }
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// Of the file as a whole: nothing of it is used.
    pub(super) fn failure(self, name: &str) -> Failure {
        let mut summary = String::new();
        if let Some(line) = self.line {
            summary += &format!("line {line}");
        }
        if let Some(column) = &self.column {
            summary += if summary.is_empty() { "column " } else { ", column " };
            summary += &shown(column);
        }
        if !summary.is_empty() {
            summary += ": ";
        }
        summary += &self.why;
        let failure = Failure::contradiction(format!("read {name}"), summary);
        match self.hint {
            Some(hint) => failure.hint(hint),
            None => failure.hint("nothing of it was used; have HR export it again"),
        }
    }
}

/// A cell in a message: short, on one line, and harmless.
pub(super) fn shown(cell: &str) -> String {
    const MOST: usize = 40;
    let harmless = |c: char| match c {
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' => '?',
        c if c.is_control() => '?',
        c => c,
    };
    let mut out: String = cell.chars().take(MOST).map(harmless).collect();
    if cell.chars().nth(MOST).is_some() {
        out.push_str("...");
    }
    format!("\"{out}\"")
}
