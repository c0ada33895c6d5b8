//! One sweep: its points, a curve over an axis, and the figures of a point.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::simulations::Simulations;
use super::{Copyable, Focus, Screen, View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::{self, badge};
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{PointRow, Row as _, SimulationFilter, SweepDetail};
use crate::explorer::widgets::chart::{Chart, Series};
use crate::explorer::widgets::pane::{Pane, paragraph, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, joined, toned};
use crate::explorer::window::Cursor;

const POINTS: u8 = 1;
const CURVE: u8 = 2;
const FIGURES: u8 = 3;

/// Most curves in one chart.
const CURVES: usize = 6;

/// The screen.
#[derive(Debug)]
pub struct Sweep {
    run: String,
    name: String,
    detail: Option<Box<SweepDetail>>,
    awaiting: Awaiting,
    focus: Focus,
    points: Cursor,
    /// The figure that table and curve show.
    figures: Cursor,
    /// The axis below the curve.
    axis: Cursor,
}

const COLUMNS: &[Column] = &[
    Column::number("point", 5),
    Column::text("settings", 16).growing(2),
    Column::text("runs", 18),
    Column::number("mean and error", 24).growing(1),
];

const FIGURE_COLUMNS: &[Column] =
    &[Column::text("figure", 13).growing(1), Column::number("mean and error", 21)];

fn state(point: &PointRow, look: Look) -> Cell {
    let glyphs = look.glyphs();
    let (glyph, tone) = match point {
        PointRow { failed: 1.., .. } => (glyphs.failed, Tone::Bad),
        PointRow { pending: 1.., .. } => (glyphs.running, Tone::Accent),
        _ => (glyphs.done, Tone::Good),
    };
    toned(format!("{glyph} {}", point.progress), tone)
}

impl Sweep {
    /// The points of a run.
    pub const fn new(run: String, name: String) -> Self {
        Self {
            run,
            name,
            detail: None,
            awaiting: Awaiting::new(),
            focus: Focus::of(3),
            points: Cursor::new(),
            figures: Cursor::new(),
            axis: Cursor::new(),
        }
    }

    fn rows(&self) -> &[PointRow] {
        self.detail.as_ref().map_or(&[], |detail| &detail.points)
    }

    fn selected(&self) -> Option<&PointRow> {
        self.rows().get(self.points.at)
    }

    fn figure(&self) -> &str {
        let figures = self.detail.as_ref().map_or(&[][..], |detail| &detail.figures);
        figures.get(self.figures.at).map_or("", String::as_str)
    }

    fn axes(&self) -> &[String] {
        self.detail.as_ref().map_or(&[], |detail| &detail.axes)
    }

    /// What a list of the pane with the focus has.
    fn length(&self) -> usize {
        let detail = self.detail.as_ref();
        match self.focus.pane {
            CURVE => detail.map_or(0, |detail| detail.axes.len()),
            FIGURES => detail.map_or(0, |detail| detail.figures.len()),
            _ => self.rows().len(),
        }
    }

    fn take(&mut self, detail: Option<Box<SweepDetail>>) {
        if detail.is_none() {
            self.awaiting.fail(format!("there is no sweep `{}` here", self.run));
        }
        if self.detail.is_none()
            && let Some(detail) = &detail
        {
            // The axis with the most values says most.
            let values = |axis: usize| values_of(&detail.points, axis).len();
            self.axis.at = (0..detail.axes.len()).rev().max_by_key(|axis| values(*axis)).unwrap_or(0);
        }
        let key = self.selected().map(PointRow::key);
        self.detail = detail;
        let found = key.and_then(|key| self.rows().iter().position(|row| row.key() == key));
        self.points.at = found.unwrap_or(0);
    }

    fn open_simulations(&self, desk: &mut Desk<'_>) {
        let point = self.selected().map(|point| point.point);
        desk.open(Screen::Simulations(Simulations::new(SimulationFilter {
            run: Some(self.run.clone()),
            point,
            ..SimulationFilter::default()
        })));
    }

    fn cells(&self, point: &PointRow, look: Look) -> Vec<Cell> {
        let shown = point.shown.get(self.figures.at).map_or_else(String::new, |shown| plain(shown, look));
        let settings = point.settings.join(&format!(" {} ", look.glyphs().dot));
        vec![cell(point.point.to_string()), cell(settings), state(point, look), cell(shown)]
    }

    /// Axes and values of a point, but for one axis.
    fn others(&self, point: &PointRow, without: usize) -> String {
        let values = self.axes().iter().zip(&point.settings).enumerate();
        let told = values.filter(|(axis, _)| *axis != without);
        told.map(|(_, (axis, value))| format!("{} {value}", short(axis))).collect::<Vec<_>>().join(", ")
    }

    fn draw_points(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let title = format!("Points ({}): {}", self.rows().len(), self.figure());
        let focused = self.focus.is(POINTS);
        let inner = Pane { number: POINTS, title: &title, note: "money in currency units", focused }
            .draw(area, buffer, look);
        let table = Table {
            columns: COLUMNS,
            rows: self.rows(),
            selected: self.points.at,
            focused,
            view: &self.points.view,
            empty: self.awaiting.problem().unwrap_or("reading"),
        };
        table.draw(inner, buffer, look, |point| self.cells(point, look));
    }

    /// The means of the figure over the values of an axis, a curve for each setting of the other axes.
    fn draw_curve(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(CURVE);
        let axis = self.axes().get(self.axis.at).map_or("", String::as_str);
        let title = format!("{} over {}", self.figure(), short(axis));
        let inner = Pane { number: CURVE, title: &title, note: "", focused }.draw(area, buffer, look);
        let values = values_of(self.rows(), self.axis.at);
        let mut labels: Vec<String> = Vec::new();
        for point in self.rows() {
            let label = self.others(point, self.axis.at);
            if !labels.contains(&label) && labels.len() < CURVES {
                labels.push(label);
            }
        }
        let mean = |label: &str, value: &str| {
            let found = self.rows().iter().find(|point| {
                point.settings.get(self.axis.at).map(String::as_str) == Some(value)
                    && self.others(point, self.axis.at) == label
            });
            found.and_then(|point| point.means.get(self.figures.at).copied().flatten()).unwrap_or(f64::NAN)
        };
        let series: Vec<Series<'_>> = labels
            .iter()
            .map(|label| Series {
                label: if label.is_empty() { "mean" } else { label },
                values: values.iter().map(|value| mean(label, value)).collect(),
            })
            .collect();
        let at = self.selected().and_then(|point| point.settings.get(self.axis.at));
        let at = at.and_then(|value| values.iter().position(|known| known == value));
        let cursor = at.filter(|_| values.len() > 1).map(|at| at as f64 / (values.len() - 1) as f64);
        let end = |value: Option<&String>| value.cloned().unwrap_or_default();
        let ends = (end(values.first()), end(values.last()));
        let chart =
            Chart { series: &series, ends, cursor, axis: format::axis, empty: "No point has run yet." };
        chart.draw(inner, buffer, look);
    }

    fn draw_figures(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let point = self.selected();
        let title =
            point.map_or_else(|| "Figures".to_owned(), |point| format!("Figures of point {}", point.point));
        let focused = self.focus.is(FIGURES);
        let inner = Pane { number: FIGURES, title: &title, note: "", focused }.draw(area, buffer, look);
        let Some((detail, point)) = self.detail.as_ref().zip(point) else { return };
        let problem = point.error.as_deref().map_or_else(String::new, |error| format!("failed: {error}"));
        let below = if problem.is_empty() { 0 } else { 2.min(inner.height) };
        let [list, why] = stack(inner, [inner.height - below, below]);
        let rows: Vec<(&String, &String)> = detail.figures.iter().zip(&point.shown).collect();
        let table = Table {
            columns: FIGURE_COLUMNS,
            rows: &rows,
            selected: self.figures.at,
            focused,
            view: &self.figures.view,
            empty: "",
        };
        table.draw(list, buffer, look, |(name, shown)| vec![cell(*name), cell(plain(shown, look))]);
        paragraph(why, &problem, Tone::Bad, buffer, look);
    }

    fn draw_head(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let Some(detail) = &self.detail else { return };
        let (state, tone) = badge(detail.run.status, look);
        let used = text_line(area, 0, &format!(" {state} "), tone, buffer, look);
        let rest = Rect { x: area.x + used, width: area.width - used, ..area };
        let dot = look.glyphs().dot;
        let reason = detail.reason.as_deref().unwrap_or("");
        let text = format!("sweep {dot} {} {dot} {reason}", detail.axes.join(", "));
        text_line(rest, 0, &text, Tone::Plain, buffer, look);
    }
}

/// Signs beyond ASCII only where they can be shown.
fn plain(text: &str, look: Look) -> String {
    if look.ascii { text.replace('±', "+-").replace('–', "-") } else { text.to_owned() }
}

/// The values that an axis takes, in the order of the points.
fn values_of(points: &[PointRow], axis: usize) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for value in points.iter().filter_map(|point| point.settings.get(axis)) {
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}

/// The last part of a setting's path.
fn short(axis: &str) -> &str {
    axis.rsplit('.').next().unwrap_or(axis)
}

impl View for Sweep {
    fn crumb(&self) -> String {
        self.name.clone()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.awaiting.ask(desk, Slot::Main, Query::Run(self.run.clone()));
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        if self.focus.intent(intent, count) {
            return true;
        }
        let length = self.length();
        let list = match self.focus.pane {
            CURVE => &mut self.axis,
            FIGURES => &mut self.figures,
            _ => &mut self.points,
        };
        if list.motion(intent, count, length) {
            return true;
        }
        if intent == Intent::Into {
            self.open_simulations(desk);
        }
        intent == Intent::Into
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        match answer {
            Some(Answer::Sweep(detail)) => self.take(Some(detail)),
            Some(_) => self.take(None),
            None => {}
        }
        true
    }

    fn copyable(&self) -> Option<Copyable> {
        let point = self.selected()?;
        let link = Link::Point(self.run.clone(), point.point);
        let row = joined(&self.cells(point, Look::default()));
        Some(Copyable { link, id: self.run.clone(), row })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let [head, body] = stack(area, [1, area.height]);
        self.draw_head(head, buffer, look);
        if self.focus.zoomed {
            match self.focus.pane {
                POINTS => self.draw_points(body, buffer, look),
                CURVE => self.draw_curve(body, buffer, look),
                _ => self.draw_figures(body, buffer, look),
            }
            return;
        }
        let [top, bottom] = stack(body, [body.height / 2, body.height]);
        let [left, right] = beside(bottom, [bottom.width / 2, bottom.width]);
        self.draw_points(top, buffer, look);
        self.draw_curve(left, buffer, look);
        self.draw_figures(right, buffer, look);
    }
}
