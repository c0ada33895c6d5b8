//! The form says what is wrong while it is filled in.

use super::cost::{most_simulations, sentences};
use super::form::{Setting, Value, fields_of};
use tui_input::Input;

use crate::experiment::extent::{Asked, Extent};
use crate::experiment::file::Mode;
use crate::explorer::rows::{ExperimentPlan, ExperimentSettings, Kind, Persist, Plan, Subject, SweepSize};

fn settings(mode: &str) -> ExperimentSettings {
    ExperimentSettings {
        mode: mode.into(),
        iterations: 25,
        samples: 10,
        proposer: "search".into(),
        persist: Persist::Primary,
        workers: 2,
        optimized: vec!["A".into(), "B".into()],
        sweep: None,
        extent: extent(mode),
    }
}

fn extent(mode: &str) -> Extent {
    let modes = [Mode::Bootstrap, Mode::DeterministicTemporal, Mode::DeterministicPairwise];
    Extent {
        mode: modes.into_iter().find(|it| it.name() == mode).unwrap_or(Mode::Deterministic),
        agents: 2,
        iterations: 25,
        samples: 10,
        proposer: Some(Asked::Script),
        calls: 3,
        baselines: true,
        sweep: None,
    }
}

fn subject(mode: &str) -> Subject {
    Subject {
        kind: Kind::Experiment,
        name: "exp1".into(),
        description: String::new(),
        seed: "42".into(),
        banks: 2,
        ticks: 12,
        trial: None,
        experiment: Some(settings(mode)),
        warnings: Vec::new(),
    }
}

#[test]
fn samples_are_asked_for_only_where_they_matter() {
    let settings =
        |mode: &str| fields_of(&subject(mode)).iter().map(|field| field.setting).collect::<Vec<_>>();
    assert!(settings("bootstrap").contains(&Setting::Samples));
    assert!(!settings("deterministic-pairwise").contains(&Setting::Samples));
}

#[test]
fn a_sweep_asks_for_nothing_that_improves() {
    let mut subject = subject("sweep");
    let axes = vec!["lsm_config.enable_bilateral".to_owned()];
    if let Some(settings) = &mut subject.experiment {
        settings.sweep = Some(SweepSize { points: 12, repetitions: 100, axes });
        settings.extent.sweep = Some(1_200);
    }
    let settings: Vec<Setting> = fields_of(&subject).iter().map(|field| field.setting).collect();
    assert_eq!(settings, [Setting::MasterSeed, Setting::Persist, Setting::Workers]);
    let plan = Plan {
        source: "s.yaml".into(),
        kind: Kind::Experiment,
        title: "s".into(),
        seed: "42".into(),
        ticks: None,
        experiment: Some(ExperimentPlan {
            iterations: 50,
            samples: 10,
            persist: Persist::Primary,
            workers: 2,
            proposer: "none".into(),
            replaces_proposer: false,
        }),
    };
    let said = sentences(&subject, Some(&plan));
    assert!(said.contains("12 points, 100 repetitions each, 1,200 simulations of 12 ticks"), "{said}");
}

#[test]
fn a_proposer_is_checked_while_it_is_typed() {
    let mut fields = fields_of(&subject("bootstrap"));
    let Some(proposer) = fields.iter_mut().find(|field| field.setting == Setting::Proposer) else { return };
    for (text, right) in [
        ("search", true),
        ("llm", true),
        ("script:steps.json", true),
        ("openai:gpt-5", true),
        ("", false),
        ("openai", false),
        (":x", false),
        ("openai:", false),
    ] {
        proposer.value = Value::Text(Input::new(text.to_owned()));
        proposer.check();
        assert_eq!(proposer.problem.is_none(), right, "{text}");
    }
}

#[test]
fn choices_go_round() {
    let mut fields = fields_of(&subject("bootstrap"));
    let Some(level) = fields.iter_mut().find(|field| field.setting == Setting::Persist) else { return };
    assert_eq!(level.text(), "primary");
    level.choose(true);
    assert_eq!(level.text(), "all");
    level.choose(true);
    assert_eq!(level.text(), "none");
    level.choose(false);
    assert_eq!(level.text(), "all");
}

#[test]
fn the_size_of_an_experiment_is_an_upper_bound() {
    let plan = ExperimentPlan {
        iterations: 25,
        samples: 10,
        persist: Persist::All,
        workers: 2,
        proposer: "search".into(),
        replaces_proposer: false,
    };
    for (mode, expected) in
        [("deterministic-pairwise", 143), ("deterministic-temporal", 48), ("bootstrap", 1445)]
    {
        assert_eq!(most_simulations(&settings(mode), &plan), expected, "{mode}");
    }
}
