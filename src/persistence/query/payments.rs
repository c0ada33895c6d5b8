//! Payments of a simulation (spec 06, 5.4).

use duckdb::params;
use duckdb::params_from_iter;
use duckdb::types::Value;

use super::Reader;
use super::filter::{Conditions, limit, text};
use super::types::{EventFilter, Page, PaymentFilter, PaymentRow, PaymentStory};
use crate::persistence::PersistenceError;

impl Reader {
    /// Payments by arrival tick, then id; paged by key, with the number of all. While a
    /// simulation runs, settled ones only.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn payments(
        &self,
        simulation_id: &str,
        filter: &PaymentFilter,
    ) -> Result<Page<PaymentRow>, PersistenceError> {
        let mut conditions = Conditions::default();
        conditions.text("simulation_id = ?", Some(simulation_id));
        if let Some(bank) = &filter.bank {
            conditions.add("(sender_id = ? OR receiver_id = ?)", [text(bank), text(bank)]);
        }
        conditions.text("status = ?", filter.status.as_deref());
        conditions.text("place = ?", filter.place.as_deref());
        conditions.occurs(&["tx_id", "sender_id", "receiver_id", "drop_reason"], filter.text.as_deref());
        let (all, values) = conditions.finish();
        let total =
            self.one(&format!("SELECT count(*) FROM transactions {all}"), params_from_iter(values), |row| {
                row.get(0)
            })?;
        if let Some((tick, id)) = &filter.after {
            conditions.add(
                "(arrival_tick > ? OR (arrival_tick = ? AND tx_id > ?))",
                [Value::UBigInt(*tick), Value::UBigInt(*tick), text(id)],
            );
        }
        let (page, values) = conditions.finish();
        let rest = format!("FROM transactions {page} ORDER BY arrival_tick, tx_id{}", limit(filter.limit));
        Ok(Page { rows: self.rows(&rest, params_from_iter(values))?, total: total.unwrap_or(0) })
    }

    /// A payment: its row, its parts, its events.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn payment(&self, simulation_id: &str, tx_id: &str) -> Result<PaymentStory, PersistenceError> {
        let row = self
            .rows("FROM transactions WHERE simulation_id = ? AND tx_id = ?", params![simulation_id, tx_id])?;
        let parts = self.rows(
            "FROM transactions WHERE simulation_id = ? AND parent_tx_id = ? ORDER BY split_index",
            params![simulation_id, tx_id],
        )?;
        let filter = EventFilter { tx_id: Some(tx_id.to_owned()), ..EventFilter::default() };
        let events = self.all_events(simulation_id, &filter)?;
        Ok(PaymentStory { row: row.into_iter().next(), parts, events })
    }
}
