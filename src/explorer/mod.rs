//! The explorer: the terminal UI that launches experiments and simulations, watches them, and steps
//! through everything recorded.
//!
//! In reading order: a key of the terminal (`key`) becomes an intent by the one table (`keymap`);
//! `update` changes the `state` and returns effects; `draw` shows the state and nothing else. The
//! `screens` hold what they show and know neither database nor clock: they ask questions and take
//! answers (`message`). The `event_loop` carries the effects out: `readers` put the questions to the
//! database (`source`) in threads of their own, `launcher` runs jobs through the one loop and the
//! experiment runner, `terminal` takes the terminal over and gives it back whatever happens.
//!
//! A key script (`script`) drives the same loop without a terminal; a deep link (`link`) names a place.
//!
//! The replay of a recorded simulation and the view of a running one are the same `session`: a fold
//! of stored events.

mod awaiting;
mod describe;
mod desk;
mod draw;
mod editor;
mod event_loop;
mod filter;
mod format;
mod frame;
mod jobs;
mod key;
mod keymap;
mod launcher;
mod link;
mod look;
mod marked;
mod message;
mod prompt;
mod readers;
mod rows;
mod screens;
mod script;
mod search;
mod session;
mod source;
mod state;
mod terminal;
mod update;
mod widgets;
mod window;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::persistence::{Access, Database, PersistenceError};
use event_loop::World;
use keymap::{ChosenKeys, Keymap};
use launcher::Launcher;
use link::Link;
use look::{Look, Theme};
use message::{JobId, Message, Query, Slot, Ticket};
use readers::Readers;
use rows::Plan;
use script::Script;
pub use script::ScriptError;
use source::DatabaseSource;
use state::State;
use terminal::Terminal;

/// How long jobs may take to finish their tick when the explorer leaves.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the explorer opens, and how it looks.
#[derive(Clone, Debug, Default)]
pub struct ExplorerOptions {
    /// The database file; made if it does not exist, unless it is only read.
    pub database: PathBuf,
    /// Look only: nothing can be launched.
    pub read_only: bool,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Draw without colours.
    pub no_color: bool,
    /// `dark`, `light` or `colour-blind`.
    pub theme: Option<String>,
    /// Other keys, by the name of what they do: `tick-forward`.
    pub keys: ChosenKeys,
    /// The folder for copies of library entries that are edited; without one they cannot be.
    pub drafts: Option<PathBuf>,
    /// Where to begin, as a deep link: `run/ID/iteration/3` or `sim/ID/replay?tick=12&event=40`.
    pub open: Option<String>,
}

/// Why the explorer did not open, or ended otherwise than by its user.
#[derive(Debug, thiserror::Error)]
pub enum ExplorerError {
    /// Standard output is no terminal.
    #[error("the explorer needs a terminal")]
    NoTerminal,
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] PersistenceError),
    /// The terminal cannot be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// A setting that is none.
    #[error("{message}")]
    Settings {
        /// What is wrong with it.
        message: String,
        /// What would be right.
        hint: String,
    },
    /// A deep link that is none.
    #[error("{0}")]
    Link(String),
    /// A key script that is none, or a step of it that failed.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A signal ended it; the terminal was given back and the jobs were cancelled.
    #[error("ended by signal {0}")]
    Signal(i32),
}

impl ExplorerError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoTerminal => Some(
                "without one use `run`, `replay`, `experiment`, `db` or `library`; `--help` lists \
                 all commands"
                    .to_owned(),
            ),
            Self::Database(error) => error.hint(),
            Self::Settings { hint, .. } => Some(hint.clone()),
            Self::Terminal(_) | Self::Link(_) | Self::Script(_) | Self::Signal(_) => None,
        }
    }
}

