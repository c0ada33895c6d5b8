//! Dense indices of banks and payments, and the names they stand for (spec 01, conventions; 05, 1.4).

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text;

/// A bank: its position in the byte order of all bank ids, so that a loop over
/// indices is a loop in the specified order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BankIdx(pub u32);

impl BankIdx {
    /// The index into a table of banks.
    #[must_use]
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// A payment: its running number from 1, in the order in which payments come into being (C6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaymentId(pub u64);

impl PaymentId {
    /// Reads `tx-000001`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("tx-")?;
        let number = digits.parse().ok().map(Self)?;
        (number.to_string() == text).then_some(number)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tx-{:06}", self.0)
    }
}

/// The names of a scenario's banks. Shared by everything that writes or shows events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    banks: Vec<Arc<str>>,
    quoted: Vec<Box<str>>,
    index: HashMap<Arc<str>, BankIdx>,
}

impl Names {
    /// Takes bank ids; indices follow their byte order.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut banks: Vec<Arc<str>> = ids.into_iter().collect();
        banks.sort();
        banks.dedup();
        let quoted = banks.iter().map(|id| text::quoted(id).into()).collect();
        let index = banks.iter().cloned().zip((0..).map(BankIdx)).collect();
        Self { banks, quoted, index }
    }

    /// How many banks there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.banks.len()
    }

    /// Whether there is no bank.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.banks.is_empty()
    }

    /// All banks in byte order of their ids.
    pub fn banks(&self) -> impl Iterator<Item = BankIdx> + use<> {
        (0..self.banks.len() as u32).map(BankIdx)
    }

    /// All ids in byte order.
    #[must_use]
    pub fn ids(&self) -> &[Arc<str>] {
        &self.banks
    }

    /// The id of a bank; `?` for an index of another scenario.
    #[must_use]
    pub fn bank(&self, bank: BankIdx) -> &str {
        self.banks.get(bank.at()).map_or("?", |id| id)
    }

    /// The id as a JSON text with its quotes.
    #[must_use]
    pub fn quoted_bank(&self, bank: BankIdx) -> &str {
        self.quoted.get(bank.at()).map_or("\"?\"", |id| id)
    }

    /// The bank of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<BankIdx> {
        self.index.get(id).copied()
    }
}

/// Appends the payment's name to a text.
pub fn write_payment(payment: PaymentId, out: &mut String) {
    let _ = write!(out, "{payment}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_follow_byte_order() {
        let names = Names::new(["abc", "B9", "Zed", "B10"].map(Arc::from));
        assert_eq!(names.ids().iter().map(|id| &**id).collect::<Vec<_>>(), ["B10", "B9", "Zed", "abc"]);
        assert_eq!(names.find("Zed"), Some(BankIdx(2)));
        assert_eq!(names.quoted_bank(BankIdx(0)), "\"B10\"");
    }

    #[test]
    fn payment_names_read_back() {
        for number in [1, 999_999, 1_000_000] {
            let payment = PaymentId(number);
            assert_eq!(PaymentId::parse(&payment.to_string()), Some(payment));
        }
        assert_eq!(PaymentId::parse("tx-1"), None);
        assert_eq!(PaymentId::parse("tx-+00001"), None);
    }
}
