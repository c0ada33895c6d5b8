//! The library: scenarios, policies and experiments that come with the program (spec 06, 7.8).
//!
//! Every text is part of the binary. `library:NAME` names an asset wherever a file is wanted;
//! [`resolve`] follows the paths inside an asset as the file system would follow them in `assets/`, so
//! that the same texts work from a copy on disk.

use std::fmt;

use crate::finding::nearest;
use crate::scenario::{FileKind, FileText, Files};

/// What names an asset where a file is wanted: `library:two-banks`.
pub const PREFIX: &str = "library:";

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A scenario, ready to run.
    Scenario,
    /// An experiment on a scenario of the library.
    Experiment,
    /// A policy for use in a scenario or an experiment.
    Policy,
}

impl Kind {
    /// All kinds, in the order in which the library lists them.
    pub const ALL: [Self; 3] = [Self::Scenario, Self::Experiment, Self::Policy];

    /// The word for one of them.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::Experiment => "experiment",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A file of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Path inside the library, parts separated by `/`.
    pub path: &'static str,
    /// What it holds.
    pub text: &'static str,
}

impl File {
    /// Its name without the folder.
    #[must_use]
    pub fn file_name(&self) -> &'static str {
        self.path.rsplit_once('/').map_or(self.path, |(_, name)| name)
    }
}

/// A scenario, a policy or an experiment of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// What it is.
    pub kind: Kind,
    /// Its name, unique in the library whatever the kind.
    pub name: &'static str,
    /// The question that it answers, one sentence.
    pub question: &'static str,
    /// Its file.
    pub file: File,
    /// Paths of the library's files that it refers to itself.
    uses: &'static [&'static str],
}

impl Asset {
    /// What it holds.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.file.text
    }

    /// Path inside the library.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.file.path
    }

    /// `library:NAME`.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The files without which it does not work, itself first, then what it refers to, directly or
    /// through others; each once. A copy that keeps their paths works like the library.
    #[must_use]
    pub fn files(&self) -> Vec<File> {
        let mut files = vec![self.file];
        let mut next = 0;
        while let Some(path) = files.get(next).map(|file| file.path) {
            let uses = ASSETS.iter().find(|asset| asset.path() == path).map_or(&[][..], |asset| asset.uses);
            for used in uses.iter().filter_map(|path| file(path)) {
                if !files.contains(&used) {
                    files.push(used);
                }
            }
            next += 1;
        }
        files
    }
}

/// The other files of an asset, for reading it as a scenario.
impl Files for Asset {
    fn read(&self, path: &str, kind: FileKind) -> Result<FileText, String> {
        read_from(&self.file, path, kind)
    }
}

/// The file that a scenario of the library names.
///
/// # Errors
/// The library has no such file.
pub fn read_from(scenario: &File, path: &str, kind: FileKind) -> Result<FileText, String> {
    let found = match kind {
        FileKind::Policy => resolve_upwards(scenario.path, path),
        FileKind::Payments => resolve(scenario.path, path),
    };
    match found {
        Some(File { path, text }) => Ok(FileText { name: path.to_owned(), text: text.to_owned() }),
        None => Err(no_such_file(path)),
    }
}

/// A name that the library does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct UnknownAsset {
    /// The name asked for.
    pub name: String,
    /// What was wanted; any kind if absent.
    pub wanted: Option<Kind>,
    /// What that name is, if it is of another kind.
    pub is: Option<Kind>,
    /// The nearest name of the kind wanted.
    pub nearest: Option<&'static str>,
}

impl UnknownAsset {
    fn message(&self) -> String {
        let Self { name, wanted, is, .. } = self;
        match (wanted, is) {
            (Some(wanted), Some(is)) => {
                let article = if *is == Kind::Experiment { "an" } else { "a" };
                format!(
                    "`{name}` in the library is {article} {is}, not {wanted_article} {wanted}",
                    wanted_article = if *wanted == Kind::Experiment { "an" } else { "a" }
                )
            }
            (Some(wanted), None) => format!("the library has no {wanted} `{name}`"),
            (None, _) => format!("the library has nothing called `{name}`"),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self.nearest {
            Some(name) => format!("did you mean `{PREFIX}{name}`? `payment-sim library` lists all"),
            None => "`payment-sim library` lists what there is".to_owned(),
        }
    }
}

/// Everything that has a name: scenarios, then experiments, then policies, the simplest first.
#[must_use]
pub const fn all() -> &'static [Asset] {
    ASSETS
}

/// The assets of a kind.
pub fn of_kind(kind: Kind) -> impl Iterator<Item = &'static Asset> {
    ASSETS.iter().filter(move |asset| asset.kind == kind)
}

/// The name in `library:NAME`; `None` if that is the path of a file.
#[must_use]
pub fn name_in(link: &str) -> Option<&str> {
    link.strip_prefix(PREFIX)
}

/// The asset of a name, with or without `library:`.
///
/// # Errors
/// There is none; the nearest name is suggested.
pub fn find(name: &str) -> Result<&'static Asset, UnknownAsset> {
    look_up(name, None)
}

/// The asset of a kind by its name, with or without `library:`.
///
/// # Errors
/// There is none, or it is of another kind; the nearest name of that kind is suggested.
pub fn find_kind(kind: Kind, name: &str) -> Result<&'static Asset, UnknownAsset> {
    look_up(name, Some(kind))
}

fn look_up(name: &str, wanted: Option<Kind>) -> Result<&'static Asset, UnknownAsset> {
    let name = name_in(name).unwrap_or(name);
    let fits = |asset: &Asset| wanted.is_none_or(|kind| asset.kind == kind);
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) if fits(asset) => Ok(asset),
        other => Err(UnknownAsset {
            name: name.to_owned(),
            wanted,
            is: other.map(|asset| asset.kind),
            nearest: nearest(name, ASSETS.iter().filter(|asset| fits(asset)).map(|asset| asset.name)),
        }),
    }
}

