//! What a database holds after its process was killed at any moment, its log was damaged, its disk was
//! full or its folder was taken away: everything that was committed, and nothing else.
#![allow(clippy::print_stdout, reason = "a test that fails says how to repeat it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use payment_sim::money::grouped;
use payment_sim::persistence::{Access, Database, SimulationFilter};
use payment_sim::rng::Rng;
use rustix::process::Signal;
use serde_json::Value;

use crate::explorer::{explorer, launch_long};
use crate::support::program::{Program, Said, said, send, wait_for, wait_for_bytes};
use crate::support::runs::{prepared, rows, same};
use crate::support::stored::{Row, Stored, digest_of};

/// Repeats the moments of an earlier test.
pub const SEED: &str = "PAYMENT_SIM_CRASH_SEED";

pub fn seed() -> u64 {
    let clock = || {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |now| now.as_micros())
    };
    std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| clock() as u64 % 1_000_000)
}

fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// What was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Run,
    Resumed,
    Experiment,
    ResumedExperiment,
    Explorer,
}

/// The experiments that are killed; their runs are numbered, and the number says which one it is.
const EXPERIMENTS: [&str; 2] = ["searching.yaml", "library:two-period"];

/// The command that runs the experiment of a number.
fn experiment(number: u32) -> String {
    let name = EXPERIMENTS[usize::from(number % 8 == 2)];
    format!("experiment run {name} --run-id run-{number} --persist-simulations all --json --quiet")
}

/// A database that is written by processes that are killed.
struct Battered {
    program: Program,
    rng: Rng,
    /// Everything that stands in the file of simulations that have ended.
    known: BTreeMap<String, String>,
    /// Runs of experiments that have ended.
    known_runs: BTreeMap<String, String>,
    /// How often a work was found in which state.
    found: BTreeMap<(Work, String), u32>,
}

impl Battered {
    fn new(seed: u64) -> Self {
        let (known, known_runs, found) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { program: prepared(), rng: Rng::new(seed), known, known_runs, found }
    }

    fn file(&self) -> PathBuf {
        self.program.path("c.duckdb")
    }

    fn pause(&mut self, most: i128) {
        std::thread::sleep(Duration::from_millis(self.rng.range(0, most).unsigned_abs()));
    }

    /// Runs a command and kills it after a while; gives what it printed until then.
    fn killed(&mut self, arguments: &str) -> String {
        let output = std::fs::File::create(self.program.path("out")).expect("a file");
        let mut command = self.program.command();
        command.args(arguments.split_whitespace()).stdout(output).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        self.pause(1500);
        kill(child.id());
        child.wait().expect("an end");
        std::fs::read_to_string(self.program.path("out")).expect("a file")
    }

    /// One more process is killed, and what it left is looked at.
    fn batter(&mut self, number: u32) {
        let id = format!("sim-{number}");
        let mut work = match number % 4 {
            0 => Work::Run,
            1 => Work::Resumed,
            2 if number % 16 == 14 => Work::ResumedExperiment,
            2 => Work::Experiment,
            _ => Work::Explorer,
        };
        let (unfinished, unfinished_runs) = (self.unfinished(), self.unfinished_runs());
        if work == Work::Resumed && unfinished.is_empty() {
            work = Work::Run;
        }
        if work == Work::ResumedExperiment && unfinished_runs.is_empty() {
            work = Work::Experiment;
        }
        let database = "--db c.duckdb --quiet";
        match work {
            Work::Run => {
                let ticks = self.rng.range(1, 1500);
                let run = format!("run library:stressed-week --run-ticks {ticks} --checkpoint-every 50");
                let said = self.killed(&format!("{run} --simulation-id {id} {database}"));
                self.look(work, &said);
            }
            Work::Resumed => {
                let chosen = self.rng.range(0, unfinished.len() as i128).unsigned_abs() as usize;
                let row = &unfinished[chosen];
                self.known.remove(&row.id);
                let said = self.killed(&format!("run --resume {} --checkpoint-every 50 {database}", row.id));
                let after = self.look(work, &said).into_iter().find(|after| after.id == row.id);
                let after = after.expect("the simulation is still there");
                assert!(after.event_count >= row.event_count, "{row:?} became {after:?}");
            }
            Work::Experiment => {
                let said = self.killed(&format!("{} --db c.duckdb", experiment(number)));
                self.look(work, &said);
            }
            Work::ResumedExperiment => {
                let run = &unfinished_runs[0];
                self.forget_run(run);
                self.killed(&format!("experiment resume {run} {database}"));
                self.look(work, "");
            }
            Work::Explorer => {
                let mut terminal = explorer(&self.file());
                if number % 8 == 3 {
                    launch_long(&mut terminal);
                } else {
                    terminal.wait("Library").press("\r").wait("[ Start ]").press("\r");
                }
                self.pause(1000);
                kill(terminal.pid());
                terminal.exit_status();
                self.look(work, "");
            }
        }
    }

