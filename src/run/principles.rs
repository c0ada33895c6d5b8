//! What holds in every simulation, whatever the scenario and the policies (spec 02, P1 to P5): generated
//! scenarios with generated decision trees, checked after every tick.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::engine::Simulation;
use crate::event::{Event, write_line};
use crate::money::Cents;
use crate::policy::tests::random;
use crate::replay::{Place, State};
use crate::scenario::{self, Format, NoFiles, Overrides, Scenario};

const BANKS: [&str; 5] = ["A", "B", "C", "D", "E"];
const TICKS_PER_DAY: u64 = 6;
const TICKS: u64 = 12;

/// One of the built-in policies, or a generated tree.
fn policy() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(json!({"type": "Fifo"})),
        1 => (0..6).prop_map(|ticks| json!({"type": "Deadline", "urgency_threshold": ticks})),
        1 => (0..900, 0..6).prop_map(|(buffer, ticks)| json!({
            "type": "LiquidityAware", "target_buffer": buffer, "urgency_threshold": ticks
        })),
        5 => (0..TREES.len()).prop_map(|at| TREES[at].clone()),
    ]
}

/// Generated trees that the checks accept: most are refused, so that they are made once for all.
static TREES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut runner = TestRunner::deterministic();
    let trees = random::policy();
    let generated = std::iter::repeat_with(
        move || json!({"type": "Inline", "decision_trees": trees.new_tree(&mut runner).unwrap().current()}),
    );
    generated.filter(is_sound).take(40).collect()
});

/// Whether the checks accept a policy.
fn is_sound(policy: &Value) -> bool {
    let bank = |id: &str, policy: &Value| json!({"id": id, "opening_balance": 0, "policy": policy});
    let scenario = json!({
        "simulation": {"ticks_per_day": 1, "num_days": 1, "rng_seed": 1},
        "agents": [bank("A", policy), bank("B", &json!({"type": "Fifo"}))],
    });
    resolved(&scenario).is_some()
}

/// Collateral, a pool and limits, each there or not.
fn settings_of_a_bank() -> impl Strategy<Value = Value> {
    let collateral = (0..1500_i64, 0..1000_i64, prop_oneof![Just(0.0), Just(0.1), Just(1.0)]);
    let pool = (0..2000, 0.0..=1.0);
    let limits = (0..3000, 0..6000);
    (prop::option::of(collateral), prop::option::of(pool), prop::option::of(limits)).prop_map(
        |(collateral, pool, limits)| {
            let mut bank = json!({});
            if let Some((capacity, posted, haircut)) = collateral {
                bank["max_collateral_capacity"] = json!(capacity);
                bank["posted_collateral"] = json!(posted.min(capacity));
                bank["collateral_haircut"] = json!(haircut);
            }
            if let Some((pool, fraction)) = pool {
                bank["liquidity_pool"] = json!(pool);
                bank["liquidity_allocation_fraction"] = json!(fraction);
            }
            if let Some((bilateral, multilateral)) = limits {
                bank["limits"] = json!({
                    "bilateral_limits": {"A": bilateral, "B": bilateral},
                    "multilateral_limit": multilateral,
                });
            }
            bank
        },
    )
}

fn bank() -> impl Strategy<Value = Value> {
    (0..3000, 0..1500, settings_of_a_bank(), policy()).prop_map(|(balance, cap, mut bank, policy)| {
        bank["opening_balance"] = json!(balance);
        bank["unsecured_cap"] = json!(cap);
        bank["policy"] = policy;
        bank
    })
}

/// Tick, sender, receiver, amount, priority, ticks until the deadline.
fn payment() -> impl Strategy<Value = (u64, usize, usize, i64, u8, u64)> {
    (0..TICKS, 0..BANKS.len(), 1..BANKS.len(), 1_i64..1200, 0_u8..=10, 1_u64..8)
}

fn settings() -> impl Strategy<Value = Value> {
    let flags = prop::collection::vec(any::<bool>(), 8);
    let order = prop_oneof![Just("fifo"), Just("priority_deadline")];
    let algorithm = prop_oneof![Just("cycles"), Just("bech_soramaki")];
    (flags, order, algorithm, 3..6_u8).prop_map(|(flags, order, algorithm, length)| {
        json!({
            "lsm_config": {"enable_bilateral": flags[0], "enable_cycles": flags[1], "algorithm": algorithm,
                "max_cycle_length": length},
            "deferred_crediting": flags[2], "priority_mode": flags[3], "deadline_cap_at_eod": flags[4],
            "entry_disposition_offsetting": flags[5], "algorithm_sequencing": flags[6],
            "daily_liquidity_reallocation": flags[7], "queue1_ordering": order,
            "cost_rates": {"delay_cost_per_tick_per_cent": 0.01, "overdraft_bps_per_tick": 5.0,
                "collateral_cost_per_tick_bps": 2.0, "eod_penalty": 100, "deadline_penalty": 50,
                "split_friction_cost": 3},
        })
    })
}

