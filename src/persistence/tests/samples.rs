//! A small scenario and events for it, made by hand.

use std::sync::Arc;

use crate::costs::Costs;
use crate::event::{CostsField, Event, RtgsPriority, SettlementId};
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::persistence::{
    DuckDbProvider, PolicyAuthor, PolicySnapshot, SimulationPersistenceProvider, SimulationStart, TickRecord,
};
use crate::policy::Program;
use crate::scenario::{
    Arrivals, Bank, CostRates, LsmAlgorithm, LsmConfig, Penalty, Queue1Ordering, Scenario, Settings,
};
use crate::time::{Calendar, Tick};

pub(super) const A: BankIdx = BankIdx(0);
pub(super) const B: BankIdx = BankIdx(1);

fn bank(id: &str) -> Bank {
    Bank {
        id: id.into(),
        opening_balance: Cents(1_000_000),
        unsecured_cap: Cents(0),
        collateral_capacity: Cents(0),
        posted_collateral: Cents(0),
        haircut: 0.0,
        bilateral_limits: Vec::new(),
        multilateral_limit: None,
        pool: None,
        fraction: 1.0,
        arrivals: Arrivals::None,
        policy: Arc::new(program()),
    }
}

fn program() -> Program {
    Program
}

/// Two banks, `BANK_A` and `BANK_B`, days of four ticks.
pub(super) fn scenario(days: u64) -> Arc<Scenario> {
    let names = Names::new(["BANK_A", "BANK_B"].map(Arc::from));
    Arc::new(Scenario {
        calendar: Calendar { ticks_per_day: 4, num_days: days },
        seed: u64::MAX,
        names: Arc::new(names),
        banks: vec![bank("BANK_A"), bank("BANK_B")],
        file_order: vec![A, B],
        cost_rates: CostRates {
            overdraft_bps_per_tick: 0.0,
            delay_cost_per_tick_per_cent: 0.0,
            collateral_cost_per_tick_bps: 0.0,
            liquidity_cost_per_tick_bps: 0.0,
            eod_penalty: Penalty::Fixed(Cents(0)),
            deadline_penalty: Penalty::Fixed(Cents(0)),
            split_friction_cost: Cents(0),
            overdue_delay_multiplier: 1.0,
            priority_delay_multipliers: None,
        },
        lsm: LsmConfig {
            enable_bilateral: true,
            enable_cycles: true,
            max_cycle_length: 4,
            max_cycles_per_tick: 10,
            algorithm: LsmAlgorithm::Cycles,
        },
        events: Vec::new(),
        payments: Vec::new(),
        settings: Settings {
            deferred_crediting: false,
            deadline_cap_at_eod: false,
            queue1_ordering: Queue1Ordering::Fifo,
            priority_mode: false,
            priority_escalation: None,
            algorithm_sequencing: false,
            entry_disposition_offsetting: false,
            eod_rush_threshold: 0.8,
            daily_liquidity_reallocation: true,
        },
    })
}

pub(super) fn start(id: &str, scenario: &Arc<Scenario>) -> SimulationStart {
    SimulationStart {
        simulation_id: id.to_owned(),
        scenario: scenario.clone(),
        config_json: r#"{"agents":[]}"#.into(),
        config_file: "two-banks.yaml".to_owned(),
        config_name: "two-banks".to_owned(),
        description: Some("made by hand".to_owned()),
        num_ticks: scenario.calendar.end().0,
        experiment: None,
        policies: vec![PolicySnapshot {
            agent: "BANK_A".to_owned(),
            policy_json: r#"{"type":"Fifo"}"#.into(),
            created_by: PolicyAuthor::Init,
        }],
    }
}

/// A payment from one bank to the other that arrives and settles at once: four events.
pub(super) fn payment(number: u64, from: BankIdx, tick: Tick) -> Vec<Event> {
    let to = if from == A { B } else { A };
    let (tx_id, amount) = (PaymentId(number), Cents(100));
    vec![
        Event::Arrival {
            tx_id,
            sender_id: from,
            receiver_id: to,
            amount,
            deadline: Tick(tick.0 + 5),
            priority: 5,
            is_divisible: false,
            parent_tx_id: None,
        },
        Event::PolicySubmit { agent_id: from, tx_id },
        Event::RtgsSubmission {
            tx_id,
            sender: from,
            receiver: to,
            amount,
            internal_priority: 5,
            rtgs_priority: RtgsPriority::Normal,
        },
        Event::RtgsImmediateSettlement {
            tx_id: SettlementId::Payment(tx_id),
            sender: from,
            receiver: to,
            amount,
            sender_balance_before: Cents(1_000_000),
            sender_balance_after: Cents(999_900),
        },
    ]
}

/// The events of a tick with so many payments, numbered from `first`; A and B pay in turns.
pub(super) fn tick_events(first: u64, payments: u64, tick: Tick) -> Vec<Event> {
    let mut events: Vec<Event> = (first..first + payments)
        .flat_map(|number| payment(number, if number % 2 == 1 { A } else { B }, tick))
        .collect();
    events.push(Event::CostAccrual { agent_id: A, costs: CostsField(Costs::of_penalty(Cents(7))) });
    events
}

/// Stores ticks of a simulation that has started, each with so many payments; gives the events.
pub(super) fn store_ticks(provider: &DuckDbProvider, id: &str, ticks: u64, payments: u64) -> u64 {
    let (mut sequence, mut number) = (0, 1);
    for tick in (0..ticks).map(Tick) {
        let events = tick_events(number, payments, tick);
        number += payments;
        let record = TickRecord { tick, first_sequence: sequence, events: events.into() };
        sequence += provider.persist_tick_events(id, record).unwrap() as u64;
    }
    sequence
}
