//! `db generate`: a database to try things on, filled by really simulating made-up scenarios.

use std::fmt::Write as _;
use std::sync::Arc;

use indicatif::ProgressBar;

use crate::cli::args::GenerateArgs;
use crate::cli::error::{CliError, say};
use crate::cli::{interrupt, progress};
use crate::money::counted;
use crate::persistence::{Access, Database, DuckDbProvider, Ticket};
use crate::rng::Rng;
use crate::run::{self, CancelFlag, Outcome, SimulationRequest, Storage, simulate};
use crate::scenario::{Format, NoFiles, Overrides, Scenario, ScenarioFile, read};

/// Days that the large simulation has at most.
const MOST_DAYS: u64 = 10_000;
/// Short simulations that wait for their commit together.
const AT_ONCE: usize = 256;

/// Runs the command.
pub fn generate(args: &GenerateArgs) -> Result<(), CliError> {
    let cancel = interrupt::watch();
    let database = Database::create(args.db.path(Access::Write)?)?;
    let provider = database.provider()?;
    let mut rng = Rng::new(args.seed);
    let mut events = 0;
    let bar = progress::bar(args.events, "events");
    if args.events > 0 {
        let system = System { banks: 32, ticks_per_day: 200, seed: rng.next() };
        events += large(&system, args.events, &provider, &bar, &cancel)?;
    }
    let mut tickets = Vec::new();
    for number in 0..args.simulations {
        let banks = 2 + number % 5;
        let system = System { banks, ticks_per_day: 24, seed: rng.next() };
        let file = system.file(1)?;
        let (stored, ticket) =
            stored(&file, &format!("short-{number:05}"), "short-day.yaml", &provider, &bar, &cancel)?;
        events += stored;
        tickets.extend(ticket);
        if tickets.len() >= AT_ONCE {
            Ticket::wait_all(tickets.drain(..))?;
        }
    }
    Ticket::wait_all(tickets)?;
    bar.finish_and_clear();
    let simulations = args.simulations + u64::from(args.events > 0);
    let (simulations, events) = (counted(simulations, "simulation"), counted(events, "event"));
    say(&format!("{}: {simulations} with {events}", database.path().display()));
    Ok(())
}

/// The large simulation: so many whole days as it takes to have so many events.
fn large(
    system: &System,
    events: u64,
    provider: &DuckDbProvider,
    bar: &ProgressBar,
    cancel: &CancelFlag,
) -> Result<u64, CliError> {
    let days = system.days_for(events, cancel)?;
    let (stored, ticket) = stored(&system.file(days)?, "large", "large-days.yaml", provider, bar, cancel)?;
    ticket.map(Ticket::wait).transpose()?;
    Ok(stored)
}

/// Simulates and stores; gives the number of events, and who knows when they are committed.
fn stored(
    file: &ScenarioFile,
    id: &str,
    config_file: &str,
    provider: &DuckDbProvider,
    bar: &ProgressBar,
    cancel: &CancelFlag,
) -> Result<(u64, Option<Ticket>), CliError> {
    let scenario = System::resolve(file)?;
    let ticks = scenario.calendar.end().0;
    let start = run::start_of(file, &scenario, id.to_owned(), config_file, ticks);
    let request = SimulationRequest { scenario, ticks };
    let mut observer = |report: &run::TickReport<'_>| bar.inc(report.events.len() as u64);
    let finished =
        simulate(&request, Some(Storage { provider, start, checkpoint_every: None }), &mut observer, cancel)?;
    match finished.outcome {
        Outcome::Completed => Ok((finished.events, finished.ticket)),
        Outcome::Cancelled => {
            finished.ticket.map(Ticket::wait).transpose()?;
            Err(CliError::Interrupted)
        }
        Outcome::Failed(failure) => Err(CliError::failed(failure.to_string())),
    }
}

/// A made-up settlement system.
struct System {
    banks: u64,
    ticks_per_day: u64,
    seed: u64,
}

/// Policies that banks have in turn. The first releases everything at once, and has collateral brought in
/// for what then waits in queue 2: so queues stay about as long as they are, however long the simulation.
const POLICIES: &[&str] = &[
    r#"{type: InlineJson, json_string: '{"policy_id": "collateral", "version": "1.0",
    "payment_tree": {"type": "action", "node_id": "release", "action": "Release"},
    "end_of_tick_collateral_tree": {"type": "condition", "node_id": "waits",
      "condition": {"op": ">", "left": {"field": "queue2_count_for_agent"}, "right": {"value": 0}},
      "on_true": {"type": "action", "node_id": "bring", "action": "PostCollateral", "parameters": {"amount":
        {"compute": {"op": "*", "left": {"field": "queue2_count_for_agent"}, "right": {"value": 50000}}}}},
      "on_false": {"type": "action", "node_id": "fetch", "action": "WithdrawCollateral",
        "parameters": {"amount": {"field": "excess_collateral"}}}}}'}"#,
    "{type: Deadline, urgency_threshold: 5}",
    "{type: LiquidityAware, target_buffer: 200000, urgency_threshold: 5}",
];