    /// Simulations that can be resumed and end within a moment.
    fn unfinished(&self) -> Vec<Row> {
        if !self.file().exists() {
            return Vec::new();
        }
        let rows = Stored::read(&self.file()).rows().into_iter();
        rows.filter(|row| row.status == "interrupted" && row.run.is_none() && row.num_ticks < 10_000)
            .collect()
    }

    /// Runs of experiments that can be resumed.
    fn unfinished_runs(&self) -> Vec<String> {
        if !self.file().exists() {
            return Vec::new();
        }
        let query = "SELECT run_id FROM experiments WHERE status = 'interrupted' ORDER BY run_id";
        Stored::read(&self.file()).list(query)
    }

    /// A run that goes on changes, and so do simulations of its open step.
    fn forget_run(&mut self, run: &str) {
        self.known_runs.remove(run);
        for row in Stored::read(&self.file()).rows().iter().filter(|row| row.run.as_deref() == Some(run)) {
            self.known.remove(&row.id);
        }
    }

    /// Opens the file as the next process would, and compares it with what is known. Gives the
    /// simulations that are new or were resumed.
    fn look(&mut self, work: Work, said: &str) -> Vec<Row> {
        let file = self.file();
        if !file.exists() {
            assert!(said.is_empty(), "something was reported and is not there: {said}");
            return Vec::new();
        }
        opened_and_completed(&file);
        let stored = Stored::read(&file);
        let rows = stored.rows().into_iter();
        let new: Vec<Row> = rows.filter(|row| !self.known.contains_key(&row.id)).collect();
        let mut fingerprints = stored.fingerprints();
        self.compare_known(&fingerprints);
        for row in &new {
            self.judge(&stored, row);
            self.known.extend(fingerprints.remove_entry(&row.id));
            *self.found.entry((work, row.status.clone())).or_default() += 1;
        }
        self.judge_runs(&stored);
        reported(said, &stored);
        new
    }

    fn judge(&self, stored: &Stored, row: &Row) {
        assert_eq!(stored.fault(row), None);
        assert_eq!(row.digest, digest_of(&row.config_json, row.last_tick), "{row:?}: other events");
        match row.status.as_str() {
            "completed" => assert_eq!(row.last_tick, Some(row.num_ticks - 1), "{row:?}"),
            "interrupted" => {}
            other => panic!("{other}: {row:?}"),
        }
        let arrivals: i64 = stored.one(&format!(
            "SELECT count(*) FROM simulation_events WHERE event_type = 'Arrival' AND simulation_id = '{}'",
            row.id
        ));
        let payments: i64 = stored.one(&format!(
            "SELECT count(DISTINCT tx_id) FROM transactions WHERE simulation_id = '{}'",
            row.id
        ));
        let rows: i64 =
            stored.one(&format!("SELECT count(*) FROM transactions WHERE simulation_id = '{}'", row.id));
        assert_eq!((payments, rows), (arrivals, arrivals), "{row:?}: a row for every payment");
    }

    fn judge_runs(&mut self, stored: &Stored) {
        let running: i64 = stored.one("SELECT count(*) FROM experiments WHERE status = 'running'");
        assert_eq!(running, 0, "runs whose process is dead");
        for (run, now) in stored.run_fingerprints() {
            let before = self.known_runs.entry(run.clone()).or_insert_with(|| now.clone());
            assert_eq!(*before, now, "run {run} has changed");
        }
    }

    /// Everything that was interrupted comes to its end: a simulation with the events that it was to have,
    /// a run with the rows of one that was never stopped.
    fn finish(&mut self) {
        for row in self.unfinished() {
            self.program.out(&format!("run --resume {} --db c.duckdb --quiet", row.id));
            self.known.remove(&row.id);
            let ended = self.look(Work::Resumed, "").pop().expect("the simulation");
            assert_eq!((ended.id, ended.status.as_str()), (row.id, "completed"));
        }
        let mut undisturbed: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for run in self.unfinished_runs() {
            self.forget_run(&run);
            self.program.out(&format!("experiment resume {run} --db c.duckdb --quiet"));
            *self.found.entry((Work::ResumedExperiment, "completed".to_owned())).or_default() += 1;
            // Runs of the explorer have other names.
            let number = run.strip_prefix("run-").and_then(|number| number.parse::<u32>().ok());
            let Some(number) = number else { continue };
            let wanted = undisturbed.entry(number % 8).or_insert_with(|| {
                let file = format!("undisturbed-{number}.duckdb");
                self.program.out(&format!("{} --db {file}", experiment(number)));
                rows(&self.program, &file, &run)
            });
            same(wanted, &rows(&self.program, "c.duckdb", &run), &run);
        }
        if self.file().exists() {
            assert_eq!(self.unfinished_runs(), [""; 0]);
            self.compare_known(&Stored::read(&self.file()).fingerprints());
        }
    }

