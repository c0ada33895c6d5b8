//! A scenario as one canonical document: `config_json` (spec 06, 2.1).
//!
//! Every key of spec 01, 2 stands there with its value, in the order of the tables of that document.
//! Keys that are still null have no other value: no pool, no limit, the capacity that follows from
//! the cap, no payments file. Reading the document gives an equal [`ScenarioFile`].

use super::file::{Agent, ScenarioFile};
use super::model::{
    AmountDistribution, Arrivals, CostRates, FilePayment, Penalty, PriorityDistribution, ScenarioAction,
    Schedule, ScheduledEvent,
};
use super::read::words::{BANDS, DEFAULT_PRIORITY, LSM_ALGORITHMS, QUEUE1_ORDERS};
use crate::document::{Entry, Node, Value};
use crate::event::Text;
use crate::finding::Position;
use crate::money::Cents;
use crate::policy::{Category, CostCategory, Toggles};

impl ScenarioFile {
    /// The canonical text of the scenario, one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_node().to_json_text()
    }

    /// The canonical document of the scenario. Change it and give it to
    /// [`read_node`](super::read_node) to vary any setting by its path.
    #[must_use]
    pub fn to_node(&self) -> Node {
        Node::map([
            ("simulation", self.simulation_node()),
            ("agents", list(self.agents.iter().map(agent))),
            ("cost_rates", cost_rates(&self.cost_rates)),
            ("lsm_config", self.lsm_node()),
            ("scenario_events", list(self.events.iter().map(event))),
            ("payments_file", or_null(self.payments.as_deref(), payments)),
            ("deferred_crediting", boolean(self.deferred_crediting)),
            ("deadline_cap_at_eod", boolean(self.deadline_cap_at_eod)),
            ("queue1_ordering", word(&QUEUE1_ORDERS, self.queue1_ordering)),
            ("priority_mode", boolean(self.priority_mode)),
            ("priority_escalation", self.escalation_node()),
            ("algorithm_sequencing", boolean(self.algorithm_sequencing)),
            ("entry_disposition_offsetting", boolean(self.entry_disposition_offsetting)),
            ("eod_rush_threshold", float(self.eod_rush_threshold)),
            ("daily_liquidity_reallocation", boolean(self.daily_liquidity_reallocation)),
            ("policy_feature_toggles", toggles(&self.policy_feature_toggles, Category::name)),
            ("cost_feature_toggles", toggles(&self.cost_feature_toggles, CostCategory::name)),
        ])
    }

    fn simulation_node(&self) -> Node {
        Node::map([
            ("ticks_per_day", Node::int(self.calendar.ticks_per_day)),
            ("num_days", Node::int(self.calendar.num_days)),
            ("rng_seed", Node::int(self.seed)),
        ])
    }

    fn lsm_node(&self) -> Node {
        let lsm = &self.lsm_config;
        Node::map([
            ("enable_bilateral", boolean(lsm.enable_bilateral)),
            ("enable_cycles", boolean(lsm.enable_cycles)),
            ("max_cycle_length", Node::int(lsm.max_cycle_length as u64)),
            ("max_cycles_per_tick", Node::int(lsm.max_cycles_per_tick as u64)),
            ("algorithm", word(&LSM_ALGORITHMS, lsm.algorithm)),
        ])
    }

    fn escalation_node(&self) -> Node {
        let escalation = self.priority_escalation.escalation;
        Node::map([
            ("enabled", boolean(self.priority_escalation.enabled)),
            ("curve", Node::text("linear")),
            ("start_escalating_at_ticks", Node::int(escalation.start_at_ticks)),
            ("max_boost", Node::int(escalation.max_boost)),
        ])
    }
}

fn list(items: impl IntoIterator<Item = Node>) -> Node {
    Node::new(Value::List(items.into_iter().collect()))
}

fn boolean(value: bool) -> Node {
    Node::new(Value::Bool(value))
}

fn float(value: f64) -> Node {
    Node::new(Value::Float(value))
}

fn cents(amount: Cents) -> Node {
    Node::int(amount.get())
}

fn or_null<T>(value: Option<T>, write: impl FnOnce(T) -> Node) -> Node {
    value.map_or_else(|| Node::new(Value::Null), write)
}

fn word<T: PartialEq>(words: &[(&str, T)], value: T) -> Node {
    let found = words.iter().find(|(_, known)| *known == value);
    or_null(found, |(name, _)| Node::text(*name))
}

fn by_bank<T: Copy>(named: &[(Text, T)], write: impl Fn(T) -> Node) -> Node {
    let at = Position::default();
    let entry = |(id, value): &(Text, T)| Entry { key: id.to_string(), at, node: write(*value) };
    Node::new(Value::Map(named.iter().map(entry).collect()))
}

