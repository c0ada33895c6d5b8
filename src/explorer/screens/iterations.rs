//! One run of an experiment, iteration by iteration.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::simulations::Simulations;
use super::{Copyable, Focus, Screen, View, beside, stack};
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{self, UNIT, badge, percent};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{BankInIteration, IterationRow, Row as _, RunDetail, SimulationFilter, Verdict};
use crate::explorer::widgets::chart::{Chart, Series};
use crate::explorer::widgets::pane::{Pane, paragraph, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined, toned};
use crate::explorer::window::Cursor;
use crate::money::Cents;

const LIST: u8 = 1;
const COSTS: u8 = 2;
const BANKS: u8 = 3;

/// The screen.
#[derive(Debug)]
pub struct Iterations {
    run: String,
    name: String,
    detail: Option<Box<RunDetail>>,
    problem: Option<String>,
    awaiting: Option<Ticket>,
    focus: Focus,
    list: Cursor,
    banks: Cursor,
}

const COLUMNS: &[Column] = &[
    Column::number("it", 3),
    Column::number("total cost", 14).growing(1),
    Column::number("accepted", 8),
    Column::number("settled", 8).rank(1),
    Column::number("mean delay", 10).rank(2),
];

const BANK_COLUMNS: &[Column] = &[
    Column::text("bank", 10).growing(1),
    Column::number("cost", 14),
    Column::number("fraction", 8),
    Column::text("proposal", 10),
    Column::number("old - new", 14).rank(2),
    Column::text("95 % interval", 25).rank(4),
    Column::text("why", 18).growing(3).rank(1),
];

fn cells(row: &IterationRow) -> Vec<Cell> {
    let judged = row.banks.iter().filter(|bank| bank.verdict.is_some()).count();
    let accepted = row.banks.iter().filter(|bank| bank.verdict.as_ref().is_some_and(|v| v.accepted)).count();
    let verdicts = if judged == 0 { String::new() } else { format!("{accepted} of {judged}") };
    vec![
        cell(row.iteration.to_string()),
        cell(row.total.to_string()),
        cell(verdicts),
        cell(percent(row.settlement_rate)),
        cell(row.average_delay.map_or_else(String::new, |delay| format!("{delay:.2}"))),
    ]
}

fn bank_cells(bank: &BankInIteration, look: Look) -> Vec<Cell> {
    let fraction = bank.fraction.map_or_else(String::new, |fraction| format!("{fraction:.3}"));
    let mut cells = vec![cell(&bank.bank), cell(bank.cost.to_string()), cell(fraction)];
    let Some(verdict) = &bank.verdict else { return cells };
    let (glyph, word, tone) = if verdict.accepted {
        (look.glyphs().done, "accepted", Tone::Good)
    } else {
        (look.glyphs().failed, "rejected", Tone::Warn)
    };
    cells.push(toned(format!("{glyph} {word}"), tone));
    cells.extend([cell(difference(verdict)), cell(interval(verdict)), cell(&verdict.reason)]);
    cells
}

fn difference(verdict: &Verdict) -> String {
    match (verdict.old_cost, verdict.new_cost) {
        (Some(old), Some(new)) => old.saturating_sub(new).to_string(),
        _ => String::new(),
    }
}

fn interval(verdict: &Verdict) -> String {
    let cents = |value: f64| Cents(value.round() as i64);
    verdict.interval.map_or_else(String::new, |(low, high)| format!("{} to {}", cents(low), cents(high)))
}

impl Iterations {
    /// The iterations of a run.
    pub const fn new(run: String, name: String) -> Self {
        Self {
            run,
            name,
            detail: None,
            problem: None,
            awaiting: None,
            focus: Focus::of(3),
            list: Cursor::new(),
            banks: Cursor::new(),
        }
    }

    fn rows(&self) -> &[IterationRow] {
        self.detail.as_ref().map_or(&[], |detail| &detail.iterations)
    }

    fn selected(&self) -> Option<&IterationRow> {
        self.rows().get(self.list.at)
    }

    fn take(&mut self, detail: Option<Box<RunDetail>>) {
        self.problem = detail.is_none().then(|| format!("there is no run `{}` here", self.run));
        let at_end = self.list.at + 1 >= self.rows().len();
        let key = self.selected().map(IterationRow::key);
        self.detail = detail;
        let rows = self.rows().len();
        let at = key.and_then(|key| self.rows().iter().position(|row| row.key() == key));
        // Whoever looks at the newest iteration of a running experiment goes on doing so.
        self.list.at = if at_end { rows.saturating_sub(1) } else { at.unwrap_or(0) };
    }

    fn open_simulations(&self, desk: &mut Desk<'_>) {
        let iteration = self.selected().map(|row| row.iteration);
        let filter = SimulationFilter { run: Some(self.run.clone()), iteration };
        desk.open(Screen::Simulations(Simulations::new(filter)));
    }

    fn draw_list(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let title = format!("Iterations ({}), {UNIT}", self.rows().len());
        let focused = self.focus.is(LIST);
        let inner = Pane { number: LIST, title: &title, note: "", focused }.draw(area, buffer, look);
        let table = Table {
            columns: COLUMNS,
            rows: self.rows(),
            selected: self.list.at,
            focused,
            view: &self.list.view,
            empty: self.problem.as_deref().unwrap_or(match &self.detail {
                None => "reading",
                Some(_) => "No iteration has been evaluated yet.",
            }),
        };
        table.draw(inner, buffer, look, cells);
    }

