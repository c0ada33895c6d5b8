//! The command palette: everything that can be done here and every place to go, found by a few letters.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui_input::Input;

use super::View;
use super::bank::Bank;
use super::payment::Payment;
use super::{Screen, stack};
use crate::explorer::desk::{Desk, Go, Scene};
use crate::explorer::filter::payment_name;
use crate::explorer::key::Key;
use crate::explorer::keymap::{Intent, Keymap, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::Place;
use crate::explorer::widgets::input;
use crate::explorer::widgets::pane::Pane;
use crate::explorer::widgets::table::{Column, Table, cell, toned};
use crate::explorer::window::Cursor;

/// What an entry leads to.
#[derive(Clone, Debug, PartialEq)]
enum Target {
    Command(Intent),
    Link(Link),
    Bank(String, String),
    Payment(String, String),
}

/// A line of the palette.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    kind: &'static str,
    text: String,
    /// Keys of a command.
    keys: String,
    target: Target,
}

impl AsRef<str> for Entry {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// The screen.
#[derive(Debug)]
pub struct Palette {
    typed: Input,
    commands: Vec<Entry>,
    places: Vec<Entry>,
    /// The simulation that the screen before is about: payments are looked for in it.
    simulation: Option<String>,
    awaiting: Option<Ticket>,
    cursor: Cursor,
}

const COLUMNS: &[Column<'_>] =
    &[Column::text("", 10), Column::text("", 20).growing(1), Column::text("", 12).rank(1)];

/// Intents that only make sense with their own keys.
const MOTIONS: &[Intent] = &[
    Intent::Up,
    Intent::Down,
    Intent::HalfUp,
    Intent::HalfDown,
    Intent::PageUp,
    Intent::PageDown,
    Intent::FieldNext,
    Intent::FieldPrevious,
    Intent::Palette,
];

impl Palette {
    /// The commands of a screen with these scopes, which is about this simulation.
    pub fn over(scopes: &[Scope], simulation: Option<String>, keymap: &Keymap) -> Self {
        let mut commands: Vec<Entry> = Vec::new();
        for (intent, help, keys) in keymap.commands(scopes) {
            let known = commands.iter().any(|entry| entry.target == Target::Command(intent));
            if !known && !MOTIONS.contains(&intent) {
                let target = Target::Command(intent);
                commands.push(Entry { kind: "do", text: help.to_owned(), keys, target });
            }
        }
        Self {
            typed: Input::default(),
            commands,
            places: Vec::new(),
            simulation,
            awaiting: None,
            cursor: Cursor::new(),
        }
    }

    /// What fits the letters, the best first; commands stand in their order while nothing is typed.
    fn entries(&self) -> Vec<Entry> {
        let typed = self.typed.value().trim();
        let mut found: Vec<Entry> = self.payment(typed).into_iter().collect();
        let all = self.commands.iter().chain(&self.places).cloned();
        if typed.is_empty() {
            found.extend(all);
            return found;
        }
        let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        found.extend(pattern.match_list(all, &mut matcher).into_iter().map(|(entry, _)| entry));
        found
    }

    /// A payment named by its id or number.
    fn payment(&self, typed: &str) -> Option<Entry> {
        let simulation = self.simulation.clone()?;
        let named =
            typed.starts_with("tx-") || (!typed.is_empty() && typed.bytes().all(|b| b.is_ascii_digit()));
        let payment = payment_name(typed);
        named.then(|| Entry {
            kind: "payment",
            text: payment.clone(),
            keys: String::new(),
            target: Target::Payment(simulation, payment),
        })
    }

    fn take(&mut self, places: Vec<Place>) {
        let entry = |place: Place| {
            let (kind, target) = match place {
                Place::Run { ref id, .. } => ("run", Target::Link(Link::Run(id.clone()))),
                Place::Simulation { ref id, .. } => {
                    ("simulation", Target::Link(Link::Replay(id.clone(), 0, None)))
                }
                Place::Bank { ref simulation, ref bank } => {
                    ("bank", Target::Bank(simulation.clone(), bank.clone()))
                }
            };
            Entry { kind, text: place.text(), keys: String::new(), target }
        };
        self.places = places.into_iter().map(entry).collect();
    }

    fn choose(&self, desk: &mut Desk<'_>) {
        let Some(entry) = self.entries().into_iter().nth(self.cursor.at) else {
            desk.complain("nothing here is called that");
            return;
        };
        desk.go = Some(match entry.target {
            Target::Command(intent) => Go::Do(intent),
            Target::Link(link) => Go::Visit(link),
            Target::Bank(simulation, bank) => {
                Go::Replace(Box::new(Screen::Bank(Bank::new(simulation, bank))))
            }
            Target::Payment(simulation, payment) => {
                Go::Replace(Box::new(Screen::Payment(Payment::new(simulation, payment))))
            }
        });
    }
}

impl View for Palette {
    fn crumb(&self) -> String {
        "Palette".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Menu, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting = Some(desk.ask(Slot::Main, Query::Places(self.simulation.clone())));
    }

    fn poll(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        match intent {
            Intent::Into => self.choose(desk),
            _ => {
                let rows = self.entries().len();
                return self.cursor.motion(intent, count, rows);
            }
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        if self.awaiting.take_if(|awaited| *awaited == ticket).is_none() {
            return false;
        }
        match answer {
            Ok(Answer::Places(places)) => self.take(places),
            Ok(_) => {}
            Err(problem) => desk.complain(problem),
        }
        true
    }

    fn typing(&self) -> bool {
        true
    }

    fn type_key(&mut self, key: Key, _desk: &mut Desk<'_>) -> bool {
        let Some(request) = input::request(key) else { return false };
        self.typed.handle(request);
        self.cursor.at = 0;
        true
    }

    fn paste(&mut self, pasted: &str, _desk: &mut Desk<'_>) {
        input::paste(&mut self.typed, pasted);
        self.cursor.at = 0;
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look: Look = scene.look;
        let [line, list] = stack(area, [3, area.height]);
        let note = "a command, a run, a simulation, a bank, a payment";
        let inner = Pane { number: 0, title: "Do or go to", note, focused: true }.draw(line, buffer, look);
        input::draw(&self.typed, true, inner, buffer, look);
        let entries = self.entries();
        let title = format!("{} found", entries.len());
        let inner = Pane { number: 0, title: &title, note: "", focused: false }.draw(list, buffer, look);
        let table = Table {
            columns: COLUMNS,
            rows: &entries,
            selected: self.cursor.at,
            focused: true,
            view: &self.cursor.view,
            empty: "nothing here is called that",
        };
        table.draw(inner, buffer, look, |entry| {
            vec![toned(entry.kind, Tone::Accent), cell(&entry.text), toned(&entry.keys, Tone::Muted)]
        });
    }
}