fn agent(agent: &Agent) -> Node {
    let (single, bands) = match &agent.arrivals {
        Arrivals::None => (None, None),
        Arrivals::Single(config) => (Some(config), None),
        Arrivals::Bands(bands) => (None, Some(bands)),
    };
    let single = or_null(single, |config| {
        let (priority, distribution) = match &config.priorities {
            PriorityDistribution::Fixed(priority) => (*priority, None),
            other => (DEFAULT_PRIORITY, Some(other)),
        };
        Node::map([
            ("rate_per_tick", float(config.rate_per_tick)),
            ("amount_distribution", amounts(config.amounts)),
            ("counterparty_weights", by_bank(&config.counterparty_weights, float)),
            ("deadline_range", list([config.deadline_range.0, config.deadline_range.1].map(Node::int))),
            ("priority", Node::int(priority)),
            ("priority_distribution", or_null(distribution, priorities)),
            ("divisible", boolean(config.divisible)),
        ])
    });
    let bands = or_null(bands, |bands| {
        Node::map(BANDS.iter().zip(bands).map(|(name, band)| {
            let band = or_null(band.as_ref(), |band| {
                Node::map([
                    ("rate_per_tick", float(band.rate_per_tick)),
                    ("amount_distribution", amounts(band.amounts)),
                    ("deadline_offset_min", Node::int(band.deadline_range.0)),
                    ("deadline_offset_max", Node::int(band.deadline_range.1)),
                    ("counterparty_weights", by_bank(&band.counterparty_weights, float)),
                    ("divisible", boolean(band.divisible)),
                ])
            });
            (name.name(), band)
        }))
    });
    let limits = Node::map([
        ("bilateral_limits", by_bank(&agent.limits.bilateral, cents)),
        ("multilateral_limit", or_null(agent.limits.multilateral, cents)),
    ]);
    Node::map([
        ("id", Node::text(&*agent.id)),
        ("opening_balance", cents(agent.opening_balance)),
        ("unsecured_cap", cents(agent.unsecured_cap)),
        ("policy", agent.policy.to_node()),
        ("arrival_config", single),
        ("arrival_bands", bands),
        ("max_collateral_capacity", or_null(agent.max_collateral_capacity, cents)),
        ("posted_collateral", cents(agent.posted_collateral)),
        ("collateral_haircut", float(agent.collateral_haircut)),
        ("limits", limits),
        ("liquidity_pool", or_null(agent.liquidity_pool, cents)),
        ("liquidity_allocation_fraction", or_null(agent.liquidity_allocation_fraction, float)),
    ])
}

fn amounts(amounts: AmountDistribution) -> Node {
    let (kind, first, second) = match amounts {
        AmountDistribution::Normal { mean, std_dev } => {
            ("Normal", ("mean", Node::int(mean)), Some(("std_dev", Node::int(std_dev))))
        }
        AmountDistribution::LogNormal { mean, std_dev } => {
            ("LogNormal", ("mean", float(mean)), Some(("std_dev", float(std_dev))))
        }
        AmountDistribution::Uniform { min, max } => {
            ("Uniform", ("min", Node::int(min)), Some(("max", Node::int(max))))
        }
        AmountDistribution::Exponential { lambda } => ("Exponential", ("lambda", float(lambda)), None),
    };
    Node::map([("type", Node::text(kind)), first].into_iter().chain(second))
}

fn priorities(priorities: &PriorityDistribution) -> Node {
    match priorities {
        PriorityDistribution::Fixed(value) => {
            Node::map([("type", Node::text("Fixed")), ("value", Node::int(*value))])
        }
        PriorityDistribution::Categorical { values, weights } => Node::map([
            ("type", Node::text("Categorical")),
            ("values", list(values.iter().map(|value| Node::int(*value)))),
            ("weights", list(weights.iter().map(|weight| float(*weight)))),
        ]),
        PriorityDistribution::Uniform { min, max } => {
            Node::map([("type", Node::text("Uniform")), ("min", Node::int(*min)), ("max", Node::int(*max))])
        }
    }
}

