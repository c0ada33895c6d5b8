//! `run --checkpoint-every` and `run --resume`: what is stored, what goes on, what is refused.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use payment_sim::persistence::{Access, Database};
use payment_sim::run::{
    CancelFlag, Outcome, Resumption, SimulationRequest, Storage, TickReport, simulate, start_of,
};
use payment_sim::scenario::Overrides;
use payment_sim::sources::{LoadedScenario, load_scenario};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::program::{Program, said, send, wait_for_bytes};
use crate::support::stored::Stored;

/// A folder with a database.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("r.duckdb")
    }

    fn open(&self) -> Database {
        Database::open(self.file(), Access::Write).expect("the database")
    }

    fn stored(&self) -> Stored {
        Stored::read(&self.file())
    }
}

fn loaded(name: &str) -> LoadedScenario {
    load_scenario(&format!("library:{name}"), &Overrides::default()).expect("a scenario of the library")
}

/// Stores a simulation; stops it after so many ticks, if it is to be stopped.
fn store(place: &Place, scenario: &str, id: &str, every: Option<u64>, stop: Option<u64>) -> Outcome {
    let database = place.open();
    let provider = database.provider().expect("a provider");
    let loaded = loaded(scenario);
    let ticks = loaded.resolved.calendar.end().0;
    let start = start_of(&loaded.file, &loaded.resolved, id.to_owned(), &loaded.config_file, ticks);
    let storage = Storage { provider: &provider, start, checkpoint_every: every.and_then(NonZeroU64::new) };
    let cancel = CancelFlag::default();
    if stop == Some(0) {
        cancel.cancel();
    }
    let mut observer = |report: &TickReport<'_>| {
        if Some(report.tick.0 + 1) == stop {
            cancel.cancel();
        }
    };
    let request = SimulationRequest { scenario: loaded.resolved, ticks };
    let finished = simulate(&request, Some(storage), &mut observer, &cancel).expect("it is stored");
    finished.ticket.expect("a ticket").wait().expect("it is committed");
    finished.outcome
}

/// Resumes a simulation, until so many ticks are complete; gives the first tick simulated again.
fn resume(place: &Place, id: &str, every: Option<u64>, stop: Option<u64>) -> u64 {
    let database = place.open();
    let reader = database.reader().expect("a reader");
    let resumption = Resumption::new(&reader, id).expect("it can be resumed");
    assert!(resumption.refused().is_empty(), "{:?}", resumption.refused());
    let from = resumption.from_tick().0;
    let cancel = CancelFlag::default();
    let mut observer = |report: &TickReport<'_>| {
        if Some(report.tick.0 + 1) == stop {
            cancel.cancel();
        }
    };
    let provider = database.provider().expect("a provider");
    let every = every.and_then(NonZeroU64::new);
    let finished = resumption.run(&reader, &provider, every, &mut observer, &cancel).expect("it goes on");
    finished.ticket.expect("a ticket").wait().expect("it is committed");
    from
}

fn checkpoints(stored: &Stored, id: &str) -> String {
    stored.one(&format!(
        "SELECT coalesce(string_agg(checkpoint_tick || ' ' || checkpoint_type, ', ' ORDER BY checkpoint_tick), \
         '') FROM simulation_checkpoints WHERE simulation_id = '{id}'"
    ))
}