fn scenarios() -> impl Strategy<Value = Value> {
    let banks = prop::collection::vec(bank(), 2..=BANKS.len());
    (banks, prop::collection::vec(payment(), 0..60), settings(), any::<u64>()).prop_map(
        |(mut banks, payments, mut scenario, seed)| {
            let count = banks.len();
            for (bank, id) in banks.iter_mut().zip(BANKS) {
                bank["id"] = json!(id);
                if let Some(limits) = bank.pointer_mut("/limits/bilateral_limits") {
                    limits.as_object_mut().unwrap().shift_remove(id);
                }
            }
            let events: Vec<Value> = payments
                .into_iter()
                .map(|(tick, sender, distance, amount, priority, deadline)| {
                    let sender = sender % count;
                    let receiver = (sender + 1 + (distance - 1) % (count - 1)) % count;
                    json!({"type": "CustomTransactionArrival", "from_agent": BANKS[sender],
                        "to_agent": BANKS[receiver], "amount": amount, "priority": priority,
                        "deadline": deadline, "is_divisible": amount % 2 == 0,
                        "schedule": {"type": "OneTime", "tick": tick}})
                })
                .collect();
            scenario["simulation"] =
                json!({"ticks_per_day": TICKS_PER_DAY, "num_days": TICKS / TICKS_PER_DAY, "rng_seed": seed});
            scenario["agents"] = json!(banks);
            scenario["scenario_events"] = json!(events);
            scenario
        },
    )
}

/// The scenario, unless a generated tree is refused.
fn resolved(json: &Value) -> Option<Arc<Scenario>> {
    let (file, _) = scenario::read(&json.to_string(), Format::Json, &Overrides::default(), &NoFiles);
    Some(Arc::new(file?.resolve().unwrap()))
}

/// What is watched from tick to tick.
struct Watch {
    simulation: Simulation,
    state: State,
    /// All money of all banks, as the events so far say.
    money: i128,
}

impl Watch {
    fn new(scenario: Arc<Scenario>) -> Self {
        let simulation = Simulation::new(scenario.clone());
        let state = State::new(scenario);
        let money = total(&simulation);
        Self { simulation, state, money }
    }

    /// Runs a tick and checks everything; false when a policy failed on its numbers.
    fn tick(&mut self) -> bool {
        let tick = self.simulation.now();
        if self.simulation.step().is_err() {
            return false;
        }
        self.state.apply_tick(tick, self.simulation.events()).unwrap();
        self.money_is_conserved();
        self.every_payment_has_one_place();
        self.limits_and_capacities_hold();
        self.the_fold_equals_the_engine();
        true
    }

    /// Money comes and goes with pools alone.
    fn money_is_conserved(&mut self) {
        for event in self.simulation.events() {
            self.money += match event {
                Event::LiquidityAllocation { amount, .. } => i128::from(amount.0),
                Event::LiquidityReturn { amount, .. } => -i128::from(amount.0),
                _ => 0,
            };
        }
        assert_eq!(total(&self.simulation), self.money, "money before tick {}", self.simulation.now());
    }

    fn every_payment_has_one_place(&self) {
        let mut seen = BTreeSet::new();
        let names = &self.simulation.scenario().names;
        for bank in names.banks() {
            for id in self.simulation.queue1(bank) {
                assert!(seen.insert(id), "{id} stands twice in queues");
                let payment = self.state.payment(id).unwrap();
                assert!(payment.place == Place::Queue1 && payment.sender == bank, "{id} is elsewhere");
            }
        }
        for id in self.simulation.queue2() {
            assert!(seen.insert(id), "{id} stands twice in queues");
            assert_eq!(self.state.payment(id).unwrap().place, Place::Queue2, "{id}");
        }
        for payment in self.state.open_payments() {
            let queued = matches!(payment.place, Place::Queue1 | Place::Queue2);
            assert_eq!(queued, seen.contains(&payment.id), "{} at {:?}", payment.id, payment.place);
            assert!(payment.remaining > Cents::ZERO && payment.remaining <= payment.amount, "{}", payment.id);
        }
    }