fn cost_rates(rates: &CostRates) -> Node {
    let multipliers = or_null(rates.priority_delay_multipliers, |[urgent, normal, low]| {
        Node::map([
            ("urgent_multiplier", float(urgent)),
            ("normal_multiplier", float(normal)),
            ("low_multiplier", float(low)),
        ])
    });
    Node::map([
        ("overdraft_bps_per_tick", float(rates.overdraft_bps_per_tick)),
        ("delay_cost_per_tick_per_cent", float(rates.delay_cost_per_tick_per_cent)),
        ("collateral_cost_per_tick_bps", float(rates.collateral_cost_per_tick_bps)),
        ("liquidity_cost_per_tick_bps", float(rates.liquidity_cost_per_tick_bps)),
        ("eod_penalty_per_transaction", penalty(rates.eod_penalty)),
        ("deadline_penalty", penalty(rates.deadline_penalty)),
        ("split_friction_cost", cents(rates.split_friction_cost)),
        ("overdue_delay_multiplier", float(rates.overdue_delay_multiplier)),
        ("priority_delay_multipliers", multipliers),
    ])
}

fn penalty(penalty: Penalty) -> Node {
    match penalty {
        Penalty::Fixed(amount) => cents(amount),
        Penalty::Rate(bps) => Node::map([("mode", Node::text("rate")), ("bps_per_event", float(bps))]),
    }
}

fn event(event: &ScheduledEvent<Text>) -> Node {
    let bank = |id: &Text| Node::text(&**id);
    let transfer = |from, to, amount| {
        vec![("from_agent", bank(from)), ("to_agent", bank(to)), ("amount", cents(amount))]
    };
    let (kind, keys) = match &event.action {
        ScenarioAction::DirectTransfer { from, to, amount } => {
            ("DirectTransfer", transfer(from, to, *amount))
        }
        ScenarioAction::CustomArrival { from, to, amount, priority, deadline, is_divisible } => {
            let mut keys = transfer(from, to, *amount);
            keys.push(("priority", Node::int(*priority)));
            keys.push(("deadline", or_null(*deadline, Node::int)));
            keys.push(("is_divisible", boolean(*is_divisible)));
            ("CustomTransactionArrival", keys)
        }
        ScenarioAction::CollateralAdjustment { agent, delta } => {
            ("CollateralAdjustment", vec![("agent", bank(agent)), ("delta", cents(*delta))])
        }
        ScenarioAction::GlobalArrivalRate { multiplier } => {
            ("GlobalArrivalRateChange", vec![("multiplier", float(*multiplier))])
        }
        ScenarioAction::AgentArrivalRate { agent, multiplier } => {
            ("AgentArrivalRateChange", vec![("agent", bank(agent)), ("multiplier", float(*multiplier))])
        }
        ScenarioAction::CounterpartyWeight { agent, counterparty, new_weight, auto_balance_others } => (
            "CounterpartyWeightChange",
            vec![
                ("agent", bank(agent)),
                ("counterparty", bank(counterparty)),
                ("new_weight", float(*new_weight)),
                ("auto_balance_others", boolean(*auto_balance_others)),
            ],
        ),
        ScenarioAction::DeadlineWindow { min_multiplier, max_multiplier } => (
            "DeadlineWindowChange",
            vec![
                ("min_ticks_multiplier", or_null(*min_multiplier, float)),
                ("max_ticks_multiplier", or_null(*max_multiplier, float)),
            ],
        ),
        ScenarioAction::ScheduledSettlement { from, to, amount } => {
            ("ScheduledSettlement", transfer(from, to, *amount))
        }
    };
    let schedule = match event.schedule {
        Schedule::OneTime { tick } => {
            Node::map([("type", Node::text("OneTime")), ("tick", Node::int(tick.0))])
        }
        Schedule::Repeating { start_tick, interval } => Node::map([
            ("type", Node::text("Repeating")),
            ("start_tick", Node::int(start_tick.0)),
            ("interval", Node::int(interval)),
        ]),
    };
    let first = [("type", Node::text(kind))];
    Node::map(first.into_iter().chain(keys).chain([("schedule", schedule)]))
}

fn payments(payments: &[FilePayment<Text>]) -> Node {
    let row = |payment: &FilePayment<Text>| {
        list([
            Node::int(payment.tick.0),
            Node::text(&*payment.sender),
            Node::text(&*payment.receiver),
            cents(payment.amount),
            Node::int(payment.priority),
            or_null(payment.deadline, |deadline| Node::int(deadline.0)),
        ])
    };
    Node::map([("rows", list(payments.iter().map(row)))])
}

fn toggles<C: Copy>(toggles: &Toggles<C>, name: impl Fn(C) -> &'static str) -> Node {
    let (key, set) = match toggles {
        Toggles::Everything => return Node::new(Value::Null),
        Toggles::Include(set) => ("include", set),
        Toggles::Exclude(set) => ("exclude", set),
    };
    let names = list(set.iter().map(|category| Node::text(name(*category))));
    Node::map(
        ["include", "exclude"]
            .map(|known| (known, if known == key { names.clone() } else { Node::new(Value::Null) })),
    )
}