    /// What had ended before is there as it was.
    fn compare_known(&self, now: &BTreeMap<String, String>) {
        for (id, before) in &self.known {
            assert_eq!(now.get(id), Some(before), "{id} has changed");
        }
    }
}

/// The file opens without a word, and what is missing of simulations that were interrupted is computed.
fn opened_and_completed(file: &Path) {
    let database = Database::open(file, Access::Write).expect("the file opens");
    // A log whose first transaction was not finished is kept and named.
    let others = database.warnings().iter().filter(|warning| !warning.contains("no whole transaction"));
    assert_eq!(others.collect::<Vec<_>>(), [""; 0]);
    let reader = database.reader().expect("a reader");
    wait_for("the totals", || {
        let rows = reader.simulations(&SimulationFilter::default()).expect("simulations").rows;
        rows.iter().all(|row| row.total_cost_cents.is_some())
    });
}

/// Whatever was reported as complete is complete, with the digest that was reported.
fn reported(said: &str, stored: &Stored) {
    let Some(line) = said.lines().find(|line| line.ends_with('}')) else { return };
    let result: Value = serde_json::from_str(line).expect("a result");
    if let Some(run) = result.get("run_id").and_then(Value::as_str) {
        let status: String = stored.one(&format!("SELECT status FROM experiments WHERE run_id = '{run}'"));
        assert_eq!(status, "completed", "{line}");
        return;
    }
    let simulation = &result["simulation"];
    let row = stored.rows().into_iter().find(|row| simulation["simulation_id"] == row.id.as_str());
    let row = row.expect("what was reported is there");
    assert_eq!((&simulation["status"], row.status.as_str()), (&Value::from("completed"), "completed"));
    assert_eq!(simulation["event_digest"], row.digest);
}

fn batter(times: u32) {
    let seed = seed();
    println!("{times} kills with seed {seed}; {SEED}={seed} repeats them");
    let mut battered = Battered::new(seed);
    for number in 0..times {
        battered.batter(number);
    }
    battered.finish();
    for ((work, status), count) in &battered.found {
        println!("{work:?}: {count} {status}");
    }
}

#[test]
fn whatever_is_killed_leaves_what_was_committed_and_nothing_else() {
    batter(8);
}

#[test]
#[ignore = "takes minutes: cargo test --release --test suite a_hundred_kills -- --ignored --nocapture"]
fn a_hundred_kills_leave_what_was_committed_and_nothing_else() {
    batter(100);
}

/// A database whose process was killed, with the log that it left.
fn with_a_log(program: &Program) -> (Vec<u8>, Vec<u8>) {
    let mut command = program.command();
    command.args(["run", "library:stressed-week", "--run-ticks", "900000", "--db", "w.duckdb", "--quiet"]);
    let mut child = command.args(["--simulation-id", "w"]).stderr(Stdio::null()).spawn().expect("it starts");
    let log = program.path("w.duckdb.wal");
    wait_for_bytes(&log, 400_000);
    kill(child.id());
    child.wait().expect("an end");
    let read = |path: PathBuf| std::fs::read(path).expect("a file");
    (read(program.path("w.duckdb")), read(log))
}

#[test]
fn a_damaged_or_cut_off_log_is_set_aside_or_read_as_far_as_it_goes() {
    let seed = seed();
    println!("{SEED}={seed} repeats this");
    let mut rng = Rng::new(seed);
    let program = Program::new();
    let (file, log) = with_a_log(&program);
    let mut set_aside = 0;
    for number in 0..24 {
        let at = rng.range(0, log.len() as i128).unsigned_abs() as usize;
        let mut damaged = log.clone();
        match number % 4 {
            0 => damaged.truncate(at),
            1 => damaged[at] ^= 1 << (number / 4),
            2 => damaged.iter_mut().skip(at).take(512).for_each(|byte| *byte = 0),
            _ => damaged.extend_from_slice(&log[..at.min(5000)]),
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("w.duckdb");
        std::fs::write(&path, &file).expect("a file is written");
        std::fs::write(folder.path().join("w.duckdb.wal"), &damaged).expect("a file is written");
        let case = format!("damage {number} at {at}");
        set_aside += u32::from(opened_with_a_damaged_log(folder.path(), &path, &damaged, &case));
    }
    // Where the last transaction was cut off, more damage changes nothing.
    assert!(set_aside >= 2, "only {set_aside} logs were found to be damaged");
}

/// Opens a file with a damaged log; whether the log was set aside.
fn opened_with_a_damaged_log(folder: &Path, path: &Path, damaged: &[u8], case: &str) -> bool {
    let database = Database::open(path, Access::Write).unwrap_or_else(|error| panic!("{case}: {error}"));
    let kept = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains(".wal.damaged-"));
    match &kept {
        Some(kept) => {
            let [warning] = database.warnings() else { panic!("{case}: {:?}", database.warnings()) };
            let name = kept.file_name().expect("a name").to_string_lossy();
            assert!(warning.contains(&*name) && warning.contains("row"), "{case}: {warning}");
            assert!(std::fs::read(kept).expect("a file") == damaged, "{case}: it is kept as it was");
        }
        None => assert_eq!(database.warnings(), [""; 0], "{case}"),
    }
    let lost = database.lost().cloned();
    drop(database);
    let stored = Stored::read(path);
    for row in stored.rows() {
        let ticks = row.last_tick.map_or(0, |tick| tick + 1);
        let said = format!("simulation `w` died: {} of 900,000 ticks are stored", grouped(ticks));
        assert!(lost.as_ref().is_some_and(|lost| lost.contains(&said)), "{case}: {lost:?}");
        assert_eq!((stored.fault(&row), row.status.as_str()), (None, "interrupted"), "{case}");
        assert_eq!(row.digest, digest_of(&row.config_json, row.last_tick), "{case}");
    }
    kept.is_some()
}

