use super::*;
use crate::ids::BankIdx;
use crate::money::Cents;
use crate::policy::{BuiltIn, Category, PolicyDocument, Toggles};
use crate::time::{Calendar, Tick};

const DOCUMENT: &str = r#"{"version": "1", "policy_id": "p", "parameters":
    {"initial_liquidity_fraction": 0.25},
    "payment_tree": {"type": "action", "node_id": "r", "action": "Release"}}"#;

#[test]
fn defaults_are_those_of_the_tables() {
    let file = accepted(&two_banks("", ""));
    let policy = Policy::fifo().unwrap();
    let agents = vec![
        Agent::new("A".into(), Cents(1000), policy.clone()),
        Agent::new("B".into(), Cents(2000), policy),
    ];
    let expected = ScenarioFile::new(Calendar { ticks_per_day: 10, num_days: 2 }, 42, agents);
    assert_eq!(file, expected);
    assert_reads_back(&file);
}

#[test]
fn the_canonical_document_names_every_key() {
    let file = accepted(&two_banks("", ""));
    let bank = |id: &str, balance: i64| {
        format!(
            "{{\"id\":\"{id}\",\"opening_balance\":{balance},\
             \"unsecured_cap\":0,\"policy\":{{\"type\":\"Fifo\"}},\
             \"arrival_config\":null,\"arrival_bands\":null,\"max_collateral_capacity\":null,\
             \"posted_collateral\":0,\"collateral_haircut\":0.02,\
             \"limits\":{{\"bilateral_limits\":{{}},\"multilateral_limit\":null}},\
             \"liquidity_pool\":null,\"liquidity_allocation_fraction\":null}}"
        )
    };
    let expected = format!(
        "{{\"simulation\":{{\"ticks_per_day\":10,\"num_days\":2,\"rng_seed\":42}},\
         \"agents\":[{},{}],\
         \"cost_rates\":{{\"overdraft_bps_per_tick\":0.001,\"delay_cost_per_tick_per_cent\":0.0001,\
         \"collateral_cost_per_tick_bps\":0.0002,\"liquidity_cost_per_tick_bps\":0.0,\
         \"eod_penalty_per_transaction\":10000,\"deadline_penalty\":50000,\"split_friction_cost\":1000,\
         \"overdue_delay_multiplier\":5.0,\"priority_delay_multipliers\":null}},\
         \"lsm_config\":{{\"enable_bilateral\":true,\"enable_cycles\":true,\"max_cycle_length\":4,\
         \"max_cycles_per_tick\":10,\"algorithm\":\"cycles\"}},\
         \"scenario_events\":[],\"payments_file\":null,\"deferred_crediting\":false,\
         \"deadline_cap_at_eod\":false,\"queue1_ordering\":\"fifo\",\"priority_mode\":false,\
         \"priority_escalation\":{{\"enabled\":false,\"curve\":\"linear\",\"start_escalating_at_ticks\":20,\
         \"max_boost\":3}},\"algorithm_sequencing\":false,\"entry_disposition_offsetting\":false,\
         \"eod_rush_threshold\":0.8,\"daily_liquidity_reallocation\":true,\
         \"policy_feature_toggles\":null,\"cost_feature_toggles\":null}}",
        bank("A", 1000),
        bank("B", 2000)
    );
    assert_eq!(file.to_json(), expected);
}