#[test]
fn the_newest_three_are_kept_and_a_final_one_of_a_cancelled_run() {
    let place = Place::new();
    for (id, every, stop, kept) in [
        ("whole", Some(10), None, ""),
        ("stopped", Some(10), Some(57), "39 auto, 49 auto, 56 final"),
        ("on the dot", Some(10), Some(50), "29 auto, 39 auto, 49 final"),
        ("early", Some(10), Some(3), "2 final"),
        ("at once", Some(10), Some(0), ""),
        ("without", None, Some(57), ""),
        ("each", Some(1), Some(5), "2 auto, 3 auto, 4 final"),
    ] {
        store(&place, "stressed-week", id, every, stop);
        assert_eq!(checkpoints(&place.stored(), id), kept, "{id}");
    }
    let stored = place.stored();
    let columns: bool = stored.one(
        "SELECT bool_and(checkpoint_id = c.simulation_id || '@' || checkpoint_tick AND checkpoint_day = \
         checkpoint_tick // ticks_per_day AND sequence <= event_count AND state_hash = sha256(state_json) AND \
         c.config_hash = s.config_hash AND c.config_json = s.config_json AND c.num_agents = s.num_agents \
         AND total_size_bytes = strlen(state_json) AND c.created_by = s.engine_version) \
         FROM simulation_checkpoints c JOIN simulations s USING (simulation_id)",
    );
    assert!(columns);
    let open: bool = stored.one(
        "SELECT bool_and(num_transactions = (SELECT count(*) FROM transactions t WHERE t.simulation_id = \
         c.simulation_id AND t.place <> 'settled' AND t.status <> 'settled')) \
         FROM simulation_checkpoints c WHERE checkpoint_type = 'final'",
    );
    assert!(open, "the payments that have not settled");
}

#[test]
fn a_resumed_simulation_has_the_rows_of_one_that_was_never_stopped() {
    let place = Place::new();
    for scenario in ["stressed-week", "liquidity-squeeze", "gridlock-ring"] {
        store(&place, scenario, &format!("{scenario} whole"), None, None);
    }
    // Stopped before the first tick, at the end of a day, within one, before the last tick.
    for (scenario, stop, every) in [
        ("stressed-week", 0, None),
        ("stressed-week", 48, Some(7)),
        ("stressed-week", 100, None),
        ("stressed-week", 239, Some(50)),
        ("liquidity-squeeze", 20, None),
        ("liquidity-squeeze", 31, Some(7)),
        ("gridlock-ring", 5, Some(1)),
    ] {
        let id = format!("{scenario} {stop}");
        assert_eq!(store(&place, scenario, &id, every, Some(stop)), Outcome::Cancelled);
        let from = resume(&place, &id, every, None);
        assert_eq!(from, if every.is_some() { stop } else { 0 }, "{id}");
        let stored = place.stored();
        assert_eq!(stored.differences(&format!("{scenario} whole"), &id), [""; 0], "{id}");
        assert_eq!(checkpoints(&stored, &id), "", "{id}");
    }
}

#[test]
fn one_that_is_stopped_again_and_again_comes_to_the_same_end() {
    let place = Place::new();
    store(&place, "stressed-week", "whole", None, None);
    store(&place, "stressed-week", "often", Some(20), Some(30));
    for stop in [31, 90, 91, 210] {
        resume(&place, "often", Some(20), Some(stop));
    }
    assert_eq!(checkpoints(&place.stored(), "often"), "179 auto, 199 auto, 209 final");
    // Without checkpoints of its own it goes on from those that are there.
    assert_eq!(resume(&place, "often", None, Some(220)), 210);
    assert_eq!(checkpoints(&place.stored(), "often"), "179 auto, 199 auto, 209 final");
    assert_eq!(resume(&place, "often", None, None), 210);
    assert_eq!(place.stored().differences("whole", "often"), [""; 0]);
    assert_eq!(checkpoints(&place.stored(), "often"), "");
}

/// A run of the command line that takes a while, with a checkpoint every hundred ticks.
fn long(program: &Program, id: &str) -> Child {
    let mut command = program.command();
    command.args(["run", "library:stressed-week", "--run-ticks", "2000", "--db", "r.duckdb"]);
    command.args(["--simulation-id", id, "--checkpoint-every", "100", "--event-stream"]);
    let output = std::fs::File::create(program.path(id)).expect("a file");
    command.stdout(output).stderr(Stdio::piped()).spawn().expect("the program starts")
}

