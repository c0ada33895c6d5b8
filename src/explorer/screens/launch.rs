//! Launch: a form over an experiment or a scenario, checked while it is filled in.

mod cost;
mod form;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::jobs::JobsScreen;
use super::{Screen, View, stack};
use crate::explorer::awaiting::Awaiting;
use crate::explorer::desk::{Desk, Go, Scene};
use crate::explorer::key::Key;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::look::{Look, Tone};
use crate::explorer::message::{Answer, Effect, Query, Slot, Ticket};
use crate::explorer::rows::{ExperimentPlan, Plan, Subject};
use crate::explorer::widgets::input;
use crate::explorer::widgets::pane::{Pane, paragraph, text_line};
use crate::money::grouped;
use form::{Field, Setting, Value};

/// The screen.
#[derive(Debug)]
pub struct Launch {
    fields: Vec<Field>,
    /// The field with the focus; behind the last one stands the start button.
    at: usize,
    subject: Option<Box<Subject>>,
    awaiting: Awaiting,
}

impl Launch {
    /// A form over a file or a library entry, ready to start.
    pub fn of(source: &str) -> Self {
        let fields = vec![Field::source(source)];
        let at = if source.is_empty() { 0 } else { 1 };
        Self { fields, at, subject: None, awaiting: Awaiting::new() }
    }

    fn source(&self) -> String {
        self.fields.first().map(|field| field.text().trim().to_owned()).unwrap_or_default()
    }

    fn on_start(&self) -> bool {
        self.at >= self.fields.len()
    }

    fn inspect(&mut self, desk: &mut Desk<'_>) {
        let query = Query::Inspect(self.source());
        self.awaiting.ask(desk, Slot::Main, query);
    }

    /// Shows the settings of what was read, at their defaults.
    fn take(&mut self, subject: Box<Subject>) {
        let on_start = self.on_start();
        // Two trials of one scenario never take the same time.
        let same = self
            .subject
            .as_ref()
            .is_some_and(|before| Subject { trial: subject.trial, ..(**before).clone() } == *subject);
        if !same {
            self.fields.truncate(1);
            self.fields.extend(form::fields_of(&subject));
        }
        if on_start {
            self.at = self.fields.len();
        }
        self.subject = Some(subject);
    }

    fn number(&self, setting: Setting) -> Option<u64> {
        self.fields.iter().find(|field| field.setting == setting).and_then(Field::number)
    }

    fn choice(&self, setting: Setting) -> Option<String> {
        self.fields.iter().find(|field| field.setting == setting).map(|field| field.text().trim().to_owned())
    }

    /// What the form says, if all of it is right.
    fn plan(&self) -> Option<Plan> {
        let subject = self.subject.as_ref()?;
        if self.awaiting.problem().is_some()
            || self.awaiting.waits()
            || self.fields.iter().any(|field| field.problem.is_some())
        {
            return None;
        }
        let seed = self.choice(Setting::Seed).or_else(|| self.choice(Setting::MasterSeed))?;
        let experiment = match &subject.experiment {
            None => None,
            Some(settings) => Some(ExperimentPlan {
                iterations: self.number(Setting::Iterations).unwrap_or(settings.iterations),
                samples: self.number(Setting::Samples).unwrap_or(settings.samples),
                persist: form::persist(&self.choice(Setting::Persist)?)?,
                workers: self.number(Setting::Workers)?,
                replaces_proposer: self
                    .choice(Setting::Proposer)
                    .is_some_and(|chosen| chosen != settings.proposer),
                proposer: self.choice(Setting::Proposer).unwrap_or_else(|| settings.proposer.clone()),
            }),
        };
        let ticks = if experiment.is_none() { Some(self.number(Setting::Ticks)?) } else { None };
        let title = subject.name.clone();
        Some(Plan { source: self.source(), kind: subject.kind, title, seed, ticks, experiment })
    }

    fn start(&mut self, desk: &mut Desk<'_>) {
        if desk.read_only {
            desk.complain(
                "the database is open for reading only: nothing can be launched (`payment-sim db import` \
                 takes one of SimCash over into a file of your own)",
            );
            return;
        }
        match self.plan() {
            Some(plan) => {
                desk.say(format!("{} {} started", plan.kind.word(), plan.title));
                desk.jobs.add(plan, desk.effects);
                desk.go = Some(Go::Replace(Box::new(Screen::Jobs(JobsScreen::default()))));
            }
            None => desk.complain("not yet: see what is marked in the form"),
        }
    }

    fn changed(&mut self, desk: &mut Desk<'_>) {
        if let Some(field) = self.fields.get_mut(self.at) {
            field.check();
            if field.setting == Setting::Source {
                self.inspect(desk);
            }
        }
    }

    fn draw_field(&self, place: usize, area: Rect, row: u16, buffer: &mut Buffer, look: Look) {
        let Some(field) = self.fields.get(place).filter(|_| row < area.height) else { return };
        let focused = place == self.at;
        let line = Rect { y: area.y + row, height: 1, ..area };
        if focused {
            text_line(line, 0, look.glyphs().marker, Tone::Strong, buffer, look);
        }
        let label = Rect { x: line.x + 2, width: line.width.saturating_sub(2).min(14), ..line };
        text_line(
            label,
            0,
            field.setting.label(),
            if focused { Tone::Strong } else { Tone::Plain },
            buffer,
            look,
        );
        let value_width = if field.setting == Setting::Source { 56 } else { 24 };
        let value = Rect { x: line.x + 17, width: line.width.saturating_sub(17).min(value_width), ..line };
        match &field.value {
            Value::Text(text) => input::draw(text, focused, value, buffer, look),
            Value::Choice { options, at } => {
                let chosen = options.get(*at).map_or("", String::as_str);
                let shown = if focused { format!("< {chosen} >") } else { format!("  {chosen}") };
                text_line(value, 0, &shown, if focused { Tone::Strong } else { Tone::Plain }, buffer, look);
            }
        }
        let beside =
            Rect { x: value.right() + 1, width: line.right().saturating_sub(value.right() + 1), ..line };
        match &field.problem {
            Some(problem) => text_line(beside, 0, &format!("! {problem}"), Tone::Bad, buffer, look),
            None => text_line(beside, 0, field.setting.help(), Tone::Muted, buffer, look),
        };
    }

