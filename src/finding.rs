//! What is wrong with a file: every finding names the place, what stands there and what would be right.

use std::fmt;

/// A place in a text file, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// Whether a finding refuses the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is used; with `--strict` it is refused.
    Warning,
}

/// One finding about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it refuses the file.
    pub severity: Severity,
    /// Kind of the finding for programs, for policies the error type of spec 04, 6.2; else empty.
    pub kind: &'static str,
    /// Key path, e.g. `agents[2].policy.type`, or a JSON path inside a policy; empty for the whole file.
    pub path: String,
    /// Line and column, where known.
    pub position: Option<Position>,
    /// One sentence in lower case: what is wrong and what would be right, the user's text in backticks.
    pub message: String,
    /// What to do next, where that is not obvious.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding that refuses the file.
    #[must_use]
    pub fn error(path: impl Into<String>, position: Option<Position>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, path.into(), position, message.into())
    }

    /// A finding that leaves the file usable.
    #[must_use]
    pub fn warning(path: impl Into<String>, position: Option<Position>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, path.into(), position, message.into())
    }

    const fn new(severity: Severity, path: String, position: Option<Position>, message: String) -> Self {
        Self { severity, kind: "", path, position, message, hint: None }
    }

    /// The same finding with a kind for programs.
    #[must_use]
    pub const fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// The same finding with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Message, then place: `` unknown key `foo` (line 3, column 5, agents[0]) ``.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (self.position, self.path.as_str()) {
            (Some(Position { line, column }), "") => write!(f, " (line {line}, column {column})"),
            (Some(Position { line, column }), path) => write!(f, " (line {line}, column {column}, {path})"),
            (None, "") => Ok(()),
            (None, path) => write!(f, " ({path})"),
        }
    }
}

/// Everything found in a file; the file is refused if one finding is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Whether a finding refuses the file.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// Those that refuse the file.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Those that leave it usable.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.severity == Severity::Warning)
    }

    /// Makes every warning an error, as `--strict` asks.
    pub fn make_strict(&mut self) {
        for finding in &mut self.0 {
            finding.severity = Severity::Error;
        }
    }
}

/// The known name nearest to a misspelt one, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1) + usize::from(name.chars().count() > 4);
    known
        .into_iter()
        .map(|candidate| (distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What is added to a message about an unknown name: the one that may be meant, or nothing.
#[must_use]
pub fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

/// Damerau-Levenshtein distance with adjacent swaps, row by row.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let substituted = last[j] + usize::from(a[i] != b[j]);
            let mut best = substituted.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_only_if_it_is_near() {
        let known = ["opening_balance", "unsecured_cap", "policy"];
        assert_eq!(nearest("openning_balance", known), Some("opening_balance"));
        assert_eq!(nearest("poilcy", known), Some("policy"));
        assert_eq!(nearest("zebra", known), None);
    }

    #[test]
    fn a_finding_shows_its_place() {
        let finding = Finding::error(
            "agents[0].id",
            Some(Position { line: 3, column: 5 }),
            "`7` is a number, not a text",
        );
        assert_eq!(finding.to_string(), "`7` is a number, not a text (line 3, column 5, agents[0].id)");
    }
}
