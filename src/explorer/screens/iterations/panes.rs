//! How the iterations look.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{beside, stack};
use super::{BANKS, CHART, DETAIL, Iterations, LIST, judged};
use crate::explorer::format::{self, UNIT, badge, counted, percent};
use crate::explorer::look::{Look, Tone};
use crate::explorer::rows::{BankInIteration, IterationRow, Judgement, Verdict};
use crate::explorer::widgets::chart::{Chart, Series};
use crate::explorer::widgets::pane::{Pane, text_line};
use crate::explorer::widgets::table::{Cell, Column, Table, cell, toned};
use crate::explorer::widgets::text::Lines;
use crate::money::grouped;

/// Banks that have a column, and a line in the chart, of their own.
const SHOWN_BANKS: usize = 5;
/// Width from which the detail stands beside the banks.
const WIDE: u16 = 110;

const BANK_COLUMNS: &[Column<'_>] = &[
    Column::text("bank", 10).growing(1),
    Column::number("cost", 12),
    Column::number("fraction", 8),
    Column::text("proposal", 11),
    Column::number("old", 12).rank(5),
    Column::number("new", 12).rank(4),
    Column::number("old - new", 12).rank(2),
    Column::text("95 % interval", 23).rank(3),
    Column::text("why", 12).growing(3).rank(1),
];

/// The columns of the list: a cost for every bank where there is room.
fn columns(rows: &[IterationRow]) -> Vec<Column<'_>> {
    let mut columns = vec![
        Column::number("it", 3),
        Column::number("total cost", 13),
        Column::text("accepted", 8),
        Column::number("settled", 8).rank(1),
        Column::number("mean delay", 10).rank(2),
    ];
    let banks = rows.first().map_or(&[][..], |row| &row.banks);
    let costs = banks.iter().take(SHOWN_BANKS).enumerate();
    columns.extend(costs.map(|(place, bank)| Column::number(&bank.bank, 12).rank(4 + place as u8)));
    columns.push(Column::text("what became of the proposals", 20).growing(1).rank(3));
    columns
}

/// An iteration in these columns.
pub(super) fn cells(row: &IterationRow, look: Look) -> Vec<Cell> {
    let of = |judgement| judged(row, judgement);
    let all = of(Judgement::Accepted) + of(Judgement::Rejected) + of(Judgement::Unusable);
    let verdicts = if all == 0 { String::new() } else { format!("{} of {all}", of(Judgement::Accepted)) };
    let mut cells = vec![
        cell(format::iteration(row.iteration)),
        cell(row.total.to_string()),
        cell(verdicts),
        cell(percent(row.settlement_rate)),
        cell(row.average_delay.map_or_else(String::new, |delay| format!("{delay:.2}"))),
    ];
    cells.extend(row.banks.iter().take(SHOWN_BANKS).map(|bank| cell(bank.cost.to_string())));
    let said = row.banks.iter().filter_map(|bank| {
        let (mark, _) = judgement(bank.verdict.as_ref()?.judgement, look);
        let reason = &bank.verdict.as_ref()?.reason;
        let why = if bank.verdict.as_ref()?.judgement == Judgement::Accepted { "" } else { reason.as_str() };
        Some(format!("{} {mark}{}{why}", bank.bank, if why.is_empty() { "" } else { ": " }))
    });
    cells.push(cell(said.collect::<Vec<_>>().join("; ")));
    cells
}

/// Glyph and word of a judgement, with its tone.
fn judgement(judgement: Judgement, look: Look) -> (String, Tone) {
    let glyphs = look.glyphs();
    let (glyph, word, tone) = match judgement {
        Judgement::Accepted => (glyphs.done, "accepted", Tone::Good),
        Judgement::Rejected => (glyphs.failed, "rejected", Tone::Warn),
        Judgement::Unusable => ("!", "unusable", Tone::Bad),
        Judgement::Declined => (glyphs.dot, "none", Tone::Muted),
    };
    (format!("{glyph} {word}"), tone)
}