/// Every section and key once, none with its default.
fn everything() -> String {
    let bank = "unsecured_cap: 500\n\
        policy: {type: LiquidityAware, target_buffer: 0, urgency_threshold: 3}\n\
        arrival_config:\n  rate_per_tick: .inf\n  amount_distribution: \
        {type: LogNormal, mean: -1, std_dev: .inf}\n  \
        counterparty_weights: {B: 2, A: 0.5}\n  deadline_range: [3, 3]\n  priority: 7\n  divisible: true\n\
        max_collateral_capacity: 400\nposted_collateral: 400\ncollateral_haircut: 1\n\
        limits: {bilateral_limits: {B: 0}, multilateral_limit: 9}\nliquidity_pool: 100\n\
        liquidity_allocation_fraction: 0.29";
    let root = "  - id: C\n    opening_balance: -5\n    policy: {type: MockSplitting, num_splits: 2}\n    \
        arrival_bands:\n      low: {rate_per_tick: 0.5, \
        amount_distribution: {type: Exponential, lambda: 0.01}, \
        deadline_offset_min: 1, deadline_offset_max: 4, \
        counterparty_weights: {A: 0}, divisible: true}\n      urgent: null\n\
        cost_rates: {overdraft_bps_per_tick: 1, delay_cost_per_tick_per_cent: 2e-3, \
        collateral_cost_per_tick_bps: 0, \
        liquidity_cost_per_tick_bps: 0.5, eod_penalty: {mode: rate, bps_per_event: .inf}, \
        deadline_penalty: {mode: fixed, amount: 0}, split_friction_cost: 0, overdue_delay_multiplier: 1, \
        priority_delay_multipliers: {urgent_multiplier: 2}}\n\
        lsm_config: {enable_bilateral: false, enable_cycles: false, max_cycle_length: 10, \
        max_cycles_per_tick: 100, algorithm: bech_soramaki}\n\
        scenario_events:\n\
        - {type: DirectTransfer, from_agent: A, to_agent: B, amount: 1, schedule: {type: OneTime, \
        tick: 99999}}\n\
        - {type: CustomTransactionArrival, from_agent: A, to_agent: C, amount: 2, priority: 0, \
        deadline: 3, is_divisible: true, schedule: {type: Repeating, start_tick: 0, interval: 7}}\n\
        - {type: CustomTransactionArrival, from_agent: A, to_agent: C, amount: 2, priority: null, \
        deadline: null, is_divisible: null, schedule: {type: OneTime, tick: 0}}\n\
        - {type: CollateralAdjustment, agent: A, delta: -7, schedule: {type: OneTime, tick: 1}}\n\
        - {type: GlobalArrivalRateChange, multiplier: .inf, schedule: {type: OneTime, tick: 1}}\n\
        - {type: AgentArrivalRateChange, agent: A, multiplier: 2, schedule: {type: OneTime, tick: 1}}\n\
        - {type: CounterpartyWeightChange, agent: A, counterparty: C, new_weight: 1, \
        auto_balance_others: true, schedule: {type: OneTime, tick: 1}}\n\
        - {type: DeadlineWindowChange, min_ticks_multiplier: 0.5, max_ticks_multiplier: null, \
        schedule: {type: OneTime, tick: 1}}\n\
        - {type: ScheduledSettlement, from_agent: B, to_agent: A, amount: 3, schedule: {type: OneTime, \
        tick: 1}}\n\
        payments_file: {rows: [[0, A, B, 5, 0, 1], [19, C, A, 6, 10, null]]}\n\
        deferred_crediting: true\ndeadline_cap_at_eod: true\n\
        queue1_ordering: priority_deadline\npriority_mode: true\n\
        priority_escalation: {enabled: true, curve: linear, start_escalating_at_ticks: 0, max_boost: 255}\n\
        algorithm_sequencing: true\nentry_disposition_offsetting: true\neod_rush_threshold: 1\n\
        daily_liquidity_reallocation: false\npolicy_feature_toggles: {exclude: [BankAction, RtgsAction]}\n\
        cost_feature_toggles: {include: [], exclude: null}";
    two_banks(bank, root)
}

#[test]
fn every_key_is_read_and_kept() {
    let file = accepted(&everything());
    assert_reads_back(&file);
    assert_eq!(
        file.agents[0].arrivals,
        Arrivals::Single(ArrivalConfig {
            rate_per_tick: f64::INFINITY,
            amounts: AmountDistribution::LogNormal { mean: -1.0, std_dev: f64::INFINITY },
            counterparty_weights: vec![("B".into(), 2.0), ("A".into(), 0.5)],
            deadline_range: (3, 3),
            priorities: PriorityDistribution::Fixed(7),
            divisible: true,
        })
    );
    assert_eq!(file.cost_rates.priority_delay_multipliers, Some([2.0, 1.0, 1.0]));
    assert_eq!(file.cost_rates.deadline_penalty, Penalty::Fixed(Cents(0)));
    assert_eq!(
        file.policy_feature_toggles,
        Toggles::Exclude([Category::BankAction, Category::RtgsAction].into())
    );
    assert_eq!(file.events.len(), 9);
}