/// The file of a path inside the library.
fn file(path: &str) -> Option<File> {
    let assets = ASSETS.iter().map(|asset| asset.file);
    assets.chain(COMPANIONS.iter().copied()).find(|file| file.path == path)
}

/// The file that a path means which stands in the file `from` of the library: relative to its folder.
#[must_use]
pub fn resolve(from: &str, path: &str) -> Option<File> {
    file(&joined(folder(from), path)?)
}

/// Policies are looked for in the folder, then in its parents, nearest first (spec 01, 2.7).
fn resolve_upwards(from: &str, path: &str) -> Option<File> {
    let folders = std::iter::successors(Some(folder(from)), |at| (!at.is_empty()).then(|| folder(at)));
    folders.filter_map(|folder| file(&joined(folder, path)?)).next()
}

fn no_such_file(path: &str) -> String {
    let files = ASSETS.iter().map(|asset| asset.path()).chain(COMPANIONS.iter().map(|file| file.path));
    match nearest(path, files) {
        Some(near) => format!("the library has no such file; did you mean `{near}`?"),
        None => "the library has no such file".to_owned(),
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`; `None` for an absolute path and one that leaves the library.
fn joined(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

macro_rules! library_file {
    ($path:literal) => {
        File { path: $path, text: include_str!(concat!("../assets/", $path)) }
    };
}

macro_rules! assets {
    ($($kind:ident $folder:literal $suffix:literal {
        $($name:literal: $question:literal $(, uses $uses:expr)?;)*
    })*) => {
        &[$($(Asset {
            kind: Kind::$kind,
            name: $name,
            question: $question,
            file: File {
                path: concat!($folder, "/", $name, $suffix),
                text: include_str!(concat!("../assets/", $folder, "/", $name, $suffix)),
            },
            uses: assets!(@uses $($uses)?),
        },)*)*]
    };
    (@uses) => { &[] };
    (@uses $uses:expr) => { &$uses };
}

/// Files without a name of their own: what assets refer to.
const COMPANIONS: &[File] = &[
    library_file!("scenarios/own-day.csv"),
    library_file!("experiments/careful-cuts.script.json"),
    library_file!("experiments/policy-contest.script.json"),
];

/// One row for each asset. The question is the one that the file itself begins with.
const ASSETS: &[Asset] = assets! {
    Scenario "scenarios" ".yaml" {
        "two-banks": "What happens to a payment between its arrival and its settlement?";
        "gridlock-ring": "Which payments can settle by netting alone, when nobody can pay first?";
        "gridlock-textbook":
            "What is the most that can settle in first-in-first-out order, when not everything can?";
        "liquidity-squeeze":
            "How do four release policies get through an hour in which liquidity is withdrawn?",
            uses [
                "policies/release-all.json",
                "policies/split-large.json",
                "policies/cautious-buffer.json",
                "policies/deadline-driven.json",
            ];
        "stressed-week": "How does one bank's outage spread through a week, and who pays for it?",
            uses [
                "policies/priority-first.json",
                "policies/release-all.json",
                "policies/collateral-on-demand.json",
                "policies/budgeted-morning.json",
                "policies/receipt-reactive.json",
            ];
        "own-day": "What would my own bank's day cost under another release policy?",
            uses ["scenarios/own-day.csv"];
        "large-day":
            "What does a whole system's day look like: when does money turn over, and where does it stick?";
        "two-period-day":
            "How much liquidity does each bank bring if the one pays early and the other can recycle it?";
        "three-period-day":
            "How much liquidity do two equal banks bring if each can recycle the other's payment?";
        "twelve-period-day":
            "How much liquidity is worth bringing if nobody knows which payments the day will bring?";
    }
    Experiment "experiments" ".yaml" {
        "two-period": "Does the search find the only equilibrium of the two-period liquidity game?",
            uses ["scenarios/two-period-day.yaml"];
        "three-period": "Do two equal banks end at the same liquidity in the three-period game?",
            uses ["scenarios/three-period-day.yaml"];
        "twelve-period": "How much liquidity should a bank bring when the day's payments are random?",
            uses ["scenarios/twelve-period-day.yaml"];
        "careful-cuts": "How far can a bank cut its liquidity before the evidence says stop?",
            uses ["scenarios/twelve-period-day.yaml", "experiments/careful-cuts.script.json"];
        "policy-contest":
            "Which of the library's release policies is the cheapest for one bank on one known day?",
            uses ["scenarios/own-day.yaml", "experiments/policy-contest.script.json"];
        "liquidity-curve":
            "How do delay and cost fall as banks bring more liquidity, and where is the bottom?",
            uses ["scenarios/twelve-period-day.yaml"];
        "netting-curve":
            "How much does netting save, and does it still matter when banks have money?",
            uses ["scenarios/liquidity-squeeze.yaml"];
    }
    Policy "policies" ".json" {
        "release-all": "What does it cost never to wait?";
        "cautious-buffer": "How much delay does a liquidity reserve cost?";
        "deadline-driven": "What does a bank save by paying as late as it may?";
        "split-large": "Does cutting a large payment into parts get it through a shortage?";
        "budgeted-morning": "Can a budget per tick spread the morning peak without missing deadlines?";
        "collateral-on-demand": "What does it cost to hold collateral only while it is needed?";
        "priority-first": "Who waits if urgent payments always go first?";
        "receipt-reactive": "Can a bank live on what others pay it?";
    }
};

#[cfg(test)]
mod tests;
