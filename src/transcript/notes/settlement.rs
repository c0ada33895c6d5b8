//! Settlements, and what pairs, rings and offsets at entry save.

use super::{Notes, part};
use crate::event::{Event, SettlementId};
use crate::ids::{BankIdx, PaymentId};
use crate::metrics::{LsmKind, LsmRecord, lsm_records};
use crate::money::Cents;
use crate::replay::State;
use crate::transcript::page::{Page, Table, cells};
use crate::transcript::words::{counted, obstacle, parties, percent};

/// What settled in the tick, as far as it is told.
#[derive(Debug, Default)]
pub(super) struct Settled {
    count: u64,
    value: Cents,
    sent: Flow,
    received: Flow,
}

/// Number and value of movements.
#[derive(Debug, Default)]
struct Flow {
    count: u64,
    value: Cents,
}

impl Flow {
    const fn add(&mut self, amount: Cents) {
        self.count += 1;
        self.value = self.value.saturating_add(amount);
    }
}

/// One payment of a settlement.
#[derive(Debug)]
struct Leg {
    id: PaymentId,
    parties: Option<(BankIdx, BankIdx)>,
    amount: Cents,
}

/// Payments that settled together.
#[derive(Debug)]
pub(super) struct Group {
    title: String,
    legs: Vec<Leg>,
    gross: Cents,
    needed: Cents,
    nets: Vec<(BankIdx, Cents)>,
}

