#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::costs::Costs;
use crate::event::{CostsField, Effect, Event, HoldReason, RtgsPriority, SettlementId, Text};
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::scenario::{self, Format, NoFiles, Overrides, Scenario};
use crate::time::Tick;

const A: BankIdx = BankIdx(0);
const B: BankIdx = BankIdx(1);
const C: BankIdx = BankIdx(2);

/// Three banks with 1000 cents each, four ticks a day, two days, no costs but delay and penalties.
fn scenario(root: &str, bank_a: &str) -> Arc<Scenario> {
    let text = format!(
        "simulation: {{ticks_per_day: 4, num_days: 2, rng_seed: 1}}\n\
         cost_rates: {{delay_cost_per_tick_per_cent: 0.1, eod_penalty: 7, deadline_penalty: 5, \
         overdue_delay_multiplier: 3.0}}\n{root}\n\
         agents:\n- {{id: A, opening_balance: 1000{bank_a}}}\n- {{id: B, opening_balance: 1000}}\n\
         - {{id: C, opening_balance: 1000}}\n"
    );
    let (file, findings) = scenario::read(&text, Format::Yaml, &Overrides::default(), &NoFiles);
    Arc::new(file.unwrap_or_else(|| panic!("{findings:?}")).resolve().unwrap())
}

fn plain() -> State {
    State::new(scenario("", ""))
}

fn payment(id: u64, from: BankIdx, to: BankIdx, amount: i64) -> Event {
    due(id, from, to, amount, 6, 5)
}

fn due(id: u64, from: BankIdx, to: BankIdx, amount: i64, deadline: u64, priority: u8) -> Event {
    Event::Arrival {
        tx_id: PaymentId::numbered(id),
        sender_id: from,
        receiver_id: to,
        amount: Cents(amount),
        deadline: Tick(deadline),
        priority,
        is_divisible: false,
        parent_tx_id: None,
    }
}

fn part(id: u64, of: u64, amount: i64) -> Event {
    let Event::Arrival { sender_id, receiver_id, deadline, .. } = payment(id, A, B, amount) else {
        panic!("an arrival")
    };
    Event::Arrival {
        tx_id: PaymentId::numbered(id),
        sender_id,
        receiver_id,
        amount: Cents(amount),
        deadline,
        priority: 5,
        is_divisible: false,
        parent_tx_id: Some(PaymentId::numbered(of)),
    }
}

fn submit(id: u64, from: BankIdx, to: BankIdx, amount: i64, class: RtgsPriority) -> Event {
    Event::RtgsSubmission {
        tx_id: PaymentId::numbered(id),
        sender: from,
        receiver: to,
        amount: Cents(amount),
        internal_priority: 5,
        rtgs_priority: class,
    }
}

fn settle(id: u64, from: BankIdx, to: BankIdx, amount: i64, before: i64) -> Event {
    Event::RtgsImmediateSettlement {
        tx_id: SettlementId::Payment(PaymentId::numbered(id)),
        sender: from,
        receiver: to,
        amount: Cents(amount),
        sender_balance_before: Cents(before),
        sender_balance_after: Cents(before - amount),
    }
}

fn queued(id: u64, sender: BankIdx) -> Event {
    Event::QueuedRtgs { tx_id: PaymentId::numbered(id), sender_id: sender }
}

fn hold(id: u64, sender: BankIdx) -> Event {
    Event::PolicyHold { agent_id: sender, tx_id: PaymentId::numbered(id), reason: HoldReason::LowPriority }
}

fn split(id: u64, parts: &[u64]) -> Event {
    Event::PolicySplit {
        agent_id: A,
        tx_id: PaymentId::numbered(id),
        num_splits: parts.len() as u64,
        child_ids: parts.iter().copied().map(PaymentId::numbered).collect(),
    }
}

fn ids<'a>(payments: impl Iterator<Item = &'a Payment>) -> Vec<u64> {
    payments.filter_map(|payment| payment.id.number()).collect()
}

