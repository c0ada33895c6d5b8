//! The experiments of the library run, from the binary and from the folder, and show what they promise.

use payment_sim::experiment::runner::{Observer, RunOptions, RunResult, Standing, run};
use payment_sim::experiment::stream::{EventKind, StreamEvent};
use payment_sim::library::{self, Kind};
use payment_sim::run::CancelFlag;
use payment_sim::sources::{ExperimentOptions, LoadedExperiment, load_experiment};

fn load(argument: &str) -> LoadedExperiment {
    let options = ExperimentOptions { strict: true, ..ExperimentOptions::default() };
    load_experiment(argument, &options).unwrap_or_else(|error| panic!("{argument}: {error:?}"))
}

/// Reasons of the proposals that were refused.
#[derive(Default)]
struct Refusals(Vec<String>);

impl Observer for Refusals {
    fn event(&mut self, event: &StreamEvent) {
        if event.kind == EventKind::PolicyRejected {
            self.0.push(event.data["reason"].to_string());
        }
    }
}

fn outcome(name: &str) -> (RunResult, Refusals) {
    let loaded = load(&format!("library:{name}"));
    let mut refusals = Refusals::default();
    let result = run(&loaded.plan, &RunOptions::default(), None, &mut refusals, &CancelFlag::default());
    (result.expect("a run"), refusals)
}

fn fractions(standing: Option<&Standing>) -> Vec<f64> {
    let policies = &standing.expect("an evaluation").policies;
    policies.iter().map(|policy| policy.fraction_parameter().expect("a fraction")).collect()
}

#[test]
fn experiments_are_the_same_from_the_library_and_from_the_folder() {
    for asset in library::of_kind(Kind::Experiment) {
        let (embedded, on_disk) = (load(&asset.link()), load(&format!("assets/{}", asset.path())));
        assert_eq!(embedded.plan.experiment, on_disk.plan.experiment, "{}", asset.name);
        assert_eq!(embedded.plan.scenario, on_disk.plan.scenario, "{}", asset.name);
        assert_eq!(embedded.plan.proposer, on_disk.plan.proposer, "{}", asset.name);
        assert_eq!(embedded.plan.experiment.name, asset.name);
    }
}

#[test]
fn the_search_finds_the_equilibria_of_the_two_known_games() {
    for (name, equilibrium, total) in [("two-period", [0.0, 0.2], 2000), ("three-period", [0.2, 0.2], 3996)] {
        let (result, _) = outcome(name);
        assert!(result.converged, "{name}: {}", result.convergence_reason);
        assert_eq!(fractions(result.last.as_ref()), equilibrium, "{name}");
        assert_eq!(result.iteration_history.last(), Some(&total), "{name}");
    }
}

#[test]
fn the_search_ends_near_the_best_fractions_of_the_random_game() {
    let (result, _) = outcome("twelve-period");
    let ended = fractions(result.last.as_ref());
    assert!(ended.iter().all(|fraction| (0.12..=0.2).contains(fraction)), "{ended:?}");
    let (first, last) = (result.iteration_history[0], result.iteration_history.last().expect("an iteration"));
    assert!(last * 2 < first, "{:?}", result.iteration_history);
}

#[test]
fn cuts_are_taken_until_days_go_wrong_and_the_last_one_never() {
    let (result, refusals) = outcome("careful-cuts");
    assert_eq!(result.iteration_history[..4], [49800, 39840, 29880, 19920]);
    assert!(refusals.0.iter().any(|reason| reason.contains("no improvement")), "{:?}", refusals.0);
    assert!(refusals.0.iter().any(|reason| reason.contains("settlement rate")), "{:?}", refusals.0);
    assert!(fractions(result.last.as_ref())[0] > 0.0);
    let (best, last) = (result.best.expect("a best"), result.last.expect("a last"));
    assert!(best.total < last.total && fractions(Some(&best)) > fractions(Some(&last)));
}

#[test]
fn the_contest_sees_every_policy_of_the_library_and_has_a_winner() {
    let script: serde_json::Value =
        serde_json::from_str(include_str!("../../assets/experiments/policy-contest.script.json"))
            .expect("a script");
    let entries = script["ALDER"].as_array().expect("a list").iter().map(|entry| &entry["policy"]);
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a policy");
    let policies: Vec<_> = library::of_kind(Kind::Policy).map(|asset| read(asset.text())).collect();
    let missing: Vec<_> =
        policies.iter().filter(|policy| !entries.clone().any(|entry| entry == *policy)).collect();
    let names: Vec<_> = missing.iter().map(|policy| &policy["policy_id"]).collect();
    assert_eq!(names, ["release-all"], "the policy that every bank has at the start is not proposed");

    let (result, refusals) = outcome("policy-contest");
    let last = result.last.expect("an evaluation");
    assert_eq!(last.policies[0].json()["policy_id"], "deadline-driven");
    assert!(last.total * 4 < result.iteration_history[0] * 3, "{:?}", result.iteration_history);
    assert_eq!(refusals.0.len(), 3, "{:?}", refusals.0);
}
