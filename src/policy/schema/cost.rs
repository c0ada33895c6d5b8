//! The listing of costs (spec 04, 11.3; what they mean: spec 03, 7 to 11).

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{COST_CATEGORIES, GENERATED_AT, Selection, VERSION};
use crate::policy::category::CostCategory;

/// An example of a cost.
#[derive(Debug)]
pub struct CostExample {
    /// The case.
    pub scenario: &'static str,
    /// Its figures.
    pub inputs: &'static [(&'static str, &'static str)],
    /// How the cost follows.
    pub calculation: &'static str,
    /// The cost.
    pub result: &'static str,
}

/// A cost rate of a scenario.
#[derive(Debug)]
pub struct CostRow {
    /// Its key in `cost_rates`.
    pub name: &'static str,
    /// Name in words.
    pub title: &'static str,
    /// Category.
    pub category: CostCategory,
    /// One line.
    pub help: &'static str,
    /// When it is charged.
    pub incurred: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Default, as text.
    pub default: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// Type.
    pub data_type: &'static str,
    /// Names of related costs.
    pub see_also: &'static [&'static str],
    /// An example.
    pub example: CostExample,
    /// Version of the listing that has it.
    pub added_in: &'static str,
}

const PENALTY_TYPE: &str = "fixed amount (integer) or rate `bps_per_event` (real)";

