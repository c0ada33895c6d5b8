//! One payment, one bank, two runs or simulations beside each other.

use super::{EventRow, Row, RunDetail, SimulationFilter};
use crate::explorer::filter::{EventFilter, FilterOf};
use crate::money::Cents;

/// A fact in words, with its value.
pub type Fact = (String, String);

/// A payment from its arrival to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PaymentStory {
    pub facts: Vec<Fact>,
    /// Its parts, if it was split: id, amount, what became of it.
    pub parts: Vec<(String, Cents, String)>,
    /// Everything that concerns it, in order.
    pub events: Vec<EventRow>,
}

/// A bank and another one that it paid or was paid by.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterparty {
    pub bank: String,
    pub sent: u64,
    pub value_sent: Cents,
    pub received: u64,
    pub value_received: Cents,
}

impl Row for Counterparty {
    type Key = String;

    fn key(&self) -> String {
        self.bank.clone()
    }
}

/// A day of a bank.
#[derive(Clone, Debug, PartialEq)]
pub struct BankDay {
    pub day: u64,
    pub opening: Cents,
    pub lowest: Cents,
    pub highest: Cents,
    pub closing: Cents,
    pub peak_line: Cents,
    pub arrived: u64,
    pub settled: u64,
    pub queue1_peak: u64,
    pub cost: Cents,
}

impl Row for BankDay {
    type Key = u64;

    fn key(&self) -> u64 {
        self.day
    }
}

/// A bank through a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BankStory {
    pub facts: Vec<Fact>,
    pub days: Vec<BankDay>,
    pub counterparties: Vec<Counterparty>,
}

/// A figure in a and in b, with b − a.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub name: String,
    pub a: String,
    pub b: String,
    pub difference: String,
}

impl Row for Figure {
    type Key = String;

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// The first event in which two simulations differ: its sequence, and the event of each that has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    pub sequence: u64,
    pub a: Option<EventRow>,
    pub b: Option<EventRow>,
}

/// Two runs or two simulations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    pub figures: Vec<Figure>,
    /// Settings that differ.
    pub settings: Vec<Figure>,
    /// Of simulations: where they part; `None` if they are equal.
    pub divergence: Option<Divergence>,
    /// Of runs: their total costs by iteration.
    pub costs: [Vec<f64>; 2],
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Couple {
    Runs(String, String),
    Simulations(String, String),
}

/// Rows that can be written into a file, with all their columns.
#[derive(Clone, Debug, PartialEq)]
pub enum Export {
    /// The events of a simulation that a filter lets through.
    Events(String, EventFilter),
    /// The days of a bank in a simulation.
    Bank(String, String),
    /// The iterations of a run.
    Iterations(String),
    Simulations(SimulationFilter),
}

/// Kinds of what the user keeps in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    /// Places to go to again.
    #[default]
    Bookmarks,
    /// What was written about runs, iterations, simulations and events.
    Notes,
    /// Filters of a screen.
    Filters(FilterOf),
}

/// Something that the user kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub key: KeptKey,
    /// Its name; of a note the text with its tags.
    pub label: String,
    /// A deep link, as text: one of a newer program may be none of ours. Of a filter what was typed.
    pub place: String,
    /// Local time.
    pub when: String,
}

/// What identifies it in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptKey {
    Bookmark(i64),
    Note(i64),
    Filter(FilterOf, String),
}

impl KeptKey {
    /// Where it is kept.
    pub const fn shelf(&self) -> Shelf {
        match self {
            Self::Bookmark(_) => Shelf::Bookmarks,
            Self::Note(_) => Shelf::Notes,
            Self::Filter(of, _) => Shelf::Filters(*of),
        }
    }
}

impl Row for Kept {
    type Key = KeptKey;

    fn key(&self) -> KeptKey {
        self.key.clone()
    }
}

/// A place that the palette offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Run { id: String, name: String },
    Simulation { id: String, title: String, seed: u64 },
    Bank { simulation: String, bank: String },
}

impl Place {
    /// What is searched for the letters typed.
    pub fn text(&self) -> String {
        match self {
            Self::Run { id, name } => format!("{name}  {id}"),
            Self::Simulation { id, title, seed } => format!("{title}  seed {seed}  {id}"),
            Self::Bank { bank, .. } => bank.clone(),
        }
    }
}

/// Rows that a statement gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlRows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Whether each column holds numbers.
    pub numbers: Vec<bool>,
    /// There would have been more.
    pub cut: bool,
}

/// The figures of two runs side by side.
pub fn run_figures(a: &RunDetail, b: &RunDetail) -> Vec<Figure> {
    use crate::explorer::format::{duration, money, percent};
    let last = |run: &RunDetail| run.iterations.last().map(|row| row.total);
    let best_at = |run: &RunDetail| {
        let best = run.iterations.iter().min_by_key(|row| row.total);
        best.map_or_else(String::new, |row| row.iteration.to_string())
    };
    let delay = |run: &RunDetail| run.iterations.last().and_then(|row| row.average_delay);
    let money_row = |name: &str, a: Option<Cents>, b: Option<Cents>| Figure {
        name: name.to_owned(),
        a: money(a),
        b: money(b),
        difference: a
            .zip(b)
            .map_or_else(String::new, |(a, b)| super::super::format::change(b.saturating_sub(a))),
    };
    let plain = |name: &str, of: &dyn Fn(&RunDetail) -> String| Figure {
        name: name.to_owned(),
        a: of(a),
        b: of(b),
        difference: String::new(),
    };
    vec![
        money_row("first cost", a.run.first_cost, b.run.first_cost),
        money_row("best cost", a.run.best_cost, b.run.best_cost),
        money_row("last cost", last(a), last(b)),
        plain("saved", &|run| percent(run.run.reduction)),
        plain("best iteration", &best_at),
        plain("iterations", &|run| run.iterations.len().to_string()),
        plain("settled", &|run| percent(run.run.settlement_rate)),
        plain("mean delay in ticks", &|run| {
            delay(run).map_or_else(String::new, |delay| format!("{delay:.2}"))
        }),
        plain("duration", &|run| run.run.seconds.map_or_else(String::new, duration)),
        plain("ended because", &|run| run.reason.clone().unwrap_or_default()),
    ]
}
