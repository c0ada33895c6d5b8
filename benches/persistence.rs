//! What it costs to store simulations: time beside simulating alone and beside appending the same rows
//! bare, size, and how both grow with the length.
//!
//! ```console
//! $ cargo bench --bench persistence              # up to a million events
//! $ cargo bench --bench persistence -- MILLIONS  # and one run of so many million events
//! ```
//!
//! Ratios are made inside one run of the benchmark. Wall time says what a user waits and suffers from what
//! else the machine does; processor time of the busier of the two threads, the one that simulates and the one
//! that writes, is what is left of it on a quiet machine with two cores.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]
#![allow(dead_code, reason = "shared with other benchmarks")]

mod measure;

use std::path::Path;
use std::time::Instant;

use duckdb::Connection;
use duckdb::arrow::record_batch::RecordBatch;
use payment_sim::persistence::{Access, Database};
use payment_sim::run::{CancelFlag, SimulationRequest, Storage, simulate, start_of};
use payment_sim::sources::load_scenario;

use measure::Target::{AtLeast, AtMost};
use measure::{figure, heading, memory_now, remark, scenarios, seconds_of_threads, thread_seconds};

/// Events in a tick of the scenario, roughly.
const EVENTS_PER_TICK: u64 = 800;
/// Tables with a row for each of something that happens.
const TABLES: [&str; 2] = ["simulation_events", "transactions"];
/// Chunks of rows that a bare appender gets in a transaction, so many rows as in one of the writer's.
const CHUNKS: usize = 24;

fn main() {
    let millions = std::env::args().skip(1).find_map(|word| word.parse::<u64>().ok());
    ratios();
    sizes();
    growth(millions);
}

/// Seconds that something took.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: f64,
    simulating: f64,
    writing: f64,
}

impl Took {
    const NEVER: Self = Self { wall: f64::INFINITY, simulating: f64::INFINITY, writing: f64::INFINITY };

    fn busier(self) -> f64 {
        self.simulating.max(self.writing)
    }

    fn least(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            simulating: self.simulating.min(other.simulating),
            writing: self.writing.min(other.writing),
        }
    }
}

/// Simulates so many ticks, into a file if there is one; events and time.
fn run(ticks: u64, file: Option<&Path>) -> (u64, Took) {
    let (written, scenario) = scenarios::read(&scenarios::ten_banks(400, 1_000, 15.0, 10_000_000));
    let request = SimulationRequest { scenario: scenario.clone(), ticks };
    let database = file.map(|file| Database::open(file, Access::Write).unwrap());
    let provider = database.as_ref().map(|database| database.provider().unwrap());
    let storage = provider.as_ref().map(|provider| {
        let start = start_of(&written, &scenario, "bench".to_owned(), "ten-banks.json", ticks);
        Storage { provider, start, checkpoint_every: None }
    });
    let (wall, cpu, writing) = (Instant::now(), thread_seconds(), seconds_of_threads("database writer"));
    let finished = simulate(&request, storage, &mut (), &CancelFlag::default()).unwrap();
    let simulating = thread_seconds() - cpu;
    if let Some(ticket) = finished.ticket {
        ticket.wait().unwrap();
    }
    let writing = seconds_of_threads("database writer") - writing;
    (finished.events, Took { wall: wall.elapsed().as_secs_f64(), simulating, writing })
}

/// Appends the rows of a stored run to an empty file of the same layout; the time of it.
fn append_bare(from: &Path, to: &Path) -> Took {
    drop(Database::open(to, Access::Write).unwrap());
    let source = Connection::open(from).unwrap();
    let rows = TABLES.map(|table| (table, rows_of(&source, table)));
    let target = Connection::open(to).unwrap();
    target.execute_batch("SET threads = 1; SET checkpoint_threshold = '128MB'").unwrap();
    let (wall, cpu) = (Instant::now(), thread_seconds());
    for (table, rows) in rows {
        for chunks in rows.chunks(CHUNKS) {
            target.execute_batch("BEGIN").unwrap();
            let mut appender = target.appender(table).unwrap();
            for chunk in chunks {
                appender.append_record_batch(chunk.clone()).unwrap();
            }
            appender.flush().unwrap();
            drop(appender);
            target.execute_batch("COMMIT").unwrap();
        }
    }
    target.execute_batch("CHECKPOINT").unwrap();
    Took { wall: wall.elapsed().as_secs_f64(), simulating: 0.0, writing: thread_seconds() - cpu }
}

fn rows_of(source: &Connection, table: &str) -> Vec<RecordBatch> {
    let sql: String = source
        .query_row("SELECT sql FROM duckdb_tables() WHERE table_name = ?", [table], |row| row.get(0))
        .unwrap();
    let stored = |column: &(String, String)| !sql.contains(&format!("{} {} GENERATED", column.0, column.1));
    let columns: Vec<String> = source
        .prepare(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
        )
        .unwrap()
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .filter(stored)
        .map(|(name, _)| name)
        .collect();
    let query = format!("SELECT {} FROM {table}", columns.join(", "));
    let mut statement = source.prepare(&query).unwrap();
    statement.query_arrow([]).unwrap().collect()
}

