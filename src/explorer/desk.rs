//! What a screen may do to the rest of the explorer while it handles a message.

use super::jobs::Jobs;
use super::keymap::{Intent, Keymap};
use super::link::Link;
use super::look::Look;
use super::message::{Effect, Query, Slot, Ticket};
use super::prompt::{Prompt, Purpose};
use super::rows::LibraryItem;
use super::screens::Screen;

/// A line at the bottom until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub trouble: bool,
}

/// Where to go after the message.
#[derive(Debug)]
pub enum Go {
    Open(Box<Screen>),
    /// Opens a screen in place of this one.
    Replace(Box<Screen>),
    /// Goes back to the screen before and does this there.
    Do(Intent),
    /// Goes back to the screen before and gives it a line, as if the user had typed it there.
    Give(Purpose, String),
    /// Goes to a place, by the screens that lead there from Home.
    Visit(Link),
}

/// The screen's way out.
#[derive(Debug)]
pub struct Desk<'a> {
    pub effects: &'a mut Vec<Effect>,
    pub tickets: &'a mut Ticket,
    pub jobs: &'a mut Jobs,
    pub library: &'a [LibraryItem],
    pub keymap: &'a Keymap,
    pub read_only: bool,
    pub notice: &'a mut Option<Notice>,
    pub prompt: &'a mut Option<Prompt>,
    pub go: Option<Go>,
}

impl Desk<'_> {
    /// Asks a question; the ticket recognises its answer.
    pub fn ask(&mut self, slot: Slot, query: Query) -> Ticket {
        *self.tickets += 1;
        self.effects.push(Effect::Ask(slot, *self.tickets, query));
        *self.tickets
    }

    /// Says something to the user.
    pub fn say(&mut self, text: impl Into<String>) {
        *self.notice = Some(Notice { text: text.into(), trouble: false });
    }

    /// Says what went wrong.
    pub fn complain(&mut self, text: impl Into<String>) {
        *self.notice = Some(Notice { text: text.into(), trouble: true });
    }

    /// Opens a screen on top of this one.
    pub fn open(&mut self, screen: Screen) {
        self.go = Some(Go::Open(Box::new(screen)));
    }
}

/// What a screen may look at while it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub look: Look,
    pub jobs: &'a Jobs,
    pub library: &'a [LibraryItem],
    pub database: &'a str,
}