fn bank_cells(bank: &BankInIteration, look: Look) -> Vec<Cell> {
    let fraction = bank.fraction.map_or_else(String::new, |fraction| format!("{fraction:.3}"));
    let mut cells = vec![cell(&bank.bank), cell(bank.cost.to_string()), cell(fraction)];
    let Some(verdict) = &bank.verdict else { return cells };
    let (word, tone) = judgement(verdict.judgement, look);
    cells.push(toned(word, tone));
    cells.extend([
        cell(format::money(verdict.old_cost)),
        cell(format::money(verdict.new_cost)),
        cell(difference(verdict)),
        cell(interval(verdict)),
        cell(&verdict.reason),
    ]);
    cells
}

fn difference(verdict: &Verdict) -> String {
    match (verdict.old_cost, verdict.new_cost) {
        (Some(old), Some(new)) => old.saturating_sub(new).to_string(),
        _ => String::new(),
    }
}

fn interval(verdict: &Verdict) -> String {
    verdict.interval.map_or_else(String::new, |(low, high)| format!("{low} to {high}"))
}

/// A bank's round in words.
fn about(bank: &BankInIteration, iteration: u64, lines: &mut Lines, look: Look) {
    if let Some(reason) = &bank.taken_back {
        lines.add(&format!("its newest policy failed and was taken back: {reason}"), Tone::Bad);
    }
    match &bank.verdict {
        None => lines.add("Nothing has been proposed in this iteration.", Tone::Muted),
        Some(verdict) => compared(verdict, lines, look),
    }
    if bank.calls > 0 {
        let tokens =
            if bank.tokens > 0 { format!(", {} tokens", grouped(bank.tokens)) } else { String::new() };
        let seconds = if bank.seconds >= 0.05 { format!(", {:.1} s", bank.seconds) } else { String::new() };
        let calls = counted(bank.calls as usize, "call", "calls");
        lines.add(&format!("proposer       {calls}{tokens}{seconds} (c reads what was said)"), Tone::Plain);
    }
    lines.blank();
    if !bank.parameters.is_empty() {
        lines.add("Parameters as evaluated", Tone::Strong);
        for (name, value) in &bank.parameters {
            lines.add(&format!("  {name} = {value}"), Tone::Plain);
        }
    }
    if let Some(before) = iteration.checked_sub(1) {
        lines.add(
            &format!("Policy since iteration {} (p shows both)", format::iteration(before)),
            Tone::Strong,
        );
        if bank.changes.is_empty() {
            lines.add("  the same", Tone::Muted);
        }
        for change in &bank.changes {
            lines.add(&format!("  {change}"), Tone::Plain);
        }
    }
}

fn compared(verdict: &Verdict, lines: &mut Lines, look: Look) {
    let (word, tone) = judgement(verdict.judgement, look);
    lines.add(&format!("{word}: {}", verdict.reason), tone);
    let (Some(old), Some(new)) = (verdict.old_cost, verdict.new_cost) else { return };
    let samples = match verdict.samples {
        0 | 1 => String::new(),
        samples => format!("   mean of {samples} samples"),
    };
    lines.add(&format!("in force       {old}{samples}"), Tone::Plain);
    let deviation = verdict.deviation.map(|cents| format!("   standard deviation {cents}"));
    lines.add(&format!("proposal       {new}{}", deviation.unwrap_or_default()), Tone::Plain);
    let sum = verdict.delta_sum.filter(|_| verdict.samples > 1);
    let sum = sum.map_or_else(String::new, |sum| format!("   in sum {sum}"));
    lines.add(&format!("old - new      {}{sum}", difference(verdict)), Tone::Plain);
    if verdict.interval.is_some() {
        lines.add(&format!("95 % interval  {}", interval(verdict)), Tone::Plain);
    }
    if let Some(rate) = verdict.settlement_rate {
        lines.add(&format!("settled        {} under the proposal", percent(Some(rate))), Tone::Plain);
    }
    for (kind, cost) in verdict.kinds.iter().filter(|(kind, _)| kind != "total_cost") {
        lines.add(&format!("  {} {cost}", kind.replace('_', " ")), Tone::Muted);
    }
}

