//! Commands of `experiment` and their options (spec 07, 18).

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DbOption;
use crate::persistence::ExportForm;

/// A master seed (spec 07, 1.1).
fn master_seed(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a master seed is a whole number from 0 on".to_owned());
    }
    let digits = text.trim_start_matches('0');
    Ok(if digits.is_empty() { "0".to_owned() } else { digits.to_owned() })
}

/// Where recorded runs are.
#[derive(Clone, Debug, Args)]
pub struct RecordedDbOption {
    /// Database file [default: PAYMENT_SIM_DB, else `results/experiments.db` if it is there, else the data
    /// folder's payment-sim.duckdb]
    #[arg(long = "db", alias = "db-path", short = 'd', value_name = "PATH")]
    pub db: Option<PathBuf>,
}

impl RecordedDbOption {
    /// The option of commands that know no folder of results.
    #[must_use]
    pub fn general(&self) -> DbOption {
        DbOption { db: self.db.clone() }
    }
}

/// Commands of `experiment`.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ExperimentCommand,
}

/// Every `experiment` command.
#[derive(Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Check an experiment file.
    Validate {
        /// Experiment file or library:NAME
        file: String,
        /// Unknown keys are errors
        #[arg(long)]
        strict: bool,
    },
    /// Show what an experiment file asks for.
    Info {
        /// Experiment file or library:NAME
        file: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the experiments of a folder.
    List {
        /// Folder
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// A JSON line per experiment
        #[arg(long)]
        json: bool,
    },
    /// Print an experiment file to start from.
    Template {
        /// Write it to this file instead, which must not exist yet
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Run an experiment.
    Run(Box<ExperimentRunArgs>),
    /// Go on with a run that was interrupted, was cancelled or has failed.
    Resume(ResumeArgs),
    /// Run a recorded experiment once more.
    Rerun(RerunArgs),
    /// Put a run into one file that reproduces it, or verify such a file.
    Bundle(BundleArgs),
    /// Show a recorded run again.
    Replay(ReplayRunArgs),
    /// List recorded runs, or summarise one.
    Results(ResultsArgs),
    /// Print how the policies of a run developed, as JSON.
    PolicyEvolution(EvolutionArgs),
    /// Draw how the costs of a run developed.
    Chart(ChartArgs),
    /// Two recorded runs side by side: settings that differ, figures by iteration and at the end.
    Compare(CompareRunsArgs),
    /// Write everything that a run recorded into files for other programs, a file for each kind of row.
    Export(ExportRunArgs),
}

/// Options of `experiment export`.
#[derive(Clone, Debug, Args)]
pub struct ExportRunArgs {
    /// Id of the run
    pub run_id: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// Form of the files
    #[arg(long, value_enum, default_value_t = ExportForm::Csv)]
    pub format: ExportForm,
    /// Folder of the files; made if it is missing
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// The events of all its simulations too; as jsonl event lines, by simulation id
    #[arg(long)]
    pub events: bool,
}

/// Options of `experiment chart`.
#[derive(Clone, Debug, Args)]
pub struct ChartArgs {
    /// Id of the run
    pub run_id: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// Only this agent
    #[arg(long, short, value_name = "ID")]
    pub agent: Option<String>,
    /// Write the value of this parameter at each point
    #[arg(long, short, value_name = "NAME", requires = "agent")]
    pub parameter: Option<String>,
    /// Write the picture to this file, .png or .svg [default: RUN_ID.png]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw it on standard output instead
    #[arg(long, conflicts_with = "output")]
    pub text: bool,
}

/// Options of `experiment compare`.
#[derive(Clone, Debug, Args)]
pub struct CompareRunsArgs {
    /// Id of the first run
    #[arg(value_name = "RUN_ID")]
    pub run_a: String,
    /// Id of the second run
    #[arg(value_name = "RUN_ID")]
    pub run_b: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What is said while a run goes on, and how it is run.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ShowOptions {
    /// The result as one line of JSON
    #[arg(long)]
    pub json: bool,
    /// Only warnings and errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Worker threads for samples [default: as many as cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    #[command(flatten)]
    pub verbose: VerboseOptions,
}

/// Options of `experiment resume`.
#[derive(Clone, Debug, Args)]
pub struct ResumeArgs {
    /// Id of the run
    pub run_id: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// Go on although another version of the program recorded it; the record says so
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub show: ShowOptions,
}

/// Options of `experiment rerun`.
#[derive(Clone, Debug, Args)]
pub struct RerunArgs {
    /// Id of the recorded run
    pub run_id: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// Master seed, instead of the recorded one
    #[arg(long, short, value_name = "N", value_parser = master_seed, allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Who proposes policies, instead of the recorded one: search, llm, script:FILE or provider:model
    #[arg(long, value_name = "P")]
    pub proposer: Option<String>,
    /// Id of the new run, instead of a new one
    #[arg(long = "run-id", value_name = "ID")]
    pub new_id: Option<String>,
    #[command(flatten)]
    pub show: ShowOptions,
}

/// Options of `experiment bundle`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BundleArgs {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<BundleCommand>,
    /// Id of the run
    #[arg(required = true)]
    pub run_id: Option<String>,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// File to write, which must not exist yet [default: RUN_ID.bundle.json]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Commands of `experiment bundle`.
#[derive(Clone, Debug, Subcommand)]
pub enum BundleCommand {
    /// Run what a bundle holds and say which digests agree.
    Verify(VerifyArgs),
}

/// Options of `experiment bundle verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The bundle
    pub file: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Worker threads for samples [default: as many as cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
}

/// Options of `experiment replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayRunArgs {
    /// Id of the run
    pub run_id: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// First iteration, from 1; with --audit from 0
    #[arg(long, value_name = "N")]
    pub start: Option<u32>,
    /// Last iteration
    #[arg(long, value_name = "N")]
    pub end: Option<u32>,
    /// Every exchange with the proposer: prompts, replies, what became of them
    #[arg(long)]
    pub audit: bool,
    #[command(flatten)]
    pub verbose: VerboseOptions,
}

/// Options of `experiment results`.
#[derive(Clone, Debug, Args)]
pub struct ResultsArgs {
    /// Id of a run
    pub run_id: Option<String>,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// The points of a sweep: mean and standard error of its figures
    #[arg(long, requires = "run_id")]
    pub points: bool,
    /// Only runs of this experiment
    #[arg(long, short, value_name = "NAME", conflicts_with = "run_id")]
    pub experiment: Option<String>,
    /// Only runs of this type: generic or sweep
    #[arg(long = "type", short = 't', value_name = "TYPE", conflicts_with = "run_id")]
    pub kind: Option<String>,
    /// Rows at most; 0: all
    #[arg(long, short = 'n', default_value_t = 20)]
    pub limit: usize,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// The summary of a run as Markdown
    #[arg(long, requires = "run_id", conflicts_with = "json")]
    pub markdown: bool,
}

/// Options of `experiment policy-evolution`.
#[derive(Clone, Debug, Args)]
pub struct EvolutionArgs {
    /// Id of the run
    pub run_id: String,
    #[command(flatten)]
    pub db: RecordedDbOption,
    /// Only this agent
    #[arg(long, short, value_name = "ID")]
    pub agent: Option<String>,
    /// First iteration, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub start: Option<u32>,
    /// Last iteration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub end: Option<u32>,
    /// Add the last exchange with the proposer
    #[arg(long)]
    pub llm: bool,
    /// One line
    #[arg(long)]
    pub compact: bool,
}

/// What the live run and its replay show.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct VerboseOptions {
    /// Everything below
    #[arg(long, short)]
    pub verbose: bool,
    /// Iterations with their costs
    #[arg(long)]
    pub verbose_iterations: bool,
    /// Costs of the samples
    #[arg(long)]
    pub verbose_bootstrap: bool,
    /// Every call of the proposer
    #[arg(long)]
    pub verbose_llm: bool,
    /// Accepted and rejected policies
    #[arg(long)]
    pub verbose_policy: bool,
    /// Figures at the end of every iteration
    #[arg(long)]
    pub verbose_metrics: bool,
}

