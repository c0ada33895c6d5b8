//! A policy as a tree, in plain English or as JSON; two of them side by side with what differs marked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{View, beside, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::format::counted;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Query, Slot, Ticket};
use crate::explorer::rows::{PolicyLine, PolicyOf, PolicyText, Role};
use crate::explorer::widgets::pane::{Pane, cut, paragraph, text_line, wrap};
use crate::explorer::window::Cursor;

/// How it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Trees,
    English,
    Json,
}

impl Reading {
    const fn next(self) -> Self {
        match self {
            Self::Trees => Self::English,
            Self::English => Self::Json,
            Self::Json => Self::Trees,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Trees => "as a tree",
            Self::English => "in English",
            Self::Json => "as JSON",
        }
    }

    fn lines(self, text: &PolicyText) -> &[PolicyLine] {
        match self {
            Self::Trees => &text.trees,
            Self::English => &text.english,
            Self::Json => &text.json,
        }
    }
}

/// The screen.
#[derive(Debug)]
pub struct Policy {
    /// What it is compared with.
    before: Option<PolicyOf>,
    policy: PolicyOf,
    texts: Vec<PolicyText>,
    awaiting: Awaiting,
    reading: Reading,
    cursor: Cursor,
}

/// A row of the two columns; a line that only one side has stands alone.
#[derive(Debug, PartialEq)]
struct Pair<'a> {
    left: Option<&'a PolicyLine>,
    right: Option<&'a PolicyLine>,
    same: bool,
}

/// Lines that correspond, side by side.
fn pairs<'a>(left: &'a [PolicyLine], right: &'a [PolicyLine]) -> Vec<Pair<'a>> {
    let texts =
        |lines: &'a [PolicyLine]| lines.iter().map(|line| line.text.as_str()).collect::<Vec<&'a str>>();
    let mut pairs = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, &texts(left), &texts(right)) {
        let (old, new) = (op.old_range(), op.new_range());
        let same = matches!(op, DiffOp::Equal { .. });
        for row in 0..old.len().max(new.len()) {
            let side = |lines: &'a [PolicyLine], range: &std::ops::Range<usize>| {
                lines.get(range.clone()).and_then(|lines| lines.get(row))
            };
            pairs.push(Pair { left: side(left, &old), right: side(right, &new), same });
        }
    }
    pairs
}

impl Policy {
    /// A policy, beside the one it is compared with.
    pub const fn new(before: Option<PolicyOf>, policy: PolicyOf) -> Self {
        Self {
            before,
            policy,
            texts: Vec::new(),
            awaiting: Awaiting::new(),
            reading: Reading::Trees,
            cursor: Cursor::new(),
        }
    }

    fn ask(&mut self, desk: &mut Desk<'_>) {
        let wanted = self.before.iter().chain([&self.policy]).cloned().collect();
        self.awaiting.ask(desk, Slot::Main, Query::Policies(wanted));
    }

    /// The policy and what stands beside it, once both are there.
    fn shown(&self) -> Option<(Option<&PolicyText>, &PolicyText)> {
        match self.texts.as_slice() {
            [one] => Some((None, one)),
            [before, after] => Some((Some(before), after)),
            _ => None,
        }
    }

    fn rows(&self) -> usize {
        match self.shown() {
            None => 0,
            Some((None, one)) => self.reading.lines(one).len(),
            Some((Some(before), after)) => pairs(self.reading.lines(before), self.reading.lines(after)).len(),
        }
    }

    /// The next or previous bank of what it belongs to.
    fn turn(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let banks = self.texts.last().map_or(&[][..], |text| text.banks.as_slice());
        let place = banks.iter().position(|bank| Some(bank) == bank_of(&self.policy));
        let step = if forward { 1 } else { banks.len().saturating_sub(1) };
        let Some(next) = banks.get((place.unwrap_or(0) + step) % banks.len().max(1)).cloned() else {
            desk.complain("this policy belongs to no simulation and no run");
            return;
        };
        for policy in self.before.iter_mut().chain([&mut self.policy]) {
            if let PolicyOf::Evaluated { bank, .. }
            | PolicyOf::Proposed { bank, .. }
            | PolicyOf::Simulated { bank, .. } = policy
            {
                bank.clone_from(&next);
            }
        }
        self.ask(desk);
    }