    fn draw_costs(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let title = format!("Costs, {UNIT}");
        let focused = self.focus.is(COSTS);
        let inner = Pane { number: COSTS, title: &title, note: "", focused }.draw(area, buffer, look);
        let rows = self.rows();
        let banks: Vec<&str> = rows
            .first()
            .map_or_else(Vec::new, |row| row.banks.iter().take(4).map(|bank| bank.bank.as_str()).collect());
        let mut series =
            vec![Series { label: "total", values: rows.iter().map(|row| row.total.0 as f64).collect() }];
        for bank in banks {
            let cost = |row: &IterationRow| {
                row.banks
                    .iter()
                    .find(|found| found.bank == bank)
                    .map_or(f64::NAN, |found| found.cost.0 as f64)
            };
            series.push(Series { label: bank, values: rows.iter().map(cost).collect() });
        }
        let last = rows.last().map_or(0, |row| row.iteration);
        let cursor = (rows.len() > 1).then(|| self.list.at as f64 / (rows.len() - 1) as f64);
        let ends = ("iteration 0".to_owned(), last.to_string());
        let chart = Chart { series: &series, ends, cursor, empty: "No costs yet." };
        chart.draw(inner, buffer, look);
    }

    fn draw_banks(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let iteration = self.selected().map_or_else(String::new, |row| row.iteration.to_string());
        let title = format!("Banks in iteration {iteration}, {UNIT}");
        let focused = self.focus.is(BANKS);
        let inner = Pane { number: BANKS, title: &title, note: &self.run, focused }.draw(area, buffer, look);
        let banks = self.selected().map_or(&[][..], |row| &row.banks);
        let [table_area, why] = stack(inner, [inner.height.saturating_sub(2), 2]);
        let table = Table {
            columns: BANK_COLUMNS,
            rows: banks,
            selected: self.banks.at.min(banks.len().saturating_sub(1)),
            focused,
            view: &self.banks.view,
            empty: "",
        };
        table.draw(table_area, buffer, look, |bank| bank_cells(bank, look));
        let verdict = banks.get(self.banks.at).and_then(|bank| bank.verdict.as_ref());
        if let Some(verdict) = verdict {
            let interval = match interval(verdict).as_str() {
                "" => String::new(),
                text => format!("; old - new lies in {text} (95 %)"),
            };
            paragraph(why, &format!("{}{interval}", verdict.reason), Tone::Muted, buffer, look);
        }
    }

    fn draw_head(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let Some(detail) = &self.detail else { return };
        let run = &detail.run;
        let (state, tone) = badge(run.status, look);
        let best = format::money(run.best_cost);
        let used = text_line(area, 0, &format!(" {state} "), tone, buffer, look);
        let rest = Rect { x: area.x + used, width: area.width - used, ..area };
        let dot = look.glyphs().dot;
        let reason = detail.reason.as_deref().unwrap_or("");
        let saved = percent(run.reduction);
        let text =
            format!("{} {dot} {} {dot} best {best} ({saved} saved) {dot} {reason}", run.mode, run.proposer);
        text_line(rest, 0, &text, Tone::Plain, buffer, look);
    }
}

impl View for Iterations {
    fn crumb(&self) -> String {
        self.name.clone()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting = Some(desk.ask(Slot::Main, Query::Run(self.run.clone())));
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        let banks = self.selected().map_or(0, |row| row.banks.len());
        let rows = self.rows().len();
        let moved = match self.focus.pane {
            BANKS => self.banks.motion(intent, count, banks),
            _ => self.list.motion(intent, count, rows),
        };
        if moved {
            return true;
        }
        match intent {
            Intent::Into => self.open_simulations(desk),
            Intent::Refresh => self.enter(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        if self.awaiting.take_if(|awaited| *awaited == ticket).is_none() {
            return false;
        }
        match answer {
            Ok(Answer::Run(detail)) => self.take(detail),
            Ok(_) => {}
            Err(problem) => self.problem = Some(problem),
        }
        true
    }

    fn copyable(&self) -> Option<Copyable> {
        let row = self.rows().get(self.list.at)?;
        let link = Link::Iteration(self.run.clone(), row.iteration);
        Some(Copyable { link, id: self.run.clone(), row: joined(&cells(row)) })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let [head, body] = stack(area, [1, area.height]);
        self.draw_head(head, buffer, scene.look);
        if self.focus.zoomed {
            match self.focus.pane {
                LIST => self.draw_list(body, buffer, scene.look),
                COSTS => self.draw_costs(body, buffer, scene.look),
                _ => self.draw_banks(body, buffer, scene.look),
            }
            return;
        }
        let [top, bottom] = stack(body, [body.height / 2 + 1, body.height]);
        let [left, right] = beside(top, [top.width / 2, top.width]);
        self.draw_list(left, buffer, scene.look);
        self.draw_costs(right, buffer, scene.look);
        self.draw_banks(bottom, buffer, scene.look);
    }
}