impl Iterations {
    pub(super) fn draw_panes(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let [head, body] = stack(area, [1, area.height]);
        self.draw_head(head, buffer, look);
        if self.focus.zoomed {
            self.draw_pane(self.focus.pane, body, buffer, look);
            return;
        }
        let [top, bottom] = stack(body, [body.height / 2 + 1, body.height]);
        let list_width = if top.width >= 2 * WIDE { top.width * 3 / 5 } else { top.width / 2 };
        let [left, right] = beside(top, [list_width, top.width]);
        self.draw_pane(LIST, left, buffer, look);
        self.draw_pane(CHART, right, buffer, look);
        if bottom.width >= WIDE {
            let [left, right] = beside(bottom, [bottom.width * 11 / 20, bottom.width]);
            self.draw_banks(false, left, buffer, look);
            self.draw_detail(right, buffer, look);
        } else if self.focus.is(DETAIL) {
            self.draw_detail(bottom, buffer, look);
        } else {
            self.draw_banks(true, bottom, buffer, look);
        }
    }

    fn draw_pane(&self, pane: u8, area: Rect, buffer: &mut Buffer, look: Look) {
        match pane {
            LIST => self.draw_list(area, buffer, look),
            CHART if self.parameters => self.draw_parameters(area, buffer, look),
            CHART => self.draw_costs(area, buffer, look),
            BANKS => self.draw_banks(true, area, buffer, look),
            _ => self.draw_detail(area, buffer, look),
        }
    }

    fn draw_head(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let Some(detail) = &self.detail else { return };
        let run = &detail.run;
        let (state, tone) = badge(run.status, look);
        let used = text_line(area, 0, &format!(" {state} "), tone, buffer, look);
        let rest = Rect { x: area.x + used, width: area.width - used, ..area };
        let (first, best) = (format::money(run.first_cost), format::money(run.best_cost));
        let saved = percent(run.reduction);
        let mut parts = vec![format!("{first} to {best} ({saved} saved)")];
        parts.extend([run.proposer.clone(), run.mode.clone()]);
        parts.extend(detail.reason.clone());
        parts.extend(run.seconds.map(format::duration));
        let between = format!(" {} ", look.glyphs().dot);
        text_line(rest, 0, &parts.join(&between), Tone::Plain, buffer, look);
    }

    fn draw_list(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let title = format!("Iterations ({}), {UNIT}", self.rows().len());
        let focused = self.focus.is(LIST);
        let inner = Pane { number: LIST, title: &title, note: "", focused }.draw(area, buffer, look);
        let columns = columns(self.rows());
        let table = Table {
            columns: &columns,
            rows: self.rows(),
            selected: self.list.at,
            focused,
            view: &self.list.view,
            empty: self.awaiting.problem().unwrap_or(match &self.detail {
                None => "reading",
                Some(_) => "No iteration has been evaluated yet.",
            }),
        };
        table.draw(inner, buffer, look, |row| cells(row, look));
    }

    fn draw_costs(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let rows = self.rows();
        let of_bank = |row: &IterationRow, bank: &str| {
            let found = row.banks.iter().find(|found| found.bank == bank);
            found.map_or(f64::NAN, |found| found.cost.0 as f64)
        };
        let total = rows.iter().map(|row| row.total.0 as f64).collect();
        let mut series = vec![Series { label: "total", values: total }];
        let banks = rows.first().map_or(&[][..], |row| &row.banks);
        series.extend(banks.iter().take(SHOWN_BANKS).map(|bank| Series {
            label: &bank.bank,
            values: rows.iter().map(|row| of_bank(row, &bank.bank)).collect(),
        }));
        self.draw_chart(&format!("Costs, {UNIT}"), &series, format::axis, area, buffer, look);
    }

