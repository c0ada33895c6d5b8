//! How fast experiments measure policies, and how good the built-in search is.
//!
//! ```console
//! $ cargo bench --bench experiment                      # time for a sample, on one thread and on all
//! $ cargo bench --bench experiment -- search [FILE]     # fractions and costs on days never searched
//! ```
//!
//! The game is the twelve-period day of the library, or the one of FILE. `search` runs each of the master
//! seeds in the environment variable SEEDS, 42, 7 and 2024 without it.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]
#![allow(dead_code, reason = "shared with other benchmarks")]

mod measure;

use std::time::{Duration, Instant};

use payment_sim::experiment::laboratory::Laboratory;
use payment_sim::experiment::policies::{AgentPolicy, default_policy};
use payment_sim::experiment::runner::{self, Plan, RunOptions};
use payment_sim::experiment::sampler::samples;
use payment_sim::experiment::seeds::iteration_seed;
use payment_sim::persistence::PolicyAuthor;
use payment_sim::run::CancelFlag;
use payment_sim::sources::{ExperimentOptions, load_experiment};

use measure::Target::AtMost;
use measure::{figure, heading, remark};

/// Milliseconds that the simulator whose files run here takes for a sample of this game, on one core.
const REFERENCE_SAMPLE: f64 = 3.3;

/// Milliseconds that it takes for a full run of twelve ticks.
const REFERENCE_RUN: f64 = 1.7;

/// How many times as fast this program should be.
const FASTER: f64 = 20.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["search", file] => search(file),
        ["search"] => search("library:twelve-period"),
        _ => speed(),
    }
}

fn plan(file: &str, seed: &str) -> Plan {
    let options = ExperimentOptions {
        seed: Some(seed.to_owned()),
        proposer: Some("search".to_owned()),
        max_iterations: Some(25),
        num_samples: Some(50),
        ..ExperimentOptions::default()
    };
    load_experiment(file, &options).unwrap().plan
}

fn laboratory(plan: &Plan) -> Laboratory {
    let agents = &plan.experiment.optimized_agents;
    let ticks = plan.experiment.evaluation.ticks;
    Laboratory::new(plan.scenario.clone(), agents, ticks, "", None, CancelFlag::default()).unwrap()
}

fn at(plan: &Plan, fraction: f64) -> Vec<AgentPolicy> {
    let build =
        |agent: &String| AgentPolicy::build(default_policy(agent, fraction), PolicyAuthor::Default).unwrap();
    plan.experiment.optimized_agents.iter().map(build).collect()
}

fn speed() {
    let plan = plan("library:twelve-period", "42");
    let lab = laboratory(&plan);
    let policies = at(&plan, 0.5);
    let seed = iteration_seed("42", 0, "BANK_A");
    let day = lab.full_run(&policies, seed, true, None).unwrap();
    let (history, bank) = (day.history.unwrap(), lab.agents()[0].bank);
    let drawn = samples(&history.outgoing(bank), &history.incoming(bank), seed, 50, 12);
    let (sent, received) = (drawn[0].outgoing.len(), drawn[0].incoming.len());
    println!("a sample of 12 ticks: {sent} payments out, {received} in");

    let one = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let batch = || lab.batch(0, &drawn, &policies[0], None).unwrap();
        pool.install(|| milliseconds(|| drop(batch()))) / drawn.len() as f64
    };
    let sample = one(1);
    heading("measuring policies (milliseconds)");
    figure("one sample, one thread", sample, "ms", AtMost(REFERENCE_SAMPLE / FASTER));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parallel = one(threads);
    remark(&format!("one sample, {threads} threads"), parallel, "ms");
    remark("  times as fast as on one", sample / parallel, "");
    let run = milliseconds(|| drop(lab.full_run(&policies, seed, false, None).unwrap()));
    figure("one full run, one thread", run, "ms", AtMost(REFERENCE_RUN / FASTER));
    remark("one sample / one full run", sample / run, "");
}

/// Milliseconds for one call: the median of eleven rounds of a twentieth of a second.
fn milliseconds(mut work: impl FnMut()) -> f64 {
    work();
    let mut rounds: Vec<f64> = (0..11)
        .map(|_| {
            let (started, mut calls) = (Instant::now(), 0.0);
            while started.elapsed() < Duration::from_millis(50) {
                work();
                calls += 1.0;
            }
            started.elapsed().as_secs_f64() * 1000.0 / calls
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

/// Days that no search of these master seeds has seen.
const FRESH_DAYS: std::ops::RangeInclusive<u64> = 5001..=6000;

/// A fraction that is near the best one for both banks of the twelve-period day, and how much more than it
/// what the search ends with may cost.
const NEAR_BEST: f64 = 0.15;
const MAY_COST: f64 = 1.05;

fn search(file: &str) {
    let first = plan(file, "42");
    let with = |fraction: f64| fresh_mean(&first, &at(&first, fraction));
    heading(&format!("total of all banks on {} fresh days (cents, mean)", FRESH_DAYS.count()));
    let common = (10..=20).map(|step| f64::from(step) / 100.0).map(|fraction| (with(fraction), fraction));
    let (best, fraction) = common.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
    remark(&format!("best common fraction, {fraction}"), best, "");
    let most = with(NEAR_BEST) * MAY_COST;
    let seeds = std::env::var("SEEDS").unwrap_or_else(|_| "42 7 2024".to_owned());
    for seed in seeds.split(' ') {
        let plan = plan(file, seed);
        let started = Instant::now();
        let result =
            runner::run(&plan, &RunOptions::default(), None, &mut (), &CancelFlag::default()).unwrap();
        let last = result.last.unwrap();
        let fractions: Vec<f64> = last.policies.iter().filter_map(AgentPolicy::fraction_parameter).collect();
        let what = format!(
            "master seed {seed}: {fractions:?}, {} iterations, {:.1} s",
            result.num_iterations,
            started.elapsed().as_secs_f64()
        );
        figure(&what, fresh_mean(&plan, &last.policies), "", AtMost(most));
    }
}

/// Mean over the fresh days of the sum of the agents' costs.
fn fresh_mean(plan: &Plan, policies: &[AgentPolicy]) -> f64 {
    use rayon::prelude::*;
    let lab = laboratory(plan);
    let days: Vec<u64> = FRESH_DAYS.collect();
    let totals = days.par_iter().map(|seed| {
        let day = lab.full_run(policies, *seed, false, None).unwrap();
        lab.agents().iter().map(|agent| day.cost(agent.bank)).sum::<i64>()
    });
    totals.sum::<i64>() as f64 / days.len() as f64
}