    fn limits_and_capacities_hold(&self) {
        let scenario = self.simulation.scenario();
        // The last tick of a day forgets what was sent in it, and a pool that goes home may overdraw.
        let returned =
            self.simulation.events().iter().any(|event| matches!(event, Event::LiquidityReturn { .. }));
        for (index, bank) in scenario.names.banks().zip(&scenario.banks) {
            let folded = self.state.bank(index).unwrap();
            for (receiver, limit) in &bank.bilateral_limits {
                assert!(folded.outflow_to(*receiver) <= *limit, "{} sends more than its limit", bank.id);
            }
            if let Some(limit) = bank.multilateral_limit {
                assert!(folded.outflow <= limit, "{} sends more than its limit", bank.id);
            }
            assert!(folded.posted >= Cents::ZERO && folded.posted <= bank.collateral_capacity, "{}", bank.id);
            if let Some(budget) = &folded.budget {
                assert!(budget.remaining >= Cents::ZERO, "{} exceeds its budget", bank.id);
            }
            let within_credit = self.state.position(index).available() >= Cents::ZERO;
            assert!(
                within_credit || returned || self.overdrawn_before(index),
                "{} has no such credit",
                bank.id
            );
        }
    }

    /// Whether a returned pool of an earlier day left the bank overdrawn.
    fn overdrawn_before(&self, bank: crate::ids::BankIdx) -> bool {
        self.simulation.now().0 > TICKS_PER_DAY && self.simulation.scenario().banks[bank.at()].pool.is_some()
    }

    fn the_fold_equals_the_engine(&self) {
        for bank in self.simulation.scenario().names.banks() {
            let (engine, folded) = (self.simulation.bank(bank), self.state.bank(bank).unwrap());
            assert_eq!(engine.position.balance, folded.balance);
            assert_eq!(engine.position.posted, folded.posted);
            assert_eq!(engine.costs, folded.run_costs);
            assert!(self.simulation.queue1(bank).eq(self.state.queue1(bank).map(|payment| payment.id)));
        }
        assert!(self.simulation.queue2().eq(self.state.queue2().map(|payment| payment.id)));
    }
}

fn total(simulation: &Simulation) -> i128 {
    let banks = simulation.scenario().names.banks();
    banks.map(|bank| i128::from(simulation.bank(bank).position.balance.0)).sum()
}

/// A digest per tick of its events as stored, up to the tick that fails.
fn digests(scenario: &Arc<Scenario>) -> Vec<String> {
    let mut simulation = Simulation::new(scenario.clone());
    let mut sequence = 0;
    let mut digests = Vec::new();
    while simulation.now().0 < TICKS {
        let tick = simulation.now();
        let Ok(events) = simulation.step() else { break };
        let mut lines = String::new();
        for event in events {
            write_line(sequence, tick, event, &scenario.names, &mut lines);
            sequence += 1;
        }
        digests.push(format!("{:x?}", Sha256::digest(&lines)));
    }
    digests
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn principles_hold_after_every_tick(json in scenarios()) {
        if let Some(scenario) = resolved(&json) {
            let mut watch = Watch::new(scenario);
            while watch.simulation.now().0 < TICKS && watch.tick() {}
        }
    }

    #[test]
    fn one_seed_gives_the_same_ticks_on_every_thread(json in scenarios()) {
        if let Some(scenario) = resolved(&json) {
            let here = digests(&scenario);
            let there = std::thread::spawn(move || digests(&scenario)).join().unwrap();
            prop_assert_eq!(here, there);
        }
    }
}

#[test]
fn most_generated_scenarios_run_to_their_end() {
    let mut runner = TestRunner::deterministic();
    let (mut accepted, mut completed, mut settled) = (0, 0, 0);
    for _ in 0..100 {
        let json = scenarios().new_tree(&mut runner).unwrap().current();
        let Some(scenario) = resolved(&json) else { continue };
        accepted += 1;
        let mut watch = Watch::new(scenario);
        while watch.simulation.now().0 < TICKS && watch.tick() {}
        completed += usize::from(watch.simulation.now().0 == TICKS);
        settled += watch.simulation.metrics().total_settlements;
    }
    assert!(accepted >= 40, "only {accepted} of 100 scenarios were accepted");
    assert!(completed >= 20, "only {completed} of {accepted} ran to their end");
    assert!(settled >= 200, "only {settled} payments settled");
}
