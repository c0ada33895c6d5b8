//! How fast the database answers when it holds much: the queries behind the screens, on one simulation of
//! millions of events with many short ones beside it.
//!
//! ```console
//! $ cargo bench --bench reading                    # a million events, 200 simulations
//! $ cargo bench --bench reading -- 10000000 2000   # so many events and simulations
//! $ cargo bench --bench reading -- FILE            # a database of `db generate`
//! ```
//!
//! Figures are the median and the worst of many calls in milliseconds, in one process with the file open
//! for writing, as the explorer has it. Beside them stands a plain sum over one column of all events.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]
#![allow(dead_code, reason = "shared with other benchmarks")]

mod measure;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use payment_sim::persistence::{
    Access, Database, EventFilter, PaymentFilter, Reader, SimulationFilter, Sort,
};
use payment_sim::scenario::Scenario;
use payment_sim::time::Tick;

use measure::Target::AtMost;
use measure::{figure, heading, remark};

/// Calls of each query.
const CALLS: u64 = 41;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = match words.first() {
        Some(word) if word.parse::<u64>().is_err() => PathBuf::from(word),
        _ => generated(folder.path(), &words),
    };
    let database = Database::open(&file, Access::Write).unwrap();
    let reader = database.reader().unwrap();
    let large = Large::in_file(reader);
    large.scale();
    large.events();
    large.states();
    large.lists();
}

fn generated(folder: &Path, words: &[String]) -> PathBuf {
    let file = folder.join("generated.duckdb");
    let word = |at: usize, default: &str| words.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let status = Command::new(env!("CARGO_BIN_EXE_payment-sim"))
        .args(["db", "generate", "--events", &word(0, "1000000"), "--simulations", &word(1, "200"), "--db"])
        .arg(&file)
        .status();
    assert!(status.unwrap().success());
    file
}

/// The large simulation.
struct Large {
    reader: Reader,
    id: String,
    ticks: u64,
    events: u64,
    scenario: Arc<Scenario>,
}

impl Large {
    /// The one with the most events.
    fn in_file(reader: Reader) -> Self {
        let page = reader.simulations(&SimulationFilter::default()).unwrap();
        let row = page.rows.into_iter().max_by_key(|row| row.event_count).unwrap();
        let scenario = reader.scenario(&row.simulation_id).unwrap();
        Self { id: row.simulation_id, ticks: row.num_ticks, events: row.event_count, scenario, reader }
    }

    /// A tick for each of many calls, all over the simulation.
    fn tick(&self, call: u64) -> u64 {
        (call * 7_919 + 13) * 104_729 % self.ticks
    }

    fn bank(&self, call: u64) -> String {
        self.scenario.banks[call as usize % self.scenario.banks.len()].id.to_string()
    }

    fn scale(&self) {
        heading("a plain sum over one column, to compare with");
        let info = self.reader.info().unwrap();
        let simulations: u64 = info.simulations.iter().map(|(_, count)| count).sum();
        remark("simulations", simulations as f64, "");
        remark("events of the large one", self.events as f64, "");
        let (events, plain) = ("SELECT sum(sequence) FROM simulation_events", "one column of all events");
        show(plain, None, |_| drop(self.reader.sql(events).unwrap()));
    }

    fn page(&self, filter: &EventFilter) {
        let page = self.reader.events(&self.id, filter).unwrap();
        assert!(page.total >= page.events.len() as u64);
    }

    fn events(&self) {
        heading("events of the large simulation");
        show("the events of a tick", Some(10.0), |call| {
            let tick = Tick(self.tick(call));
            self.reader.tick_events(&self.id, &self.scenario.names, tick..=tick).unwrap();
        });
        show("a page by key", Some(20.0), |call| {
            let after_sequence = Some(self.events / CALLS * call);
            let page = EventFilter { after_sequence, ..EventFilter::default() };
            self.reader.event_rows(&self.id, &page).unwrap();
        });
        let filtered = |name: &str, filter: &dyn Fn(u64) -> EventFilter| {
            show(name, Some(200.0), |call| self.page(&filter(call)));
            show(&format!("  {name}, newest first"), Some(200.0), |call| {
                self.page(&EventFilter { sort: Sort::Descending, ..filter(call) });
            });
        };
        let all = EventFilter::default;
        filtered("of a bank, with their count", &|call| EventFilter {
            agent_id: Some(self.bank(call)),
            ..all()
        });
        let payments: Vec<String> = (0..CALLS).filter_map(|call| self.payment(call)).collect();
        filtered("of a payment, with their count", &|call| {
            let payment = payments[call as usize % payments.len()].clone();
            EventFilter { tx_id: Some(payment), ..all() }
        });
        let types = ["RtgsImmediateSettlement", "LsmCycleSettlement", "Arrival", "CostAccrual,Arrival"];
        filtered("of a type, with their count", &|call| EventFilter {
            event_type: Some(types[call as usize % types.len()].to_owned()),
            ..all()
        });
        filtered("of a range of ticks, with their count", &|call| EventFilter {
            tick_min: Some(self.tick(call)),
            tick_max: Some(self.tick(call) + self.ticks / 10),
            ..all()
        });
        filtered("of a bank and type in a range, with their count", &|call| EventFilter {
            tick_min: Some(self.tick(call)),
            agent_id: Some(self.bank(call)),
            event_type: Some(types[call as usize % types.len()].to_owned()),
            ..all()
        });
    }

    /// A payment that an event near some tick is about.
    fn payment(&self, call: u64) -> Option<String> {
        let arrival = EventFilter {
            tick_min: Some(self.tick(call)),
            event_type: Some("Arrival".to_owned()),
            limit: Some(1),
            ..EventFilter::default()
        };
        self.reader.event_rows(&self.id, &arrival).unwrap().into_iter().next()?.tx_id
    }

    fn states(&self) {
        heading("states of the large simulation");
        show("the state after a tick", Some(30.0), |call| {
            self.reader.state_after(&self.id, &self.scenario, Some(Tick(self.tick(call)))).unwrap();
        });
    }

    fn lists(&self) {
        heading("lists");
        show("a page of simulations", Some(20.0), |_| {
            let page = SimulationFilter { limit: Some(100), ..SimulationFilter::default() };
            self.reader.simulations(&page).unwrap();
        });
        show("a page of payments of a bank, with their count", Some(200.0), |call| {
            let filter =
                PaymentFilter { bank: Some(self.bank(call)), limit: Some(100), ..PaymentFilter::default() };
            self.reader.payments(&self.id, &filter).unwrap();
        });
        show("a payment with its parts and events", Some(200.0), |call| {
            let id = self.payment(call).unwrap_or_default();
            self.reader.payment(&self.id, &id).unwrap();
        });
    }
}

/// Calls often; prints median and worst of the calls after the first.
fn show(what: &str, most: Option<f64>, mut call: impl FnMut(u64)) {
    let mut taken: Vec<f64> = (0..CALLS)
        .map(|number| {
            let started = Instant::now();
            call(number);
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    let first = taken.remove(0);
    taken.sort_by(f64::total_cmp);
    let median = taken[taken.len() / 2];
    match most {
        Some(most) => figure(what, median, "ms median", AtMost(most)),
        None => remark(what, median, "ms median"),
    }
    println!("{:58} {first:13.2} first, {:.2} worst", "", taken[taken.len() - 1]);
}
