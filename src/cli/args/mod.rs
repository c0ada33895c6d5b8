//! The table of commands and options (spec 06, 7; 07, 18).

mod database;
mod experiment;
mod policy;

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

pub use database::{DbArgs, DbCommand, DeleteArgs, ExportArgs, GenerateArgs, ListArgs, RowsForm, SchemaForm};
pub use experiment::{
    BundleArgs, BundleCommand, ChartArgs, CompareRunsArgs, EvolutionArgs, ExperimentArgs, ExperimentCommand,
    ExperimentRunArgs, ExportRunArgs, RecordedDbOption, ReplayRunArgs, RerunArgs, ResultsArgs, ResumeArgs,
    ShowOptions, VerboseOptions, VerifyArgs,
};
pub use policy::{
    CostArgs, CostCommand, CostSchemaArgs, ManualForm, PolicyArgs, PolicyCommand, PolicySchemaArgs,
    ValidatePolicyArgs,
};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "payment-sim",
    version,
    long_version = crate::cli::manual::LONG_VERSION,
    about = "Simulate interbank real-time gross settlement, run experiments on it, \
             explore what they recorded",
    after_help = "Without a command the explorer opens. FILE can be library:NAME everywhere; \
                  `payment-sim library` lists what comes with the program.",
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do; without it the explorer opens.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the explorer.
    #[command(flatten)]
    pub explore: ExploreArgs,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Simulate a scenario.
    Run(Box<RunArgs>),
    /// Show a recorded simulation again, from its stored events alone.
    Replay(Box<ReplayArgs>),
    /// Look into the database, check it, copy it, tidy it up.
    Db(Box<DbArgs>),
    /// Write recorded rows as CSV, JSON lines or Parquet.
    Export(Box<ExportArgs>),
    /// Run experiments and look at their results.
    Experiment(ExperimentArgs),
    /// Open the explorer: launch, browse, step through.
    Explore(ExploreArgs),
    /// Check files, whatever they are: scenarios, policies or experiments.
    Validate(ValidateArgs),
    /// Check scenario files.
    Scenario(ScenarioArgs),
    /// Check, explain and document policies.
    Policy(PolicyArgs),
    /// Document costs.
    Cost(CostArgs),
    /// Scenarios, experiments and policies that come with the program.
    Library(LibraryArgs),
    /// The same as `policy validate`.
    #[command(hide = true)]
    ValidatePolicy(ValidatePolicyArgs),
    /// The same as `policy schema`.
    #[command(hide = true)]
    PolicySchema(PolicySchemaArgs),
    /// The same as `cost schema`.
    #[command(hide = true)]
    CostSchema(CostSchemaArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Write manual pages.
    Man(ManArgs),
}

/// A seed of random numbers.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// Where the database is.
#[derive(Clone, Debug, Default, Args)]
pub struct DbOption {
    /// Database file [default: PAYMENT_SIM_DB, else the data folder's payment-sim.duckdb]
    #[arg(long = "db", alias = "db-path", short = 'd', value_name = "PATH")]
    pub db: Option<PathBuf>,
}

/// What `run` and `replay` print.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("mode").args(["quiet", "verbose", "stream", "event_stream"]))]
pub struct ModeOptions {
    /// Only the result, as one line of JSON
    #[arg(long, short)]
    pub quiet: bool,
    /// Everything that happens, tick by tick, as text
    #[arg(long, short)]
    pub verbose: bool,
    /// One JSON line per tick
    #[arg(long)]
    pub stream: bool,
    /// One JSON line per event
    #[arg(long)]
    pub event_stream: bool,
    /// Form of the result [default: text on a terminal, else json]
    #[arg(long, short, value_enum, value_name = "FORM")]
    pub output: Option<ResultForm>,
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Which events are shown (spec 06, 7.5).
#[derive(Clone, Debug, Default, Args)]
pub struct FilterArgs {
    /// Show only these types of events, separated by commas
    #[arg(long, value_name = "LIST")]
    pub filter_event_type: Option<String>,
    /// Show only what concerns this bank
    #[arg(long, value_name = "ID")]
    pub filter_agent: Option<String>,
    /// Show only what concerns this payment
    #[arg(long, value_name = "ID")]
    pub filter_tx: Option<String>,
    /// Show only these ticks: A-B, A-, -B or A
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    pub filter_tick_range: Option<String>,
    /// Show only this day
    #[arg(long, value_name = "N")]
    pub filter_day: Option<u64>,
}

/// Form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ResultForm {
    /// Tables in currency units.
    Text,
    /// One JSON object.
    Json,
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("scenario").required(true).args(["file", "config", "resume"]))]
#[command(group = ArgGroup::new("start").multiple(true).conflicts_with("resume").args([
    "seed", "ticks", "run_ticks", "strict", "simulation_id", "description",
]))]
pub struct RunArgs {
    /// Scenario: .yaml, .yml, .json or library:NAME
    pub file: Option<String>,
    /// The same as FILE
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<String>,
    /// Seed of the random numbers, instead of the scenario's
    #[arg(long, short, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// One day of N ticks, instead of the scenario's days
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub ticks: Option<u64>,
    /// Run N ticks, fewer or more than the scenario's length; changes nothing in it
    #[arg(long, value_name = "N", conflicts_with = "ticks")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub run_ticks: Option<u64>,
    /// Unknown keys are errors
    #[arg(long)]
    pub strict: bool,
    /// Store the simulation in the database
    #[arg(long, short)]
    pub persist: bool,
    #[command(flatten)]
    pub db: DbOption,
    /// Name of the stored simulation; implies --persist
    #[arg(long, value_name = "ID")]
    pub simulation_id: Option<String>,
    /// Text stored with the simulation; implies --persist
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Store a checkpoint after every N ticks, the newest three of them; implies --persist
    #[arg(long, value_name = "N")]
    pub checkpoint_every: Option<NonZeroU64>,
    /// Go on with a stored simulation that failed, was cancelled or interrupted; implies --persist
    #[arg(
        long,
        value_name = "ID",
        long_help = "Go on with a stored simulation that failed, was cancelled or interrupted, in its own \
                     row: from its newest checkpoint, or from the start. Its stored ticks are simulated \
                     again and must give the same events; what is printed begins behind them, the result is \
                     that of the whole simulation. Implies --persist"
    )]
    pub resume: Option<String>,
    /// Add the digest of the events to the result also when nothing is stored
    #[arg(long)]
    pub digest: bool,
    /// Print the time of every tick and of its phases on standard error
    #[arg(long)]
    pub debug: bool,
    /// Accepted for old scripts: everything is always stored
    #[arg(long, hide = true)]
    pub full_replay: bool,
    #[command(flatten)]
    pub mode: ModeOptions,
}