/// Folds the events of the next tick.
fn tick(state: &mut State, events: &[Event]) -> Result<(), FoldError> {
    state.apply_tick(state.tick(), events)
}

const NORMAL: RtgsPriority = RtgsPriority::Normal;

#[test]
fn a_settlement_moves_money_and_the_payment_is_forgotten() {
    let mut state = plain();
    tick(&mut state, &[payment(1, A, B, 300), submit(1, A, B, 300, NORMAL), settle(1, A, B, 300, 1000)])
        .unwrap();
    assert_eq!([A, B].map(|bank| state.banks()[bank.at()].balance), [Cents(700), Cents(1300)]);
    assert_eq!(state.banks()[0].outflow_to(B), Cents(300));
    assert_eq!((state.open_count(), state.sequence(), state.last_tick()), (0, 3, Some(Tick(0))));
    assert_eq!(state.changed_banks().collect::<Vec<_>>(), [A, B]);
    assert_eq!(state.banks()[0].before.balance, Cents(1000));
    tick(&mut state, &[]).unwrap();
    assert_eq!(state.changed_banks().count(), 0);
}

#[test]
fn the_state_between_two_events_can_be_seen() {
    let mut state = plain();
    state.begin_tick(Tick(0)).unwrap();
    state.apply(&payment(1, A, B, 300)).unwrap();
    assert_eq!((state.queue1_len(A), state.queue1_value(A)), (1, Cents(300)));
    let earlier = state.clone();
    state.apply(&submit(1, A, B, 300, NORMAL)).unwrap();
    assert_eq!((state.queue1_len(A), ids(state.submissions())), (0, vec![1]));
    assert_eq!(ids(earlier.queue1(A)), [1]);
    state.apply(&queued(1, A)).unwrap();
    assert_eq!((ids(state.queue2_of(A)), state.queue2_value(A)), (vec![1], Cents(300)));
    state.end_tick().unwrap();
}

#[test]
fn deferred_credits_wait_for_their_event() {
    let mut state = State::new(scenario("deferred_crediting: true", ""));
    let events = [payment(1, A, B, 300), submit(1, A, B, 300, NORMAL), settle(1, A, B, 300, 1000)];
    let credit = Event::DeferredCreditApplied {
        agent_id: B,
        amount: Cents(300),
        source_transactions: [PaymentId(1)].into(),
    };
    let problem = tick(&mut state.clone(), &events).unwrap_err().problem;
    assert_eq!(problem, Problem::NotCredited { bank: B, amount: Cents(300) });
    state.begin_tick(Tick(0)).unwrap();
    for event in &events {
        state.apply(event).unwrap();
    }
    assert_eq!((state.banks()[1].balance, state.banks()[1].pending_credit), (Cents(1000), Cents(300)));
    state.apply(&credit).unwrap();
    state.end_tick().unwrap();
    assert_eq!(state.banks()[1].balance, Cents(1300));
}

#[test]
fn parents_follow_their_parts_and_leave_with_the_last() {
    let mut state = plain();
    let events = [
        payment(1, A, B, 300),
        part(2, 1, 150),
        submit(2, A, B, 150, NORMAL),
        part(3, 1, 150),
        submit(3, A, B, 150, NORMAL),
        split(1, &[2, 3]),
        settle(2, A, B, 150, 1000),
        queued(3, A),
    ];
    tick(&mut state, &events).unwrap();
    let parent = state.payment(PaymentId(1)).unwrap();
    assert_eq!((parent.place, parent.remaining, parent.parts), (Place::Split, Cents(150), 2));
    assert_eq!(state.payment(PaymentId(3)).unwrap().split_index, Some(1));
    let release = Event::Queue2LiquidityRelease {
        tx_id: PaymentId(3),
        sender: A,
        receiver: B,
        amount: Cents(150),
        queue_wait_ticks: 1,
        release_reason: "liquidity_available".into(),
    };
    tick(&mut state, &[release]).unwrap();
    assert_eq!(state.open_count(), 0);
}

