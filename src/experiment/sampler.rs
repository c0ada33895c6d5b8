//! Bootstrap samples: payments of a day drawn with replacement (spec 07, 6).

use super::history::Record;
use super::seeds::sample_seed;
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::rng::Rng;

/// One agent's payments of a resampled day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Position among the agent's samples of the iteration.
    pub index: usize,
    /// Seed of the draws and of the run in the sandbox.
    pub seed: u64,
    /// What the agent has to pay, in the order of drawing.
    pub outgoing: Vec<SampledPayment>,
    /// What it is paid, in the order of drawing.
    pub incoming: Vec<SampledPayment>,
}

/// A payment at its new place in the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledPayment {
    /// The payment it was drawn from.
    pub origin: PaymentId,
    /// Receiver of an outgoing, sender of an incoming payment.
    pub counterparty: BankIdx,
    /// Amount in cents.
    pub amount: Cents,
    /// Priority, 0 to 10.
    pub priority: u8,
    /// Tick of arrival.
    pub arrival: u64,
    /// Tick of the deadline; before the arrival for parts that came into being overdue.
    pub deadline: i64,
    /// Tick of settlement, where the original settled.
    pub settlement: Option<u64>,
}

/// Draws `count` samples of a day of `ticks` ticks on the base seed of an agent and iteration.
#[must_use]
pub fn samples(outgoing: &[Record], incoming: &[Record], base: u64, count: usize, ticks: u64) -> Vec<Sample> {
    let settled: Vec<&Record> = incoming.iter().filter(|record| record.settlement_offset.is_some()).collect();
    let outgoing: Vec<&Record> = outgoing.iter().collect();
    (0..count)
        .map(|index| {
            let seed = sample_seed(base, index);
            let mut stream = Rng::new(seed);
            let outgoing = draw(&outgoing, &mut stream, ticks, |record| record.receiver);
            let incoming = draw(&settled, &mut stream, ticks, |record| record.sender);
            Sample { index, seed, outgoing, incoming }
        })
        .collect()
}

/// As many payments as there are records, each drawn with replacement.
fn draw(
    records: &[&Record],
    stream: &mut Rng,
    ticks: u64,
    counterparty: fn(&Record) -> BankIdx,
) -> Vec<SampledPayment> {
    let count = records.len() as u64;
    (0..count)
        .map(|_| {
            let record = records[(stream.next() % count) as usize];
            let arrival = stream.next() % ticks.max(1);
            let at = i64::try_from(arrival).unwrap_or(i64::MAX);
            let end = i64::try_from(ticks).unwrap_or(i64::MAX);
            SampledPayment {
                origin: record.payment,
                counterparty: counterparty(record),
                amount: record.amount,
                priority: record.priority,
                arrival,
                deadline: at.saturating_add(record.deadline_offset).min(end),
                settlement: record.settlement_offset.map(|offset| arrival.saturating_add(offset).min(ticks)),
            }
        })
        .collect()
}
