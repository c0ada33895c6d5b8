//! What the screens ask, answered from a real database with a run of the library's `two-period` in it.

use crate::experiment::runner::{self, Observer, RunOptions};
use crate::explorer::filter::{EventFilter, FilterOf};
use crate::explorer::link::Link;
use crate::explorer::message::{Answer, From, Page, Query};
use crate::explorer::readers::{Source as _, Stop};
use crate::explorer::rows::{
    Couple, Export, IterationRow, Judgement, Place, PolicyOf, Role, Row, RunDetail, Seek, Shelf,
    SimulationFilter, SimulationRow, Status,
};
use crate::explorer::source::DatabaseSource;
use crate::persistence::{Access, Database};
use crate::run::{self, CancelFlag, SimulationRequest, Storage, TickReport, start_of};
use crate::scenario::Overrides;
use crate::sources::{ExperimentOptions, load_experiment, load_scenario};

struct Silent;

impl Observer for Silent {}

/// A source over a fresh file with the run `r` in it.
struct Recorded {
    source: DatabaseSource,
    database: Database,
    _folder: tempfile::TempDir,
}

impl Recorded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(folder.path().join("t.duckdb"), Access::Write).unwrap();
        let loaded = load_experiment("library:two-period", &ExperimentOptions::default()).unwrap();
        let options = RunOptions { run_id: Some("r".into()), ..RunOptions::default() };
        let cancel = CancelFlag::default();
        runner::run(&loaded.plan, &options, Some(&database), &mut Silent, &cancel).unwrap();
        Self { source: DatabaseSource::new(&database).unwrap(), database, _folder: folder }
    }

    fn ask(&mut self, query: Query) -> Answer {
        self.source.answer(&query, &Stop::default()).unwrap()
    }

    fn detail(&mut self) -> RunDetail {
        match self.ask(Query::Run("r".into())) {
            Answer::Run(Some(detail)) => *detail,
            other => panic!("{other:?}"),
        }
    }

    fn simulations(&mut self) -> Vec<SimulationRow> {
        let page = Page { from: From::First, limit: 100 };
        match self.ask(Query::Simulations(SimulationFilter::default(), page)) {
            Answer::Simulations(batch) => batch.rows,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_iteration_says_what_became_of_its_proposals() {
    let mut recorded = Recorded::new();
    let detail = recorded.detail();
    assert_eq!(detail.run.max_iterations, Some(12));
    assert!(detail.run.seconds.is_some_and(|seconds| (0.0..60.0).contains(&seconds)), "{:?}", detail.run);
    assert_eq!(detail.run.settlement_rate, detail.iterations.last().and_then(|row| row.settlement_rate));
    let judged: Vec<Judgement> = detail.iterations[0]
        .banks
        .iter()
        .filter_map(|bank| bank.verdict.as_ref().map(|verdict| verdict.judgement))
        .collect();
    assert_eq!(judged, [Judgement::Accepted, Judgement::Accepted]);
    let last_asked = |row: &&IterationRow| row.banks.iter().any(|bank| bank.verdict.is_some());
    let quiet = detail.iterations.iter().rfind(last_asked).unwrap();
    let verdict = quiet.banks[0].verdict.as_ref().unwrap();
    assert_eq!(verdict.judgement, Judgement::Declined, "at the equilibrium nothing is better");
    let first = detail.iterations[0].banks[0].verdict.as_ref().unwrap();
    assert_eq!(first.old_cost, Some(detail.iterations[0].banks[0].cost));
    assert!(first.new_cost < first.old_cost);
    let changed = &detail.iterations[1].banks[0];
    assert_eq!(changed.changes.len(), 1, "{:?}", changed.changes);
    assert!(changed.changes[0].starts_with("Changed: parameters.initial_liquidity_fraction"));
    assert_eq!(changed.parameters[0].1, changed.fraction.unwrap());
    assert_eq!(changed.calls, 1);
}

#[test]
fn every_call_is_in_the_conversation() {
    let mut recorded = Recorded::new();
    let Answer::Conversation(calls) = recorded.ask(Query::Conversation("r".into(), 0)) else { panic!() };
    let banks: Vec<&str> = calls.iter().map(|call| call.bank.as_str()).collect();
    assert_eq!(banks, ["BANK_A", "BANK_B"]);
    assert!(calls[0].reply.as_ref().is_some_and(|reply| reply.contains("initial_liquidity_fraction")));
    assert_eq!((calls[0].error.as_ref(), calls[0].model.as_str()), (None, "search"));
}

#[test]
fn policies_are_read_wherever_they_stand() {
    let mut recorded = Recorded::new();
    let simulation = recorded.simulations()[0].id.clone();
    let (run, bank) = (String::from("r"), String::from("BANK_B"));
    let wanted = vec![
        PolicyOf::File("library:deadline-driven".into()),
        PolicyOf::Evaluated { run: run.clone(), iteration: 0, bank: bank.clone() },
        PolicyOf::Proposed { run, iteration: 0, bank },
        PolicyOf::Simulated { simulation, bank: String::new() },
    ];
    let Answer::Policies(texts) = recorded.ask(Query::Policies(wanted)) else { panic!() };
    for text in &texts {
        assert!(text.trees.iter().any(|line| line.role == Role::Decision), "{text:?}");
        assert_eq!(text.trees[0].role, Role::Heading);
        assert!(text.english[0].text.starts_with("Policy "), "{text:?}");
    }
    assert_ne!(texts[1].trees, texts[2].trees, "the proposal differs from the policy in force");
    assert_eq!(texts[3].banks, ["BANK_A", "BANK_B"]);
    let nobody = PolicyOf::Evaluated { run: "r".into(), iteration: 0, bank: "NOBODY".into() };
    let refused = recorded.source.answer(&Query::Policies(vec![nobody]), &Stop::default());
    assert_eq!(refused, Err("there is no policy: NOBODY in iteration 1".into()));
}

#[test]
fn a_payment_and_a_bank_tell_their_story() {
    let mut recorded = Recorded::new();
    let simulation = recorded.simulations()[0].id.clone();
    let query = Query::Payment(simulation.clone(), "tx-000001".into());
    let Answer::Payment(payment) = recorded.ask(query) else { panic!() };
    assert_eq!(payment.events[0].kind, "Arrival");
    let value = |facts: &[(String, String)], name: &str| {
        facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert!(value(&payment.facts, "became").starts_with("settled in tick "), "{:?}", payment.facts);
    let Answer::Bank(bank) = recorded.ask(Query::Bank(simulation, "BANK_B".into())) else { panic!() };
    assert_eq!((bank.days.len(), bank.counterparties.len()), (1, 1));
    assert_eq!(bank.counterparties[0].bank, "BANK_A");
    assert!(!value(&bank.facts, "cost in all").is_empty());
}

#[test]
fn two_of_a_kind_are_compared() {
    let mut recorded = Recorded::new();
    let rows = recorded.simulations();
    let (first, last) = (rows.last().unwrap().id.clone(), rows[0].id.clone());
    let couple = Couple::Simulations(first.clone(), last.clone());
    let Answer::Comparison(found) = recorded.ask(Query::Compare(couple)) else { panic!() };
    assert_eq!(found.figures[0].name, "total cost");
    assert!(found.settings.iter().any(|setting| setting.name.contains("fraction")), "{:?}", found.settings);
    let parting = found.divergence.clone().unwrap();
    assert_ne!(parting.a, parting.b);
    assert_eq!(recorded.ask(Query::Divergence(first.clone(), last)), Answer::Divergence(found.divergence));
    assert_eq!(recorded.ask(Query::Divergence(first.clone(), first)), Answer::Divergence(None));
    let Answer::Comparison(same) = recorded.ask(Query::Compare(Couple::Runs("r".into(), "r".into()))) else {
        panic!()
    };
    assert!(same.settings.is_empty() && same.costs[0] == same.costs[1] && !same.costs[0].is_empty());
}

#[test]
fn statements_and_places() {
    let mut recorded = Recorded::new();
    let Answer::Statement(rows) = recorded.ask(Query::Statement("FROM experiments".into())) else { panic!() };
    let column = |name: &str| rows.columns.iter().position(|column| column == name).unwrap();
    assert_eq!((rows.rows.len(), rows.rows[0][column("run_id")].as_str(), rows.cut), (1, "r", false));
    assert!(rows.numbers[column("num_iterations")] && !rows.numbers[column("run_id")]);
    let many = Query::Statement("FROM range(20000)".into());
    let Answer::Statement(rows) = recorded.ask(many) else { panic!() };
    assert!(rows.cut && rows.rows.len() == 10_000);
    let simulation = recorded.simulations()[0].id.clone();
    let Answer::Places(places) = recorded.ask(Query::Places(Some(simulation.clone()))) else { panic!() };
    assert!(places.contains(&Place::Bank { simulation, bank: "BANK_A".into() }));
    assert!(places.iter().any(|place| matches!(place, Place::Run { id, .. } if id == "r")));
}

#[test]
fn places_are_kept_in_the_database() {
    let mut recorded = Recorded::new();
    for link in ["sim/r-sim-001-eval/replay?tick=1", "run/r/iteration/2", "sim/x/payment/tx-000001"] {
        let query = Query::Keep(link.to_uppercase(), Link::parse(link).unwrap());
        assert_eq!(recorded.ask(query), Answer::Done("kept: ' lists what is kept".into()));
    }
    let Answer::Kept(kept) = recorded.ask(Query::Kept(Shelf::Bookmarks)) else { panic!() };
    let links: Vec<&str> = kept.iter().map(|bookmark| bookmark.place.as_str()).collect();
    assert_eq!(
        links,
        ["sim/x/payment/tx-000001", "run/r/iteration/2", "sim/r-sim-001-eval/replay?tick=1"],
        "the newest first"
    );
    assert_eq!(kept[1].label, "RUN/R/ITERATION/2");
    let Answer::Kept(left) = recorded.ask(Query::Forget(kept[0].key())) else { panic!() };
    assert_eq!(left, kept[1..]);
    let text = "FROM bookmarks ORDER BY bookmark_id".to_owned();
    let Answer::Statement(rows) = recorded.ask(Query::Statement(text)) else { panic!() };
    let targets: Vec<[&str; 3]> = rows.rows.iter().map(|row| [4, 5, 6].map(|at| row[at].as_str())).collect();
    assert_eq!(targets, [["", "r-sim-001-eval", "1"], ["r", "", ""]]);
}

#[test]
fn notes_and_filters_are_kept_in_the_database() {
    let mut recorded = Recorded::new();
    let simulation = recorded.simulations()[0].id.clone();
    let place = Link::Replay(simulation.clone(), 3, None);
    assert_eq!(recorded.ask(Query::Note(place.clone())), Answer::Note(place.clone(), String::new()));
    let typed = "the  queue #gridlock grows #look";
    let said = recorded.ask(Query::Annotate(place.clone(), typed.into()));
    assert_eq!(said, Answer::Done("noted: gn lists all notes".into()));
    let note = "the queue grows #gridlock #look".to_owned();
    assert_eq!(recorded.ask(Query::Note(place.clone())), Answer::Note(place.clone(), note.clone()));
    let row = recorded.simulations().into_iter().find(|row| row.id == simulation).unwrap();
    assert_eq!(row.note, Some(note));
    let Answer::Kept(notes) = recorded.ask(Query::Kept(Shelf::Notes)) else { panic!() };
    assert_eq!(notes[0].place, format!("sim/{simulation}/replay?tick=0"));
    let said = recorded.ask(Query::Annotate(place, " ".into()));
    assert_eq!(said, Answer::Done("there is no note here any more".into()));
    assert_eq!(recorded.ask(Query::Kept(Shelf::Notes)), Answer::Kept(Vec::new()));
    let of = FilterOf::Simulations;
    recorded.ask(Query::KeepFilter(of, "bad ones".into(), "state:failed".into()));
    let Answer::Kept(filters) = recorded.ask(Query::Kept(Shelf::Filters(of))) else { panic!() };
    assert_eq!((filters[0].label.as_str(), filters[0].place.as_str()), ("bad ones", "state:failed"));
    assert_eq!(recorded.ask(Query::Forget(filters[0].key())), Answer::Kept(Vec::new()));
}

#[test]
fn simulations_are_filtered_by_what_is_known_of_them() {
    let mut recorded = Recorded::new();
    let all = recorded.simulations();
    let mut count = |typed: &str| {
        let page = Page { from: From::First, limit: 1_000 };
        let filter = SimulationFilter::parse(typed).unwrap();
        let Answer::Simulations(batch) = recorded.ask(Query::Simulations(filter, page)) else { panic!() };
        assert_eq!(batch.total, batch.rows.len() as u64, "{typed}");
        batch.rows.len()
    };
    let of = |holds: &dyn Fn(&SimulationRow) -> bool| all.iter().filter(|row| holds(row)).count();
    let (first, title) = (all[0].seed, all[0].title.clone());
    assert_eq!(count("purpose:eval"), of(&|row| row.purpose == "eval"));
    assert_eq!(
        count("state:completed run:r"),
        of(&|row| row.status == Status::Completed && row.run.is_some())
    );
    assert_eq!(count("state:failed"), of(&|row| row.status == Status::Failed));
    assert_eq!(count(&format!("seed:{first}")), of(&|row| row.seed == first));
    assert_eq!(count(&format!("scenario:{title}")), of(&|row| row.title == title));
    assert_eq!(count("no such thing"), 0);
    assert!(count("purpose:eval") > 0 && count("purpose:final") == 0);
    assert!(count("iteration:1") > 0 && count("point:0") == 0 && count("iteration:1") < all.len());
    let mut costs = |typed: &str| {
        let page = Page { from: From::First, limit: 1_000 };
        let filter = SimulationFilter::parse(typed).unwrap();
        let Answer::Simulations(batch) = recorded.ask(Query::Simulations(filter, page)) else { panic!() };
        batch.rows.into_iter().map(|row| row.cost).collect::<Vec<_>>()
    };
    let (up, mut down) = (costs("sort:cost"), costs("sort:-cost"));
    down.reverse();
    assert!(up.is_sorted() && up == down && up.first() != up.last(), "{up:?}");
}

/// Records a simulation of the library under an id.
fn simulate(database: &Database, scenario: &str, id: &str) {
    let loaded = load_scenario(scenario, &Overrides::default()).unwrap();
    let ticks = loaded.resolved.calendar.end().0;
    let provider = database.provider().unwrap();
    let start = start_of(&loaded.file, &loaded.resolved, id.to_owned(), &loaded.config_file, ticks);
    let request = SimulationRequest { scenario: loaded.resolved.clone(), ticks };
    let storage = Storage { provider: &provider, start, checkpoint_every: None };
    let finished =
        run::simulate(&request, Some(storage), &mut |_: &TickReport<'_>| {}, &CancelFlag::default());
    finished.unwrap().ticket.unwrap().wait().unwrap();
}

#[test]
fn an_id_that_is_used_again_shows_what_it_stands_for_now() {
    let mut recorded = Recorded::new();
    let shown = |recorded: &mut Recorded| {
        let (moment, course) = (Query::Moment("x".into(), Seek::End), Query::Course("x".into()));
        match (recorded.ask(moment), recorded.ask(course)) {
            (Answer::Moment(moment), Answer::Course(course)) => {
                (moment.title, moment.banks.len(), course.balances.len())
            }
            other => panic!("{other:?}"),
        }
    };
    simulate(&recorded.database, "library:two-banks", "x");
    assert_eq!(shown(&mut recorded), ("two-banks".to_owned(), 2, 2));
    recorded.database.remove(&["x".to_owned()], &[]).unwrap();
    simulate(&recorded.database, "library:gridlock-ring", "x");
    assert_eq!(shown(&mut recorded), ("gridlock-ring".to_owned(), 5, 5));
}

#[test]
fn a_page_around_a_simulation_is_a_part_of_the_list() {
    let mut recorded = Recorded::new();
    let all: Vec<_> = recorded.simulations().iter().map(Row::key).collect();
    assert!(all.len() > 4, "{all:?}");
    for (place, key) in all.iter().enumerate() {
        let page = Page { from: From::Around(key.clone()), limit: 4 };
        let query = Query::Simulations(SimulationFilter::default(), page);
        let Answer::Simulations(batch) = recorded.ask(query) else { panic!() };
        let (from, to) = (place.saturating_sub(2), all.len().min(place.max(2) + 2));
        let rows: Vec<_> = batch.rows.iter().map(Row::key).collect();
        assert_eq!(rows, all[from..to], "around {place}");
        assert_eq!((batch.more_after, batch.total), (to < all.len() || rows.len() == 4, all.len() as u64));
        assert!(batch.more_before >= (from > 0));
    }
}

#[test]
fn the_overview_counts_what_is_recorded() {
    let mut recorded = Recorded::new();
    let info = recorded.database.reader().unwrap().info().unwrap();
    let Answer::Overview(overview) = recorded.ask(Query::Overview) else { panic!() };
    let simulations = recorded.simulations().len() as u64;
    assert_eq!((overview.run_count, overview.simulation_count), (1, simulations));
    assert_eq!(overview.event_count, info.events);
    assert_eq!(overview.runs, [recorded.detail().run]);
}

#[test]
fn a_run_is_summed_up_in_a_page() {
    let mut recorded = Recorded::new();
    let Answer::Summary(Some(page)) = recorded.ask(Query::Summary("r".into())) else { panic!() };
    assert!(page.contains("two-period") && page.contains("BANK_B"), "{page}");
    assert_eq!(recorded.ask(Query::Summary("nowhere".into())), Answer::Summary(None));
}

#[test]
fn what_a_view_shows_is_exported() {
    let mut recorded = Recorded::new();
    let simulation = recorded.simulations()[0].id.clone();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let arrivals = EventFilter::parse("type:Arrival").unwrap();
    let run = SimulationFilter { run: Some("r".into()), iteration: Some(0), ..SimulationFilter::default() };
    let mut lines = Vec::new();
    for (what, file) in [
        (Export::Events(simulation.clone(), arrivals), path("arrivals.jsonl")),
        (Export::Bank(simulation.clone(), "BANK_A".into()), path("days.csv")),
        (Export::Iterations("r".into()), path("iterations.csv")),
        (Export::Simulations(run), path("simulations.csv")),
        (Export::Simulations(SimulationFilter::default()), path("all.csv")),
    ] {
        let Answer::Done(said) = recorded.ask(Query::Export(what, file.clone())) else { panic!() };
        assert!(said.ends_with(&format!("written to {file}")), "{said}");
        lines.push(std::fs::read_to_string(&file).unwrap().lines().count());
    }
    let arrivals = lines[0];
    assert!(arrivals > 0 && lines[1] == 2 && lines[4] > lines[3], "{lines:?}");
    assert_eq!(lines[2], recorded.detail().iterations.len() + 1);
    let all = Export::Events(simulation, EventFilter::default());
    for (file, said) in
        [(path("days.csv"), "exists; nothing is overwritten"), (path("a.txt"), "must end in .csv")]
    {
        let refused = recorded.source.answer(&Query::Export(all.clone(), file), &Stop::default());
        assert!(refused.as_ref().is_err_and(|problem| problem.contains(said)), "{refused:?}");
    }
    assert!(matches!(recorded.ask(Query::Export(all, path("events.parquet"))), Answer::Done(_)));
}