#[test]
fn queue1_is_sorted_after_escalation_and_before_decisions() {
    let mut state = State::new(scenario("queue1_ordering: priority_deadline", ""));
    let escalated = Event::PriorityEscalated {
        tx_id: PaymentId(3),
        sender_id: A,
        original_priority: 1,
        escalated_priority: 9,
        ticks_until_deadline: 3,
        boost_applied: 8,
    };
    let arrivals = [due(1, A, B, 10, 6, 5), due(2, A, B, 10, 5, 5), due(3, A, B, 10, 6, 1)];
    state.begin_tick(Tick(0)).unwrap();
    for event in arrivals.iter().chain([&escalated]) {
        state.apply(event).unwrap();
    }
    assert_eq!(ids(state.queue1(A)), [1, 2, 3]);
    state.apply(&hold(3, A)).unwrap();
    assert_eq!(ids(state.queue1(A)), [3, 2, 1]);
    // A priority that the policy sets takes effect at the next tick's sort.
    let raised = Event::TransactionReprioritized {
        agent_id: A,
        tx_id: PaymentId(1),
        old_priority: 5,
        new_priority: 10,
    };
    state.apply(&raised).unwrap();
    state.end_tick().unwrap();
    assert_eq!(ids(state.queue1(A)), [3, 2, 1]);
    tick(&mut state, &[]).unwrap();
    assert_eq!(ids(state.queue1(A)), [1, 3, 2]);
}

#[test]
fn queue2_goes_by_class_and_submission_in_priority_mode() {
    let mut state = State::new(scenario("priority_mode: true", ""));
    let classes = [NORMAL, RtgsPriority::HighlyUrgent, RtgsPriority::Urgent, RtgsPriority::HighlyUrgent];
    let mut events: Vec<_> = (1..=4).map(|id| payment(id, A, B, 10)).collect();
    events.extend((1..=4).zip(classes).map(|(id, class)| submit(id, A, B, 10, class)));
    events.extend((1..=4).map(|id| queued(id, A)));
    tick(&mut state, &events).unwrap();
    assert_eq!(ids(state.queue2()), [2, 4, 3, 1]);
}

#[test]
fn a_withdrawn_payment_stands_at_the_back_of_queue1() {
    let mut state = plain();
    tick(&mut state, &[payment(1, A, B, 10), submit(1, A, B, 10, NORMAL), queued(1, A)]).unwrap();
    let withdrawn = Event::RtgsWithdrawal { tx_id: PaymentId(1), sender: A, original_rtgs_priority: NORMAL };
    tick(&mut state, &[payment(2, A, B, 10), hold(2, A), withdrawn]).unwrap();
    assert_eq!((ids(state.queue1(A)), state.queue2_total_len()), (vec![2, 1], 0));
    assert_eq!(state.payment(PaymentId(1)).unwrap().submission, None);
}

#[test]
fn waiting_is_counted_at_the_ends_of_ticks() {
    let mut state = plain();
    // In queue 1 at the ends of ticks 0 and 1, in queue 2 from tick 2 on, overdue from tick 3 on.
    tick(&mut state, &[due(1, A, B, 100, 2, 5), hold(1, A)]).unwrap();
    tick(&mut state, &[hold(1, A)]).unwrap();
    tick(&mut state, &[submit(1, A, B, 100, NORMAL), queued(1, A)]).unwrap();
    let overdue = Event::TransactionWentOverdue {
        tx_id: PaymentId(1),
        sender_id: A,
        receiver_id: B,
        amount: Cents(100),
        remaining_amount: Cents(100),
        deadline_tick: Tick(2),
        ticks_overdue: 1,
        deadline_penalty_cost: Cents(5),
    };
    tick(&mut state, &[overdue]).unwrap();
    let expected = WaitingFigures {
        queue1_ticks: 2,
        queue2_ticks: 2,
        // Three ticks on time and one with the factor 3.
        delay_cost: Cents(60),
        penalty_cost: Cents(5 + 7),
    };
    let waiting = state.payment(PaymentId(1)).unwrap();
    assert_eq!(state.waiting(waiting), expected);
    assert_eq!(state.estimated_delay_cost(waiting, Tick(5)), Cents(60));
}

