//! Every event of a simulation, with a filter, and the selected one in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::payment::Payment;
use super::replay::Replay;
use super::{Copyable, Focus, Screen, View, beside, stack};
use crate::explorer::describe;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::filter::{EventFilter, FilterOf};
use crate::explorer::format::UNIT;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, From, Page, Query, Slot, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::rows::{EventRow, Export, Seek};
use crate::explorer::widgets::pane::{Pane, text_line, wrap};
use crate::explorer::widgets::table::{Cell, Column, Table, cell};
use crate::explorer::window::{Cursor, PAGE, Window};
use crate::money::grouped;

const LIST: u8 = 1;
const DETAIL: u8 = 2;

/// The screen.
#[derive(Debug)]
pub struct Events {
    simulation: String,
    filter: EventFilter,
    window: Window<EventRow>,
    /// Where the first page begins.
    start: From<u64>,
    focus: Focus,
    detail: Cursor,
    search: String,
    searching: Option<Ticket>,
    following: bool,
}

const COLUMNS: &[Column<'_>] = &[
    Column::number("#", 7).rank(2),
    Column::number("tick", 5),
    Column::text("type", 22),
    Column::text("what", 20).growing(1),
];

fn cells(row: &EventRow) -> Vec<Cell> {
    vec![
        cell(row.sequence.to_string()),
        cell(row.tick.to_string()),
        cell(&row.kind),
        cell(describe::summary(&row.line)),
    ]
}

impl Events {
    /// The events of a simulation, from somewhere on.
    pub fn new(simulation: String, start: From<u64>) -> Self {
        Self {
            simulation,
            filter: EventFilter::default(),
            window: Window::default(),
            start,
            focus: Focus::of(2),
            detail: Cursor::new(),
            search: String::new(),
            searching: None,
            following: false,
        }
    }

    fn read(&mut self, page: Page<u64>, desk: &mut Desk<'_>) {
        let from = page.from;
        let query = Query::Events(self.simulation.clone(), self.filter.clone(), page);
        let ticket = desk.ask(Slot::Main, query);
        self.window.expect(ticket, from);
    }

    /// Shows what a filter lets through, around the event that is selected.
    fn show(&mut self, filter: EventFilter, desk: &mut Desk<'_>) {
        let from = self.window.selected().map_or(From::First, |row| From::Around(row.sequence));
        self.filter = filter;
        self.following = false;
        self.read(Page { from, limit: PAGE }, desk);
    }

    fn find(&mut self, forward: bool, desk: &mut Desk<'_>) {
        if self.search.is_empty() {
            desk.complain("/ searches for a text");
            return;
        }
        let filter = EventFilter { text: Some(self.search.clone()), ..self.filter.clone() };
        let from = self.window.selected().map(|row| row.sequence);
        let query = Query::FindEvent { simulation: self.simulation.clone(), filter, from, forward };
        self.searching = Some(desk.ask(Slot::Find, query));
    }

    fn found(&mut self, event: Option<EventRow>, desk: &mut Desk<'_>) {
        match event {
            None => desk.complain(format!("`{}`: no further place", self.search)),
            Some(event) if self.window.select(&event.sequence) => {}
            Some(event) => {
                self.read(Page { from: From::Around(event.sequence), limit: PAGE }, desk);
            }
        }
    }

    fn follow(&mut self, desk: &mut Desk<'_>) {
        self.following = !self.following;
        if self.following {
            self.read(Page { from: From::Last, limit: PAGE }, desk);
            desk.say("following the newest events");
        }
    }

    fn open_replay(&self, desk: &mut Desk<'_>) {
        if let Some(row) = self.window.selected() {
            let seek = Seek::Sequence(row.sequence);
            let replay = Replay::new(self.simulation.clone(), self.simulation.clone(), seek);
            desk.open(Screen::Replay(replay));
        }
    }

    fn open_payment(&self, desk: &mut Desk<'_>) {
        match self.window.selected().and_then(|event| describe::payment(&event.line)) {
            Some(payment) => desk.open(Screen::Payment(Payment::new(self.simulation.clone(), payment))),
            None => desk.complain("this event is about no payment"),
        }
    }

    fn draw_list(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(LIST);
        let title = format!("Events ({}), amounts in {UNIT}", grouped(self.window.total()));
        let note = if self.following { "following" } else { "" };
        let inner = Pane { number: LIST, title: &title, note, focused }.draw(area, buffer, look);
        let empty = if self.filter.is_empty() { "No event yet." } else { "No event passes the filter." };
        let table = Table {
            columns: COLUMNS,
            rows: self.window.rows(),
            selected: self.window.at(),
            focused,
            view: self.window.view(),
            empty: self.window.placeholder(empty),
        };
        table.draw(inner, buffer, look, cells);
    }

    fn draw_detail(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(DETAIL);
        let title = self.window.selected().map_or("Event", |row| row.kind.as_str());
        let inner = Pane { number: DETAIL, title, note: "", focused }.draw(area, buffer, look);
        let Some(row) = self.window.selected() else { return };
        let lines = detail_lines(row, inner.width.into());
        let top = self.detail.at.min(lines.len().saturating_sub(inner.height.into()));
        self.detail.view.fit(top, lines.len(), inner.height.into());
        for (line, (text, tone)) in lines.iter().skip(top).take(inner.height.into()).enumerate() {
            text_line(inner, line as u16, text, *tone, buffer, look);
        }
    }
}

