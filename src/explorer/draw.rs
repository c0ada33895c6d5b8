//! The frame: breadcrumbs above, the screen, keys or questions below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::format::{counted, percent};
use super::look::Tone;
use super::screens::{beside, stack};
use super::state::State;
use super::widgets::pane::{cut, paragraph, text_line, wrap};
use super::widgets::{dialog, input};

/// The smallest terminal that the explorer draws on.
const SMALLEST: (u16, u16) = (60, 15);

/// Draws the whole screen.
pub fn draw(state: &State, area: Rect, buffer: &mut Buffer) {
    let (width, height) = SMALLEST;
    if area.width < width || area.height < height {
        let text = format!(
            "The terminal has {} x {} characters; the explorer needs at least {width} x {height}.",
            area.width, area.height
        );
        paragraph(area, &text, Tone::Plain, buffer, state.look);
        return;
    }
    let said = notice_lines(state, area.width);
    let below = (said.len() as u16).clamp(1, area.height / 3);
    let [head, body, foot] = stack(area, [1, area.height - 1 - below, below]);
    draw_head(state, head, buffer);
    state.top().draw(body, buffer, state.scene());
    draw_foot(state, &said, foot, buffer);
    if let Some(question) = &state.question {
        dialog::draw("Question", &question.text(), area, buffer, state.look);
    }
}

fn draw_head(state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let right = match state.jobs.active() {
        0 => String::new(),
        jobs => {
            let part = percent(Some(state.jobs.part_done()));
            format!("{} {} {part} ", look.glyphs().running, counted(jobs, "job", "jobs"))
        }
    };
    let width = right.width() as u16;
    let [left, note] = beside(area, [area.width.saturating_sub(width), area.width]);
    let crumbs: Vec<String> = state.stack.iter().map(|screen| screen.view().crumb()).collect();
    let between = format!(" {} ", look.glyphs().crumb);
    let room = usize::from(left.width).saturating_sub(2);
    // The nearest screens matter most: the path loses its beginning first.
    let mut path = crumbs.join(&between);
    for from in 1..crumbs.len() {
        if path.width() <= room {
            break;
        }
        path = format!("{}{between}{}", look.glyphs().ellipsis, crumbs[from..].join(&between));
    }
    text_line(left, 0, &format!(" {}", cut(&path, room, look)), Tone::Accent, buffer, look);
    text_line(note, 0, &right, Tone::Accent, buffer, look);
}

/// What there is to say, in as many lines as it takes; nothing while a line is typed in its place.
fn notice_lines(state: &State, width: u16) -> Vec<String> {
    let Some(notice) = state.notice.as_ref().filter(|_| state.prompt.is_none()) else { return Vec::new() };
    let mark = if notice.trouble { "! " } else { "" };
    let room = usize::from(width).saturating_sub(mark.len() + 2);
    let said = notice.text.lines().flat_map(|text| {
        let marks = std::iter::once(mark).chain(std::iter::repeat(if notice.trouble { "  " } else { "" }));
        marks.zip(wrap(text, room)).map(|(mark, line)| format!(" {mark}{line}")).collect::<Vec<_>>()
    });
    said.collect()
}

fn draw_foot(state: &State, said: &[String], area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    if let Some(prompt) = &state.prompt {
        let label = format!(" {}: ", prompt.purpose.label());
        let [left, rest] = beside(area, [label.width() as u16, area.width]);
        text_line(left, 0, &label, Tone::Accent, buffer, look);
        let wrong = prompt.problem.as_ref().or(state.notice.as_ref().map(|notice| &notice.text));
        let note = wrong.map_or_else(|| prompt.purpose.hint(), |problem| format!("! {problem}"));
        let typed = (prompt.input.value().width() as u16 + 3).max(rest.width / 3);
        let [line, beside_it] = beside(rest, [typed.min(rest.width), rest.width]);
        input::draw(&prompt.input, true, line, buffer, look);
        let tone = if wrong.is_some() { Tone::Bad } else { Tone::Muted };
        text_line(beside_it, 0, &note, tone, buffer, look);
        return;
    }
    if let Some(notice) = &state.notice {
        let tone = if notice.trouble { Tone::Bad } else { Tone::Strong };
        for (row, line) in (0..).zip(said) {
            text_line(area, row, line, tone, buffer, look);
        }
        return;
    }
    draw_keys(state, area, buffer);
}

/// The keys that matter here, as many as fit; help always stands at the end.
fn draw_keys(state: &State, area: Rect, buffer: &mut Buffer) {
    let look = state.look;
    let pending = match (state.count, state.pressed.as_slice()) {
        (None, []) => String::new(),
        (count, keys) => {
            let count = count.map_or_else(String::new, |count| count.to_string());
            format!("{count}{} ", keys.iter().map(ToString::to_string).collect::<String>())
        }
    };
    let mut rest = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    let used = text_line(rest, 0, &pending, Tone::Warn, buffer, look);
    rest = Rect { x: rest.x + used, width: rest.width - used, ..rest };
    let first = state.stack.len() == 1;
    let shown = state.keymap.footer(state.top().scopes(), state.top().typing());
    let shown = shown.filter(|(key, _)| !(first && *key == "Esc"));
    let all: Vec<(&str, &str)> = shown.collect();
    let width = |key: &str, word: &str| (key.width() + word.width() + 3) as u16;
    let always: Vec<_> = all.iter().filter(|(_, word)| matches!(*word, "help" | "quit" | "back")).collect();
    let reserved: u16 = always.iter().map(|(key, word)| width(key, word)).sum();
    let mut room = rest.width.saturating_sub(reserved);
    for (key, word) in &all {
        let needed = width(key, word);
        if !always.contains(&&(*key, *word)) {
            if needed > room {
                continue;
            }
            room -= needed;
        }
        let used = text_line(rest, 0, key, Tone::Accent, buffer, look);
        let word_area = Rect { x: rest.x + used, width: rest.width - used, ..rest };
        text_line(word_area, 0, &format!(" {word}"), Tone::Muted, buffer, look);
        rest = Rect { x: rest.x + needed.min(rest.width), width: rest.width.saturating_sub(needed), ..rest };
    }
}