/// Options of `experiment run`.
#[derive(Clone, Debug, Args)]
pub struct ExperimentRunArgs {
    /// Experiment file or library:NAME
    pub file: String,
    /// Make every check, simulate nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Unknown keys are errors
    #[arg(long)]
    pub strict: bool,
    /// Master seed, instead of the file's
    #[arg(long, short, value_name = "N", value_parser = master_seed, allow_negative_numbers = true)]
    pub seed: Option<String>,
    /// Who proposes policies: search, llm, script:FILE or provider:model
    #[arg(long, value_name = "P")]
    pub proposer: Option<String>,
    /// What model proposes, as provider:name
    #[arg(long, short, value_name = "M")]
    pub model: Option<String>,
    /// How hard a model of `openai` thinks: none, minimal, low, medium, high, xhigh or max
    #[arg(long, value_name = "R")]
    pub reasoning_effort: Option<String>,
    /// How many tokens a model of `anthropic` may think
    #[arg(long, value_name = "N")]
    pub thinking_budget: Option<u32>,
    /// Database file in which the run is stored [default: what the `output` of the file says; without one
    /// nothing is stored]
    #[arg(long = "db", alias = "db-path", short = 'd', value_name = "PATH")]
    pub db: Option<PathBuf>,
    /// Which simulations are stored: none, primary or all
    #[arg(long, value_name = "LEVEL", value_parser = ["none", "primary", "all"])]
    pub persist_simulations: Option<String>,
    /// The same as --persist-simulations all
    #[arg(long, conflicts_with = "persist_simulations")]
    pub persist_bootstrap: bool,
    /// Id of the run, instead of a new one
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// Do not measure at the end what simple policies would have cost
    #[arg(long)]
    pub no_baselines: bool,
    #[command(flatten)]
    pub show: ShowOptions,
}