    fn draw_start(&self, area: Rect, row: u16, buffer: &mut Buffer, look: Look) {
        let ready = self.plan().is_some();
        let text = if ready { "[ Start ]" } else { "[ not ready ]" };
        let line = Rect { x: area.x + 2, y: area.y + row, width: area.width.saturating_sub(2), height: 1 };
        if row >= area.height {
            return;
        }
        text_line(line, 0, text, if ready { Tone::Good } else { Tone::Muted }, buffer, look);
        if self.on_start() {
            text_line(Rect { x: area.x, ..line }, 0, look.glyphs().marker, Tone::Strong, buffer, look);
            let button = Rect { width: (text.len() as u16).min(line.width), ..line };
            buffer.set_style(button, look.selection(true));
        }
    }

    fn draw_subject(&self, area: Rect, buffer: &mut Buffer, look: Look) {
        let title = self.subject.as_ref().map_or("Nothing chosen", |subject| subject.kind.word());
        let inner = Pane { number: 0, title, note: "", focused: false }.draw(area, buffer, look);
        if let Some(problem) = self.awaiting.problem() {
            paragraph(inner, problem, Tone::Bad, buffer, look);
            return;
        }
        let Some(subject) = &self.subject else {
            let hint = "Type a path, or library:NAME. Home lists the library.";
            paragraph(inner, if self.awaiting.waits() { "reading" } else { hint }, Tone::Muted, buffer, look);
            return;
        };
        let mut text = format!("{}\n{}", subject.name, subject.description.trim());
        let size = cost::sentences(subject, self.plan().as_ref());
        text.push_str(&format!("\n{} banks. {size}", grouped(subject.banks)));
        for warning in &subject.warnings {
            text.push_str(&format!("\nwarning: {warning}"));
        }
        paragraph(inner, &text, Tone::Plain, buffer, look);
    }
}

impl View for Launch {
    fn crumb(&self) -> String {
        "Launch".into()
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Form, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        if !self.source().is_empty() {
            self.inspect(desk);
        }
    }

    fn poll(&mut self, _desk: &mut Desk<'_>) {}

    fn intent(&mut self, intent: Intent, _count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        let stops = self.fields.len() + 1;
        match intent {
            Intent::Into if self.on_start() => self.start(desk),
            Intent::Into => self.at = self.fields.len(),
            Intent::FieldNext => self.at = (self.at.min(stops - 1) + 1) % stops,
            Intent::FieldPrevious => self.at = (self.at.min(stops - 1) + stops - 1) % stops,
            Intent::ChoiceNext | Intent::ChoicePrevious => {
                if let Some(field) = self.fields.get_mut(self.at) {
                    field.choose(intent == Intent::ChoiceNext);
                }
            }
            Intent::Refresh => self.inspect(desk),
            Intent::Edit if self.source().is_empty() => desk.complain("name a file or a library entry first"),
            Intent::Edit => desk.effects.push(Effect::Edit(self.source())),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, _desk: &mut Desk<'_>) -> bool {
        let Some(answer) = self.awaiting.arrived(ticket, answer) else { return false };
        match answer {
            Some(Answer::Subject(subject)) => self.take(subject),
            Some(_) => {}
            None => {
                self.subject = None;
                let on_start = self.on_start();
                self.fields.truncate(1);
                self.at = if on_start { 1 } else { self.at.min(1) };
            }
        }
        true
    }

    fn typing(&self) -> bool {
        matches!(self.fields.get(self.at), Some(Field { value: Value::Text(_), .. }))
    }

    fn type_key(&mut self, key: Key, desk: &mut Desk<'_>) -> bool {
        let Some(Field { value: Value::Text(text), .. }) = self.fields.get_mut(self.at) else { return false };
        let Some(request) = input::request(key) else { return false };
        text.handle(request);
        self.changed(desk);
        true
    }

    fn edited(&mut self, path: &str, desk: &mut Desk<'_>) {
        if let Some(field) = self.fields.first_mut() {
            *field = Field::source(path);
        }
        self.at = 1;
        // The file's settings are the form's again, whatever had been typed.
        self.subject = None;
        self.inspect(desk);
        desk.say(format!("this is {path} now"));
    }

    fn paste(&mut self, pasted: &str, desk: &mut Desk<'_>) {
        if let Some(Field { value: Value::Text(text), .. }) = self.fields.get_mut(self.at) {
            input::paste(text, pasted);
            self.changed(desk);
        }
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        let look = scene.look;
        let rows = self.fields.len() as u16 + 2;
        let [form, subject] = stack(area, [(rows + 2).min(area.height.saturating_sub(4)), area.height]);
        let inner = Pane { number: 0, title: "Launch", note: "stored in the open database", focused: true }
            .draw(form, buffer, look);
        for place in 0..self.fields.len() {
            self.draw_field(place, inner, place as u16, buffer, look);
        }
        self.draw_start(inner, rows - 1, buffer, look);
        self.draw_subject(subject, buffer, look);
    }
}

impl Default for Launch {
    fn default() -> Self {
        Self::of("")
    }
}
