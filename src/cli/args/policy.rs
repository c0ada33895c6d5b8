//! Options of the commands about policies and costs (spec 04, 11).

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum};

use super::ResultForm;

/// Commands of `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// Every `policy` command.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy file.
    Validate(ValidatePolicyArgs),
    /// Print every field, action and operator of the policy language.
    Schema(PolicySchemaArgs),
    /// Read a policy in plain English and draw its trees.
    Explain {
        /// Policy file or library:NAME
        file: String,
    },
}

/// Options of `policy validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidatePolicyArgs {
    /// Policy file or library:NAME
    pub file: String,
    /// Form of the result
    #[arg(long, short, value_enum, default_value_t = ResultForm::Text)]
    pub format: ResultForm,
    /// Show trees, parameters and description
    #[arg(long, short)]
    pub verbose: bool,
    /// Run the policy in a small simulation, too
    #[arg(long)]
    pub functional_tests: bool,
    /// Hold the policy against this scenario's feature toggles
    #[arg(long, short, value_name = "FILE")]
    pub scenario: Option<String>,
}

/// Form of a manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ManualForm {
    /// Markdown.
    Markdown,
    /// JSON.
    Json,
}

/// Options of `policy schema`.
#[derive(Clone, Debug, Args)]
pub struct PolicySchemaArgs {
    /// Form
    #[arg(long, short, value_enum, default_value_t = ManualForm::Markdown)]
    pub format: ManualForm,
    /// Only this category; may be repeated
    #[arg(long, short, value_name = "NAME", action = ArgAction::Append)]
    pub category: Vec<String>,
    /// Not this category; may be repeated
    #[arg(long, short = 'x', value_name = "NAME", action = ArgAction::Append)]
    pub exclude_category: Vec<String>,
    /// Only what is valid in this tree; may be repeated
    #[arg(long, short, value_name = "NAME", action = ArgAction::Append)]
    pub tree: Vec<String>,
    /// Only this section; may be repeated
    #[arg(long, short, value_name = "NAME", action = ArgAction::Append)]
    pub section: Vec<String>,
    /// Only what this scenario's feature toggles allow
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<String>,
    /// Write to this file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave examples out
    #[arg(long)]
    pub no_examples: bool,
    /// Names and descriptions only
    #[arg(long)]
    pub compact: bool,
}

/// Commands of `cost`.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CostCommand,
}

/// Every `cost` command.
#[derive(Debug, Subcommand)]
pub enum CostCommand {
    /// Print every cost with its formula and default.
    Schema(CostSchemaArgs),
}

/// Options of `cost schema`.
#[derive(Clone, Debug, Args)]
pub struct CostSchemaArgs {
    /// Form
    #[arg(long, short, value_enum, default_value_t = ManualForm::Markdown)]
    pub format: ManualForm,
    /// Only this category; may be repeated
    #[arg(long, short, value_name = "NAME", action = ArgAction::Append)]
    pub category: Vec<String>,
    /// Not this category; may be repeated
    #[arg(long, short = 'x', value_name = "NAME", action = ArgAction::Append)]
    pub exclude_category: Vec<String>,
    /// Only this cost; may be repeated
    #[arg(long, short, value_name = "NAME", action = ArgAction::Append)]
    pub include: Vec<String>,
    /// Not this cost; may be repeated
    #[arg(long, short, value_name = "NAME", action = ArgAction::Append)]
    pub exclude: Vec<String>,
    /// Only what this scenario's feature toggles allow
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<String>,
    /// Write to this file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave examples out
    #[arg(long)]
    pub no_examples: bool,
    /// One table
    #[arg(long)]
    pub compact: bool,
}