#[test]
fn drops_are_marked_and_kept() {
    let mut state = plain();
    let drop = Event::PolicyDrop { agent_id: A, tx_id: PaymentId(1), reason: "Expired deadline".into() };
    tick(&mut state, &[payment(1, A, B, 10), drop]).unwrap();
    let dropped = state.payment(PaymentId(1)).unwrap();
    assert_eq!((dropped.place, dropped.overdue_since), (Place::Dropped, Some(Tick(0))));
    assert_eq!((state.queue1_total_len(), ids(state.dropped())), (0, vec![1]));
}

#[test]
fn later_parts_are_held_back_for_the_gap_that_the_policy_names() {
    let policy = ", policy: {type: Inline, decision_trees: {version: '1', policy_id: p, payment_tree: \
         {type: action, node_id: n, action: StaggerSplit, parameters: {num_splits: {value: 3}, \
         stagger_first_now: {value: 1}, stagger_gap_ticks: {value: 2}, priority_boost_children: {value: 0}}}}}";
    let mut state = State::new(scenario("", policy));
    let events = [
        payment(1, A, B, 300),
        part(2, 1, 100),
        submit(2, A, B, 100, NORMAL),
        part(3, 1, 100),
        part(4, 1, 100),
        split(1, &[2, 3, 4]),
        settle(2, A, B, 100, 1000),
    ];
    tick(&mut state, &events).unwrap();
    let held = |id| state.payment(PaymentId(id)).unwrap().held_back;
    assert_eq!(held(3), Some(HeldBack { rank: 1, until: Some(Tick(2)) }));
    assert_eq!(held(4), Some(HeldBack { rank: 2, until: Some(Tick(4)) }));
    tick(&mut state, &[]).unwrap();
    tick(&mut state, &[hold(3, A)]).unwrap();
    assert_eq!(state.payment(PaymentId(3)).unwrap().held_back, None);
}

#[test]
fn timers_leave_when_they_are_due() {
    let mut state = State::new(scenario("", ", max_collateral_capacity: 500"));
    let post = |amount: i64, total: i64, due: u64| Event::CollateralPost {
        agent_id: A,
        amount: Cents(amount),
        reason: "UrgentLiquidityNeed".into(),
        new_total: Cents(total),
        auto_withdraw_tick: Some(Tick(due)),
    };
    // The timer of tick 0 comes after the timers' step and never fires.
    tick(&mut state, &[post(100, 100, 1), post(50, 150, 0)]).unwrap();
    assert_eq!(state.banks()[0].timers.len(), 1);
    let back = Event::CollateralTimerWithdrawn {
        agent_id: A,
        amount: Cents(100),
        original_reason: "UrgentLiquidityNeed".into(),
        posted_at_tick: Tick(0),
        new_total: Cents(50),
    };
    tick(&mut state, std::slice::from_ref(&back)).unwrap();
    assert_eq!((state.banks()[0].posted, state.banks()[0].timers.len()), (Cents(50), 0));
    assert_eq!(tick(&mut state, &[back]).unwrap_err().problem, Problem::NoTimer(A));
}

#[test]
fn a_budget_lasts_one_tick() {
    let mut state = plain();
    let budget = Event::BankBudgetSet {
        agent_id: A,
        max_value: Cents(500),
        focus_counterparties: None,
        max_per_counterparty: None,
    };
    let submitted = Event::PolicySubmit { agent_id: A, tx_id: PaymentId(1) };
    state.begin_tick(Tick(0)).unwrap();
    let events = [payment(1, A, B, 300), budget, submit(1, A, B, 300, NORMAL), submitted, queued(1, A)];
    for event in &events {
        state.apply(event).unwrap();
    }
    let budget = state.banks()[0].budget.clone().unwrap();
    assert_eq!((budget.remaining, budget.used), (Cents(200), vec![(B, Cents(300))]));
    state.end_tick().unwrap();
    tick(&mut state, &[]).unwrap();
    assert_eq!(state.banks()[0].budget, None);
}