#[test]
fn a_run_that_was_stopped_is_resumed_by_the_command_line() {
    let program = Program::new();
    let whole = program
        .out("run library:stressed-week --run-ticks 2000 --db r.duckdb --simulation-id whole --event-stream");
    let child = long(&program, "stopped");
    wait_for_bytes(&program.path("stopped"), 200_000);
    send(child.id(), Signal::TERM);
    assert_eq!(said(child.wait_with_output().expect("an end")).status, 143);
    let resumed = program.run("run --resume stopped --db r.duckdb --event-stream");
    assert_eq!(resumed.status, 0, "{}", resumed.err);
    assert!(resumed.err.contains("of 2000 ticks are stored"), "{}", resumed.err);
    assert!(!resumed.out.is_empty(), "it was stopped before its end");
    let first = std::fs::read_to_string(program.path("stopped")).expect("what it printed");
    assert!(first + &resumed.out == whole, "both parts are the whole");
    assert_eq!(Stored::read(&program.path("r.duckdb")).differences("whole", "stopped"), [""; 0]);
    let again = program.run("run --resume stopped --db r.duckdb");
    assert!(again.status == 1 && again.err.contains("it is complete"), "{}", again.err);
}

/// Starts a run and kills it when some of its batches are committed, but not all.
fn killed_midway(program: &Program, id: &str) {
    let file = program.path("r.duckdb");
    // How much a batch is depends on the machine.
    for megabytes in [1, 2, 4, 8, 16, 32] {
        let mut child = long(program, id);
        wait_for_bytes(&program.path("r.duckdb.wal"), megabytes * 1_000_000);
        send(child.id(), Signal::KILL);
        child.wait().expect("an end");
        let stored = Stored::read(&file);
        if let Some(row) = stored.rows().into_iter().find(|row| row.id == id) {
            assert_eq!(row.status, "running", "its process is dead");
            return;
        }
    }
    panic!("nothing was committed");
}

#[test]
fn a_run_that_was_killed_is_resumed_by_the_command_line() {
    let program = Program::new();
    let run = "run library:stressed-week --run-ticks 2000 --db r.duckdb --simulation-id whole --event-stream";
    let whole = program.out(run);
    killed_midway(&program, "killed");
    program.out("run library:two-banks --db r.duckdb --quiet");
    let before: f64 = Stored::read(&program.path("r.duckdb")).one(
        "SELECT duration_seconds FROM simulations WHERE simulation_id = 'killed' AND status = 'interrupted' \
         AND abs(ticks_per_second - (last_tick + 1) / duration_seconds) < 1e-6",
    );
    assert!(before > 0.0);
    let resumed = program.run("run --resume killed --db r.duckdb --event-stream");
    assert_eq!(resumed.status, 0, "{}", resumed.err);
    assert!(!resumed.out.is_empty() && resumed.out.len() < whole.len(), "it goes on behind its ticks");
    assert!(whole.ends_with(&resumed.out), "it goes on with the same events");
    let stored = Stored::read(&program.path("r.duckdb"));
    assert_eq!(stored.differences("whole", "killed"), [""; 0]);
    let rate = "SELECT abs(ticks_per_second - num_ticks / duration_seconds) < 1e-6 FROM simulations WHERE simulation_id = 'killed'";
    assert!(stored.one::<bool>(rate));
    let after: f64 = stored.one("SELECT duration_seconds FROM simulations WHERE simulation_id = 'killed'");
    assert!(after > before, "{before} {after}");
}

