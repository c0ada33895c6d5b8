//! From a key path back to a place in the file.

use super::Node;
use crate::finding::{Findings, Position};

impl Node {
    /// Where a key path like `agents[2].policy.type` leads: the place of the key, or of the innermost
    /// part of the path that the file has. Keys may hold dots.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<Position> {
        let (mut node, mut at, mut rest) = (self, None, path);
        loop {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            if rest.is_empty() {
                return at;
            }
            let Some((next, place, left)) = node.step(rest) else { return at };
            (node, at, rest) = (next, Some(place), left);
        }
    }

    fn step<'n, 'p>(&'n self, path: &'p str) -> Option<(&'n Self, Position, &'p str)> {
        if let Some(items) = self.as_list() {
            let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
            let item = items.get(index.parse::<usize>().ok()?)?;
            return Some((item, item.at, rest));
        }
        let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[', ' ', '/']);
        self.as_map()?
            .iter()
            .filter_map(|entry| Some((entry, path.strip_prefix(entry.key.as_str())?)))
            .filter(|(_, rest)| ends(rest))
            .max_by_key(|(entry, _)| entry.key.len())
            .map(|(entry, rest)| (&entry.node, entry.at, rest))
    }

    /// Gives every finding that has no place the place of its path.
    pub fn place_findings(&self, findings: &mut Findings) {
        for finding in findings.0.iter_mut().filter(|finding| finding.position.is_none()) {
            finding.position = self.locate(&finding.path);
        }
    }
}