    /// The same bank one iteration on or back.
    fn travel(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let PolicyOf::Evaluated { run, iteration, bank } = &self.policy else {
            desk.complain("only policies of a run's iterations have a next one");
            return;
        };
        let of = |iteration| PolicyOf::Evaluated { run: run.clone(), iteration, bank: bank.clone() };
        let target = if forward { iteration.checked_add(1) } else { iteration.checked_sub(1) };
        let Some(target) = target else {
            desk.say("this is the first iteration");
            return;
        };
        (self.before, self.policy) = (target.checked_sub(1).map(of), of(target));
        self.ask(desk);
    }

    fn draw_one(&self, text: &PolicyText, area: Rect, buffer: &mut Buffer, look: Look) {
        let inner = self.pane(&self.policy, "", area, buffer, look);
        let lines = self.reading.lines(text);
        let top = self.cursor.view.fit(self.cursor.at, lines.len(), inner.height.into());
        for (row, (place, line)) in lines.iter().enumerate().skip(top).take(inner.height.into()).enumerate() {
            let marked = place == self.cursor.at;
            draw_line(
                Some(line),
                marked,
                " ",
                tone(line),
                Rect { y: inner.y + row as u16, ..inner },
                buffer,
                look,
            );
        }
    }

    fn draw_two(&self, before: &PolicyText, after: &PolicyText, area: Rect, buffer: &mut Buffer, look: Look) {
        let [left, right] = beside(area, [area.width / 2, area.width]);
        let pairs = pairs(self.reading.lines(before), self.reading.lines(after));
        let differing = pairs.iter().filter(|pair| !pair.same).count();
        let note = if differing == 0 {
            "the same".to_owned()
        } else {
            counted(differing, "line differs", "lines differ")
        };
        let left = self.before.as_ref().map_or(left, |before| self.pane(before, "", left, buffer, look));
        let right = self.pane(&self.policy, &note, right, buffer, look);
        let top = self.cursor.view.fit(self.cursor.at, pairs.len(), left.height.into());
        for (row, (place, pair)) in pairs.iter().enumerate().skip(top).take(left.height.into()).enumerate() {
            let marked = place == self.cursor.at;
            for (line, mark, column, changed) in
                [(pair.left, "-", left, Tone::Bad), (pair.right, "+", right, Tone::Good)]
            {
                let (mark, tone) = match line {
                    Some(line) if pair.same => (" ", tone(line)),
                    Some(_) => (mark, changed),
                    None => (" ", Tone::Muted),
                };
                draw_line(
                    line,
                    marked,
                    mark,
                    tone,
                    Rect { y: column.y + row as u16, ..column },
                    buffer,
                    look,
                );
            }
        }
    }

    fn pane(&self, policy: &PolicyOf, note: &str, area: Rect, buffer: &mut Buffer, look: Look) -> Rect {
        let title = format!("{} {}", policy.title(), self.reading.word());
        Pane { number: 0, title: &title, note, focused: true }.draw(area, buffer, look)
    }

    /// The line under the cursor in full: in a narrow column it is cut.
    fn draw_selected(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let line = match self.shown() {
            None => None,
            Some((None, one)) => self.reading.lines(one).get(self.cursor.at).map(|line| line.text.clone()),
            Some((Some(before), after)) => {
                pairs(self.reading.lines(before), self.reading.lines(after)).get(self.cursor.at).map(|pair| {
                    let text =
                        |line: Option<&PolicyLine>| line.map_or("", |line| line.text.trim()).to_owned();
                    match (pair.same, text(pair.left), text(pair.right)) {
                        (true, left, _) => left,
                        (false, left, right) => format!("- {left}\n+ {right}"),
                    }
                })
            }
        };
        let text = folded(line.unwrap_or_default().trim(), look);
        let lines = wrap(&text, area.width.saturating_sub(1).into());
        for (row, line) in lines.iter().take(area.height.into()).enumerate() {
            text_line(area, row as u16, &format!(" {line}"), Tone::Muted, buffer, look);
        }
    }
}

fn bank_of(policy: &PolicyOf) -> Option<&String> {
    match policy {
        PolicyOf::File(_) => None,
        PolicyOf::Evaluated { bank, .. }
        | PolicyOf::Proposed { bank, .. }
        | PolicyOf::Simulated { bank, .. } => Some(bank),
    }
}

const fn tone(line: &PolicyLine) -> Tone {
    match line.role {
        Role::Heading => Tone::Accent,
        Role::Plain => Tone::Plain,
        Role::Decision => Tone::Strong,
        Role::Note => Tone::Muted,
    }
}