impl Notes<'_> {
    pub(super) fn settlement(&mut self, state: &State, event: &Event) {
        let names = self.names();
        match event {
            Event::RtgsImmediateSettlement {
                tx_id,
                sender,
                receiver,
                amount,
                sender_balance_before,
                sender_balance_after,
            } => {
                let id = match tx_id {
                    SettlementId::Payment(id) => {
                        self.count(*amount);
                        id.to_string()
                    }
                    SettlementId::Scheduled { .. } => "scheduled".to_owned(),
                };
                self.moved(*sender, *receiver, *amount);
                let who = names.bank(*sender);
                let note = format!("balance of {who} {sender_balance_before} → {sender_balance_after}");
                self.immediate.row(cells![id, parties(names, *sender, *receiver), amount, note]);
            }
            Event::Queue2LiquidityRelease { tx_id, sender, receiver, amount, queue_wait_ticks, .. } => {
                self.count(*amount);
                self.moved(*sender, *receiver, *amount);
                let note = format!("waited {}", counted(*queue_wait_ticks, "tick"));
                self.releases.row(cells![tx_id, parties(names, *sender, *receiver), amount, note]);
            }
            Event::EntryDispositionOffset { .. } => self.entry_offset(event),
            Event::LsmBilateralOffset { .. } | Event::LsmCycleSettlement { .. } => {
                let calendar = &self.scenario.calendar;
                for record in lsm_records(self.tick, std::slice::from_ref(event), calendar) {
                    self.pair_or_ring(state, &record);
                }
            }
            _ => {}
        }
    }

    fn entry_offset(&mut self, event: &Event) {
        let Event::EntryDispositionOffset {
            incoming_tx_id,
            queued_tx_id,
            agent_a: a,
            agent_b: b,
            incoming_amount,
            queued_amount,
            ..
        } = *event
        else {
            return;
        };
        let names = self.names();
        let legs = vec![
            Leg { id: incoming_tx_id, parties: Some((a, b)), amount: incoming_amount },
            Leg { id: queued_tx_id, parties: Some((b, a)), amount: queued_amount },
        ];
        let net = queued_amount.saturating_sub(incoming_amount);
        let notes = [format!("on entry, against {queued_tx_id}"), "from queue 2".to_owned()];
        for (leg, note) in legs.iter().zip(notes) {
            let Some((from, to)) = leg.parties else { continue };
            self.count(leg.amount);
            self.moved(from, to, leg.amount);
            self.entry_offsets.row(cells![leg.id, parties(names, from, to), leg.amount, note]);
        }
        self.groups.push(Group {
            title: format!("Offset at entry {} ↔ {}", names.bank(a), names.bank(b)),
            legs,
            gross: incoming_amount.saturating_add(queued_amount),
            needed: Cents(net.0.saturating_abs()),
            nets: vec![(a, net), (b, Cents::ZERO.saturating_sub(net))],
        });
    }

    fn pair_or_ring(&mut self, state: &State, record: &LsmRecord) {
        let names = self.names();
        let leg = |(id, amount): (&PaymentId, &Cents)| {
            let parties = state.payment(*id).map(|payment| (payment.sender, payment.receiver));
            Leg { id: *id, parties, amount: *amount }
        };
        let legs: Vec<_> = record.transactions.iter().zip(&record.tx_amounts).map(leg).collect();
        for leg in &legs {
            self.count(leg.amount);
            if let Some((from, to)) = leg.parties {
                self.moved(from, to, leg.amount);
            }
        }
        let ids: Vec<_> = record.agents.iter().map(|bank| names.bank(*bank)).collect();
        let (who, word) = match record.kind {
            LsmKind::Bilateral => (format!("{} ↔ {}", ids[0], ids[1]), "Pair"),
            LsmKind::Multilateral => (ids.join(" → "), self.ring_word()),
        };
        let payers = record.net_positions.iter().map(|(_, net)| Cents::ZERO.saturating_sub(*net).or_zero());
        let needed = payers.fold(Cents::ZERO, Cents::saturating_add);
        let row = cells![who, counted(legs.len() as u64, "payment"), record.total_value];
        match record.kind {
            LsmKind::Bilateral => self.pairs.row(row),
            LsmKind::Multilateral => self.rings.row(row),
        }
        self.groups.push(Group {
            title: format!("{word} {who}"),
            legs,
            gross: record.total_value,
            needed,
            nets: record.net_positions.clone(),
        });
    }

    fn count(&mut self, amount: Cents) {
        self.settled.count += 1;
        self.settled.value = self.settled.value.saturating_add(amount);
    }

    fn moved(&mut self, from: BankIdx, to: BankIdx, amount: Cents) {
        if self.bank == Some(from) {
            self.settled.sent.add(amount);
        }
        if self.bank == Some(to) {
            self.settled.received.add(amount);
        }
    }

    /// What stands in the way of a payment that has just been queued.
    pub(super) fn queued(&mut self, state: &State, id: PaymentId) {
        let names = self.names();
        let mut row = self.open_payment(state, id);
        let why = state.why_unsettled(id).zip(state.payment(id)).map(|(why, payment)| {
            let obstacles = why.obstacles.iter().map(|found| obstacle(names, payment.sender, found));
            obstacles.collect::<Vec<_>>().join("; ")
        });
        row.push(why.unwrap_or_default());
        self.queued.row(row);
    }

    pub fn write_settlements(&self, page: &mut Page) {
        let tables = [&self.immediate, &self.entry_offsets, &self.releases, &self.pairs, &self.rings];
        if tables.into_iter().all(Table::is_empty) {
            return;
        }
        let Settled { count, value, sent, received } = &self.settled;
        page.section(&format!("Settlements ({}, {value})", counted(*count, "payment")));
        part(page, "immediate", &self.immediate);
        part(page, "offset at entry", &self.entry_offsets);
        part(page, "released from queue 2", &self.releases);
        part(page, "pairs", &self.pairs);
        part(page, if self.ring_word() == "Ring" { "rings" } else { "groups" }, &self.rings);
        if let Some(bank) = self.bank {
            page.line(
                1,
                &format!(
                    "{} sends {} ({}) and receives {} ({})",
                    self.names().bank(bank),
                    sent.count,
                    sent.value,
                    received.count,
                    received.value
                ),
            );
        }
    }

    pub fn write_groups(&self, page: &mut Page) {
        if self.groups.is_empty() {
            return;
        }
        let names = self.names();
        page.section("Offsets and rings in detail");
        for Group { title, legs, gross, needed, nets } in &self.groups {
            page.line(1, title);
            let mut table = Table::new("<<>");
            for Leg { id, parties: leg, amount } in legs {
                let leg = leg.map(|(from, to)| parties(names, from, to)).unwrap_or_default();
                table.row(cells![id, leg, amount]);
            }
            page.table(2, &table);
            let saved = gross.saturating_sub(*needed);
            let share = percent(saved, *gross);
            page.line(2, &format!("gross {gross}, liquidity needed {needed}, saved {saved} ({share})"));
            let nets: Vec<_> =
                nets.iter().map(|(bank, net)| format!("{} {net}", names.bank(*bank))).collect();
            page.line(2, &format!("net positions: {}", nets.join(", ")));
        }
    }
}