#[test]
fn registers_keep_their_values_until_the_end_of_the_day() {
    let mut state = plain();
    let set = |new_value: f64, reason: &str, path: Option<Text>| Event::StateRegisterSet {
        agent_id: A,
        register_key: "bank_state_x".into(),
        old_value: 0.0,
        new_value,
        reason: reason.into(),
        decision_path: path,
    };
    // A policy may use the same word.
    tick(&mut state, &[set(2.5, "eod_reset", Some("N1".into()))]).unwrap();
    assert_eq!(state.banks()[0].register("bank_state_x"), 2.5);
    tick(&mut state, &[set(0.0, "eod_reset", None)]).unwrap();
    assert!(state.banks()[0].registers.is_empty());
}

#[test]
fn a_day_ends_with_costs_and_outflows_of_its_own() {
    let mut state = plain();
    let costs = Event::CostAccrual {
        agent_id: A,
        costs: CostsField { kinds: Costs::of_penalty(Cents(9)), total: Cents(9) },
    };
    let end = Event::EndOfDay { day: crate::time::Day(0), unsettled_count: 0, total_penalties: Cents(0) };
    let paid = [payment(1, A, B, 300), submit(1, A, B, 300, NORMAL), settle(1, A, B, 300, 1000)];
    tick(&mut state, &paid).unwrap();
    tick(&mut state, &[]).unwrap();
    tick(&mut state, &[]).unwrap();
    tick(&mut state, &[costs, end]).unwrap();
    assert_eq!((state.banks()[0].outflow, state.banks()[0].outflow_to(B)), (Cents(0), Cents(0)));
    assert_eq!(state.banks()[0].day_costs.penalty, Cents(9));
    tick(&mut state, &[]).unwrap();
    assert_eq!((state.banks()[0].day_costs, state.run_costs().penalty), (Costs::ZERO, Cents(9)));
}

#[test]
fn what_refuses_a_payment_is_named() {
    let limits = ", limits: {bilateral_limits: {B: 1000}, multilateral_limit: 1250}";
    let mut state = State::new(scenario("", limits));
    tick(&mut state, &[payment(1, A, B, 300), submit(1, A, B, 300, NORMAL), settle(1, A, B, 300, 1000)])
        .unwrap();
    tick(&mut state, &[payment(2, A, B, 960), hold(2, A), payment(3, A, C, 600)]).unwrap();
    let why = state.why_unsettled(PaymentId(2)).unwrap();
    assert_eq!((why.place, why.held), (Place::Queue1, Some(HoldReason::LowPriority)));
    let expected = [
        Obstacle::Liquidity { needed: Cents(960), available: Cents(700), short: Cents(260) },
        Obstacle::BilateralLimit { receiver: B, limit: Cents(1000), outflow: Cents(300), excess: Cents(260) },
        Obstacle::MultilateralLimit { limit: Cents(1250), outflow: Cents(300), excess: Cents(10) },
    ];
    assert_eq!(why.obstacles, expected);
    assert_eq!(state.why_unsettled(PaymentId(3)).unwrap().obstacles, []);
    assert_eq!(state.why_unsettled(PaymentId(1)), None);
}