fn draw_line(
    line: Option<&PolicyLine>,
    selected: bool,
    mark: &str,
    tone: Tone,
    area: Rect,
    buffer: &mut Buffer,
    look: Look,
) {
    let row = Rect { height: 1, ..area };
    let cursor = if selected { look.glyphs().marker } else { " " };
    let text = line.map_or_else(String::new, |line| folded(&line.text, look));
    let shown = cut(&format!("{cursor}{mark} {text}"), row.width.into(), look);
    text_line(row, 0, &shown, tone, buffer, look);
}

/// The drawing and the signs of arithmetic in ASCII, where only that may be drawn.
fn folded(text: &str, look: Look) -> String {
    if !look.ascii {
        return text.to_owned();
    }
    let sign = |letter: char| match letter {
        '├' => "|".to_owned(),
        '└' => "`".to_owned(),
        '│' => "|".to_owned(),
        '─' | '−' => "-".to_owned(),
        '≤' => "<=".to_owned(),
        '≥' => ">=".to_owned(),
        '≠' => "!=".to_owned(),
        '×' => "*".to_owned(),
        '÷' => "/".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(sign).collect()
}

impl View for Policy {
    fn crumb(&self) -> String {
        format!("Policy of {}", self.policy.title())
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Policy, Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.ask(desk);
    }

    fn poll(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        let rows = self.rows();
        if self.cursor.motion(intent, count, rows) {
            return true;
        }
        match intent {
            Intent::NextBank | Intent::PreviousBank => self.turn(intent == Intent::NextBank, desk),
            Intent::Onward | Intent::Backward => self.travel(intent == Intent::Onward, desk),
            Intent::NextChart => {
                self.reading = self.reading.next();
                self.cursor = Cursor::new();
            }
            Intent::NextMatch | Intent::PreviousMatch => {
                self.find_difference(intent == Intent::NextMatch, desk);
            }
            Intent::Refresh => self.ask(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        match answer {
            Some(Answer::Policies(texts)) => {
                // Without a name the first bank was meant.
                if let (PolicyOf::Simulated { bank, .. }, Some(text)) = (&mut self.policy, texts.last())
                    && bank.is_empty()
                {
                    *bank = text.banks.first().cloned().unwrap_or_default();
                }
                self.texts = texts;
                self.cursor.at = self.cursor.at.min(self.rows().saturating_sub(1));
            }
            Some(_) => {}
            None => self.texts = Vec::new(),
        }
        true
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let [body, selected] = stack(area, [area.height.saturating_sub(2), area.height]);
        match self.shown() {
            Some((None, one)) => self.draw_one(one, body, buffer, look),
            Some((Some(before), after)) => self.draw_two(before, after, body, buffer, look),
            None => {
                let inner = self.pane(&self.policy, "", body, buffer, look);
                let problem = self.awaiting.problem();
                let tone = if problem.is_some() { Tone::Bad } else { Tone::Muted };
                paragraph(inner, problem.unwrap_or("reading"), tone, buffer, look);
            }
        }
        self.draw_selected(selected, buffer, look);
    }
}

impl Policy {
    /// Goes to the next or previous stretch of lines that differ.
    fn find_difference(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let Some((Some(before), after)) = self.shown() else {
            desk.complain("there is nothing to compare with");
            return;
        };
        let pairs = pairs(self.reading.lines(before), self.reading.lines(after));
        let begins = |at: &usize| !pairs[*at].same && (*at == 0 || pairs[*at - 1].same);
        let at = self.cursor.at.min(pairs.len());
        let found = if forward { (at + 1..pairs.len()).find(begins) } else { (0..at).rev().find(begins) };
        match found {
            Some(place) => self.cursor.at = place,
            None => desk.say("no further difference"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<PolicyLine> {
        texts.iter().map(|text| PolicyLine { text: (*text).to_owned(), role: Role::Plain }).collect()
    }

    #[test]
    fn what_corresponds_stands_side_by_side() {
        let (left, right) = (lines(&["a", "b = 1", "c"]), lines(&["a", "b = 2", "new", "c"]));
        let shown: Vec<_> = pairs(&left, &right)
            .iter()
            .map(|pair| {
                let text = |line: Option<&PolicyLine>| line.map_or("", |line| line.text.as_str()).to_owned();
                (text(pair.left), text(pair.right), pair.same)
            })
            .collect();
        let row = |left: &str, right: &str, same| (left.to_owned(), right.to_owned(), same);
        let expected =
            [row("a", "a", true), row("b = 1", "b = 2", false), row("", "new", false), row("c", "c", true)];
        assert_eq!(shown, expected);
    }
}
