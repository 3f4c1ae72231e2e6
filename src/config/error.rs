//! One error, with its place in the file. Usage errors all (exit 2).

use std::{fmt, ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Source, reference};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    source: Arc<Source>,
    span: Option<Range<usize>>,
    message: String,
    label: String,
    help: Option<String>,
}

impl ConfigError {
    /// `message` says what is wrong; `span` where, in bytes of the file.
    pub(super) fn at(source: &Arc<Source>, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        ConfigError(Box::new(Inner {
            source: source.clone(),
            span,
            message: message.into(),
            label: String::new(),
            help: None,
        }))
    }
    /// Not about a place in it: the file can't be read, or must not be trusted.
    pub fn whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        let source = Arc::new(Source {
            path: file.into(),
            text: String::new(),
        });
        Self::at(&source, None, message)
    }
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }
    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = label.into();
        self
    }
    pub(super) fn from_toml(source: &Arc<Source>, e: &toml::de::Error) -> Self {
        let message = e.message();
        let Some((unknown, known)) = unknown_key(message) else {
            return Self::at(source, e.span(), message);
        };
        let error = Self::at(source, e.span(), format!("there is no key `{unknown}` here"));
        match nearest(&unknown, &known) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None if known.is_empty() => error,
            None => error.help(format!("known keys: {}", known.join(", "))),
        }
    }
    pub fn file(&self) -> &str {
        &self.0.source.path
    }
    pub fn message(&self) -> &str {
        &self.0.message
    }
    pub fn hint(&self) -> Option<&str> {
        self.0
            .help
            .as_deref()
            .or_else(|| (!self.0.label.is_empty()).then_some(&self.0.label))
    }
    /// Line and column, from 1; the column counts characters.
    pub fn place(&self) -> Option<(usize, usize)> {
        let at = self.0.span.as_ref()?.start;
        let before = self.0.source.text.get(..at)?;
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        Some((line, before[start..].chars().count() + 1))
    }
    /// The lines concerned, with a mark under the fault; for a terminal that can show colours, or not.
    pub fn render(&self, colour: bool) -> String {
        let inner = &self.0;
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let title = Level::ERROR.primary_title(inner.message.as_str());
        let mut groups = match &inner.span {
            Some(span) => {
                let mut mark = AnnotationKind::Primary.span(span.clone());
                if !inner.label.is_empty() {
                    mark = mark.label(inner.label.as_str());
                }
                let snippet = Snippet::source(self.shown(span))
                    .path(inner.source.path.as_str())
                    .line_start(1)
                    .annotation(mark);
                vec![title.element(snippet)]
            }
            None => vec![Group::with_title(title)],
        };
        if let Some(help) = &inner.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        renderer.render(&groups).to_string()
    }

    /// The file's text without what may be a secret in the wrong place, every byte where it was.
    fn shown(&self, marked: &Range<usize>) -> String {
        let text = &self.0.source.text;
        let mut hidden: Vec<Range<usize>> = vec![];
        if self.0.message.contains(reference::FORMS) {
            hidden.push(marked.start + 1..marked.end.saturating_sub(1));
        }
        // Of any URL, and any word that calls itself a password.
        let end = |from: usize, ends: &[char]| text[from..].find(ends).map_or(text.len(), |n| from + n);
        for (at, found) in text.match_indices("://") {
            let begins = at + found.len();
            let authority = &text[begins..end(begins, &['/', '?', '#', '"', '\'', '\n'])];
            if let Some((user, _)) = authority.rsplit_once('@')
                && let Some(colon) = user.find(':')
            {
                hidden.push(begins + colon + 1..begins + user.len());
            }
        }
        for (at, found) in text.match_indices("password=") {
            let begins = at + found.len();
            hidden.push(begins..end(begins, &['&', '#', '"', '\'', '\n']));
        }
        let star = |(i, c): (usize, char)| match hidden.iter().any(|h| h.contains(&i)) {
            true => "*".repeat(c.len_utf8()),
            false => c.to_string(),
        };
        text.char_indices().map(star).collect()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file(), self.message()),
            None => write!(f, "{}: {}", self.file(), self.message()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// serde's sentence: "unknown field `x`, expected one of `a`, `b`".
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((key.to_owned(), known))
}

/// The known word that so few slips of the finger away is surely meant.
pub(super) fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    known
        .iter()
        .map(|k| (distance(word, k), k.as_str()))
        .filter(|(d, k)| *d * 3 <= k.chars().count().max(3))
        .min()
        .map(|(_, k)| k)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let kept = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = kept.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["zone", "zones", "settle", "departments"].map(String::from);
        assert_eq!(nearest("zon", &known), Some("zone"));
        assert_eq!(nearest("department", &known), Some("departments"));
        assert_eq!(nearest("birthright", &known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
