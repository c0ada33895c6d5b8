#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use super::*;
use crate::event::{Event, OptionalBank};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::scenario::{self, Format, NoFiles, Overrides, Scenario};
use crate::time::{Calendar, Day, Tick};

const A: BankIdx = BankIdx(0);
const B: BankIdx = BankIdx(1);
const C: BankIdx = BankIdx(2);

fn pair(a: BankIdx, b: BankIdx, first: u64, amounts: (i64, i64)) -> Event {
    Event::LsmBilateralOffset {
        agent_a: a,
        agent_b: b,
        tx_ids: [first, first + 1].map(PaymentId::numbered).into(),
        tx_amounts: [Cents(amounts.0), Cents(amounts.1)].into(),
        amount_a: Cents(amounts.0),
        amount_b: Cents(amounts.1),
        amount: Cents(amounts.0 + amounts.1),
    }
}

#[test]
fn records_of_pairs_and_rings_are_sorted_by_kind_and_value() {
    let ring = Event::LsmCycleSettlement {
        agents: [B, C, A, B].into(),
        tx_amounts: [30, 40, 50].map(Cents).into(),
        total_value: Cents(120),
        net_positions: [20, -10, -10, 20].map(Cents).into(),
        max_net_outflow: Cents(10),
        max_net_outflow_agent: OptionalBank(Some(C)),
        tx_ids: [7, 8, 9].map(PaymentId).into(),
        cycle_value: Cents(120),
    };
    let events = [ring, pair(A, B, 1, (10, 30)), pair(A, C, 3, (20, 20)), pair(B, C, 5, (10, 90))];
    let records = lsm_records(Tick(5), &events, &Calendar { ticks_per_day: 4, num_days: 2 });
    let values: Vec<_> = records.iter().map(|r| (r.kind, r.settled_value.0, r.total_value.0)).collect();
    let (pairs, rings) = (LsmKind::Bilateral, LsmKind::Multilateral);
    assert_eq!(values, [(pairs, 20, 40), (pairs, 10, 100), (pairs, 10, 40), (rings, 120, 120)]);
    assert_eq!(records[0].max_net_outflow_agent, None);
    assert_eq!((records[1].max_net_outflow, records[1].max_net_outflow_agent), (Cents(80), Some(C)));
    assert_eq!(records[2].net_positions, [(A, Cents(20)), (B, Cents(-20))]);
    assert_eq!(records[2].agents, [A, B, A]);
    assert_eq!((records[3].cycle_length, records[3].day), (3, Day(1)));
    assert_eq!(records[3].net_positions, [(A, Cents(-10)), (B, Cents(20)), (C, Cents(-10))]);
}

#[test]
fn a_stream_line_has_its_keys_in_order() {
    let figures = TickFigures {
        tick: Tick(3),
        arrivals: 1,
        settlements: 2,
        lsm_releases: 3,
        cost: Cents(4),
        queue1_size: 5,
        queue2_size: 6,
        events: 7,
    };
    let mut line = String::new();
    figures.write_stream_line(&mut line);
    let expected = "{\"tick\":3,\"arrivals\":1,\"settlements\":2,\"lsm_releases\":3,\"costs\":4,\
                    \"queue1_size\":5,\"queue2_size\":6}";
    assert_eq!(line, expected);
}

fn one_bank_a_day(days: u64) -> Arc<Scenario> {
    let text = format!(
        "simulation: {{ticks_per_day: 2, num_days: {days}, rng_seed: 7}}\n\
         agents:\n- {{id: A, opening_balance: -50, unsecured_cap: 100}}\n- {{id: B, opening_balance: 0}}\n"
    );
    let (file, findings) = scenario::read(&text, Format::Yaml, &Overrides::default(), &NoFiles);
    Arc::new(file.unwrap_or_else(|| panic!("{findings:?}")).resolve().unwrap())
}

#[test]
fn an_overdraft_that_nothing_changes_counts_every_day() {
    let mut ledger = Ledger::new(one_bank_a_day(2));
    assert_eq!((ledger.totals().peak_overdraft, ledger.open_day().len()), (Cents(0), 0));
    let mut days = Vec::new();
    for tick in 0..3 {
        days.extend(ledger.tick(Tick(tick), &[]).unwrap().daily);
    }
    assert_eq!(days.len(), 2);
    assert_eq!(ledger.open_day().len(), 2);
    days.extend_from_slice(ledger.open_day());
    let of_a: Vec<_> =
        days.iter().filter(|row| row.agent == A).map(|r| (r.day.0, r.peak_overdraft.0)).collect();
    assert_eq!(of_a, [(0, 50), (1, 50)]);
    assert_eq!((ledger.totals().peak_overdraft, ledger.totals().agents_in_overdraft), (Cents(50), 1));
}

#[test]
fn the_result_has_its_keys_in_order_and_rounds_only_times() {
    let ledger = Ledger::new(one_bank_a_day(1));
    let simulation = SimulationSummary {
        config_file: "day.yaml".to_owned(),
        seed: 7,
        ticks_per_day: 2,
        num_days: 1,
        ticks_executed: 2,
        status: "completed".to_owned(),
        duration_seconds: 0.161_23,
        event_count: 5,
        event_digest: Some("d".to_owned()),
        simulation_id: Some("sim-1".to_owned()),
        database: Some("/db".to_owned()),
        replay_range: Some((5, 20)),
    };
    let costs = "{\"liquidity_cost\":0,\"collateral_cost\":0,\"delay_cost\":0,\"split_friction_cost\":0,\
                 \"deadline_penalty\":0,\"liquidity_opportunity_cost\":0,\"total_cost\":0}";
    let agent = |id: &str, balance: i64| {
        format!(
            "{{\"id\":\"{id}\",\"final_balance\":{balance},\"posted_collateral\":0,\"queue1_size\":0,\
             \"queue2_size\":0,\"costs\":{costs}}}"
        )
    };
    let expected = format!(
        "{{\"simulation\":{{\"config_file\":\"day.yaml\",\"seed\":7,\"ticks_per_day\":2,\"num_days\":1,\
         \"ticks_executed\":2,\"status\":\"completed\",\"duration_seconds\":0.161,\"ticks_per_second\":12.4,\
         \"event_count\":5,\"event_digest\":\"d\",\"simulation_id\":\"sim-1\",\"database\":\"/db\",\
         \"replay_range\":\"5-20\",\"ticks_replayed\":16}},\
         \"metrics\":{{\"total_arrivals\":0,\"total_settlements\":0,\"total_lsm_releases\":0,\
         \"settlement_rate\":0.0,\"avg_delay_ticks\":0.0,\"max_delay_ticks\":0,\"queue1_total_size\":0,\
         \"queue2_total_size\":0,\"peak_overdraft\":0,\"agents_in_overdraft\":1,\"arrived_value\":0,\
         \"settled_value\":0,\"queued_value\":0,\"dropped_value\":0}},\
         \"agents\":[{},{}],\"costs\":{costs},\"performance\":{{\"ticks_per_second\":12.4}}}}",
        agent("A", -50),
        agent("B", 0)
    );
    assert_eq!(Summary::new(simulation, &ledger).to_json(), expected);
}