#[test]
fn what_is_read_is_what_runs() {
    let scenario = accepted(&everything()).resolve().unwrap();
    let [a, b, c] = [BankIdx(0), BankIdx(1), BankIdx(2)];
    assert_eq!(scenario.file_order, [a, b, c]);
    let bank = &scenario.banks[0];
    assert_eq!((bank.posted_collateral, bank.collateral_capacity), (Cents(400), Cents(400)));
    assert_eq!((bank.fraction, bank.allocation()), (0.29, Cents(28)));
    assert_eq!((&bank.bilateral_limits[..], bank.multilateral_limit), (&[(b, Cents(0))][..], Some(Cents(9))));
    assert_eq!(
        scenario.payments[1],
        FilePayment {
            tick: Tick(19),
            sender: c,
            receiver: a,
            amount: Cents(6),
            priority: 10,
            deadline: None,
        }
    );
    assert_eq!(
        scenario.events[1].action,
        ScenarioAction::CustomArrival {
            from: a,
            to: c,
            amount: Cents(2),
            priority: 0,
            deadline: Some(3),
            is_divisible: true,
        }
    );
    assert_eq!(
        scenario.events[2].action,
        ScenarioAction::CustomArrival {
            from: a,
            to: c,
            amount: Cents(2),
            priority: 5,
            deadline: None,
            is_divisible: false,
        }
    );
    assert_eq!(scenario.settings.priority_escalation, Some(Escalation { start_at_ticks: 0, max_boost: 255 }));
    assert!(!scenario.settings.daily_liquidity_reallocation && scenario.settings.priority_mode);
    assert_eq!(scenario.lsm.algorithm, LsmAlgorithm::BechSoramaki);
    let Arrivals::Bands([None, None, Some(low)]) = &scenario.banks[2].arrivals else { panic!("bands") };
    assert_eq!(low.counterparty_weights, [(a, 0.0)]);
}

#[test]
fn banks_are_indexed_by_byte_order_and_receivers_taken_in_file_order() {
    let text = "simulation: {ticks_per_day: 1, num_days: 1, rng_seed: 0}\nagents:\n\
        - {id: abc, opening_balance: 1}\n- {id: B9, opening_balance: 2}\n- {id: \" B10\", \
        opening_balance: 3}\n- {id: NO, opening_balance: 4}\n- {id: 12:30, opening_balance: 5}";
    let scenario = accepted(text).resolve().unwrap();
    let ids: Vec<&str> = scenario.names.ids().iter().map(|id| &**id).collect();
    assert_eq!(ids, [" B10", "12:30", "B9", "NO", "abc"]);
    assert_eq!(scenario.file_order, [4, 2, 0, 3, 1].map(BankIdx));
    assert_eq!(scenario.banks[2].opening_balance, Cents(2));
}

#[test]
fn null_means_absent_where_it_is_allowed() {
    let bank = "arrival_config: ~\narrival_bands: ~\nmax_collateral_capacity: ~\nposted_collateral: ~\n\
        collateral_haircut: ~\nlimits: ~\nliquidity_pool: ~\nliquidity_allocation_fraction: ~";
    let root = "scenario_events: ~\npayments_file: ~\npriority_escalation: ~\npolicy_feature_toggles: ~\n\
        cost_feature_toggles: ~\ncost_rates: {priority_delay_multipliers: ~}";
    assert_eq!(accepted(&two_banks(bank, root)), accepted(&two_banks("", "")));
    let limits = "limits: {bilateral_limits: ~, multilateral_limit: ~}";
    assert_eq!(accepted(&two_banks(limits, "")), accepted(&two_banks("", "")));
}

#[test]
fn integers_are_taken_where_floats_are_expected() {
    let file = accepted(&two_banks(
        "collateral_haircut: 0\nliquidity_allocation_fraction: 1",
        "eod_rush_threshold: 0",
    ));
    assert_eq!(file.agents[0].collateral_haircut, 0.0);
    assert_eq!(file.eod_rush_threshold, 0.0);
}

#[test]
fn the_seed_has_64_bits() {
    let text = two_banks("", "").replace("rng_seed: 42", "rng_seed: 18446744073709551615");
    let file = accepted(&text);
    assert_eq!(file.seed, u64::MAX);
    assert_reads_back(&file);
}

#[test]
fn three_forms_of_a_document_mean_the_same() {
    let inline = accepted(&two_banks(
        &format!("policy: {{type: Inline, decision_trees: {DOCUMENT}}}").replace('\n', " "),
        "",
    ));
    let quoted = DOCUMENT.replace('\n', " ").replace('\'', "''");
    let text = accepted(&two_banks(&format!("policy: {{type: InlineJson, json_string: '{quoted}'}}"), ""));
    let shelf = Shelf([("p.json", DOCUMENT.to_owned())].into());
    let from_file = two_banks("policy: {type: FromJson, json_path: p.json}", "");
    let (file, findings) = read(&from_file, Format::Yaml, &Overrides::default(), &shelf);
    assert_eq!(findings, Findings::default());
    let file = file.unwrap();
    assert_eq!(inline, text);
    assert_eq!(inline, file);
    assert_reads_back(&file);
    assert!(file.to_json().contains("\"policy\":{\"type\":\"Inline\",\"decision_trees\":{\"version\":\"1\""));
    assert_eq!(file.agents[0].fraction(), 0.25);
}