fn one_error(said: &Said, what: &str, reason: &str) {
    assert_eq!(said.status, 1, "{what}: {}", said.err);
    assert_eq!(said.err.matches("error: ").count(), 1, "{what}: {}", said.err);
    assert!(said.err.contains(reason) && !said.err.contains("panicked"), "{what}: {}", said.err);
}

/// Everything in the file is whole, and more can be stored in it.
fn is_whole(program: &Program, file: &str, what: &str) {
    program.out(&format!("run library:two-banks --db {file} --quiet"));
    opened_and_completed(&program.path(file));
    let stored = Stored::read(&program.path(file));
    for row in stored.rows() {
        assert_eq!(stored.fault(&row), None, "{what}");
        assert_ne!(row.status, "running", "{what}");
    }
    assert_eq!(program.out(&format!("db check --db {file}")), "", "{what}");
}

#[test]
fn a_full_disk_ends_in_one_error_and_a_whole_database() {
    for (what, blocks, arguments) in [
        ("a new file", 60, "run library:two-banks --db f.duckdb --quiet"),
        ("a run", 3000, "run library:stressed-week --run-ticks 2000 --db g.duckdb --quiet"),
        ("a run that just begins", 1100, "run library:stressed-week --run-ticks 2000 --db g.duckdb --quiet"),
        (
            "an experiment",
            1100,
            "experiment run library:twelve-period --persist-simulations all --db g.duckdb --quiet",
        ),
    ] {
        let program = Program::new();
        let file = if what == "a new file" { "f.duckdb" } else { "g.duckdb" };
        if file == "g.duckdb" {
            program.out("run library:two-banks --db g.duckdb --quiet --simulation-id before");
        }
        let full = program.on_a_full_disk(blocks, arguments);
        one_error(&full, what, file);
        is_whole(&program, file, what);
    }
}

#[test]
fn a_read_only_file_or_folder_is_refused_before_anything_is_simulated() {
    let program = Program::new();
    program.out("run library:two-banks --db r.duckdb --quiet");
    let before = std::fs::read(program.path("r.duckdb")).expect("a file");
    let mut permissions = std::fs::metadata(program.path("r.duckdb")).expect("a file").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(program.path("r.duckdb"), permissions).expect("it becomes read-only");
    for arguments in [
        "run library:large-day --db r.duckdb",
        "run --resume x --db r.duckdb",
        "experiment run library:two-period --db r.duckdb",
    ] {
        one_error(&program.run(arguments), arguments, "read-only");
    }
    assert_eq!(program.run("db list --db r.duckdb").status, 0, "reading works");
    program.write("quit.keys", "q\n");
    let explored = program.run("explore --db r.duckdb --keys quit.keys");
    assert!(explored.status == 1 && explored.err.contains("--read-only"), "{}", explored.err);
    assert!(std::fs::read(program.path("r.duckdb")).expect("a file") == before);
}

#[test]
fn a_folder_that_vanishes_ends_in_one_error() {
    let program = Program::new();
    std::fs::create_dir(program.path("gone")).expect("a folder");
    let mut command = program.command();
    command.args([
        "run",
        "library:stressed-week",
        "--run-ticks",
        "900000",
        "--db",
        "gone/v.duckdb",
        "--quiet",
    ]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let log = program.path("gone/v.duckdb.wal");
    wait_for("a log", || log.exists());
    std::fs::remove_dir_all(program.path("gone")).expect("the folder is removed");
    let ended = said(child.wait_with_output().expect("an end"));
    one_error(&ended, "vanished", "gone/v.duckdb");
    assert!(ended.out.is_empty(), "nothing is reported: {}", ended.out);
}
