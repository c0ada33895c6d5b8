//! The digest of a run: SHA-256 over its event lines (spec 05, 1.3).

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Event, write_line};
use crate::ids::Names;
use crate::time::Tick;

/// A digest that grows with every event.
#[derive(Clone, Default)]
pub struct Digest {
    hasher: Sha256,
    line: String,
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({})", self.hex())
    }
}

impl Digest {
    /// Takes in the next event.
    pub fn event(&mut self, sequence: u64, tick: Tick, event: &Event, names: &Names) {
        self.line.clear();
        write_line(sequence, tick, event, names, &mut self.line);
        self.line.push('\n');
        self.hasher.update(self.line.as_bytes());
    }

    /// Takes in the next event line, written before, without its line feed.
    pub fn line(&mut self, line: &str) {
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
    }

    /// The digest of what was taken in so far, as 64 lower-case hex digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.hasher.clone().finalize())
    }
}

/// Bytes as lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The SHA-256 of a text as 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    sha256_hex_of(text.as_bytes())
}

/// The SHA-256 of bytes as 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_that_of_the_empty_text() {
        assert_eq!(
            Digest::default().hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