impl System {
    /// Its scenario over so many days.
    fn file(&self, days: u64) -> Result<ScenarioFile, CliError> {
        let text = self.text(days);
        let (file, findings) = read(&text, Format::Yaml, &Overrides::default(), &NoFiles);
        file.ok_or_else(|| CliError::Refused { name: "generated scenario".to_owned(), findings })
    }

    /// How many days it takes to have so many events; found by simulating them without storing anything.
    fn days_for(&self, events: u64, cancel: &CancelFlag) -> Result<u64, CliError> {
        let scenario = Self::resolve(&self.file(MOST_DAYS)?)?;
        let request = SimulationRequest { ticks: scenario.calendar.end().0, scenario };
        let (enough, mut counted) = (CancelFlag::default(), 0);
        let mut observer = |report: &run::TickReport<'_>| {
            counted += report.events.len() as u64;
            if counted >= events || cancel.is_cancelled() {
                enough.cancel();
            }
        };
        let tried = simulate(&request, None, &mut observer, &enough)?;
        Ok(tried.ticks.div_ceil(self.ticks_per_day))
    }

    fn resolve(file: &ScenarioFile) -> Result<Arc<Scenario>, CliError> {
        let refused = |findings| CliError::Refused { name: "generated scenario".to_owned(), findings };
        Ok(Arc::new(file.resolve().map_err(refused)?))
    }

    /// One bank in four is large: it has ten times the money and sends five times as much. Costs, netting,
    /// priorities and a rush in the middle of the day make every part of the program work.
    fn text(&self, days: u64) -> String {
        let Self { banks, ticks_per_day, seed } = self;
        let mut rng = Rng::new(*seed);
        let mut text = format!(
            "simulation: {{ticks_per_day: {ticks_per_day}, num_days: {days}, rng_seed: {seed}}}\n\
             priority_mode: true\n\
             priority_escalation: {{enabled: true, start_escalating_at_ticks: 10, max_boost: 3}}\n\
             cost_rates: {{overdraft_bps_per_tick: 0.1, delay_cost_per_tick_per_cent: 0.00001, \
             deadline_penalty: 500, eod_penalty_per_transaction: 2000}}\n\
             lsm_config: {{enable_bilateral: true, enable_cycles: true, max_cycle_length: 3, \
             max_cycles_per_tick: 5}}\nagents:\n"
        );
        let is_large = |bank: u64| bank.is_multiple_of(4);
        // Who sends much receives much: over the days money goes round, not to a few.
        let weights: Vec<String> = (0..*banks)
            .map(|bank| format!("BANK_{bank:02}: {}", if is_large(bank) { 5 } else { 1 }))
            .collect();
        for bank in 0..*banks {
            let (size, rate) = if is_large(bank) { (10, 1.0) } else { (2, 0.2) };
            let policy = POLICIES.get(bank as usize % POLICIES.len()).copied().unwrap_or("{type: Fifo}");
            // Those that release everything at once have little, so that queue 2 and netting have work; what
            // waits there makes no event a tick, unlike what a policy holds back. The others have so much
            // credit that no drift over the days leaves them stuck.
            let (money, credit) = if bank.is_multiple_of(3) { (250_000, 0) } else { (1_000_000, 20) };
            let balance = size * rng.range(money / 2, (money * 3 / 2).into());
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "- id: BANK_{bank:02}\n  opening_balance: {balance}\n  unsecured_cap: {}\n  \
                 max_collateral_capacity: 1000000000\n  policy: {policy}\n  \
                 arrival_config: {{rate_per_tick: {rate}, \
                 amount_distribution: {{type: LogNormal, mean: 100000, std_dev: 100000}}, \
                 counterparty_weights: {{{}}}, deadline_range: [5, 40], \
                 priority_distribution: {{type: Categorical, values: [9, 6, 2], weights: [0.1, 0.5, 0.4]}}}}",
                credit * balance,
                weights.join(", ")
            );
        }
        let (noon, after) = (ticks_per_day / 2, ticks_per_day / 2 + ticks_per_day / 10);
        let _ = write!(
            text,
            "scenario_events:\n\
             - {{type: GlobalArrivalRateChange, multiplier: 1.6, schedule: {{type: Repeating, \
             start_tick: {noon}, interval: {ticks_per_day}}}}}\n\
             - {{type: GlobalArrivalRateChange, multiplier: 1.0, schedule: {{type: Repeating, \
             start_tick: {after}, interval: {ticks_per_day}}}}}\n"
        );
        text
    }
}
