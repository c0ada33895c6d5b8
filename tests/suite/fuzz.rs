//! Files that went wrong: every case, scenario, policy and experiment of the project, changed at random,
//! is refused or runs, without a panic and in bounded time and memory.
//!
//! ```console
//! $ cargo test --release --test suite fuzz                                  # a few hundred files
//! $ FUZZ_SECONDS=1200 cargo test --release --test suite -- --ignored fuzz   # as long as you like
//! ```
//!
//! A failure names the number of its file; `FUZZ_FIRST` starts from there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use payment_sim::document::{self, Node};
use payment_sim::engine::Simulation;
use payment_sim::event::write_line;
use payment_sim::experiment::laboratory::Laboratory;
use payment_sim::experiment::policies::{AgentPolicy, default_policy};
use payment_sim::finding::Findings;
use payment_sim::metrics::Ledger;
use payment_sim::persistence::PolicyAuthor;
use payment_sim::policy::{PolicyDocument, PolicyReport, Program, TreeKind};
use payment_sim::run::CancelFlag;
use payment_sim::scenario::{self, Format, Overrides, Scenario};
use payment_sim::sources::{ExperimentOptions, load_experiment};

use crate::support::mutate::{Dice, Seed, change, scribble};
use crate::support::{Folder, cases_folder};

/// Longest that one file may take, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most processor time of one file: far above what any file of the project takes.
const SECONDS: f64 = 5.0;
/// Ticks that an accepted scenario runs.
const TICKS: u64 = 12;
/// Events after which a run has shown enough.
const EVENTS: u64 = 200_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Scenario,
    Policy,
    Experiment,
}

/// What files to start from.
struct Corpus {
    scenarios: Vec<Seed>,
    policies: Vec<Seed>,
    experiments: Vec<Seed>,
}