/// All costs.
pub const COSTS: &[CostRow] = &[
    CostRow {
        name: "overdraft_bps_per_tick",
        title: "Overdraft Cost",
        category: CostCategory::PerTick,
        help: "Charged on a negative balance at the end of the tick.",
        incurred: "In every tick that ends with a negative balance.",
        formula: "-balance × overdraft_bps_per_tick / 10000",
        default: "0.001",
        unit: "basis points per tick",
        data_type: "f64",
        see_also: &["collateral_cost_per_tick_bps"],
        example: CostExample {
            scenario: "A bank ends the tick 50,000,000 cents in overdraft at 0.5 basis points.",
            inputs: &[("balance", "-50000000"), ("overdraft_bps_per_tick", "0.5")],
            calculation: "50000000 × 0.5 / 10000",
            result: "2500 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "delay_cost_per_tick_per_cent",
        title: "Delay Cost",
        category: CostCategory::PerTick,
        help: "Charged on every payment that waits in queue 1 or queue 2.",
        incurred: "In every tick that a payment ends in a queue.",
        formula: "sum of remaining_amount × weight × delay_cost_per_tick_per_cent,\n\
                  rounded once per bank and tick",
        default: "0.0001",
        unit: "cost per cent per tick",
        data_type: "f64",
        see_also: &["overdue_delay_multiplier", "priority_delay_multipliers"],
        example: CostExample {
            scenario: "One payment of 100,000 cents waits for a tick.",
            inputs: &[("remaining_amount", "100000"), ("delay_cost_per_tick_per_cent", "0.0001")],
            calculation: "100000 × 0.0001",
            result: "10 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "collateral_cost_per_tick_bps",
        title: "Collateral Opportunity Cost",
        category: CostCategory::PerTick,
        help: "Charged on posted collateral, before haircut.",
        incurred: "In every tick that ends with posted collateral.",
        formula: "posted_collateral × collateral_cost_per_tick_bps / 10000",
        default: "0.0002",
        unit: "basis points per tick",
        data_type: "f64",
        see_also: &["overdraft_bps_per_tick", "liquidity_cost_per_tick_bps"],
        example: CostExample {
            scenario: "A bank has 100,000,000 cents of collateral posted.",
            inputs: &[("posted_collateral", "100000000"), ("collateral_cost_per_tick_bps", "0.0002")],
            calculation: "100000000 × 0.0002 / 10000",
            result: "2 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "liquidity_cost_per_tick_bps",
        title: "Liquidity Opportunity Cost",
        category: CostCategory::PerTick,
        help: "Charged on the liquidity allocated from the bank's pool, however much of it was spent.",
        incurred: "In every tick of a bank with a liquidity pool.",
        formula: "allocated_liquidity × liquidity_cost_per_tick_bps / 10000",
        default: "0.0",
        unit: "basis points per tick",
        data_type: "f64",
        see_also: &["collateral_cost_per_tick_bps"],
        example: CostExample {
            scenario: "A bank allocated 1,000,000 cents for the day at 15 basis points.",
            inputs: &[("allocated_liquidity", "1000000"), ("liquidity_cost_per_tick_bps", "15")],
            calculation: "1000000 × 15 / 10000",
            result: "1500 cents",
        },
        added_in: "1.1",
    },
    CostRow {
        name: "deadline_penalty",
        title: "Deadline Penalty",
        category: CostCategory::OneTime,
        help: "Charged once when a payment goes overdue.",
        incurred: "In the first tick after the deadline that a payment ends in a queue.",
        formula: "fixed: amount\nrate: payment amount × bps_per_event / 10000",
        default: "Fixed { amount: 50,000 }",
        unit: "cents (resolved)",
        data_type: PENALTY_TYPE,
        see_also: &["overdue_delay_multiplier", "eod_penalty"],
        example: CostExample {
            scenario: "A payment of 1,000,000 cents goes overdue, with a rate of 50 basis points.",
            inputs: &[("amount", "1000000"), ("bps_per_event", "50")],
            calculation: "1000000 × 50 / 10000",
            result: "5000 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "split_friction_cost",
        title: "Split Friction Cost",
        category: CostCategory::OneTime,
        help: "Charged for the work of splitting a payment.",
        incurred: "When a policy splits a payment.",
        formula: "split_friction_cost × (parts - 1)",
        default: "1,000",
        unit: "cents per split",
        data_type: "i64",
        see_also: &[],
        example: CostExample {
            scenario: "A payment is split into 4 parts.",
            inputs: &[("split_friction_cost", "1000"), ("parts", "4")],
            calculation: "1000 × (4 - 1)",
            result: "3000 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "eod_penalty",
        title: "End-of-Day Penalty",
        category: CostCategory::Daily,
        help: "Charged for every payment due by the end of the day that is still in a queue.",
        incurred: "At the end of the last tick of each day.",
        formula: "fixed: amount\nrate: remaining amount × bps_per_event / 10000",
        default: "Fixed { amount: 10,000 }",
        unit: "cents (resolved per tx)",
        data_type: PENALTY_TYPE,
        see_also: &["deadline_penalty"],
        example: CostExample {
            scenario: "Three overdue payments are left at the end of the day.",
            inputs: &[("payments", "3"), ("amount", "10000")],
            calculation: "3 × 10000",
            result: "30000 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "overdue_delay_multiplier",
        title: "Overdue Delay Multiplier",
        category: CostCategory::Modifier,
        help: "Raises the delay cost of overdue payments.",
        incurred: "With the delay cost of every overdue payment.",
        formula: "delay cost × overdue_delay_multiplier",
        default: "5.0",
        unit: "multiplier",
        data_type: "f64",
        see_also: &["delay_cost_per_tick_per_cent", "deadline_penalty"],
        example: CostExample {
            scenario: "An overdue payment has a delay cost of 10 cents per tick.",
            inputs: &[("delay_cost", "10"), ("overdue_delay_multiplier", "5.0")],
            calculation: "10 × 5.0",
            result: "50 cents",
        },
        added_in: "1.0",
    },
    CostRow {
        name: "priority_delay_multipliers",
        title: "Priority Delay Multipliers",
        category: CostCategory::Modifier,
        help: "Scale the delay cost by the payment's priority: urgent 8 to 10, normal 4 to 7, low 0 to 3.",
        incurred: "With the delay cost of every payment.",
        formula: "delay cost × multiplier of the payment's priority band",
        default: "None (all priorities use same rate)",
        unit: "multiplier struct",
        data_type: "optional mapping",
        see_also: &["delay_cost_per_tick_per_cent", "overdue_delay_multiplier"],
        example: CostExample {
            scenario: "A payment of priority 9 waits, the multiplier of urgent payments is 1.5.",
            inputs: &[("delay_cost", "10"), ("urgent_multiplier", "1.5")],
            calculation: "10 × 1.5",
            result: "15 cents",
        },
        added_in: "1.0",
    },
];

/// What of the costs is listed, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CostFilter {
    /// Categories.
    pub categories: Selection<CostCategory>,
    /// Names; none means all.
    pub include: Vec<String>,
    /// Names to leave out.
    pub exclude: Vec<String>,
    /// Leave examples out.
    pub no_examples: bool,
    /// One table, in markdown.
    pub compact: bool,
}

impl CostFilter {
    fn rows(&self) -> impl Iterator<Item = &'static CostRow> {
        COSTS.iter().filter(|row| {
            let named = |names: &[String]| names.iter().any(|name| name == row.name);
            let included = self.include.is_empty() || named(&self.include);
            included && !named(&self.exclude) && self.categories.keeps(row.category)
        })
    }
}

/// The listing as a JSON object: `version`, `generated_at`, `cost_types`.
#[must_use]
pub fn cost_json(filter: &CostFilter) -> Json {
    let cost = |row: &CostRow| {
        let CostExample { scenario, inputs, calculation, result } = &row.example;
        let example = json!({
            "scenario": scenario,
            "inputs": inputs,
            "calculation": calculation,
            "result": result,
        });
        json!({
            "name": row.name,
            "display_name": row.title,
            "category": row.category.name(),
            "description": row.help,
            "incurred_at": row.incurred,
            "formula": row.formula,
            "default_value": row.default,
            "unit": row.unit,
            "data_type": row.data_type,
            "source_location": null,
            "see_also": row.see_also,
            "example": if filter.no_examples { Json::Null } else { example },
            "added_in": row.added_in,
        })
    };
    let costs: Vec<Json> = filter.rows().map(cost).collect();
    json!({"version": VERSION, "generated_at": GENERATED_AT, "cost_types": costs})
}

const fn heading(category: CostCategory) -> &'static str {
    match category {
        CostCategory::PerTick => "Per-Tick Costs",
        CostCategory::OneTime => "One-Time Penalties",
        CostCategory::Daily => "Daily Penalties",
        CostCategory::Modifier => "Cost Modifiers",
    }
}

/// The listing as markdown.
#[must_use]
pub fn cost_markdown(filter: &CostFilter) -> String {
    let mut out = format!("# Cost Types Reference\n\n> Generated: {GENERATED_AT}\n> Version: {VERSION}\n");
    if filter.compact {
        out.push_str("\n| Cost Type | Category | Default | Unit | Description |\n|---|---|---|---|---|\n");
        for CostRow { name, title, category, default, unit, .. } in filter.rows() {
            let _ = writeln!(out, "| `{name}` | {} | {default} | {unit} | {title} |", category.name());
        }
        return out;
    }
    for category in COST_CATEGORIES {
        let mut rows = filter.rows().filter(|row| row.category == category).peekable();
        if rows.peek().is_some() {
            let _ = write!(out, "\n## {}\n", heading(category));
        }
        for row in rows {
            write_cost(row, filter.no_examples, &mut out);
        }
    }
    out
}

fn write_cost(row: &CostRow, no_examples: bool, out: &mut String) {
    let CostRow { name, title, help, incurred, formula, default, unit, data_type, .. } = row;
    let _ = write!(out, "\n### {title} (`{name}`)\n\n{help}\n");
    let _ = write!(out, "\n**When Incurred:** {incurred}\n\n**Formula:**\n\n```\n{formula}\n```\n");
    let _ = write!(out, "\n**Default:** `{default}` ({unit})\n\n**Type:** {data_type}\n");
    if !no_examples {
        let CostExample { scenario, inputs, calculation, result } = &row.example;
        let _ = write!(out, "\n**Example:**\n\n{scenario}\n\n");
        for (input, value) in *inputs {
            let _ = writeln!(out, "- `{input}`: {value}");
        }
        let _ = write!(out, "\n{calculation} = **{result}**\n");
    }
    if !row.see_also.is_empty() {
        let names: Vec<String> = row.see_also.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(out, "\n**See also:** {}\n", names.join(", "));
    }
    out.push_str("\n---\n");
}