/// Opens the explorer and runs it until its user leaves.
///
/// # Errors
///
/// No terminal, a database that cannot be opened, a terminal that goes away, a signal.
pub fn run(options: &ExplorerOptions) -> Result<(), ExplorerError> {
    if !io::stdout().is_terminal() {
        return Err(ExplorerError::NoTerminal);
    }
    let Opened { mut state, mut outside, mut inbox } = open(options)?;
    let mut terminal = Terminal::take()?;
    let ended = runtime()?.block_on(event_loop::run(&mut state, &mut terminal, &mut outside, &mut inbox));
    drop(terminal);
    outside.launcher.shut_down(PATIENCE);
    match ended? {
        None => Ok(()),
        Some(signal) => Err(ExplorerError::Signal(signal)),
    }
}

/// Plays a key script instead: needs no terminal, prints its frames, and leaves at its end. Jobs that
/// still run then are cancelled.
///
/// # Errors
///
/// A line that is no step (before anything is opened), a step that fails, a database that cannot be opened.
pub fn play(
    options: &ExplorerOptions,
    script: &str,
    output: &mut dyn io::Write,
) -> Result<(), ExplorerError> {
    let script = Script::parse(script)?;
    let Opened { mut state, mut outside, mut inbox } = open(options)?;
    let played = runtime()?.block_on(script::play(&script, &mut state, &mut outside, &mut inbox, output));
    outside.launcher.shut_down(PATIENCE);
    Ok(played?)
}

/// An explorer that has not begun.
struct Opened {
    state: State,
    outside: Outside,
    inbox: UnboundedReceiver<Message>,
}

fn open(options: &ExplorerOptions) -> Result<Opened, ExplorerError> {
    let link = options.open.as_deref().map(Link::parse).transpose().map_err(ExplorerError::Link)?;
    let (database, note) = database(options)?;
    let (messages, inbox) = unbounded_channel();
    let source = || DatabaseSource::new(&database);
    let sources = [source()?, source()?, source()?];
    let readers = Readers::start(sources, &messages)?;
    for warning in database.warnings().iter().chain(database.lost()).chain(&note) {
        // The receiver is at hand: this cannot fail.
        let _ = messages.send(Message::Trouble(warning.clone()));
    }
    let theme = match options.theme.as_deref() {
        None => Theme::default(),
        Some(name) => Theme::find(name).ok_or_else(|| {
            let message = format!("there is no theme `{name}`");
            ExplorerError::Settings { message, hint: "themes are `dark`, `light` and `colour-blind`".into() }
        })?,
    };
    let keymap = Keymap::with(&options.keys).map_err(|message| ExplorerError::Settings {
        message,
        hint: "see `[explorer.keys]` in the settings".into(),
    })?;
    let look = Look { colour: !options.no_color, ascii: options.ascii, theme };
    let shown = database.path().display().to_string();
    let mut state = State::new(launcher::library_items(), shown, look);
    state.read_only = !database.is_writable();
    state.keymap = keymap;
    state.stack.extend(link.map(Link::screens).unwrap_or_default());
    let launcher = Launcher::new(database, messages);
    let outside = Outside { readers, launcher, drafts: options.drafts.clone() };
    Ok(Opened { state, outside, inbox })
}

/// The database; one of the reference is looked at only, and the user is told so.
fn database(options: &ExplorerOptions) -> Result<(Database, Option<String>), ExplorerError> {
    let access = if options.read_only { Access::Read } else { Access::Write };
    match Database::open(&options.database, access) {
        Err(error @ PersistenceError::Reference(_)) => {
            let database = Database::open(&options.database, Access::Read)?;
            Ok((database, Some(source::with_hint(&error))))
        }
        opened => Ok((opened?, None)),
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Everything outside the state.
struct Outside {
    readers: Readers,
    launcher: Launcher,
    drafts: Option<PathBuf>,
}

impl World for Outside {
    fn ask(&mut self, slot: Slot, ticket: Ticket, query: Query) {
        self.readers.ask(slot, ticket, query);
    }

    fn start(&mut self, id: JobId, plan: Plan) {
        self.launcher.start(id, plan);
    }

    fn cancel(&mut self, id: JobId) {
        self.launcher.cancel(id);
    }

    fn draft(&mut self, source: &str) -> Result<PathBuf, String> {
        launcher::draft(source, self.drafts.as_deref())
    }

    fn pause(&mut self, id: JobId, paused: bool) {
        self.launcher.pause(id, paused);
    }
}
