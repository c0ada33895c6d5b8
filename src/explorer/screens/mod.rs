//! The screens. Each holds what it shows, answers to intents, and draws from that alone.

pub mod bank;
pub mod compare;
pub mod conversation;
pub mod events;
pub mod help;
pub mod home;
pub mod iterations;
pub mod jobs;
pub mod kept;
pub mod launch;
pub mod palette;
pub mod payment;
pub mod policy;
pub mod replay;
pub mod runs;
pub mod simulations;
pub mod sql;
pub mod summary;
pub mod sweep;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::desk::{Desk, Scene};
use super::filter::FilterOf;
use super::key::Key;
use super::keymap::{Intent, Scope};
use super::link::Link;
use super::message::{Answer, Ticket};
use super::prompt::Purpose;
use super::rows::Export;

/// What can be copied from a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copyable {
    /// Leads to this view.
    pub link: Link,
    /// The whole id of what is selected.
    pub id: String,
    /// The selected row: an event as JSON, else its columns separated by tabs.
    pub row: String,
}

/// What every screen can do.
pub trait View {
    /// Its part of the breadcrumbs.
    fn crumb(&self) -> String;

    /// The sections of the key table that act on it, the most special first.
    fn scopes(&self) -> &'static [Scope];

    /// It has come to the front: for the first time, or again.
    fn enter(&mut self, desk: &mut Desk<'_>);

    /// Does what the user wants; false if it means nothing here.
    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool;

    /// Takes in an answer; false if it waits for another one.
    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool;

    /// Draws it.
    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>);

    /// Asks for new rows.
    fn poll(&mut self, desk: &mut Desk<'_>) {
        self.enter(desk);
    }

    /// Whether digits count, as in vi; else they choose a pane.
    fn counts(&self) -> bool {
        false
    }

    /// Whether a letter is typed into a line.
    fn typing(&self) -> bool {
        false
    }

    /// Types a key into the setting with the focus; false if it takes no text.
    fn type_key(&mut self, _key: Key, _desk: &mut Desk<'_>) -> bool {
        false
    }

    /// The rows that can be exported; none where there are none.
    fn export(&self) -> Option<Export> {
        None
    }

    /// The filter of its list, and as what it would be typed.
    fn filter(&self) -> Option<(FilterOf, String)> {
        None
    }

    /// The simulation that it is about.
    fn simulation(&self) -> Option<&str> {
        None
    }

    /// What can be copied; nothing where nothing is selected.
    fn copyable(&self) -> Option<Copyable> {
        None
    }

    /// Types a pasted text.
    fn paste(&mut self, _text: &str, _desk: &mut Desk<'_>) {}

    /// Takes up a file that the user has edited.
    fn edited(&mut self, _path: &str, _desk: &mut Desk<'_>) {}

    /// Takes a line that the user was asked for.
    fn given(&mut self, _purpose: Purpose, _text: &str, _desk: &mut Desk<'_>) {}

    /// The pace at which it plays, while it does.
    fn pace(&self) -> Option<Duration> {
        None
    }

    /// Plays one step.
    fn beat(&mut self, _desk: &mut Desk<'_>) {}
}

macro_rules! screens {
    ($($name:ident($screen:ty)),+ $(,)?) => {
        /// A screen on the stack.
        #[derive(Debug)]
        pub enum Screen {
            $($name($screen),)+
        }

        impl Screen {
            /// What every screen can do.
            pub fn view(&self) -> &dyn View {
                match self {
                    $(Self::$name(screen) => screen,)+
                }
            }

            /// The same, to change it.
            pub fn view_mut(&mut self) -> &mut dyn View {
                match self {
                    $(Self::$name(screen) => screen,)+
                }
            }
        }
    };
}

screens! {
    Home(home::Home),
    Launch(launch::Launch),
    Jobs(jobs::JobsScreen),
    Runs(runs::Runs),
    Iterations(iterations::Iterations),
    Sweep(sweep::Sweep),
    Conversation(conversation::Conversation),
    Policy(policy::Policy),
    Simulations(simulations::Simulations),
    Events(events::Events),
    Replay(replay::Replay),
    Bank(bank::Bank),
    Kept(kept::Kept),
    Compare(compare::Compare),
    Palette(palette::Palette),
    Payment(payment::Payment),
    Sql(sql::Sql),
    Summary(summary::Summary),
    Help(help::Help),
}

/// What is there when no screen is: nothing.
#[derive(Debug)]
pub struct Nowhere;

impl View for Nowhere {
    fn crumb(&self) -> String {
        String::new()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Everywhere]
    }

    fn enter(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, _intent: Intent, _count: Option<u64>, _desk: &mut Desk<'_>) -> bool {
        false
    }

    fn answer(&mut self, _ticket: Ticket, _answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        false
    }

    fn draw(&self, _area: Rect, _buffer: &mut Buffer, _scene: Scene<'_>) {}
}

/// Which pane of a screen has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Focus {
    /// The pane, from 1.
    pub pane: u8,
    panes: u8,
    /// Whether it is shown alone.
    pub zoomed: bool,
}

impl Focus {
    /// The first of so many panes.
    pub const fn of(panes: u8) -> Self {
        Self { pane: 1, panes, zoomed: false }
    }

    /// Whether a pane has the focus.
    pub const fn is(self, pane: u8) -> bool {
        self.pane == pane
    }

    /// Whether a pane is shown.
    pub const fn shows(self, pane: u8) -> bool {
        !self.zoomed || self.pane == pane
    }

    /// Moves the focus; false if the intent is about something else.
    pub fn intent(&mut self, intent: Intent, count: Option<u64>) -> bool {
        match (intent, count.and_then(|count| u8::try_from(count).ok())) {
            (Intent::NextPane, Some(pane)) if (1..=self.panes).contains(&pane) => self.pane = pane,
            (Intent::NextPane, _) => self.pane = self.pane % self.panes + 1,
            (Intent::PreviousPane, _) => self.pane = (self.pane + self.panes - 2) % self.panes + 1,
            (Intent::Zoom, _) => self.zoomed = !self.zoomed,
            _ => return false,
        }
        true
    }
}

/// Splits an area into rows or columns of these sizes; the last one takes what is left.
pub fn stack<const N: usize>(area: Rect, heights: [u16; N]) -> [Rect; N] {
    let mut y = area.y;
    let mut place = 0;
    heights.map(|height| {
        place += 1;
        let left = area.bottom() - y;
        let height = if place == N { left } else { height.min(left) };
        let part = Rect { y, height, ..area };
        y += height;
        part
    })
}

/// The same side by side.
pub fn beside<const N: usize>(area: Rect, widths: [u16; N]) -> [Rect; N] {
    let mut x = area.x;
    let mut place = 0;
    widths.map(|width| {
        place += 1;
        let left = area.right() - x;
        let width = if place == N { left } else { width.min(left) };
        let part = Rect { x, width, ..area };
        x += width;
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_goes_round() {
        let mut focus = Focus::of(3);
        for expected in [2, 3, 1] {
            assert!(focus.intent(Intent::NextPane, None));
            assert_eq!(focus.pane, expected);
        }
        focus.intent(Intent::PreviousPane, None);
        assert_eq!(focus.pane, 3);
        focus.intent(Intent::NextPane, Some(2));
        assert_eq!(focus.pane, 2);
        assert!(!focus.intent(Intent::Down, None));
    }

    #[test]
    fn parts_never_leave_the_area() {
        let area = Rect::new(0, 0, 10, 5);
        let [head, body, rest] = stack(area, [2, 9, 3]);
        assert_eq!((head.height, body.height, rest.height), (2, 3, 0));
    }
}
