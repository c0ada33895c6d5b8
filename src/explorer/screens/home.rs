//! Home: the library to launch from, what is running, recent runs, where to go.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::iterations::Iterations;
use super::jobs::{self, JobsScreen};
use super::launch::Launch;
use super::policy::Policy;
use super::runs::{self, Runs};
use super::simulations::Simulations;
use super::sql::Sql;
use super::{Focus, Screen, View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::UNIT;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{Kind, LibraryItem, Overview, PolicyOf, SimulationFilter};
use crate::explorer::widgets::pane::{Pane, paragraph, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, toned};
use crate::explorer::window::Cursor;
use crate::money::grouped;

const LIBRARY: u8 = 1;
const PLACES: u8 = 2;
const RECENT: u8 = 3;

/// The screen.
#[derive(Debug)]
pub struct Home {
    overview: Option<Overview>,
    awaiting: Awaiting,
    focus: Focus,
    library: Cursor,
    places: Cursor,
    recent: Cursor,
}

impl Default for Home {
    fn default() -> Self {
        Self {
            overview: None,
            awaiting: Awaiting::new(),
            focus: Focus::of(3),
            library: Cursor::new(),
            places: Cursor::new(),
            recent: Cursor::new(),
        }
    }
}

const LIBRARY_COLUMNS: &[Column<'_>] = &[
    Column::text("", 10),
    Column::text("name", 18).growing(1),
    Column::text("question", 24).growing(4).rank(1),
];

const PLACE_COLUMNS: &[Column<'_>] = &[Column::text("go to", 17).growing(1), Column::number("", 8)];

/// Places to go to, with their keys.
const PLACES_LIST: [&str; 5] = ["Runs (g r)", "Simulations (g s)", "Jobs (g j)", "SQL (g q)", "Help (?)"];

fn library_cells(item: &LibraryItem) -> Vec<Cell> {
    vec![toned(item.kind.word(), Tone::Accent), cell(&item.name), cell(&item.question)]
}

impl Home {
    fn open_selected(&self, desk: &mut Desk<'_>) {
        match self.focus.pane {
            LIBRARY => match desk.library.get(self.library.at) {
                Some(item) if item.kind == Kind::Policy => {
                    let policy = PolicyOf::File(format!("library:{}", item.name));
                    desk.open(Screen::Policy(Policy::new(None, policy)));
                }
                Some(item) => desk.open(Screen::Launch(Launch::of(&format!("library:{}", item.name)))),
                None => {}
            },
            PLACES => match self.places.at {
                0 => desk.open(Screen::Runs(Runs::default())),
                1 => desk.open(Screen::Simulations(Simulations::new(SimulationFilter::default()))),
                2 => desk.open(Screen::Jobs(JobsScreen::default())),
                3 => desk.open(Screen::Sql(Sql::default())),
                _ => desk.open(Screen::Help(super::help::Help::about(self.scopes(), desk.keymap))),
            },
            _ => {
                let active = desk.jobs.list().iter().rev().filter(|job| job.is_active());
                let active: Vec<_> = active.collect();
                if let Some(job) = active.get(self.recent.at) {
                    match jobs::opened(job) {
                        Some(screen) => desk.open(screen),
                        None => desk.open(Screen::Jobs(JobsScreen::default())),
                    }
                } else if let Some(run) = self.run_at(self.recent.at - active.len()) {
                    desk.open(Screen::Iterations(Iterations::new(run.0, run.1)));
                }
            }
        }
    }

    fn run_at(&self, at: usize) -> Option<(String, String)> {
        let run = self.overview.as_ref()?.runs.get(at)?;
        Some((run.id.clone(), run.name.clone()))
    }

    fn draw_library(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let focused = self.focus.is(LIBRARY);
        let title = format!("Library ({}): Enter opens", scene.library.len());
        let inner = Pane { number: LIBRARY, title: &title, note: "", focused }.draw(area, buffer, look);
        let [list, question] = stack(inner, [inner.height.saturating_sub(2), 2]);
        let table = Table {
            columns: LIBRARY_COLUMNS,
            rows: scene.library,
            selected: self.library.at,
            focused,
            view: &self.library.view,
            empty: "The library is empty.",
        };
        table.draw(list, buffer, look, library_cells);
        if let Some(item) = scene.library.get(self.library.at) {
            paragraph(question, &item.question, Tone::Muted, buffer, look);
        }
    }

    fn draw_places(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let focused = self.focus.is(PLACES);
        let look = scene.look;
        let inner = Pane { number: PLACES, title: "Places", note: "", focused }.draw(area, buffer, look);
        let known = self.overview.as_ref();
        let counts = [
            known.map(|overview| overview.run_count),
            known.map(|overview| overview.simulation_count),
            Some(scene.jobs.list().len() as u64),
            None,
            None,
        ];
        let rows: Vec<(&str, Option<u64>)> = PLACES_LIST.into_iter().zip(counts).collect();
        let table = Table {
            columns: PLACE_COLUMNS,
            rows: &rows,
            selected: self.places.at,
            focused,
            view: &self.places.view,
            empty: "",
        };
        table.draw(inner, buffer, look, |(name, count)| {
            vec![cell(*name), cell(count.map_or_else(String::new, grouped))]
        });
        let events = known.map_or_else(String::new, |overview| {
            format!("{} events recorded", grouped(overview.event_count))
        });
        let below = Rect { y: inner.y + 7, height: inner.height.saturating_sub(7), ..inner };
        text_line(below, 0, &events, Tone::Muted, buffer, look);
    }

    /// Active jobs, then recent runs, in one list.
    fn draw_recent(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look: Look = scene.look;
        let focused = self.focus.is(RECENT);
        let title = format!("Running and recent, costs in {UNIT}");
        let inner = Pane { number: RECENT, title: &title, note: "", focused }.draw(area, buffer, look);
        let active: Vec<_> = scene.jobs.list().iter().rev().filter(|job| job.is_active()).collect();
        let height = if active.is_empty() { 0 } else { active.len() as u16 + 1 };
        let [upper, lower] = stack(inner, [height.min(inner.height / 2), inner.height]);
        let on_jobs = self.recent.at < active.len();
        let table = Table {
            columns: jobs::COLUMNS,
            rows: &active,
            selected: if on_jobs { self.recent.at } else { usize::MAX - 1 },
            focused,
            view: &crate::explorer::window::Viewport::new(),
            empty: "",
        };
        table.draw(upper, buffer, look, |job| jobs::cells(job, look));
        let recent = self.overview.as_ref().map_or(&[][..], |overview| &overview.runs);
        let hint =
            "Nothing recorded yet. Choose an experiment above, Enter opens its settings, Enter starts it.";
        let empty = match (self.awaiting.problem(), &self.overview) {
            (Some(problem), _) => problem,
            (None, Some(_)) => hint,
            (None, None) => "reading",
        };
        let table = Table {
            columns: runs::COLUMNS,
            rows: recent,
            selected: if on_jobs { usize::MAX - 1 } else { self.recent.at - active.len() },
            focused,
            view: &self.recent.view,
            empty,
        };
        table.draw(lower, buffer, look, |run| runs::cells(run, look));
    }
}

impl View for Home {
    fn crumb(&self) -> String {
        "Home".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.ask(desk, Slot::Main, Query::Overview);
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        let recent = self.overview.as_ref().map_or(0, |overview| overview.runs.len()) + desk.jobs.active();
        let moved = match self.focus.pane {
            LIBRARY => self.library.motion(intent, count, desk.library.len()),
            PLACES => self.places.motion(intent, count, PLACES_LIST.len()),
            _ => self.recent.motion(intent, count, recent),
        };
        if moved {
            return true;
        }
        match intent {
            Intent::Into => self.open_selected(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        if let Some(Answer::Overview(overview)) = answer {
            let rows = overview.runs.len() + desk.jobs.active();
            self.recent.at = self.recent.at.min(rows.saturating_sub(1));
            self.overview = Some(overview);
        }
        true
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        if self.focus.zoomed {
            match self.focus.pane {
                LIBRARY => self.draw_library(area, buffer, scene),
                PLACES => self.draw_places(area, buffer, scene),
                _ => self.draw_recent(area, buffer, scene),
            }
            return;
        }
        let [top, bottom] = stack(area, [area.height * 3 / 5, area.height]);
        let [left, right] = beside(top, [top.width.saturating_sub(30), 30]);
        self.draw_library(left, buffer, scene);
        self.draw_places(right, buffer, scene);
        self.draw_recent(bottom, buffer, scene);
    }
}