/// Options of `replay`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["id", "simulation_id"]))]
pub struct ReplayArgs {
    /// Id of the simulation
    pub id: Option<String>,
    /// The same as ID
    #[arg(long, short, value_name = "ID")]
    pub simulation_id: Option<String>,
    /// First tick
    #[arg(long, value_name = "T")]
    pub from_tick: Option<u64>,
    /// Last tick
    #[arg(long, value_name = "T")]
    pub to_tick: Option<u64>,
    /// Print the state after this tick instead
    #[arg(long, value_name = "T", conflicts_with_all = ["from_tick", "to_tick", "mode", "output"])]
    pub state_at: Option<u64>,
    #[command(flatten)]
    pub db: DbOption,
    #[command(flatten)]
    pub mode: ModeOptions,
}

/// Options of the explorer.
#[derive(Clone, Debug, Default, Args)]
pub struct ExploreArgs {
    #[command(flatten)]
    pub db: DbOption,
    /// Draw with ASCII characters only
    #[arg(long)]
    pub ascii: bool,
    /// Do not write to the database, launch nothing
    #[arg(long)]
    pub read_only: bool,
    /// Begin at a place, as `y l` copies it: run/ID/iteration/3, sim/ID/replay?tick=12&event=40
    #[arg(long, value_name = "LINK")]
    pub open: Option<String>,
    /// Play a key script instead of reading keys; needs no terminal
    #[arg(
        long,
        value_name = "FILE",
        long_help = "Play a key script instead of reading keys; needs no terminal. A step a line:\n  \
                     keys as the help names them (`j j Enter`), `type TEXT`, `wait TEXT` (until it is on \
                     the screen), `size 80x24`, `frame` (prints the screen) or `frame FILE` (a picture if \
                     it ends in .svg). Ends with 1 at a step that fails."
    )]
    pub keys: Option<PathBuf>,
    /// Settings file [default: PAYMENT_SIM_CONFIG, else config.toml in the configuration folder]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Scenarios, policies or experiments; each is known by what it holds
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
}

/// Commands of `scenario`.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ScenarioCommand,
}

/// Every `scenario` command.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Report every problem of a scenario file at once, warnings included.
    Validate {
        /// Scenario file or library:NAME
        file: String,
        /// Warnings are errors
        #[arg(long)]
        strict: bool,
        /// Form of the findings
        #[arg(long, short, value_enum, default_value_t = ResultForm::Text)]
        format: ResultForm,
    },
}

/// Options of `library`.
#[derive(Debug, Args)]
pub struct LibraryArgs {
    /// What to do; without it the library is listed.
    #[command(subcommand)]
    pub command: Option<LibraryCommand>,
}

/// Every `library` command.
#[derive(Debug, Subcommand)]
pub enum LibraryCommand {
    /// Print an entry.
    Show {
        /// Its name
        name: String,
    },
    /// Copy entries into a folder; an experiment with its scenario. Existing files stay.
    Copy {
        /// Their names
        #[arg(required = true)]
        names: Vec<String>,
        /// Folder
        #[arg(long, default_value = ".")]
        to: PathBuf,
    },
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for the pages; without it the main page is printed
    pub folder: Option<PathBuf>,
}
