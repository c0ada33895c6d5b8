//! `policy` and `cost`: checks, manuals and readings of policies (spec 04, 11).

use std::path::Path;
use std::sync::Arc;

use super::args::{
    CostArgs, CostCommand, CostSchemaArgs, ManualForm, PolicyArgs, PolicyCommand, PolicySchemaArgs,
    ResultForm, ValidatePolicyArgs,
};
use super::error::{CliError, report_findings, say};
use super::output::Output;
use crate::event::Text;
use crate::finding::{Findings, nearest};
use crate::library::Kind;
use crate::money::Cents;
use crate::policy::schema::{CostFilter, PolicyFilter, Section, Selection};
use crate::policy::{
    Category, CostCategory, FileProblem, FunctionalTest, PolicyDocument, PolicyReport, Toggles, TreeKind,
    schema,
};
use crate::run::{CancelFlag, Outcome, SimulationRequest, simulate};
use crate::scenario::{
    Agent, Overrides, Policy, PolicySpec, ScenarioAction, ScenarioFile, Schedule, ScheduledEvent,
};
use crate::sources::{self, LoadedScenario, Source, SourceError};
use crate::time::{Calendar, Tick};

/// Runs a `policy` command.
pub fn policy(args: &PolicyArgs) -> Result<(), CliError> {
    match &args.command {
        PolicyCommand::Validate(args) => validate(args),
        PolicyCommand::Schema(args) => schema(args),
        PolicyCommand::Explain { file } => explain(file),
    }
}

/// Runs a `cost` command.
pub fn cost(args: &CostArgs) -> Result<(), CliError> {
    match &args.command {
        CostCommand::Schema(args) => cost_schema(args),
    }
}

/// Checks a policy file.
pub fn validate(args: &ValidatePolicyArgs) -> Result<(), CliError> {
    let mut report = match Source::open(&args.file, Kind::Policy) {
        Ok(source) => PolicyReport::of_text(&args.file, &source.text),
        Err(error @ SourceError::Missing(_)) => {
            PolicyReport::of_problem(&args.file, FileProblem::NotFound, error.to_string())
        }
        Err(error) => PolicyReport::of_problem(&args.file, FileProblem::Unreadable, error.to_string()),
    };
    if let Some(file) = &args.scenario {
        match sources::load_scenario(file, &Overrides::default()) {
            Ok(loaded) => report.hold_against(&loaded.file.policy_feature_toggles),
            Err(error) => report.scenario_failed(error.to_string()),
        }
    }
    if args.functional_tests {
        report.add_tests(functional_tests(report.document().cloned()));
    }
    report_findings(&args.file, &Findings(report.warnings().to_vec()));
    let mut output = Output::new();
    match args.format {
        ResultForm::Json => output.line(&format!("{:#}", report.to_json()))?,
        ResultForm::Text => output.text(&report.to_text(args.verbose))?,
    }
    output.finish()?;
    if report.passes() { Ok(()) } else { Err(CliError::Reported) }
}

/// The three functional tests: the policy in a small simulation of two banks.
fn functional_tests(document: Option<PolicyDocument>) -> Vec<FunctionalTest> {
    let test = |name, result: Result<String, String>| FunctionalTest {
        name,
        passed: result.is_ok(),
        message: result.unwrap_or_else(|why| why),
    };
    let scenario = document.ok_or_else(|| "the policy is not valid".to_owned()).and_then(small_scenario);
    let scenario = match scenario {
        Ok(scenario) => scenario,
        Err(why) => return vec![test("load_policy", Err(why))],
    };
    let mut tests = vec![test("load_policy", Ok("the policy was loaded for two banks".to_owned()))];
    let request = SimulationRequest { scenario, ticks: 5 };
    match simulate(&request, None, &mut (), &CancelFlag::default()) {
        Ok(finished) => {
            let executed = match &finished.outcome {
                Outcome::Failed(failure) => Err(failure.to_string()),
                _ => Ok(format!("{} ticks, {} events", finished.ticks, finished.events)),
            };
            tests.push(test("execute_policy", executed));
            let metrics = finished.simulation.metrics();
            let state =
                format!("{} of {} payments settled", metrics.total_settlements, metrics.total_arrivals);
            tests.push(test("valid_state", Ok(state)));
        }
        Err(error) => tests.push(test("execute_policy", Err(error.to_string()))),
    }
    tests
}

