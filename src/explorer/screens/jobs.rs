//! The jobs of this session, their progress and what they said.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::iterations::Iterations;
use super::replay::Replay;
use super::{Focus, Screen, View, stack};
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{badge, duration, percent};
use crate::explorer::jobs::{Job, JobState};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Ticket};
use crate::explorer::rows::{Hearing, Seek, Status};
use crate::explorer::widgets::pane::{Pane, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, toned};
use crate::explorer::window::Cursor;
use crate::money::grouped;

const LIST: u8 = 1;
const LOG: u8 = 2;

/// The screen.
#[derive(Debug)]
pub struct JobsScreen {
    focus: Focus,
    list: Cursor,
    log: Cursor,
}

/// The columns of a list of jobs.
pub const COLUMNS: &[Column<'_>] = &[
    Column::text("job", 16).growing(2),
    Column::text("state", 12),
    Column::text("progress", 16),
    Column::text("doing", 18).growing(1).rank(2),
    Column::number("simulations", 11).rank(3),
    Column::number("ticks/s", 10).rank(4),
    Column::number("left", 10).rank(1),
];

/// A job in these columns.
pub fn cells(job: &Job, look: Look) -> Vec<Cell> {
    let (state, tone) = match &job.state {
        JobState::Waiting => (format!("{} waiting", look.glyphs().dot), Tone::Muted),
        JobState::Running => badge(Status::Running, look),
        JobState::Paused => (format!("{} paused", look.glyphs().pause), Tone::Warn),
        JobState::Cancelling => (format!("{} cancelling", look.glyphs().stopped), Tone::Warn),
        JobState::Ended { status, .. } => badge(*status, look),
    };
    vec![
        cell(&job.plan.title),
        toned(state, tone),
        cell(bar(job.progress.part, 8, look)),
        cell(&job.progress.stage),
        cell(grouped(job.progress.simulations)),
        cell(grouped(job.progress.ticks_per_second.max(0.0) as u64)),
        cell(job.remaining_seconds().map_or_else(String::new, duration)),
    ]
}

/// A part of one as a bar and a percentage.
fn bar(part: f64, width: usize, look: Look) -> String {
    let filled = ((part.clamp(0.0, 1.0) * width as f64).round() as usize).min(width);
    let glyphs = look.glyphs();
    format!("{}{} {}", glyphs.filled.repeat(filled), glyphs.empty.repeat(width - filled), percent(Some(part)))
}

/// The screen that shows what a job writes, once it has begun.
pub fn opened(job: &Job) -> Option<Screen> {
    let title = job.plan.title.clone();
    match (&job.run, &job.simulation) {
        (Some(run), _) => Some(Screen::Iterations(Iterations::new(run.clone(), title))),
        (None, Some(simulation)) => {
            let seek = if job.is_active() { Seek::End } else { Seek::Tick(0) };
            Some(Screen::Replay(Replay::new(simulation.clone(), title, seek)))
        }
        (None, None) => None,
    }
}

impl Default for JobsScreen {
    fn default() -> Self {
        Self { focus: Focus::of(2), list: Cursor::new(), log: Cursor::new() }
    }
}

impl JobsScreen {
    /// The newest job stands first.
    fn selected<'a>(&self, jobs: &'a [Job]) -> Option<&'a Job> {
        jobs.iter().rev().nth(self.list.at)
    }

    fn draw_log(&self, jobs: &[Job], area: Rect, buffer: &mut Buffer, look: Look) {
        let job = self.selected(jobs);
        let title = job.map_or_else(|| "Log".to_owned(), |job| format!("Log of {}", job.plan.title));
        let focused = self.focus.is(LOG);
        let inner = Pane { number: LOG, title: &title, note: "", focused }.draw(area, buffer, look);
        let Some(job) = job else { return };
        let mut lines: Vec<String> = Vec::new();
        if let Some(run) = &job.run {
            lines.push(format!("run {run}"));
        }
        if let Some(simulation) = &job.simulation {
            lines.push(format!("simulation {simulation}"));
        }
        lines.extend(job.log.iter().cloned());
        if let Some(Hearing { agent, call, text }) = &job.hearing {
            lines.push(format!("{agent} call {call}, the model says:"));
            lines.extend(text.lines().map(|line| format!("  {line}")));
        }
        let height = usize::from(inner.height);
        // The newest lines are seen unless the user scrolls up in the pane.
        let last = lines.len().saturating_sub(1);
        let top = self.log.view.fit(last.saturating_sub(self.log.at), lines.len(), height);
        for (row, line) in lines.iter().skip(top).take(height).enumerate() {
            text_line(inner, row as u16, line, Tone::Plain, buffer, look);
        }
    }
}

