//! The library keeps its promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test says enough")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::document::parse_json;
use crate::finding::Findings;
use crate::metrics::{DailyRow, Ledger, TickFigures, Totals};
use crate::money::Cents;
use crate::policy::PolicyDocument;
use crate::run::{CancelFlag, Outcome, SimulationRequest, TickReport, simulate};
use crate::scenario::{Format, LsmAlgorithm, Overrides, ScenarioFile, read};

/// Everything that a run of a scenario shows.
struct Run {
    ledger: Ledger,
    ticks: Vec<TickFigures>,
    daily: Vec<DailyRow>,
}

impl Run {
    fn of(file: &ScenarioFile) -> Self {
        let scenario = Arc::new(file.resolve().unwrap());
        let ticks = scenario.calendar.end().0;
        let mut run = Self { ledger: Ledger::new(scenario.clone()), ticks: Vec::new(), daily: Vec::new() };
        let mut watch = |report: &TickReport<'_>| {
            let outcome = run.ledger.tick(report.tick, report.events).unwrap();
            run.ticks.push(outcome.figures);
            run.daily.extend(outcome.daily);
        };
        let request = SimulationRequest { scenario, ticks };
        let finished = simulate(&request, None, &mut watch, &CancelFlag::default()).unwrap();
        assert_eq!(finished.outcome, Outcome::Completed);
        run
    }

    fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    fn balances(&self) -> Vec<i64> {
        self.ledger.agents().iter().map(|bank| bank.final_balance.0).collect()
    }

    fn costs(&self) -> Vec<i64> {
        self.ledger.agents().iter().map(|bank| total(bank.costs.kinds())).collect()
    }

    /// Most payments in queue 2 at the end of a tick.
    fn most_in_queue2(&self, ticks: Range<usize>) -> usize {
        self.ticks[ticks].iter().map(|tick| tick.queue2_size).max().unwrap_or(0)
    }

    /// Delay, penalties and overdraft of all banks on a day.
    fn trouble_on(&self, day: u64) -> i64 {
        let rows = self.daily.iter().filter(|row| row.day.0 == day);
        rows.map(|row| row.costs.delay.0 + row.costs.penalty.0 + row.costs.overdraft.0).sum()
    }
}

fn total(kinds: impl IntoIterator<Item = Cents>) -> i64 {
    kinds.into_iter().map(|kind| kind.0).sum()
}

/// Reads a scenario of the library; not even a warning is found.
fn scenario(name: &str) -> ScenarioFile {
    read_with(find_kind(Kind::Scenario, name).unwrap(), find(name).unwrap())
}

fn read_with(asset: &Asset, files: &dyn Files) -> ScenarioFile {
    let (file, findings) = read(asset.text(), Format::Yaml, &Overrides::default(), files);
    assert_eq!(findings, Findings::default(), "{}", asset.name);
    file.unwrap()
}

fn without_netting(mut file: ScenarioFile) -> ScenarioFile {
    file.lsm_config.enable_bilateral = false;
    file.lsm_config.enable_cycles = false;
    file
}

/// The costs of both banks of a game at given fractions.
fn game(file: &ScenarioFile, fractions: [f64; 2]) -> Vec<i64> {
    let mut file = file.clone();
    for (bank, fraction) in ["BANK_A", "BANK_B"].into_iter().zip(fractions) {
        file.set_liquidity_fraction(bank, Some(fraction)).unwrap();
    }
    Run::of(&file).costs()
}

#[test]
fn names_and_questions_are_distinct_and_short_enough_for_a_list() {
    let names: BTreeSet<_> = all().iter().map(|asset| asset.name).collect();
    let questions: BTreeSet<_> = all().iter().map(|asset| asset.question).collect();
    assert_eq!((names.len(), questions.len()), (all().len(), all().len()));
    for asset in all() {
        assert!(asset.name.len() <= 20 && !asset.name.contains(['/', '.', ' ']), "{}", asset.name);
        assert!(asset.question.ends_with('?') && asset.question.len() <= 100, "{}", asset.question);
    }
    let number = |kind| of_kind(kind).count();
    assert!(number(Kind::Scenario) >= 6 && number(Kind::Policy) >= 8 && number(Kind::Experiment) >= 5);
}

#[test]
fn every_file_begins_with_its_question_and_says_what_to_look_for() {
    for asset in all() {
        let start = match asset.kind {
            Kind::Policy => {
                let document = parse_json(asset.text()).unwrap().to_json();
                document["description"].as_str().unwrap().to_owned()
            }
            _ => asset.text().trim_start_matches("# Question: ").to_owned(),
        };
        assert!(start.starts_with(asset.question), "{}: {start:.120}", asset.name);
        assert!(start.to_lowercase().contains("look "), "{} does not say what to look for", asset.name);
    }
}

#[test]
fn the_library_is_what_the_folder_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut on_disk = BTreeSet::new();
    for folder in ["scenarios", "policies", "experiments"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            on_disk.insert(format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy()));
        }
    }
    let files = all().iter().map(|asset| asset.file).chain(COMPANIONS.iter().copied());
    let embedded: BTreeSet<String> = files.map(|file| file.path.to_owned()).collect();
    assert_eq!(on_disk, embedded);
}