/// Two banks with this policy and one payment between them (spec 04, 11.1).
fn small_scenario(document: PolicyDocument) -> Result<Arc<crate::scenario::Scenario>, String> {
    let refused = |findings: Findings| {
        findings.0.first().map_or_else(|| "the policy is refused".to_owned(), ToString::to_string)
    };
    let policy = Policy::new(PolicySpec::Document(Arc::new(document))).map_err(refused)?;
    let bank = |id: &str| Agent {
        unsecured_cap: Cents(500_000),
        ..Agent::new(Text::from(id), Cents(1_000_000), policy.clone())
    };
    let calendar = Calendar { ticks_per_day: 10, num_days: 1 };
    let mut file = ScenarioFile::new(calendar, 12_345, vec![bank("BANK_A"), bank("BANK_B")]);
    file.events.push(ScheduledEvent {
        action: ScenarioAction::CustomArrival {
            from: Text::from("BANK_A"),
            to: Text::from("BANK_B"),
            amount: Cents(100_000),
            priority: 5,
            deadline: Some(50),
            is_divisible: false,
        },
        schedule: Schedule::OneTime { tick: Tick(0) },
    });
    file.resolve().map(Arc::new).map_err(refused)
}

fn explain(file: &str) -> Result<(), CliError> {
    let source = Source::open(file, Kind::Policy)?;
    let mut findings = Findings::default();
    let document = PolicyDocument::from_json_text(&source.text, "", &mut findings);
    let Some(document) = document.filter(|_| !findings.has_errors()) else {
        return Err(CliError::Refused { name: file.to_owned(), findings });
    };
    report_findings(file, &findings);
    let mut output = Output::new();
    for line in document.explain() {
        output.line(&line)?;
    }
    for tree in TreeKind::ALL.into_iter().filter(|tree| document.tree(*tree).is_some()) {
        output.line(&format!("\n{}", tree.key()))?;
        for line in document.draw(tree) {
            output.line(&line.drawn())?;
        }
    }
    Ok(output.finish()?)
}

/// Prints the manual of the policy language.
pub fn schema(args: &PolicySchemaArgs) -> Result<(), CliError> {
    let toggles = scenario_of(args.scenario.as_deref())?
        .map_or(Toggles::Everything, |loaded| loaded.file.policy_feature_toggles);
    let include = named(&args.category, "category", Category::find, Category::ALL, Category::name)?;
    let exclude = named(&args.exclude_category, "category", Category::find, Category::ALL, Category::name)?;
    let filter = PolicyFilter {
        sections: named(&args.section, "section", Section::find, &Section::ALL, Section::name)?,
        categories: Selection::new(&include, &exclude, &toggles),
        trees: named(&args.tree, "tree", TreeKind::find, &TreeKind::ALL, TreeKind::key)?,
        no_examples: args.no_examples,
        compact: args.compact,
    };
    let text = match args.format {
        ManualForm::Markdown => schema::policy_markdown(&filter),
        ManualForm::Json => format!("{:#}\n", schema::policy_json(&filter)),
    };
    deliver(&text, args.output.as_deref(), "Schema")
}

/// Prints the manual of costs.
pub fn cost_schema(args: &CostSchemaArgs) -> Result<(), CliError> {
    let toggles = scenario_of(args.scenario.as_deref())?
        .map_or(Toggles::Everything, |loaded| loaded.file.cost_feature_toggles);
    let find = |names: &[String]| {
        named(names, "category", CostCategory::find, CostCategory::ALL, CostCategory::name)
    };
    let (include, exclude) = (find(&args.category)?, find(&args.exclude_category)?);
    let filter = CostFilter {
        categories: Selection::new(&include, &exclude, &toggles),
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        no_examples: args.no_examples,
        compact: args.compact,
    };
    let text = match args.format {
        ManualForm::Markdown => schema::cost_markdown(&filter),
        ManualForm::Json => format!("{:#}\n", schema::cost_json(&filter)),
    };
    deliver(&text, args.output.as_deref(), "Cost schema")
}

fn scenario_of(file: Option<&str>) -> Result<Option<LoadedScenario>, CliError> {
    Ok(file.map(|file| sources::load_scenario(file, &Overrides::default())).transpose()?)
}

/// The things of these names; an unknown name is a usage error with the nearest one.
fn named<T: Copy>(
    names: &[String],
    what: &str,
    find: impl Fn(&str) -> Option<T>,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, CliError> {
    let known: Vec<&str> = all.iter().map(|item| name_of(*item)).collect();
    let one = |name: &String| {
        find(name).ok_or_else(|| {
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("one of {}", known.join(", ")),
            };
            CliError::usage(format!("unknown {what} `{name}`"), hint)
        })
    };
    names.iter().map(one).collect()
}

fn deliver(text: &str, file: Option<&Path>, what: &str) -> Result<(), CliError> {
    let Some(file) = file else {
        let mut output = Output::new();
        output.text(text)?;
        return Ok(output.finish()?);
    };
    std::fs::write(file, text)
        .map_err(|error| CliError::failed(format!("`{}` cannot be written: {error}", file.display())))?;
    say(&format!("{what} written to {}", file.display()));
    Ok(())
}