#[test]
fn a_policy_file_is_read_once_and_its_program_shared() {
    use std::cell::Cell;
    struct Counting(Cell<usize>);
    impl Files for Counting {
        fn read(&self, path: &str, kind: FileKind) -> Result<FileText, String> {
            assert_eq!((path, kind), ("p.json", FileKind::Policy));
            self.0.set(self.0.get() + 1);
            Ok(FileText { name: "p.json".to_owned(), text: DOCUMENT.to_owned() })
        }
    }
    let policy = "policy: {type: FromJson, json_path: p.json}";
    let text = two_banks(policy, &format!("    {policy}"));
    let counting = Counting(Cell::new(0));
    let (file, _) = read(&text, Format::Yaml, &Overrides::default(), &counting);
    assert_eq!(counting.0.get(), 1);
    let scenario = file.unwrap().resolve().unwrap();
    assert!(std::sync::Arc::ptr_eq(&scenario.banks[0].policy, &scenario.banks[1].policy));
}

#[test]
fn overrides_act_before_anything_is_checked() {
    let text =
        two_banks("", "").replace("rng_seed: 42", "rng_seed: nonsense").replace("ticks_per_day: 10, ", "");
    let overrides = Overrides { seed: Some(7), ticks: Some(33), strict: false };
    let (file, findings) = read(&text, Format::Yaml, &overrides, &NoFiles);
    assert_eq!(findings, Findings::default());
    let file = file.unwrap();
    assert_eq!((file.seed, file.calendar), (7, Calendar { ticks_per_day: 33, num_days: 1 }));
    let none = Overrides { ticks: Some(0), ..Overrides::default() };
    assert!(read(&text, Format::Yaml, &none, &NoFiles).0.is_none());
}

#[test]
fn unknown_keys_are_warnings_with_the_nearest_name_and_errors_if_strict() {
    let bank = "opening_balanse: 5\narrival_config: {rate_per_tick: 1, \
    amount_distribution: {type: Uniform, min: 0, max: 1, std_dev: 3}, \
        counterparty_weights: {B: 1}, deadline_range: [1, 2], diviseble: true}\n\
        policy: {type: Fifo, urgency_threshold: 3}";
    let text = two_banks(bank, "zebra: 1\nlsm_config: {enable_bilaterl: true}");
    let warnings = warnings_of(&text);
    assert_eq!(
        warnings,
        [
            "unknown key `std_dev` (line 6, column 93, agents[0].arrival_config.amount_distribution.std_dev)",
            "unknown key `diviseble`, did you mean `divisible`? (line 6, column 160, \
            agents[0].arrival_config.diviseble)",
            "unknown key `opening_balanse`, did you mean `opening_balance`? (line 5, column 5, \
            agents[0].opening_balanse)",
            "unknown key `enable_bilaterl`, did you mean `enable_bilateral`? (line 11, column 14, \
            lsm_config.enable_bilaterl)",
            "unknown key `zebra` (line 10, column 1, zebra)",
            "unknown key `urgency_threshold` (line 7, column 26, agents[0].policy.urgency_threshold)",
        ]
    );
    let strict = Overrides { strict: true, ..Overrides::default() };
    let (file, findings) = read(&text, Format::Yaml, &strict, &NoFiles);
    assert!(file.is_none());
    assert_eq!(findings.errors().count(), warnings.len());
}

#[test]
fn a_curve_other_than_linear_is_a_warning() {
    let warnings = warnings_of(&two_banks("", "priority_escalation: {enabled: true, curve: steep}"));
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("there is no curve `steep`"));
}

#[test]
fn of_two_end_of_day_penalties_the_longer_name_wins() {
    let text = two_banks("", "cost_rates: {eod_penalty: nonsense, eod_penalty_per_transaction: 7}");
    let warnings = warnings_of(&text);
    assert!(warnings.len() == 1 && warnings[0].contains("`eod_penalty` is ignored"), "{warnings:?}");
    let (file, _) = read_text(&text);
    assert_eq!(file.unwrap().cost_rates.eod_penalty, Penalty::Fixed(Cents(7)));
    let alone = accepted(&two_banks("", "cost_rates: {eod_penalty: 8}"));
    assert_eq!(alone.cost_rates.eod_penalty, Penalty::Fixed(Cents(8)));
}

