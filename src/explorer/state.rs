//! Everything that the explorer knows between two messages.

use std::time::Duration;

use super::desk::{Desk, Notice, Scene};
use super::jobs::Jobs;
use super::key::Key;
use super::keymap::Keymap;
use super::link::Link;
use super::look::Look;
use super::message::{Effect, Ticket};
use super::prompt::{Prompt, Question};
use super::rows::LibraryItem;
use super::screens::{Screen, View, home::Home};

/// How far leaving has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaving {
    #[default]
    No,
    /// The jobs are cancelled; when the last has ended, the explorer does.
    WhenJobsEnd,
    /// Now.
    Now,
}

/// The state. A frame is drawn from it alone.
#[derive(Debug)]
pub struct State {
    /// The screens, the visible one last; never empty.
    pub stack: Vec<Screen>,
    pub jobs: Jobs,
    pub library: Vec<LibraryItem>,
    pub database: String,
    /// Nothing can be launched.
    pub read_only: bool,
    pub look: Look,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    pub notice: Option<Notice>,
    pub prompt: Option<Prompt>,
    pub question: Option<Question>,
    pub leaving: Leaving,
    /// What the note that is being written is about.
    pub(super) noted: Option<Link>,
    /// What is being done beside the screen.
    pub(super) errand: Option<Ticket>,
    /// Keys of a sequence that is not complete.
    pub pressed: Vec<Key>,
    pub count: Option<u64>,
    pub keymap: Keymap,
    /// Whether the screen must be drawn again.
    pub dirty: bool,
    pub(super) tickets: Ticket,
}

impl State {
    /// A fresh explorer on its first screen.
    pub fn new(library: Vec<LibraryItem>, database: String, look: Look) -> Self {
        Self {
            stack: vec![Screen::Home(Home::default())],
            jobs: Jobs::default(),
            library,
            database,
            read_only: false,
            look,
            size: (80, 24),
            notice: None,
            prompt: None,
            question: None,
            leaving: Leaving::No,
            noted: None,
            errand: None,
            pressed: Vec::new(),
            count: None,
            keymap: Keymap::standard(),
            dirty: true,
            tickets: 0,
        }
    }

    /// The visible screen.
    pub fn top(&self) -> &dyn View {
        match self.stack.last() {
            Some(screen) => screen.view(),
            None => &super::screens::Nowhere,
        }
    }

    /// Lets the visible screen do something, and hands over where it wants to go.
    pub(super) fn with_top<T>(
        &mut self,
        effects: &mut Vec<Effect>,
        act: impl FnOnce(&mut dyn View, &mut Desk<'_>) -> T,
    ) -> Option<(T, Option<super::desk::Go>)> {
        let screen = self.stack.last_mut()?;
        let mut desk = Desk {
            effects,
            tickets: &mut self.tickets,
            jobs: &mut self.jobs,
            library: &self.library,
            keymap: &self.keymap,
            read_only: self.read_only,
            notice: &mut self.notice,
            prompt: &mut self.prompt,
            go: None,
        };
        let done = act(screen.view_mut(), &mut desk);
        Some((done, desk.go))
    }

    /// What a screen may look at.
    pub fn scene(&self) -> Scene<'_> {
        Scene { look: self.look, jobs: &self.jobs, library: &self.library, database: &self.database }
    }

    /// Whether new rows can come without a key: only this process writes the database.
    pub fn live(&self) -> bool {
        self.jobs.active() > 0
    }

    /// The pace of a playing replay.
    pub fn pace(&self) -> Option<Duration> {
        self.top().pace()
    }
}