#[test]
fn events_that_do_not_fit_are_refused_by_name() {
    let adjusted =
        Effect::CollateralAdjustment { agent: BankIdx(9), delta: Cents(1), new_total: Some(Cents(1)) };
    let end = Event::EndOfDay { day: crate::time::Day(0), unsettled_count: 1, total_penalties: Cents(0) };
    let elsewhere =
        Problem::Elsewhere { payment: PaymentId(1), expected: Place::Submitted, found: Place::Queue1 };
    let differs = |figure, expected, found| Problem::Differs { figure, expected, found };
    for (events, problem) in [
        (vec![hold(1, A)], Problem::UnknownPayment(PaymentId(1))),
        (vec![payment(1, A, B, 5), payment(1, A, B, 5)], Problem::PaymentOutOfOrder(PaymentId(1))),
        (vec![payment(1, A, A, 5)], Problem::SameParties(PaymentId(1))),
        (vec![payment(1, A, BankIdx(9), 5)], Problem::UnknownBank(BankIdx(9))),
        (vec![payment(1, A, B, 5), hold(1, B)], Problem::OtherParties(PaymentId(1))),
        (vec![payment(1, A, B, 5), queued(1, A)], elsewhere),
        (vec![payment(1, A, B, 5), submit(1, A, B, 5, NORMAL)], Problem::LeftSubmitted(1)),
        (
            vec![payment(1, A, B, 5), submit(1, A, B, 5, NORMAL), settle(1, A, B, 5, 900)],
            differs("the sender's balance", 1000, 900),
        ),
        (vec![payment(1, A, B, 5), submit(1, A, B, 4, NORMAL)], differs("the amount submitted", 5, 4)),
        (vec![end], differs("the number of queued payments", 0, 1)),
        (vec![adjusted.executed()], Problem::UnknownBank(BankIdx(9))),
    ] {
        assert_eq!(tick(&mut plain(), &events).unwrap_err().problem, problem, "{events:?}");
    }
    let error = plain().apply_tick(Tick(3), &[]).unwrap_err();
    assert_eq!(error.problem, Problem::TickOutOfOrder { expected: Tick(0), found: Tick(3) });
    assert_eq!(plain().apply(&hold(1, A)).unwrap_err().problem, Problem::TickBounds { open: false });
    let message = tick(&mut plain(), &[payment(1, A, B, 5), hold(2, A)]).unwrap_err().to_string();
    assert_eq!(
        message,
        "event 1 of tick 0 does not fit the state before it: payment `tx-000002` is not open"
    );
}

fn some_state() -> State {
    let mut state = plain();
    let mut events: Vec<_> = (1..=4).map(|id| payment(id, A, B, 10)).collect();
    events.extend([hold(4, A), submit(2, A, B, 10, NORMAL), queued(2, A)]);
    tick(&mut state, &events).unwrap();
    state
}

#[test]
fn a_snapshot_reads_back_and_goes_on_alike() {
    let mut state = some_state();
    let bytes = state.encode().unwrap();
    let mut read = State::decode(Arc::clone(state.scenario()), SNAPSHOT_FORMAT, &bytes).unwrap();
    assert_eq!(ids(read.queue1(A)), [1, 3, 4]);
    for state in [&mut state, &mut read] {
        tick(state, &[submit(3, A, B, 10, NORMAL), queued(3, A), payment(5, B, A, 3)]).unwrap();
    }
    assert_eq!(read.encode().unwrap(), state.encode().unwrap());
    let refused = State::decode(Arc::clone(state.scenario()), 99, &bytes).unwrap_err();
    assert_eq!(refused, SnapshotError::UnknownFormat(99));
}

proptest! {
    /// Whatever a damaged file holds, reading it is refused or gives a state that can be folded on.
    #[test]
    fn damaged_snapshots_are_no_crash(at in 0usize..400, byte: u8, cut in 0usize..400) {
        let state = some_state();
        let mut bytes = state.encode().unwrap();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % 20);
        if let Ok(mut read) = State::decode(Arc::clone(state.scenario()), SNAPSHOT_FORMAT, &bytes) {
            let _ = tick(&mut read, &[submit(3, A, B, 10, NORMAL), queued(3, A), payment(5, B, A, 3)]);
            let _ = read.open_payments().map(|payment| read.waiting(payment).delay_cost).max();
        }
    }
}