/// Reads from the folder `assets` as a scenario on disk is read, and notes what was asked for.
struct Folder {
    scenario: PathBuf,
    asked: RefCell<BTreeSet<String>>,
}

impl Files for Folder {
    fn read(&self, path: &str, kind: FileKind) -> Result<FileText, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let beside = self.scenario.parent().unwrap();
        let folders = match kind {
            FileKind::Policy => vec![beside, beside.parent().unwrap()],
            FileKind::Payments => vec![beside],
        };
        let found = folders.iter().map(|folder| root.join(folder).join(path)).find(|file| file.exists());
        let found = found.ok_or("missing")?;
        let below = found.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        self.asked.borrow_mut().insert(below);
        Ok(FileText { name: path.to_owned(), text: std::fs::read_to_string(found).unwrap() })
    }
}

#[test]
fn scenarios_read_the_same_from_the_folder_and_use_the_files_that_they_name() {
    for asset in of_kind(Kind::Scenario) {
        let folder = Folder { scenario: asset.path().into(), asked: RefCell::default() };
        assert_eq!(read_with(asset, &folder), scenario(asset.name), "{}", asset.name);
        let uses: BTreeSet<String> = asset.uses.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(folder.asked.into_inner(), uses, "{}", asset.name);
    }
}

#[test]
fn policies_are_sound_and_bear_their_names() {
    for asset in of_kind(Kind::Policy) {
        let mut findings = Findings::default();
        let policy = PolicyDocument::from_json_text(asset.text(), "", &mut findings).unwrap();
        assert_eq!(findings, Findings::default(), "{}", asset.name);
        assert_eq!(&**policy.id(), asset.name);
    }
}

#[test]
fn every_policy_of_the_library_is_at_work_in_a_scenario() {
    let used: BTreeSet<&str> = of_kind(Kind::Scenario).flat_map(|asset| asset.uses).copied().collect();
    for asset in of_kind(Kind::Policy) {
        assert!(used.contains(asset.path()), "{} is in no scenario", asset.name);
    }
}

#[test]
fn two_banks_show_a_wait_a_credit_and_a_missed_deadline() {
    let run = Run::of(&scenario("two-banks"));
    let queued: Vec<usize> = run.ticks.iter().map(|tick| tick.queue2_size).collect();
    assert_eq!(queued, [0, 1, 1, 0, 0, 1, 1, 1, 0, 0]);
    let costs = run.ledger.state().run_costs();
    assert!(costs.overdraft.0 > 0 && costs.delay.0 > 0);
    assert_eq!(run.totals().settlement_rate(), 1.0);
    assert_eq!(costs.penalty.0, 2500);
}

#[test]
fn only_netting_solves_the_gridlock_ring() {
    let file = scenario("gridlock-ring");
    let with = Run::of(&file);
    assert_eq!((with.totals().total_settlements, with.totals().total_lsm_releases), (13, 13));
    let settled: Vec<u64> = with.ticks.iter().map(|tick| tick.settlements).collect();
    assert_eq!(settled, [0, 0, 0, 5, 0, 6, 0, 0, 2, 0, 0, 0]);
    let without = Run::of(&without_netting(file.clone()));
    assert_eq!((without.totals().total_settlements, without.totals().queue2_total_size), (0, 13));

    let mut pairs_only = file;
    pairs_only.lsm_config.enable_cycles = false;
    assert!(Run::of(&pairs_only).ticks[..8].iter().all(|tick| tick.settlements == 0));
}

#[test]
fn the_textbook_gridlock_settles_seven_payments_worth_45() {
    let mut file = scenario("gridlock-textbook");
    let run = Run::of(&file);
    assert_eq!(run.ticks[0].settlements, 7);
    assert_eq!(run.totals().settled_value, Cents(4500));
    assert_eq!(run.balances(), [500, 300, 900, 0, 200]);
    file.lsm_config.algorithm = LsmAlgorithm::Cycles;
    assert_eq!(Run::of(&file).balances(), run.balances(), "piece by piece");
}

#[test]
fn the_squeeze_fills_queue_2_and_its_end_empties_it() {
    let file = scenario("liquidity-squeeze");
    let run = Run::of(&file);
    assert_eq!(run.most_in_queue2(0..20), 0);
    assert!(run.most_in_queue2(20..40) >= 25, "{}", run.most_in_queue2(20..40));
    assert!(run.most_in_queue2(41..60) <= 2, "{}", run.most_in_queue2(41..60));
    assert_eq!(run.totals().settlement_rate(), 1.0);
    let without = Run::of(&without_netting(file));
    assert!(without.totals().total_cost.0 > 2 * run.totals().total_cost.0);
}

