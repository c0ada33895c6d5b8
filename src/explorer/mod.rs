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
//! The replay of a recorded simulation and the view of a running one are the same `session`: a fold
//! of stored events.

mod describe;
mod desk;
mod draw;
mod event_loop;
mod filter;
mod format;
mod jobs;
mod key;
mod keymap;
mod launcher;
mod look;
mod message;
mod prompt;
mod readers;
mod rows;
mod screens;
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

use tokio::sync::mpsc::unbounded_channel;

use crate::persistence::{Access, Database, PersistenceError};
use event_loop::World;
use launcher::Launcher;
use look::Look;
use message::{JobId, Message, Query, Slot, Ticket};
use readers::Readers;
use rows::Plan;
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
            Self::Terminal(_) | Self::Signal(_) => None,
        }
    }
}

/// Opens the explorer and runs it until its user leaves.
///
/// # Errors
///
/// No terminal, a database that cannot be opened, a terminal that goes away, a signal.
pub fn run(options: ExplorerOptions) -> Result<(), ExplorerError> {
    if !io::stdout().is_terminal() {
        return Err(ExplorerError::NoTerminal);
    }
    let access = if options.read_only { Access::Read } else { Access::Write };
    let database = Database::open(&options.database, access)?;
    let (messages, mut inbox) = unbounded_channel();
    let sources = [DatabaseSource::new(&database)?, DatabaseSource::new(&database)?];
    let readers = Readers::start(sources, &messages)?;
    for warning in database.warnings() {
        // The receiver is at hand: this cannot fail.
        let _ = messages.send(Message::Trouble(warning.clone()));
    }
    let look = Look { colour: !options.no_color, ascii: options.ascii };
    let shown = database.path().display().to_string();
    let mut state = State::new(launcher::library_items(), shown, look);
    state.read_only = !database.is_writable();
    let mut outside = Outside { readers, launcher: Launcher::new(database, messages) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut terminal = Terminal::take()?;
    let ended = runtime.block_on(event_loop::run(&mut state, &mut terminal, &mut outside, &mut inbox));
    drop(terminal);
    outside.launcher.shut_down(PATIENCE);
    match ended? {
        None => Ok(()),
        Some(signal) => Err(ExplorerError::Signal(signal)),
    }
}

/// Everything outside the state.
struct Outside {
    readers: Readers,
    launcher: Launcher,
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
}