impl Corpus {
    fn gather() -> Self {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let cases = entries(&cases_folder());
        let all = |folder: &str, file: &str| {
            let ours = entries(&assets.join(folder));
            let yaml =
                ours.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
            cases.iter().map(|case| case.join(file)).chain(yaml).filter_map(seed).collect::<Vec<_>>()
        };
        let scenarios = all("scenarios", "scenario.yaml");
        let experiments = all("experiments", "experiment.yaml");
        let mut policies: Vec<Seed> =
            entries(&assets.join("policies")).into_iter().filter_map(seed).collect();
        policies.extend(scenarios.iter().flat_map(inline_policies));
        Self { scenarios, policies, experiments }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn seed(path: PathBuf) -> Option<Seed> {
    let text = std::fs::read_to_string(&path).ok()?;
    Some(Seed::new(path, text))
}

/// The policies that stand in a scenario.
fn inline_policies(scenario: &Seed) -> Vec<Seed> {
    let agents = scenario.tree.as_ref().and_then(|tree| tree.get("agents")?.as_array());
    let trees = agents.into_iter().flatten().filter_map(|agent| agent.pointer("/policy/decision_trees"));
    trees.map(|tree| Seed::new(scenario.path.clone(), tree.to_string())).collect()
}

/// A changed file.
struct Mutant {
    number: u64,
    kind: Kind,
    /// The file it is made from; it finds what stands beside that.
    origin: PathBuf,
    text: String,
}

impl Mutant {
    fn make(corpus: &Corpus, number: u64) -> Self {
        let mut dice = Dice::new(number);
        let kind =
            *dice.pick(&[Kind::Scenario, Kind::Scenario, Kind::Scenario, Kind::Policy, Kind::Experiment]);
        let files = match kind {
            Kind::Scenario => &corpus.scenarios,
            Kind::Policy => &corpus.policies,
            Kind::Experiment => &corpus.experiments,
        };
        let (seed, lender) = (dice.pick(files), dice.pick(files));
        let text = match (&seed.tree, &lender.tree) {
            (Some(tree), Some(lender)) if !dice.one_in(6) => {
                let mut tree = tree.clone();
                for _ in 0..=dice.below(6) / 3 {
                    change(&mut tree, lender, &mut dice);
                }
                tree.to_string()
            }
            _ => scribble(&seed.text, &mut dice),
        };
        Self { number, kind, origin: seed.path.clone(), text }
    }

    fn folder(&self) -> &Path {
        self.origin.parent().unwrap_or(Path::new("."))
    }

    /// Reads, checks, resolves and runs it; whether it was accepted.
    fn try_out(&self) -> bool {
        match self.kind {
            Kind::Scenario => self.try_scenario(),
            Kind::Policy => self.try_policy(),
            Kind::Experiment => self.try_experiment(),
        }
    }

    fn try_scenario(&self) -> bool {
        let files = Folder(self.folder().to_owned());
        let (file, findings) = scenario::read(&self.text, Format::Yaml, &Overrides::default(), &files);
        assert_eq!(file.is_none(), findings.has_errors(), "accepted and refused at once: {findings:?}");
        let Some(file) = file else { return false };
        let resolved = file.resolve().expect("what was accepted resolves");
        let _ = file.to_json();
        run(&Arc::new(resolved));
        true
    }

    fn try_policy(&self) -> bool {
        let mut findings = Findings::default();
        let parsed = document::parse_json(&self.text).or_else(|_| document::parse_yaml(&self.text));
        let document = parsed.ok().and_then(|node: Node| PolicyDocument::read(&node, "", &mut findings));
        let _ = PolicyReport::of_text("policy.json", &self.text);
        let Some(document) = document else { return false };
        Program::compile(&document).expect("what was accepted compiles");
        assert!(!document.explain().is_empty() && !document.draw(TreeKind::Payment).is_empty());
        true
    }

    /// Beside the files of its case, so that it finds its scenario.
    fn try_experiment(&self) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        for path in entries(self.folder()).into_iter().filter(|path| path.is_file()) {
            let name = path.file_name().expect("a name");
            std::fs::copy(&path, folder.path().join(name)).expect("a copy");
        }
        let path = folder.path().join("mutant.yaml");
        std::fs::write(&path, &self.text).expect("a file is written");
        let options =
            ExperimentOptions { proposer: Some("search".to_owned()), ..ExperimentOptions::default() };
        let Ok(loaded) = load_experiment(&path.to_string_lossy(), &options) else { return false };
        let plan = loaded.plan;
        let agents = &plan.experiment.optimized_agents;
        let ticks = plan.experiment.evaluation.ticks.min(TICKS);
        let lab = Laboratory::new(plan.scenario.clone(), agents, ticks, "", None, CancelFlag::default());
        let start = |agent: &String| AgentPolicy::build(default_policy(agent, 0.5), PolicyAuthor::Default);
        if let (Ok(lab), Ok(policies)) = (lab, agents.iter().map(start).collect::<Result<Vec<_>, _>>()) {
            let _ = lab.full_run(&policies, 42, false, None);
        }
        true
    }
}

/// Some ticks; the fold of their events stands where the engine stands.
fn run(scenario: &Arc<Scenario>) {
    let mut simulation = Simulation::new(scenario.clone());
    let mut ledger = Ledger::new(scenario.clone());
    let mut sequence = 0;
    let mut line = String::new();
    while simulation.now().0 < TICKS && simulation.now() < scenario.calendar.end() && sequence < EVENTS {
        let tick = simulation.now();
        let Ok(events) = simulation.step() else { return };
        for event in events {
            line.clear();
            write_line(sequence, tick, event, &scenario.names, &mut line);
            sequence += 1;
        }
        ledger.tick(tick, simulation.events()).expect("events that fold");
        for bank in scenario.names.banks() {
            assert_eq!(simulation.bank(bank).position, ledger.state().position(bank), "before {tick}");
        }
    }
}

/// What became of the files.
#[derive(Debug, Default)]
struct Tally {
    tried: u64,
    accepted: u64,
    failures: Vec<String>,
}

/// Tries files one after the other on a thread of their own, so that one that hangs is noticed.
fn try_out(first: u64, goes_on: impl Fn(u64) -> bool) -> Tally {
    let corpus = Arc::new(Corpus::gather());
    let mut tally = Tally::default();
    let (numbers, to_try) = channel::<u64>();
    let (done, results) = channel();
    let worker = corpus.clone();
    std::thread::spawn(move || {
        for number in to_try {
            let mutant = Mutant::make(&worker, number);
            let started = processor_seconds();
            let tried = catch_unwind(AssertUnwindSafe(|| mutant.try_out()));
            let seconds = processor_seconds() - started;
            let tried = tried.map_err(|panic| payment_sim::text::panic_message(panic.as_ref()));
            if done.send(tried.map(|accepted| (accepted, seconds))).is_err() {
                break;
            }
        }
    });
    let mut number = first;
    while goes_on(tally.tried) {
        numbers.send(number).expect("the thread lives");
        let (mut ended, result) = (false, results.recv_timeout(PATIENCE));
        let complaint = match result {
            Ok(Ok((accepted, seconds))) => {
                tally.accepted += u64::from(accepted);
                (seconds > SECONDS).then(|| format!("took {seconds:.1} s"))
            }
            Ok(Err(panic)) => Some(panic),
            Err(gone) => {
                ended = true;
                Some(
                    if gone == RecvTimeoutError::Timeout { "does not end" } else { "ended the thread" }
                        .to_owned(),
                )
            }
        };
        tally.tried += 1;
        if let Some(complaint) = complaint {
            tally.failures.push(describe(&corpus, number, &complaint));
        }
        if ended {
            break;
        }
        number += 1;
    }
    tally
}

/// What this thread has used of a processor, where the system tells; else nothing, and only a hang shows.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Keeps the file of a failure and says where.
fn describe(corpus: &Corpus, number: u64, complaint: &str) -> String {
    let mutant = Mutant::make(corpus, number);
    let path = std::env::temp_dir().join(format!("payment-sim-fuzz-{number}.yaml"));
    let _ = std::fs::write(&path, &mutant.text);
    let Mutant { number, kind, origin, .. } = &mutant;
    format!("file {number}, {kind:?} made from {}, kept as {}: {complaint}", origin.display(), path.display())
}

fn report(tally: &Tally) {
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    let share = tally.accepted as f64 / tally.tried as f64;
    assert!((0.1..0.9).contains(&share), "{tally:?}: of the changed files some are accepted, some refused");
}

fn from_environment(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn changed_files_are_refused_or_run() {
    report(&try_out(1, |tried| tried < 400));
}

#[test]
#[ignore = "as long as `FUZZ_SECONDS` says"]
#[allow(clippy::print_stderr, reason = "says how many files were tried")]
fn changed_files_are_refused_or_run_for_long() {
    let until = Instant::now() + Duration::from_secs(from_environment("FUZZ_SECONDS").unwrap_or(600));
    let tally = try_out(from_environment("FUZZ_FIRST").unwrap_or(1_000), |_| Instant::now() < until);
    eprintln!("{} files tried, {} accepted", tally.tried, tally.accepted);
    report(&tally);
}