    /// The parameters of the selected bank.
    fn draw_parameters(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let name = self.bank().map_or("", |bank| bank.bank.as_str());
        let of = |row: &IterationRow, parameter: &str| {
            let bank = row.banks.iter().find(|bank| bank.bank == name);
            let found = bank.and_then(|bank| bank.parameters.iter().find(|(known, _)| known == parameter));
            found.map_or(f64::NAN, |(_, value)| *value)
        };
        let mut names: Vec<&str> = Vec::new();
        for bank in self.rows().iter().flat_map(|row| &row.banks).filter(|bank| bank.bank == name) {
            let fresh = bank.parameters.iter().map(|(known, _)| known.as_str());
            let fresh: Vec<&str> = fresh.filter(|known| !names.contains(known)).collect();
            names.extend(fresh);
        }
        let series: Vec<Series<'_>> = names
            .iter()
            .map(|parameter| Series {
                label: parameter,
                values: self.rows().iter().map(|row| of(row, parameter)).collect(),
            })
            .collect();
        self.draw_chart(&format!("Parameters of {name}"), &series, format::number, area, buffer, look);
    }

    fn draw_chart(
        &self,
        title: &str,
        series: &[Series<'_>],
        axis: fn(f64) -> String,
        area: Rect,
        buffer: &mut Buffer,
        look: Look,
    ) {
        let focused = self.focus.is(CHART);
        let inner = Pane { number: CHART, title, note: "w: next", focused }.draw(area, buffer, look);
        let rows = self.rows();
        let [first, last] =
            [rows.first(), rows.last()].map(|row| format::iteration(row.map_or(0, |row| row.iteration)));
        let cursor = (rows.len() > 1).then(|| self.list.at as f64 / (rows.len() - 1) as f64);
        let ends = (format!("iteration {first}"), last);
        let chart = Chart { series, ends, cursor, axis, empty: "Nothing to draw yet." };
        chart.draw(inner, buffer, look);
    }

    /// The table of banks; below it, where it has no pane of its own, more of the selected one.
    fn draw_banks(&self, with_about: bool, area: Rect, buffer: &mut Buffer, look: Look) {
        let iteration = self.selected().map_or_else(String::new, |row| format::iteration(row.iteration));
        let title = format!("Banks in iteration {iteration}, {UNIT}");
        let focused = self.focus.is(BANKS);
        let inner = Pane { number: BANKS, title: &title, note: &self.run, focused }.draw(area, buffer, look);
        let banks = self.selected().map_or(&[][..], |row| &row.banks);
        let table = Table {
            columns: BANK_COLUMNS,
            rows: banks,
            selected: self.banks.at.min(banks.len().saturating_sub(1)),
            focused,
            view: &self.banks.view,
            empty: "",
        };
        if !with_about {
            table.draw(inner, buffer, look, |bank| bank_cells(bank, look));
            return;
        }
        let rows = (banks.len() as u16).saturating_add(2).min(inner.height / 2 + 1);
        let [upper, lower] = stack(inner, [rows, inner.height]);
        table.draw(upper, buffer, look, |bank| bank_cells(bank, look));
        self.draw_about(lower, buffer, look);
    }

    fn draw_detail(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let name = self.bank().map_or("Detail", |bank| bank.bank.as_str());
        let focused = self.focus.is(DETAIL);
        let inner = Pane { number: DETAIL, title: name, note: "", focused }.draw(area, buffer, look);
        self.draw_about(inner, buffer, look);
    }

    fn draw_about(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let (Some(row), Some(bank)) = (self.selected(), self.bank()) else { return };
        let mut lines = Lines::of_width(area.width);
        about(bank, row.iteration, &mut lines, look);
        self.about.draw(&lines, area, buffer, look);
    }
}
