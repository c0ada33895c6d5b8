#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::engine::Simulation;
use crate::event::{Details, decode, write_line};
use crate::ids::Names;
use crate::metrics::{SimulationSummary, Summary};
use crate::scenario::{self, FileKind, FileText, Files, Format, Overrides};

/// Cases whose texts are held against stored ones: together they show every section.
const SHOWN: [&str; 13] = [
    "correction-c03-settings-together",
    "correction-c23-offset-at-entry",
    "eod-register-reset",
    "event-catalogue-collateral",
    "event-catalogue-cycle",
    "event-catalogue-drop-deferred",
    "event-catalogue-retry-release",
    "event-catalogue-rtgs-and-queue",
    "event-catalogue-split-bilateral",
    "liquidity-fraction-from-json-file",
    "policy-budget-focus-and-per-counterparty",
    "rtgs-stagger-split",
    "tick-timed-release",
];

struct Beside<'a>(&'a Path);

impl Files for Beside<'_> {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok(FileText { name: path.to_owned(), text })
    }
}

struct Run {
    scenario: Arc<Scenario>,
    ticks: Vec<Vec<Event>>,
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The complete ticks of a case; some cases end in an error.
fn run(folder: &Path) -> Run {
    let text = fs::read_to_string(folder.join("scenario.yaml")).unwrap();
    let (file, findings) = scenario::read(&text, Format::Yaml, &Overrides::default(), &Beside(folder));
    let file = file.unwrap_or_else(|| panic!("{}: {findings:?}", folder.display()));
    let scenario = Arc::new(file.resolve().unwrap());
    let mut simulation = Simulation::new(Arc::clone(&scenario));
    let mut ticks = Vec::new();
    while simulation.now() < scenario.calendar.end() {
        match simulation.step() {
            Ok(events) => ticks.push(events.to_vec()),
            Err(_) => break,
        }
    }
    Run { scenario, ticks }
}

fn case(name: &str) -> Run {
    run(&cases().join(name))
}

/// The texts of all ticks.
fn texts(mut transcript: Transcript, ticks: &[Vec<Event>]) -> Vec<String> {
    let numbered = (0..).map(Tick).zip(ticks);
    numbered.map(|(tick, events)| transcript.tick(tick, events).unwrap()).collect()
}

fn filtered(run: &Run, options: &FilterOptions<'_>) -> Vec<String> {
    let filter = Filter::parse(options).unwrap();
    texts(Transcript::new(Arc::clone(&run.scenario)).with_filter(&filter), &run.ticks)
}

/// The event as it comes back from the columns of a row, and from its line.
fn reread(event: &Event, tick: Tick, names: &Names) -> [Event; 2] {
    let (mut details, mut line) = (String::new(), String::new());
    Details::write(event, names, &mut details);
    write_line(0, tick, event, names, &mut line);
    let agent = event.agent_id().map(|bank| names.bank(bank).to_owned());
    let payment = event.tx_id().map(|id| id.name(names));
    let kind = event.kind().name();
    let columns = decode(kind, agent.as_deref(), payment.as_deref(), &details, names).unwrap();
    [columns, decode(kind, None, None, &line, names).unwrap()]
}

#[test]
fn the_texts_of_cases_are_as_stored() {
    for name in SHOWN {
        let run = case(name);
        let all = texts(Transcript::new(Arc::clone(&run.scenario)), &run.ticks);
        let eventful = all.iter().zip(&run.ticks).filter(|(_, events)| !events.is_empty());
        let shown: String = eventful.map(|(text, _)| text.as_str()).collect();
        insta::assert_snapshot!(name, shown);
    }
}

#[test]
fn every_section_is_shown_by_a_stored_text() {
    let all: String = SHOWN
        .iter()
        .flat_map(|name| {
            let run = case(name);
            texts(Transcript::new(run.scenario), &run.ticks)
        })
        .collect();
    for section in [
        "=== Tick ",
        "Start of day 0: pool liquidity allocated",
        "Start of day 1: pool liquidity allocated",
        "Scenario events (",
        "Arrivals (",
        ", part of ",
        "Near their deadline (",
        "Policy decisions (",
        "Policy registers that changed",
        "Release budgets for this tick",
        "  raised because the deadline is near",
        "  set by a policy",
        "Settlement system",
        "Settlements (",
        "  immediate",
        "  offset at entry",
        "  released from queue 2",
        "  pairs",
        "  rings",
        "Queued in queue 2 (",
        "Offsets and rings in detail",
        "Deferred credits",
        "Collateral",
        "Newly overdue (",
        "Overdue payments settled (",
        "Overdue in a queue (",
        "Banks",
        "Queues",
        "held back until tick",
        "Costs of the tick",
        "End of day 0: ",
        "Pool liquidity returned",
        "Summary of day 0",
    ] {
        let section = section.trim_start_matches(", ");
        assert!(all.contains(section), "no stored text shows `{section}`");
    }
}

#[test]
fn recorded_events_give_the_text_of_the_run() {
    let mut folders: Vec<_> = fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("events.jsonl").exists());
    folders.sort();
    assert!(folders.len() >= 300, "only {} cases", folders.len());
    for folder in folders {
        let run = run(&folder);
        let names = &run.scenario.names;
        let of_run = texts(Transcript::new(Arc::clone(&run.scenario)), &run.ticks);
        for form in [0, 1] {
            let recorded = run.ticks.iter().enumerate().map(|(tick, events)| {
                let tick = Tick(tick as u64);
                events.iter().map(|event| reread(event, tick, names)[form].clone()).collect()
            });
            let recorded: Vec<Vec<Event>> = recorded.collect();
            let of_record = texts(Transcript::new(Arc::clone(&run.scenario)), &recorded);
            assert_eq!(of_record, of_run, "{}", folder.display());
        }
        let all = of_run.concat();
        let widest = all.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
        assert!(widest.chars().count() <= 110, "{}: {widest}", folder.display());
    }
}