#[test]
fn a_band_drops_the_weight_of_an_unknown_bank_with_a_warning() {
    let bank = "arrival_bands: {urgent: {rate_per_tick: 1, amount_distribution: {type: Normal, mean: 0, \
    std_dev: 1}, \
        deadline_offset_min: 1, deadline_offset_max: 1, counterparty_weights: {NOBODY: 1, B: 0}}}";
    let text = two_banks(bank, "");
    assert_eq!(
        warnings_of(&text),
        ["unknown bank `NOBODY` (line 5, column 177, \
            agents[0].arrival_bands.urgent.counterparty_weights.NOBODY)"]
    );
    let file = read_text(&text).0.unwrap();
    let Arrivals::Bands([Some(urgent), None, None]) = &file.agents[0].arrivals else { panic!("bands") };
    assert_eq!(urgent.counterparty_weights, [("B".into(), 0.0)]);
    assert_reads_back(&file);
}

#[test]
fn anchors_and_merge_keys_serve_scenarios() {
    let text = "simulation: {ticks_per_day: 1, num_days: 1, rng_seed: 1}\nagents:\n\
        - &bank {id: A, opening_balance: 5, unsecured_cap: 7}\n- {<<: *bank, id: B}";
    let file = accepted(text);
    assert_eq!((&*file.agents[1].id, file.agents[1].unsecured_cap), ("B", Cents(7)));
}

#[test]
fn experiments_change_scenarios_as_values() {
    let mut file = accepted(&two_banks("liquidity_pool: 100", ""));
    let document = PolicyDocument::from_json_text(DOCUMENT, "", &mut Findings::default()).unwrap();
    let policy = Policy::new(PolicySpec::Document(document.into())).unwrap();
    file.set_liquidity_fraction("A", Some(0.5)).unwrap();
    assert_eq!(file.resolve().unwrap().banks[0].allocation(), Cents(50));
    file.set_policy("A", policy.clone()).unwrap();
    let scenario = file.resolve().unwrap();
    assert_eq!(scenario.banks[0].allocation(), Cents(25));
    assert!(std::sync::Arc::ptr_eq(&scenario.banks[0].policy, policy.program()));
    assert_eq!(file.set_policy("Z", policy).unwrap_err(), UnknownBank("Z".to_owned()));
    assert!(Policy::new(PolicySpec::BuiltIn(BuiltIn::MockSplitting { num_splits: 1 })).is_err());
    file.set_liquidity_fraction("B", Some(1.5)).unwrap();
    assert!(file.resolve().is_err());
}

#[test]
fn settings_are_addressed_by_path() {
    let mut document = accepted(&two_banks("", "")).to_node();
    let set = |document: &mut crate::document::Node, path: &str, value| {
        path.parse::<SettingPath>().unwrap().set(document, &crate::document::Value::Int(value))
    };
    assert_eq!(set(&mut document, "cost_rates.delay_cost_per_tick_per_cent", 3), 1);
    assert_eq!(set(&mut document, "agents[B].liquidity_pool", 50), 1);
    assert_eq!(set(&mut document, "agents[*].unsecured_cap", 9), 2);
    assert_eq!(set(&mut document, "agents[Z].unsecured_cap", 9), 0);
    assert_eq!(set(&mut document, "cost_rates.nothing", 9), 0);
    for (path, meant) in [
        ("cost_rate.split_friction_cost", Some("cost_rates.split_friction_cost")),
        ("agents[*].unsecured_cup", Some("agents[*].unsecured_cap")),
        ("agents[b].unsecured_cap", Some("agents[B].unsecured_cap")),
        ("lsm_config.enable_cycle", Some("lsm_config.enable_cycles")),
        ("agents[A].liquidity_pool.size", None),
        ("weather", None),
    ] {
        let path: SettingPath = path.parse().unwrap();
        assert_eq!(path.nearest(&document).as_deref(), meant, "{path}");
    }
    let (file, findings) = read_node(document, &Overrides::default(), &NoFiles);
    assert_eq!(findings, Findings::default());
    let file = file.unwrap();
    assert_eq!(file.cost_rates.delay_cost_per_tick_per_cent, 3.0);
    assert_eq!(file.agents[1].liquidity_pool, Some(Cents(50)));
    assert!(file.agents.iter().all(|agent| agent.unsecured_cap == Cents(9)));
    for bad in ["", ".a", "a.", "a[", "a[]", "a[x]b", "[x]"] {
        assert!(bad.parse::<SettingPath>().is_err(), "{bad}");
    }
    assert_eq!("agents[*].a.b[0]".parse::<SettingPath>().unwrap().to_string(), "agents[*].a.b[0]");
}

#[test]
fn the_reader_goes_by_the_suffix() {
    assert_eq!(Format::of("a/b.yaml"), Some(Format::Yaml));
    assert_eq!(Format::of("b.yml"), Some(Format::Yaml));
    assert_eq!(Format::of("b.json"), Some(Format::Json));
    assert_eq!((Format::of("b.toml"), Format::of("json")), (None, None));
}