/// The event in full: what it means, its keys, its line of JSON.
fn detail_lines(row: &EventRow, width: usize) -> Vec<(String, Tone)> {
    let mut lines: Vec<(String, Tone)> = Vec::new();
    let mut add = |text: &str, tone| lines.extend(wrap(text, width).into_iter().map(|line| (line, tone)));
    if let Some(help) = describe::help(&row.kind) {
        add(&format!("{help}\n\n"), Tone::Muted);
    }
    for (key, value) in describe::fields(&row.line) {
        add(&format!("{key}: {value}"), Tone::Plain);
    }
    add(&format!("\n{}", row.line), Tone::Muted);
    lines
}

impl View for Events {
    fn crumb(&self) -> String {
        "Events".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Filtered, Scope::Events, Scope::Lists, Scope::Search, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        let from = self.window.selected().map_or(self.start, |row| From::Around(row.sequence));
        self.read(Page { from, limit: PAGE }, desk);
    }

    fn poll(&mut self, desk: &mut Desk<'_>) {
        if let Some(page) = self.window.tail() {
            self.read(page, desk);
        }
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        if self.focus.is(DETAIL) {
            let lines = self.window.selected().map_or(0, |row| detail_lines(row, 40).len());
            if self.detail.motion(intent, count, lines) {
                return true;
            }
        } else if let Some(needed) = self.window.motion(intent, count) {
            self.following &= self.window.at_end();
            self.detail.at = 0;
            if let Some(from) = needed {
                self.read(Page { from, limit: PAGE }, desk);
            }
            return true;
        }
        match intent {
            Intent::Into => self.open_replay(desk),
            Intent::Filter => {
                *desk.prompt = Some(Prompt::new(Purpose::Filter(FilterOf::Events), self.filter.typed()));
            }
            Intent::ClearFilter => self.show(EventFilter::default(), desk),
            Intent::Search => *desk.prompt = Some(Prompt::new(Purpose::Search, self.search.clone())),
            Intent::NextMatch | Intent::PreviousMatch => self.find(intent == Intent::NextMatch, desk),
            Intent::OpenPayment => self.open_payment(desk),
            Intent::Follow => self.follow(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        if self.searching.take_if(|awaited| *awaited == ticket).is_some() {
            match answer {
                Ok(Answer::Found(event)) => self.found(event, desk),
                Ok(_) => {}
                Err(problem) => desk.complain(problem),
            }
            return true;
        }
        let rows = |answer| match answer {
            Answer::Events(batch) => Some(batch),
            _ => None,
        };
        let taken = self.window.answer(ticket, answer, rows, desk);
        if taken && self.following {
            self.window.select_last();
        }
        taken
    }

    fn given(&mut self, purpose: Purpose, text: &str, desk: &mut Desk<'_>) {
        match purpose {
            Purpose::Filter(_) => {
                if let Ok(filter) = EventFilter::parse(text) {
                    self.show(filter, desk);
                }
            }
            Purpose::Search => {
                if !text.is_empty() {
                    self.search = text.to_owned();
                }
                self.find(true, desk);
            }
            _ => {}
        }
    }

    fn simulation(&self) -> Option<&str> {
        Some(&self.simulation)
    }

    fn filter(&self) -> Option<(FilterOf, String)> {
        Some((FilterOf::Events, self.filter.typed()))
    }

    fn export(&self) -> Option<Export> {
        Some(Export::Events(self.simulation.clone(), self.filter.clone()))
    }

    fn copyable(&self) -> Option<Copyable> {
        let event = self.window.selected()?;
        let link = Link::Events(self.simulation.clone(), event.sequence);
        Some(Copyable { link, id: self.simulation.clone(), row: event.line.clone() })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let [head, body] = stack(area, [1, area.height]);
        let filter = if self.filter.is_empty() {
            "everything (f filters)".to_owned()
        } else {
            format!("{} (X shows everything)", self.filter.typed())
        };
        text_line(head, 0, &format!(" {}  filter: {filter}", self.simulation), Tone::Plain, buffer, look);
        if self.focus.zoomed {
            match self.focus.pane {
                LIST => self.draw_list(body, buffer, look),
                _ => self.draw_detail(body, buffer, look),
            }
        } else if body.width >= 110 {
            let [left, right] = beside(body, [body.width * 5 / 8, body.width]);
            self.draw_list(left, buffer, look);
            self.draw_detail(right, buffer, look);
        } else {
            let [top, bottom] = stack(body, [body.height * 5 / 9, body.height]);
            self.draw_list(top, buffer, look);
            self.draw_detail(bottom, buffer, look);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explorer::rows::Row as _;

    #[test]
    fn the_selected_event_is_shown_in_full() {
        let line = r#"{"sequence":3,"event_type":"PolicyHold","tick":1,"agent_id":"A","tx_id":"tx-000004","reason":"LowPriority"}"#;
        let row = EventRow { sequence: 3, tick: 1, kind: "PolicyHold".into(), line: line.into() };
        let lines: Vec<String> = detail_lines(&row, 60).into_iter().map(|(text, _)| text).collect();
        assert!(lines.contains(&"reason: LowPriority".to_owned()), "{lines:?}");
        assert!(lines.iter().any(|text| text.starts_with("{\"sequence\":3")));
        assert_eq!(row.key(), 3);
    }
}