#[test]
fn a_transcript_can_begin_in_the_middle() {
    let run = case("liquidity-pool-day-cycle");
    let of_run = texts(Transcript::new(Arc::clone(&run.scenario)), &run.ticks);
    for start in 1..run.ticks.len() {
        let mut skipping = Transcript::new(Arc::clone(&run.scenario));
        for (tick, events) in (0..).map(Tick).zip(&run.ticks[..start]) {
            skipping.skip(tick, events).unwrap();
        }
        let mut from_state = Transcript::from_state(skipping.ledger().state().clone());
        let opens_day = run.scenario.calendar.opens_day(Tick(start as u64));
        for (tick, events) in run.ticks.iter().enumerate().skip(start) {
            let at = Tick(tick as u64);
            assert_eq!(skipping.tick(at, events).unwrap(), of_run[tick]);
            let text = from_state.tick(at, events).unwrap();
            let same_day = run.scenario.calendar.day(at) == run.scenario.calendar.day(Tick(start as u64));
            if run.scenario.calendar.closes_day(at) && same_day && !opens_day {
                assert!(text.contains(&format!("counted from tick {start} on")), "{text}");
            } else {
                assert_eq!(text, of_run[tick]);
            }
        }
    }
}

#[test]
fn filters_act_on_sections_of_events_only() {
    let run = case("event-catalogue-rtgs-and-queue");
    let whole = filtered(&run, &FilterOptions::default());
    let queued = filtered(&run, &FilterOptions { event_types: Some("QueuedRtgs"), ..Default::default() });
    let kept = |text: &str, title: &str| text.split("\n\n").any(|section| section.starts_with(title));
    for (whole, queued) in whole.iter().zip(&queued) {
        for title in
            ["=== Tick", "Near their", "Banks", "Queues", "Costs of", "Summary of", "Queued in queue 2"]
        {
            assert_eq!(kept(whole, title), kept(queued, title), "{title}");
        }
        for title in ["Arrivals", "Policy decisions", "Settlement system", "Settlements", "End of day"] {
            assert!(!kept(queued, title), "{title}");
        }
    }
}

#[test]
fn a_bank_filter_sums_what_the_bank_sends_and_receives() {
    let run = case("event-catalogue-cycle");
    let bank = run.scenario.names.ids()[0].to_string();
    let all = filtered(&run, &FilterOptions { agent: Some(&bank), ..Default::default() }).concat();
    assert!(all.contains(&format!("{bank} sends 1 (")) && all.contains("and receives 1 ("), "{all}");
}

#[test]
fn the_result_is_shown_as_tables() {
    let run = case("correction-c03-settings-together");
    let mut transcript = Transcript::new(Arc::clone(&run.scenario));
    for (tick, events) in (0..).map(Tick).zip(&run.ticks) {
        transcript.skip(tick, events).unwrap();
    }
    let calendar = run.scenario.calendar;
    let simulation = SimulationSummary {
        config_file: "day.yaml".to_owned(),
        seed: run.scenario.seed,
        ticks_per_day: calendar.ticks_per_day,
        num_days: calendar.num_days,
        ticks_executed: run.ticks.len() as u64,
        status: "completed".to_owned(),
        duration_seconds: 0.1614,
        event_count: transcript.ledger().state().sequence(),
        simulation_id: Some("sim-1".to_owned()),
        replay_range: Some((0, 3)),
        ..SimulationSummary::default()
    };
    insta::assert_snapshot!(result_text(&Summary::new(simulation, transcript.ledger())));
}