fn ratios() {
    heading("storing beside simulating alone and appending bare");
    let folder = tempfile::tempdir().unwrap();
    let ticks = 300_000 / EVENTS_PER_TICK;
    let (mut alone, mut stored, mut bare) = (Took::NEVER, Took::NEVER, Took::NEVER);
    let mut events = 0;
    for round in 0..3 {
        alone = alone.least(run(ticks, None).1);
        let (file, copy) = (
            folder.path().join(format!("{round}.duckdb")),
            folder.path().join(format!("copy{round}.duckdb")),
        );
        let (count, took) = run(ticks, Some(&file));
        (events, stored) = (count, stored.least(took));
        bare = bare.least(append_bare(&file, &copy));
    }
    remark("events", events as f64, "events");
    remark("simulating alone", alone.simulating, "s of a processor");
    remark("appending bare", bare.writing, "s of a processor");
    remark("the thread that simulates, while storing", stored.simulating, "s of a processor");
    remark("the thread that writes, while storing", stored.writing, "s of a processor");
    let slower = alone.simulating.max(bare.writing);
    figure(
        "storing / the slower of the two, by processor time",
        stored.busier() / slower,
        "ratio",
        AtMost(1.5),
    );
    let slower = alone.wall.max(bare.wall);
    figure("storing / the slower of the two, by wall time", stored.wall / slower, "ratio", AtMost(1.5));
    figure(
        "speed on two cores, by processor time",
        events as f64 / stored.busier(),
        "events/s",
        AtLeast(3e5),
    );
    figure("speed on two cores, by wall time", events as f64 / stored.wall, "events/s", AtLeast(3e5));
}

fn sizes() {
    heading("size of the file");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.duckdb");
    let (events, _) = run(500_000 / EVENTS_PER_TICK, Some(&file));
    figure("a long run", size(&file) / events as f64, "bytes per event", AtMost(100.0));
    let file = folder.path().join("short.duckdb");
    store_library("library:two-banks", &file);
    figure("a short run", size(&file) / 1e6, "MB", AtMost(2.0));
}

fn store_library(name: &str, file: &Path) {
    let loaded = load_scenario(name, &payment_sim::scenario::Overrides::default()).unwrap();
    let database = Database::open(file, Access::Write).unwrap();
    let provider = database.provider().unwrap();
    let ticks = loaded.resolved.calendar.end().0;
    let start = start_of(&loaded.file, &loaded.resolved, "bench".to_owned(), &loaded.config_file, ticks);
    let request = SimulationRequest { scenario: loaded.resolved, ticks };
    let storage = Storage { provider: &provider, start, checkpoint_every: None };
    let finished = simulate(&request, Some(storage), &mut (), &CancelFlag::default()).unwrap();
    finished.ticket.unwrap().wait().unwrap();
}

/// Bytes of a closed file with its log.
fn size(file: &Path) -> f64 {
    let log = file.with_extension("duckdb.wal");
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    (bytes(file) + bytes(&log)) as f64
}

fn growth(millions: Option<u64>) {
    heading("cost of an event by length of the run");
    let folder = tempfile::tempdir().unwrap();
    let lengths = [10_000, 100_000, 1_000_000].into_iter().chain(millions.map(|count| count * 1_000_000));
    let mut first: Option<f64> = None;
    let mut memory = 0.0;
    for length in lengths {
        let file = folder.path().join(format!("{length}.duckdb"));
        // A short run takes so little time that chance rules a single one.
        let times = if length < 100_000 { 9 } else { 1 };
        let mut costs = Vec::new();
        let mut events = 0;
        for _ in 0..times {
            let _ = std::fs::remove_file(&file);
            let (stored, took) = run(length / EVENTS_PER_TICK, Some(&file));
            events = stored;
            costs.push((took.simulating + took.writing) / events as f64 * 1e6);
        }
        costs.sort_by(f64::total_cmp);
        let cost = costs[costs.len() / 2];
        let name = format!("{events} events");
        match first {
            None => remark(&name, cost, "µs of a processor per event"),
            Some(first) => {
                figure(&name, cost / first, "times the cost of an event in the shortest", AtMost(1.2))
            }
        }
        first = first.or(Some(cost));
        remark("  memory after it", memory_now(), "MiB");
        memory = measure::peak_memory().max(memory);
        remark("  bytes per event", size(&file) / events as f64, "bytes");
        std::fs::remove_file(file).unwrap();
    }
    figure("peak memory", memory, "MiB", AtMost(1_024.0));
}
