//! Commands of `db`, and `export` (spec 06, 7.7 and 7.8).

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

use super::{DbOption, FilterArgs};
use crate::persistence::{ExportForm, Exported};

/// Commands of `db`.
#[derive(Debug, Args)]
pub struct DbArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DbCommand,
}

/// Every `db` command.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// List recorded simulations, newest first.
    #[command(alias = "simulations")]
    List(ListArgs),
    /// Show path, size, layout, rows per table and the largest simulations.
    Info {
        #[command(flatten)]
        db: DbOption,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Hold everything that is stored against the events; one line per finding.
    Check {
        #[command(flatten)]
        db: DbOption,
        /// Without digests
        #[arg(long)]
        quick: bool,
        /// A JSON line per finding
        #[arg(long)]
        json: bool,
    },
    /// Print tables, views and columns with what they mean.
    Schema {
        #[command(flatten)]
        db: DbOption,
        /// Form
        #[arg(long, value_enum, default_value_t = SchemaForm::Text)]
        format: SchemaForm,
    },
    /// Run one read-only SQL statement.
    Sql {
        /// The statement; - reads it from standard input
        query: String,
        #[command(flatten)]
        db: DbOption,
        /// Form of the rows
        #[arg(long, value_enum, default_value_t = RowsForm::Table)]
        format: RowsForm,
    },
    /// Write a consistent copy, also while another payment-sim writes the file.
    Snapshot {
        /// File of the copy, which must not exist yet
        #[arg(value_name = "OUT")]
        out: PathBuf,
        #[command(flatten)]
        db: DbOption,
    },
    /// Take over the simulations and runs of another database, also of one of SimCash.
    Import {
        /// The other database; it is only read
        file: PathBuf,
        /// Put this text before every id that is taken over
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
        #[command(flatten)]
        db: DbOption,
    },
    /// Rewrite the file without the space of deleted rows.
    Compact {
        #[command(flatten)]
        db: DbOption,
    },
    /// Delete simulations, or whole runs, with everything that belongs to them.
    Delete(DeleteArgs),
    /// Make a database to try things on, by simulating a made-up scenario.
    Generate(GenerateArgs),
    /// Create an empty database.
    Init {
        #[command(flatten)]
        db: DbOption,
    },
    /// Bring an older database to the current layout.
    Migrate {
        #[command(flatten)]
        db: DbOption,
    },
}

/// Options of `db list`.
#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub db: DbOption,
    /// Rows at most; 0: all
    #[arg(long, short = 'n', default_value_t = 20)]
    pub limit: usize,
    /// Only simulations in this state
    #[arg(long)]
    pub status: Option<String>,
    /// Only simulations run for this purpose
    #[arg(long)]
    pub purpose: Option<String>,
    /// Only simulations of this run
    #[arg(long)]
    pub run: Option<String>,
    /// A JSON line per simulation
    #[arg(long)]
    pub json: bool,
}

/// Options of `db delete`.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "run", "status", "before"]))]
pub struct DeleteArgs {
    /// Ids of simulations
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    #[command(flatten)]
    pub db: DbOption,
    /// A run with all its simulations; together with other options only those of its simulations
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
    /// Simulations in this state
    #[arg(long)]
    pub status: Option<String>,
    /// Simulations that started before this day (2026-01-31) or moment (2026-01-31T09:15:00)
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Options of `db generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    #[command(flatten)]
    pub db: DbOption,
    /// So many events in one large simulation, and what is left of its last day
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub events: u64,
    /// So many short simulations beside it
    #[arg(long, value_name = "M", default_value_t = 20)]
    pub simulations: u64,
    /// Seed of everything
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = super::seed)]
    #[arg(allow_negative_numbers = true)]
    pub seed: u64,
}

/// Form of a listing of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaForm {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Statements that make it.
    Sql,
}

/// Form of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowsForm {
    /// A table for people; values of more than 200 characters are cut.
    Table,
    /// Comma-separated values.
    Csv,
    /// One JSON array.
    Json,
    /// A JSON object a line.
    Jsonl,
}

/// Options of `export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// What to export
    #[arg(value_enum)]
    pub what: Exported,
    /// Simulations; for iterations, evaluations, samples and sweep_points runs. None: all
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Only what belongs to this run
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
    #[command(flatten)]
    pub db: DbOption,
    /// Form of the rows; events as jsonl are event lines
    #[arg(long, value_enum, default_value_t = ExportForm::Csv)]
    pub format: ExportForm,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub filter: FilterArgs,
}

impl ValueEnum for Exported {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Events => "Every event; all filters",
            Self::Transactions => "Payments; filters by bank, by payment, by ticks and day of their arrival",
            Self::Metrics => "Figures per bank and day; filters by bank and day",
            Self::Simulations => "Simulations with their totals; no filter but --run",
            Self::Iterations => "Iterations of runs; no filter",
            Self::Evaluations => "Comparisons of policies in runs; filter by bank",
            Self::Samples => "Samples of these comparisons; filter by bank",
            Self::SweepPoints => "Points of sweeps; no filter",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl ValueEnum for ExportForm {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Csv => "Comma-separated values",
            Self::Jsonl => "A JSON object a line; of events their event lines",
            Self::Parquet => "Parquet; needs a file",
        };
        Some(PossibleValue::new(self.ending()).help(help))
    }
}
