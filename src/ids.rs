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

/// A payment: its running number from 1, in the order in which payments come into being (C6). The
/// reference names payments by random UUIDs (spec 06, 8.1): such a one is its 128 bits, which are above
/// all running numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaymentId(pub u128);

impl PaymentId {
    /// The payment of a running number.
    #[must_use]
    pub const fn numbered(number: u64) -> Self {
        Self(number as u128)
    }

    /// Its running number; nothing for a payment of the reference.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        u64::try_from(self.0).ok()
    }

    /// Reads `tx-000001` or a UUID in its usual form; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = match text.strip_prefix("tx-") {
            Some(digits) => Self::numbered(digits.parse().ok()?),
            None => Self(u128::from_str_radix(&text.replace('-', ""), 16).ok()?),
        };
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number() {
            return write!(f, "tx-{number:06}");
        }
        let part = |shift: u32, bits: u32| (self.0 >> shift) & ((1 << bits) - 1);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 32),
            part(80, 16),
            part(64, 16),
            part(48, 16),
            part(0, 48)
        )
    }
}

/// How the events of a simulation are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As this program does, with the keys of spec 00, C29.
    #[default]
    Own,
    /// As the reference does: without those keys, and not everything that happens has its event
    /// (spec 06, 8.1).
    Reference,
}

/// The names of a scenario's banks. Shared by everything that writes or shows events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    banks: Vec<Arc<str>>,
    quoted: Vec<Box<str>>,
    index: HashMap<Arc<str>, BankIdx>,
    dialect: Dialect,
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
        Self { banks, quoted, index, dialect: Dialect::Own }
    }

    /// The same names for events that are written in another way.
    #[must_use]
    pub fn written_in(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// How the events are written in which these names stand.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether these are names for events of the reference.
    #[must_use]
    pub fn of_reference(&self) -> bool {
        self.dialect == Dialect::Reference
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
        let uuid = "00000001-819d-4741-8dcb-e89fde80ea4f";
        assert_eq!(PaymentId::parse(uuid).map(|id| id.to_string()).as_deref(), Some(uuid));
        assert!(PaymentId::parse(uuid) > Some(PaymentId::numbered(u64::MAX)));
        for wrong in ["00000001819d47418dcbe89fde80ea4f", "00000001-819D-4741-8dcb-e89fde80ea4f", "7", ""] {
            assert_eq!(PaymentId::parse(wrong), None, "{wrong}");
        }
        assert_eq!(PaymentId::parse("tx-1"), None);
        assert_eq!(PaymentId::parse("tx-+00001"), None);
    }
}