impl View for JobsScreen {
    fn crumb(&self) -> String {
        "Jobs".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Jobs, Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        if self.focus.is(LOG) {
            let lines = self.selected(desk.jobs.list()).map_or(0, |job| job.log.len());
            let reversed = match intent {
                Intent::Up => Intent::Down,
                Intent::Down => Intent::Up,
                Intent::PageUp => Intent::PageDown,
                Intent::PageDown => Intent::PageUp,
                Intent::HalfUp => Intent::HalfDown,
                Intent::HalfDown => Intent::HalfUp,
                Intent::First => Intent::Last,
                Intent::Last => Intent::First,
                other => other,
            };
            if self.log.motion(reversed, count, lines) {
                return true;
            }
        } else if self.list.motion(intent, count, desk.jobs.list().len()) {
            self.log.at = 0;
            return true;
        }
        if let Intent::Faster | Intent::Slower = intent {
            let step = if intent == Intent::Faster { 1 } else { -1 };
            desk.jobs.set_limit(desk.jobs.limit().saturating_add_signed(step), desk.effects);
            return true;
        }
        let Some(job) = self.selected(desk.jobs.list()) else { return false };
        match intent {
            Intent::Into => match opened(job) {
                Some(screen) => desk.open(screen),
                None => desk.complain("the job has written nothing yet"),
            },
            Intent::Cancel => {
                let id = job.id;
                desk.jobs.cancel(id, desk.effects);
            }
            Intent::PlayPause => {
                let id = job.id;
                if !desk.jobs.pause(id, desk.effects) {
                    desk.complain("only a running job can be paused");
                }
            }
            Intent::Sooner | Intent::Later => {
                let (id, sooner) = (job.id, intent == Intent::Sooner);
                if desk.jobs.reorder(id, sooner) {
                    // The newest stands first: the row moves, and the selection with it.
                    let place = desk.jobs.list().iter().rev().position(|job| job.id == id);
                    self.list.at = place.unwrap_or(self.list.at);
                } else {
                    desk.complain("only jobs that wait change places");
                }
            }
            _ => return false,
        }
        true
    }

    fn answer(&mut self, _ticket: Ticket, _answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        false
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let jobs = scene.jobs.list();
        let [list, log] = if self.focus.zoomed {
            let whole = if self.focus.is(LIST) { area.height } else { 0 };
            stack(area, [whole, area.height])
        } else {
            stack(area, [area.height / 2, area.height])
        };
        if self.focus.shows(LIST) {
            let focused = self.focus.is(LIST);
            let title = format!(
                "Jobs ({}, {} active, {} at once)",
                jobs.len(),
                scene.jobs.active(),
                scene.jobs.limit()
            );
            let inner = Pane { number: LIST, title: &title, note: "", focused }.draw(list, buffer, look);
            let rows: Vec<&Job> = jobs.iter().rev().collect();
            let table = Table {
                columns: COLUMNS,
                rows: &rows,
                selected: self.list.at,
                focused,
                view: &self.list.view,
                empty: "No job in this session. L launches an experiment or a scenario.",
            };
            table.draw(inner, buffer, look, |job| cells(job, look));
        }
        if self.focus.shows(LOG) {
            self.draw_log(jobs, log, buffer, look);
        }
    }
}
