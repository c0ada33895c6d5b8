//! How fast the explorer answers: the real program in a pseudo-terminal, idle and while an experiment
//! runs. Figures are medians and 95th percentiles in milliseconds, beside a bare start of the program.
//!
//! ```console
//! $ cargo bench --bench explorer [-- DATABASE]
//! ```
//!
//! With a database, its largest simulation is opened and stepped through instead of a fresh one.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]
#![allow(clippy::expect_used, dead_code, reason = "shared with the tests")]

#[path = "../tests/suite/support/terminal.rs"]
mod terminal;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use terminal::Program;

const BINARY: &str = env!("CARGO_BIN_EXE_payment-sim");

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let file = given.clone().map_or_else(|| folder.path().join("fresh.duckdb"), Into::into);
    if given.is_none() {
        let status = Command::new(BINARY)
            .args(["run", "library:large-day", "--quiet", "--db"])
            .arg(&file)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }
    let bare = repeat(10, || {
        Command::new(BINARY).arg("--version").stdout(std::process::Stdio::null()).status().unwrap();
    });
    let first = first_frames(&file);
    report("bare start (--version)", &bare);
    report("first frame", &first);
    println!("  first frame / bare start: {:.1}", median(&first) / median(&bare));
    stepping(&file);
    idle(&file);
    under_load(&folder.path().join("load.duckdb"));
}

fn start(file: &Path) -> Program {
    Program::start(&[BINARY, "--db", &file.to_string_lossy()], (120, 40))
}

fn first_frames(file: &Path) -> Vec<f64> {
    (0..10)
        .map(|_| {
            let started = Instant::now();
            let mut program = start(file);
            program.wait("Library");
            let taken = milliseconds(started);
            leave(program);
            taken
        })
        .collect()
}

/// Ends the program and waits for it: the next one opens the same file.
fn leave(mut program: Program) {
    program.press("\u{3}\u{3}").exit_status();
}

/// From a key to its effect on the screen, tick by tick.
fn stepping(file: &Path) {
    let mut program = start(file);
    program
        .wait("Library")
        .press("gsf")
        .wait("filter:")
        .press("sort:-events\r")
        .wait("sort:-events ┓")
        .wait("✓ completed")
        .press("\r")
        .wait("tick 0 of");
    let steps = (1..60).map(|tick| timed(&mut program, ".", &format!("tick {tick} of"))).collect::<Vec<_>>();
    report("a tick forwards", &steps);
    let steps =
        (0..59).rev().map(|tick| timed(&mut program, ",", &format!("tick {tick} of"))).collect::<Vec<_>>();
    report("a tick backwards", &steps);
    leave(program);
}

fn idle(file: &Path) {
    let mut program = start(file);
    program.wait("Library");
    std::thread::sleep(Duration::from_secs(1));
    let before = processor_ticks(program.pid());
    std::thread::sleep(Duration::from_secs(5));
    let used = processor_ticks(program.pid()) - before;
    // The kernel counts in hundredths of a second.
    println!("{:32} {:.2} % of a processor", "idle", used as f64 / 5.0);
    leave(program);
}

/// Moving through the library while an experiment runs and stores every simulation.
fn under_load(file: &Path) {
    let mut program = start(file);
    program
        .wait("Library")
        .press("jj\r")
        .wait("[ Start ]")
        .press("\r")
        .wait("running")
        .press("gh")
        .wait("Library")
        .press("gg")
        .wait("▸ experiment two-period");
    let mut keys = Vec::new();
    while keys.len() < 200 && program.screen().contains("1 job") {
        keys.push(timed(&mut program, "j", "▸ experiment three-period"));
        keys.push(timed(&mut program, "k", "▸ experiment two-period"));
    }
    report("a key while an experiment runs", &keys);
    leave(program);
}

/// Milliseconds from pressing until the text stands on the screen.
fn timed(program: &mut Program, key: &str, text: &str) -> f64 {
    let started = Instant::now();
    program.press(key);
    while !program.screen().contains(text) {
        assert!(started.elapsed() < Duration::from_secs(20), "`{text}` did not come:\n{}", program.screen());
        std::thread::sleep(Duration::from_micros(200));
    }
    milliseconds(started)
}

fn repeat(times: usize, mut what: impl FnMut()) -> Vec<f64> {
    let once = |_| {
        let started = Instant::now();
        what();
        milliseconds(started)
    };
    (0..times).map(once).collect()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(figures: &[f64]) -> f64 {
    sorted(figures)[figures.len() / 2]
}

fn report(what: &str, figures: &[f64]) {
    let sorted = sorted(figures);
    let high = sorted[(sorted.len() * 95 / 100).min(sorted.len() - 1)];
    println!("{what:32} {:8.1} ms median {high:8.1} ms 95 %   ({} times)", median(figures), figures.len());
}

/// Processor time of a process in hundredths of a second.
fn processor_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