#[test]
fn a_run_that_failed_for_want_of_room_is_resumed_when_there_is_some() {
    let program = Program::new();
    let run = "run library:stressed-week --run-ticks 2000 --db r.duckdb --quiet --simulation-id";
    program.out(&format!("{run} whole"));
    program.out("run library:two-banks --db s.duckdb --quiet");
    std::fs::rename(program.path("s.duckdb"), program.path("r2.duckdb")).expect("renamed");
    let full = program.on_a_full_disk(2000,
        "run library:stressed-week --run-ticks 2000 --db r2.duckdb --quiet --simulation-id full --checkpoint-every 50",
    );
    assert_eq!(full.status, 1, "{}", full.err);
    assert!(full.err.contains("could not be written"), "{}", full.err);
    let resumed = program.run("run --resume full --db r2.duckdb --quiet");
    assert_eq!(resumed.status, 0, "{}", resumed.err);
    let digest = |file: &str, id: &str| -> String {
        let stored = Stored::read(&program.path(file));
        let row = stored.rows().into_iter().find(|row| row.id == id).expect("the simulation");
        assert_eq!((stored.fault(&row), row.status.as_str()), (None, "completed"));
        row.digest
    };
    assert_eq!(digest("r2.duckdb", "full"), digest("r.duckdb", "whole"));
}

/// A simulation that was stopped after 57 ticks, with checkpoints after the ticks 39, 49 and 56.
pub fn stopped(program: &Program) {
    let place = Place { folder: tempfile::tempdir().expect("a folder") };
    store(&place, "stressed-week", "s", Some(10), Some(57));
    store(&place, "stressed-week", "whole", None, None);
    std::fs::copy(place.file(), program.path("r.duckdb")).expect("copied");
}

#[test]
fn a_checkpoint_that_cannot_be_used_is_passed_over_with_the_reason() {
    for (change, reason, from) in [
        (
            "SET state_json = replace(state_json, '\"complete_ticks\":57', '\"complete_ticks\":58')",
            "state_hash",
            49,
        ),
        ("SET state_hash = 'x'", "state_hash", 49),
        ("SET config_hash = sha256('another')", "another scenario", 49),
        (
            "SET state_json = '{\"format\":2}', state_hash = sha256('{\"format\":2}')",
            "format 2 is not known",
            49,
        ),
        ("SET state_json = '{\"format\":1}', state_hash = sha256('{\"format\":1}')", "damaged", 49),
        ("SET checkpoint_tick = 55", "another tick", 49),
        ("SET checkpoint_tick = 70", "behind the last stored tick", 49),
    ] {
        let program = Program::new();
        stopped(&program);
        let newest = "WHERE checkpoint_id = 's@56'";
        Stored::write(&program.path("r.duckdb"))
            .change(&format!("UPDATE simulation_checkpoints {change} {newest}"));
        let resumed = program.run("run --resume s --db r.duckdb");
        assert_eq!(resumed.status, 0, "{change}: {}", resumed.err);
        assert!(resumed.err.contains("warning: checkpoint `s@56`"), "{change}: {}", resumed.err);
        assert!(resumed.err.contains(reason), "{change}: {}", resumed.err);
        assert!(resumed.err.contains(&format!("checkpoint after tick {from}")), "{change}: {}", resumed.err);
        assert_eq!(Stored::read(&program.path("r.duckdb")).differences("whole", "s"), [""; 0], "{change}");
    }
    let program = Program::new();
    stopped(&program);
    Stored::write(&program.path("r.duckdb")).change("UPDATE simulation_checkpoints SET state_hash = 'x'");
    let resumed = program.run("run --resume s --db r.duckdb");
    assert!(resumed.status == 0 && resumed.err.contains("from the start"), "{}", resumed.err);
    assert_eq!(resumed.err.matches("warning: ").count(), 3, "{}", resumed.err);
    assert_eq!(Stored::read(&program.path("r.duckdb")).differences("whole", "s"), [""; 0]);
}

