//! How the replay looks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{beside, stack};
use super::{BANKS, CHART, EVENTS, QUEUE1, QUEUE2, Replay, SPEEDS};
use crate::explorer::describe;
use crate::explorer::format::{self, UNIT, badge, change};
use crate::explorer::look::{Look, Tone};
use crate::explorer::rows::{BankRow, EventRow, Moment, QueueRow};
use crate::explorer::widgets::chart::{Chart, Series};
use crate::explorer::widgets::pane::{Pane, text_line};
use crate::explorer::widgets::scrubber;
use crate::explorer::widgets::table::{Cell, Column, Table, cell, toned};
use crate::explorer::window::Cursor;
use crate::money::{Cents, grouped};

const BANK_COLUMNS: &[Column<'_>] = &[
    Column::text("bank", 9).growing(1),
    Column::number("balance", 13),
    Column::number("change", 12).rank(3),
    Column::number("line used", 12).rank(4),
    Column::number("line", 12).rank(7),
    Column::number("collateral", 12).rank(6),
    Column::number("q1", 4),
    Column::number("q1 value", 12).rank(8),
    Column::number("q2", 5),
    Column::number("q2 value", 12).rank(9),
    Column::number("cost", 10).rank(1),
];

const EVENT_COLUMNS: &[Column<'_>] =
    &[Column::text("", 1), Column::text("type", 17), Column::text("what", 10).growing(1)];

const QUEUE_COLUMNS: &[Column<'_>] = &[
    Column::text("payment", 9).growing(1),
    Column::text("from", 6).growing(1).rank(2),
    Column::text("to", 6).growing(1).rank(1),
    Column::number("amount", 12),
    Column::number("due", 6),
    Column::number("prio", 4).rank(3),
    Column::text("note", 16).rank(4),
];

/// All banks together.
fn together(banks: &[BankRow]) -> BankRow {
    banks.iter().fold(BankRow { bank: "all banks".into(), ..BankRow::default() }, |sum, bank| BankRow {
        balance: sum.balance.saturating_add(bank.balance),
        change: sum.change.saturating_add(bank.change),
        credit_used: sum.credit_used.saturating_add(bank.credit_used),
        credit_line: sum.credit_line.saturating_add(bank.credit_line),
        collateral: sum.collateral.saturating_add(bank.collateral),
        queue1: sum.queue1.saturating_add(bank.queue1),
        queue1_value: sum.queue1_value.saturating_add(bank.queue1_value),
        queue2: sum.queue2.saturating_add(bank.queue2),
        queue2_value: sum.queue2_value.saturating_add(bank.queue2_value),
        cost: sum.cost.saturating_add(bank.cost),
        cost_change: sum.cost_change.saturating_add(bank.cost_change),
        bank: sum.bank,
    })
}

/// An amount; marked if it changed since the moment before.
fn marked(amount: Cents, changed: Cents, look: Look) -> Cell {
    match changed.get() {
        0 => cell(amount.to_string()),
        1.. => toned(format!("{}{amount}", look.glyphs().up), Tone::Good),
        _ => toned(format!("{}{amount}", look.glyphs().down), Tone::Bad),
    }
}

fn bank_cells(bank: &BankRow, look: Look) -> Vec<Cell> {
    let cost_tone = if bank.cost_change == Cents::ZERO { Tone::Plain } else { Tone::Warn };
    vec![
        cell(&bank.bank),
        marked(bank.balance, bank.change, look),
        cell(change(bank.change)),
        cell(bank.credit_used.to_string()),
        cell(bank.credit_line.to_string()),
        cell(bank.collateral.to_string()),
        cell(bank.queue1.to_string()),
        cell(bank.queue1_value.to_string()),
        cell(bank.queue2.to_string()),
        cell(bank.queue2_value.to_string()),
        toned(bank.cost.to_string(), cost_tone),
    ]
}

fn queue_cells(row: &QueueRow) -> Vec<Cell> {
    let due = if row.overdue {
        toned(format!("!{}", row.deadline), Tone::Bad)
    } else {
        cell(row.deadline.to_string())
    };
    vec![
        cell(&row.payment),
        cell(&row.sender),
        cell(&row.receiver),
        cell(row.amount.to_string()),
        due,
        cell(row.priority.to_string()),
        cell(&row.note),
    ]
}

impl Replay {
    pub(super) fn draw_panes(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let [head, bar, body] = stack(area, [1, 1, area.height]);
        let Some(moment) = &self.moment else {
            let text = self.problem.as_deref().unwrap_or("reading");
            text_line(head, 0, &format!(" {text}"), Tone::Muted, buffer, look);
            return;
        };
        self.draw_head(moment, head, buffer, look);
        scrubber::draw(&self.course.density, self.place(moment), bar, buffer, look);
        if self.focus.zoomed {
            self.draw_pane(self.focus.pane, moment, body, buffer, look);
            return;
        }
        // The chart has a row of its own where there is room; else it takes the place of the queues.
        let roomy = body.height >= 28;
        let upper = if roomy { body.height * 2 / 5 } else { body.height / 2 };
        let middle = if roomy { body.height * 3 / 10 } else { body.height - upper };
        let [top, queues, chart] = stack(body, [upper, middle, body.height]);
        let [left, right] = beside(top, [top.width / 2, top.width]);
        self.draw_pane(BANKS, moment, left, buffer, look);
        self.draw_pane(EVENTS, moment, right, buffer, look);
        if roomy {
            self.draw_pane(CHART, moment, chart, buffer, look);
        } else if self.focus.is(CHART) {
            self.draw_pane(CHART, moment, queues, buffer, look);
            return;
        }
        let [left, right] = beside(queues, [queues.width / 2, queues.width]);
        self.draw_pane(QUEUE1, moment, left, buffer, look);
        self.draw_pane(QUEUE2, moment, right, buffer, look);
    }

    fn place(&self, moment: &Moment) -> f64 {
        moment.tick as f64 / moment.ticks.max(moment.last_tick + 1).saturating_sub(1).max(1) as f64
    }

    fn draw_head(&self, moment: &Moment, area: Rect, buffer: &mut Buffer, look: Look) {
        let (state, tone) = badge(moment.status, look);
        let dot = look.glyphs().dot;
        let events = match (moment.applied, moment.events.len()) {
            (_, 0) => "no events".to_owned(),
            (0, all) => format!("before its {}", format::counted(all, "event", "events")),
            (applied, all) => format!("event {applied} of {all}"),
        };
        let speed = SPEEDS.get(self.speed).copied().unwrap_or(1);
        let motion = if self.playing {
            format!("{} {speed} ticks/s", look.glyphs().play)
        } else if self.following {
            "following".to_owned()
        } else {
            format!("{} paused", look.glyphs().pause)
        };
        let text = format!(
            " tick {} of {} {dot} day {}, its tick {} {dot} {events} {dot} {motion}",
            moment.tick,
            moment.ticks.saturating_sub(1),
            moment.day,
            moment.tick_in_day
        );
        let shown = self.problem.as_ref().map_or(text, |problem| format!(" {problem}"));
        let width = state.chars().count() as u16 + 1;
        let [left, right] = beside(area, [area.width.saturating_sub(width), area.width]);
        text_line(left, 0, &shown, Tone::Strong, buffer, look);
        text_line(right, 0, &state, tone, buffer, look);
    }

    fn draw_pane(&self, pane: u8, moment: &Moment, area: Rect, buffer: &mut Buffer, look: Look) {
        match pane {
            BANKS => self.draw_banks(moment, area, buffer, look),
            EVENTS => self.draw_events(moment, area, buffer, look),
            QUEUE1 => {
                let whose = self.bank().map_or("all banks", |bank| bank.bank.as_str());
                let rows = self.queue1();
                let title = format!("Queue 1 of {whose} ({})", rows.len());
                self.draw_queue(QUEUE1, &title, &rows, &self.queue1, area, buffer, look);
            }
            QUEUE2 => {
                let title = format!("Queue 2 ({})", moment.queue2.len());
                self.draw_queue(QUEUE2, &title, &moment.queue2, &self.queue2, area, buffer, look);
            }
            _ => self.draw_chart(moment, area, buffer, look),
        }
    }

    fn draw_banks(&self, moment: &Moment, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(BANKS);
        let title = format!("Banks ({}), {UNIT}", moment.banks.len());
        let inner = Pane { number: BANKS, title: &title, note: "", focused }.draw(area, buffer, look);
        let mut rows = vec![together(&moment.banks)];
        rows.extend(moment.banks.iter().cloned());
        let table = Table {
            columns: BANK_COLUMNS,
            rows: &rows,
            selected: self.banks.at,
            focused,
            view: &self.banks.view,
            empty: "",
        };
        table.draw(inner, buffer, look, |bank| bank_cells(bank, look));
    }

    fn draw_events(&self, moment: &Moment, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(EVENTS);
        let title = format!("Events of tick {} ({})", moment.tick, grouped(moment.events.len() as u64));
        let inner = Pane { number: EVENTS, title: &title, note: "", focused }.draw(area, buffer, look);
        let first = moment.events.first().map_or(0, |event| event.sequence);
        let table = Table {
            columns: EVENT_COLUMNS,
            rows: &moment.events,
            selected: self.events.at,
            focused,
            view: &self.events.view,
            empty: "Nothing happened in this tick.",
        };
        table.draw(inner, buffer, look, |event: &EventRow| {
            let happened = event.sequence - first < moment.applied as u64;
            let (mark, tone) =
                if happened { (look.glyphs().done, Tone::Plain) } else { (look.glyphs().dot, Tone::Muted) };
            vec![toned(mark, tone), toned(&event.kind, tone), toned(describe::summary(&event.line), tone)]
        });
    }

    #[allow(clippy::too_many_arguments, reason = "two panes that differ in these")]
    fn draw_queue(
        &self,
        pane: u8,
        title: &str,
        rows: &[QueueRow],
        cursor: &Cursor,
        area: Rect,
        buffer: &mut Buffer,
        look: Look,
    ) {
        let focused = self.focus.is(pane);
        let inner = Pane { number: pane, title, note: "", focused }.draw(area, buffer, look);
        let table = Table {
            columns: QUEUE_COLUMNS,
            rows,
            selected: cursor.at.min(rows.len().saturating_sub(1)),
            focused,
            view: &cursor.view,
            empty: "empty",
        };
        table.draw(inner, buffer, look, queue_cells);
    }

    fn draw_chart(&self, moment: &Moment, area: Rect, buffer: &mut Buffer, look: Look) {
        let focused = self.focus.is(CHART);
        let title = format!("Balances, {UNIT}");
        let inner = Pane { number: CHART, title: &title, note: "", focused }.draw(area, buffer, look);
        let selected = self.bank().map(|bank| bank.bank.as_str());
        let shown = self.course.balances.iter().filter(|(bank, _)| selected.is_none_or(|one| one == bank));
        let series: Vec<Series<'_>> = shown
            .take(6)
            .map(|(bank, values)| Series {
                label: bank,
                values: values.iter().map(|cents| *cents as f64).collect(),
            })
            .collect();
        let samples = self.course.balances.first().map_or(0, |(_, values)| values.len()) as u64;
        let end = samples.saturating_sub(1).saturating_mul(self.course.stride);
        let cursor = (end > 0).then(|| moment.tick as f64 / end as f64);
        let ends = ("tick 0".to_owned(), end.to_string());
        let chart =
            Chart { series: &series, ends, cursor, axis: format::axis, empty: "reading the balances" };
        chart.draw(inner, buffer, look);
    }
}