#[test]
fn the_outage_is_the_worst_day_of_the_stressed_week() {
    let run = Run::of(&scenario("stressed-week"));
    let days: Vec<i64> = (0..5).map(|day| run.trouble_on(day)).collect();
    let worst = days[2];
    assert!(days.iter().enumerate().all(|(day, cost)| day == 2 || *cost < worst), "{days:?}");
    assert!(worst > 10 * days[0] && days[4] > days[0], "{days:?}");
    assert!(run.most_in_queue2(96..144) >= 20 && run.most_in_queue2(0..96) == 0);
    let arrivals = |day: usize| run.ticks[48 * day..][..48].iter().map(|tick| tick.arrivals).sum::<u64>();
    assert!(arrivals(1) * 10 > arrivals(0) * 13 && arrivals(1) * 10 < arrivals(0) * 17);
}

#[test]
fn the_large_day_is_large_and_netting_pays() {
    let file = scenario("large-day");
    let run = Run::of(&file);
    let totals = run.totals();
    assert!(totals.total_arrivals > 18_000 && totals.settlement_rate() > 0.99);
    assert_eq!(run.most_in_queue2(0..40), 0);
    assert!(run.most_in_queue2(360..600) > run.most_in_queue2(40..300));
    assert!(totals.total_lsm_releases > 100);
    let without = Run::of(&without_netting(file)).totals();
    assert!(without.total_cost.0 * 100 > totals.total_cost.0 * 105);
}

#[test]
fn the_own_day_uses_credit_in_the_morning_and_settles_completely() {
    let run = Run::of(&scenario("own-day"));
    assert_eq!(run.totals().settlement_rate(), 1.0);
    let alder = &run.ledger.agents()[0];
    assert!(alder.costs.overdraft.0 > alder.costs.delay.0 && alder.final_balance.0 > 0);
}

#[test]
fn the_known_games_have_their_known_costs() {
    let two = scenario("two-period-day");
    assert_eq!(game(&two, [0.5, 0.5]), [5000, 5000]);
    assert_eq!(game(&two, [0.0, 0.2]), [0, 2000]);
    let three = scenario("three-period-day");
    assert_eq!(game(&three, [0.5, 0.5]), [4995, 4995]);
    assert_eq!(game(&three, [0.2, 0.2]), [1998, 1998]);
}

#[test]
fn the_random_game_has_its_published_means() {
    let mut file = scenario("twelve-period-day");
    let mut sum_over_seeds = |fractions| {
        (1..=50).fold([0, 0], |sum, seed| {
            file.seed = seed;
            let costs = game(&file, fractions);
            [sum[0] + costs[0], sum[1] + costs[1]]
        })
    };
    assert_eq!(sum_over_seeds([0.3, 0.3]), [1_494_000, 1_494_000]);
    assert_eq!(sum_over_seeds([0.2, 0.2]), [996_000, 998_079]);
    assert_eq!(sum_over_seeds([0.1, 0.1]), [684_420, 884_226]);
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_nearest() {
    assert_eq!(find("library:two-banks").unwrap().name, "two-banks");
    let unknown = find("gridlok-ring").unwrap_err();
    assert_eq!(unknown.to_string(), "the library has nothing called `gridlok-ring`");
    assert_eq!(unknown.nearest, Some("gridlock-ring"));
    let wrong = find_kind(Kind::Scenario, "library:two-period").unwrap_err();
    assert_eq!(wrong.to_string(), "`two-period` in the library is an experiment, not a scenario");
    assert_eq!(wrong.nearest, Some("two-period-day"));
    assert_eq!(find("zzz").unwrap_err().hint(), "`payment-sim library` lists what there is");
}

#[test]
fn paths_inside_the_library_resolve_as_in_a_folder_and_never_leave_it() {
    let from = "experiments/two-period.yaml";
    let found = |path| resolve(from, path).map(|file| file.path);
    assert_eq!(found("../scenarios/two-period-day.yaml"), Some("scenarios/two-period-day.yaml"));
    assert_eq!(found("./../policies//release-all.json"), Some("policies/release-all.json"));
    for outside in ["../../Cargo.toml", "/scenarios/two-banks.yaml", "scenarios/two-banks.yaml", ""] {
        assert_eq!(found(outside), None, "{outside}");
    }
}

#[test]
fn a_copy_of_an_experiment_is_complete() {
    let paths = |name| find(name).unwrap().files().iter().map(|file| file.path).collect::<Vec<_>>();
    assert_eq!(
        paths("policy-contest"),
        [
            "experiments/policy-contest.yaml",
            "scenarios/own-day.yaml",
            "experiments/policy-contest.script.json",
            "scenarios/own-day.csv",
        ]
    );
    assert_eq!(paths("two-banks"), ["scenarios/two-banks.yaml"]);
}

#[test]
fn the_readme_names_only_what_the_library_has() {
    let readme = include_str!("../../README.md");
    let links: Vec<&str> = readme.match_indices(PREFIX).map(|(at, _)| &readme[at..]).collect();
    assert!(links.len() >= 4);
    for link in links {
        let end = link.find(|c: char| !c.is_ascii_alphanumeric() && !"-:".contains(c)).unwrap_or(link.len());
        if &link[..end] != "library:NAME" {
            find(&link[..end]).unwrap_or_else(|unknown| panic!("README.md: {unknown}"));
        }
    }
    for asset in all() {
        assert!(readme.contains(&format!("`{}`", asset.name)), "README.md does not list {}", asset.name);
    }
}