#[test]
fn what_does_not_give_the_stored_events_again_is_refused_and_nothing_changes() {
    let balance = "regexp_replace(state_json, '\"balance\":(-?\\d)', '\"balance\":7\\1')";
    let newest = "UPDATE simulation_checkpoints SET";
    for (change, reason) in [
        // A state with a hash that holds: of the last tick, and of an earlier one.
        (format!("{newest} state_json = {balance}, state_hash = sha256({balance})"), "not the state"),
        (
            format!(
                "{newest} state_json = {balance}, state_hash = sha256({balance}), \
                 config_hash = CASE WHEN checkpoint_tick = 56 THEN 'x' ELSE config_hash END"
            ),
            "other events",
        ),
        ("UPDATE simulations SET event_digest = sha256('x') WHERE simulation_id = 's'".to_owned(), "digest"),
        (
            "UPDATE simulation_events SET details = replace(details, '\"amount\":', '\"amount\":1') \
             WHERE simulation_id = 's' AND event_type = 'Arrival' AND sequence < 40"
                .to_owned(),
            "simulation `s`",
        ),
        (
            "UPDATE simulations SET config_json = replace(config_json, '\"rng_seed\":', '\"rng_seed\":1') \
             WHERE simulation_id = 's'"
                .to_owned(),
            "config_hash",
        ),
    ] {
        let program = Program::new();
        stopped(&program);
        let file = program.path("r.duckdb");
        Stored::write(&file).change(&change);
        let before = Stored::read(&file).fingerprints().remove("s");
        let refused = program.run("run --resume s --db r.duckdb --quiet");
        assert_eq!(refused.status, 1, "{change}");
        assert!(refused.err.contains("error: ") && refused.err.contains(reason), "{change}: {}", refused.err);
        assert_eq!(Stored::read(&file).fingerprints().remove("s"), before, "{change}");
    }
}

#[test]
fn what_cannot_be_resumed_is_refused() {
    let program = Program::new();
    let missing = program.run("run --resume s --db none.duckdb");
    assert!(missing.status == 1 && missing.err.contains("does not exist"), "{}", missing.err);
    assert!(!program.has("none.duckdb"), "nothing is made");
    stopped(&program);
    let unknown = program.run("run --resume t --db r.duckdb");
    assert!(unknown.status == 1 && unknown.err.contains("`t`") && unknown.err.contains("hint: "));
    let whole = program.run("run --resume whole --db r.duckdb");
    assert!(whole.status == 1 && whole.err.contains("it is complete"), "{}", whole.err);
    program.out("experiment run library:two-period --db r.duckdb --run-id exp-1 --quiet");
    let file = program.path("r.duckdb");
    let id: String = Stored::read(&file)
        .one("SELECT min(simulation_id) FROM simulations WHERE experiment_run_id = 'exp-1'");
    Stored::write(&file)
        .change(&format!("UPDATE simulations SET status = 'failed' WHERE simulation_id = '{id}'"));
    let of_a_run = program.run(&format!("run --resume {id} --db r.duckdb"));
    assert!(of_a_run.status == 1 && of_a_run.err.contains("experiment resume exp-1"), "{}", of_a_run.err);
    for wrong in [
        "library:two-banks --resume s",
        "--resume s --seed 1",
        "--resume s --run-ticks 9",
        "--resume s --simulation-id t",
        "--checkpoint-every 0 library:two-banks",
    ] {
        let usage = program.run(&format!("run --db r.duckdb {wrong}"));
        assert_eq!(usage.status, 2, "{wrong}: {}", usage.err);
    }
}

#[test]
fn the_time_of_every_tick_is_printed_if_it_is_asked_for() {
    let program = Program::new();
    let said = program.run("run library:two-banks --debug --quiet");
    assert_eq!(said.out.lines().count(), 1, "standard output has the result only");
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines.len(), 11, "{}", said.err);
    assert!(
        lines[0].starts_with("debug: tick 0: ") && lines[10].starts_with("debug: 10 ticks: "),
        "{}",
        said.err
    );
    let parts = ["arrivals", "decisions", "settlement", "netting", "costs", "storing"];
    assert!(lines.iter().all(|line| parts.iter().all(|part| line.contains(part))), "{}", said.err);
}

#[test]
fn checkpoints_alone_imply_the_default_database() {
    let program = Program::new();
    program.out("run library:two-banks --checkpoint-every 5 --simulation-id d --quiet");
    assert!(program.has("data/payment-sim/payment-sim.duckdb"));
}
