//! A simulation moment by moment: its banks, both queues, the events of the tick; forwards and backwards.

mod panes;
mod stepping;
#[cfg(test)]
mod tests;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::bank::Bank;
use super::events::Events;
use super::payment::Payment;
use super::policy::Policy;
use super::{Copyable, Focus, Screen, View};
use crate::explorer::describe;
use crate::explorer::desk::{Desk, Scene};
use crate::explorer::filter::EventFilter;
use crate::explorer::keymap::{Intent, Scope};
use crate::explorer::link::Link;
use crate::explorer::message::{Answer, From, Query, Slot, Ticket};
use crate::explorer::prompt::{Prompt, Purpose};
use crate::explorer::rows::{
    BankRow, Course, Divergence, Export, Moment, PolicyOf, QueueRow, Row as _, Seek, Status,
};
use crate::explorer::window::Cursor;
use stepping::{Step, step};

const BANKS: u8 = 1;
const EVENTS: u8 = 2;
const QUEUE1: u8 = 3;
const QUEUE2: u8 = 4;
const CHART: u8 = 5;

/// Ticks played in a second.
const SPEEDS: [u64; 7] = [1, 2, 5, 10, 20, 50, 100];

/// The screen.
#[derive(Debug)]
pub struct Replay {
    simulation: String,
    title: String,
    seek: Seek,
    moment: Option<Box<Moment>>,
    course: Course,
    problem: Option<String>,
    awaiting: Option<Ticket>,
    awaiting_course: Option<Ticket>,
    searching: Option<Ticket>,
    /// What it is compared with, and the question where they part.
    companion: Option<String>,
    /// What `c` and `C` run to.
    condition: EventFilter,
    parting: Option<Ticket>,
    /// A step taken while an answer is under way, to be taken afterwards.
    backlog: Option<(Intent, u64)>,
    focus: Focus,
    /// Row 0 of the banks is all of them together.
    banks: Cursor,
    events: Cursor,
    queue1: Cursor,
    queue2: Cursor,
    playing: bool,
    following: bool,
    speed: usize,
}

impl Replay {
    /// A simulation at a moment.
    pub const fn new(simulation: String, title: String, seek: Seek) -> Self {
        Self {
            simulation,
            title,
            seek,
            moment: None,
            course: Course { stride: 1, balances: Vec::new(), density: Vec::new() },
            problem: None,
            awaiting: None,
            awaiting_course: None,
            searching: None,
            companion: None,
            condition: EventFilter {
                bank: None,
                payment: None,
                kinds: Vec::new(),
                ticks: None,
                day: None,
                text: None,
            },
            parting: None,
            backlog: None,
            focus: Focus::of(5),
            banks: Cursor::new(),
            events: Cursor::new(),
            queue1: Cursor::new(),
            queue2: Cursor::new(),
            playing: false,
            following: false,
            speed: 2,
        }
    }

    /// The simulation.
    pub fn simulation(&self) -> &str {
        &self.simulation
    }

    /// The simulation that this one is compared with.
    pub fn set_companion(&mut self, simulation: String) {
        self.companion = Some(simulation);
    }

    /// Where it goes when it is entered.
    pub const fn target(&self) -> Seek {
        self.seek
    }

    /// Goes somewhere else in the same simulation.
    pub const fn aim(&mut self, seek: Seek) {
        self.seek = seek;
    }

    /// Goes to a place of the user's choice: nothing that was asked for before leads away from it.
    fn go(&mut self, seek: Seek, desk: &mut Desk<'_>) {
        self.give_up_search();
        self.backlog = None;
        self.following &= seek == Seek::End;
        self.read(seek, desk);
    }

    /// What is being searched is not gone to any more.
    const fn give_up_search(&mut self) {
        self.searching = None;
        self.parting = None;
    }

    fn read(&mut self, seek: Seek, desk: &mut Desk<'_>) {
        self.seek = seek;
        self.awaiting = Some(desk.ask(Slot::Main, Query::Moment(self.simulation.clone(), seek)));
    }

    fn ask_course(&mut self, desk: &mut Desk<'_>) {
        if self.awaiting_course.is_none() {
            self.awaiting_course = Some(desk.ask(Slot::Side, Query::Course(self.simulation.clone())));
        }
    }

    /// The bank that is selected; `None`: all together.
    fn bank(&self) -> Option<&BankRow> {
        let moment = self.moment.as_ref()?;
        moment.banks.get(self.banks.at.checked_sub(1)?)
    }

    /// Queue 1 of the selected bank, or all of them.
    fn queue1(&self) -> Vec<QueueRow> {
        let bank = self.bank().map(|bank| bank.bank.as_str());
        let rows = self.moment.as_ref().map_or(&[][..], |moment| &moment.queue1);
        rows.iter().filter(|row| bank.is_none_or(|bank| row.sender == bank)).cloned().collect()
    }

    /// A step of the user: what is being searched does not lead away from where it ends.
    fn step_by_hand(&mut self, intent: Intent, times: u64, desk: &mut Desk<'_>) {
        self.give_up_search();
        self.step(intent, times, desk);
    }

    fn step(&mut self, intent: Intent, times: u64, desk: &mut Desk<'_>) {
        if self.awaiting.is_some() {
            let waiting = self.backlog.take().filter(|(waiting, _)| *waiting == intent);
            self.backlog = Some((intent, waiting.map_or(times, |(_, before)| before.saturating_add(times))));
            return;
        }
        let Some(moment) = &self.moment else { return };
        self.following = false;
        match step(moment, intent, times) {
            Step::To(seek) => self.read(seek, desk),
            Step::AtEnd => {
                self.playing &= moment.status == Status::Running;
                desk.say("this is the last stored tick");
            }
            Step::AtStart => desk.say("this is the start of the simulation"),
        }
    }

    fn arrive(&mut self, moment: Box<Moment>, desk: &mut Desk<'_>) {
        let keys = self.moment.as_ref().map(|before| {
            let queue1 = self.queue1().get(self.queue1.at).map(QueueRow::key);
            let queue2 = before.queue2.get(self.queue2.at).map(QueueRow::key);
            (queue1, queue2, before.tick == moment.tick && before.applied == moment.applied)
        });
        self.seek = Seek::Event(moment.tick, moment.applied);
        if !keys.as_ref().is_some_and(|(.., same)| *same) {
            self.events.at = moment.applied.saturating_sub(1);
        }
        self.moment = Some(moment);
        self.problem = None;
        if let Some((queue1, queue2, _)) = keys {
            let rows = self.queue1();
            self.queue1.keep(queue1.as_ref(), &rows);
            if let Some(moment) = &self.moment {
                self.queue2.keep(queue2.as_ref(), &moment.queue2);
            }
        }
        if let Some((intent, times)) = self.backlog.take() {
            self.step(intent, times, desk);
        }
    }

    /// Looks for the next event of the selected type in another tick.
    fn find_kind(&mut self, forward: bool, desk: &mut Desk<'_>) {
        let Some(moment) = &self.moment else { return };
        let Some(event) = moment.events.get(self.events.at) else {
            desk.complain("select an event first: its type is looked for");
            return;
        };
        let edge = if forward { moment.events.last() } else { moment.events.first() };
        let filter = EventFilter { kinds: vec![event.kind.clone()], ..EventFilter::default() };
        let from = edge.map(|event| event.sequence);
        let query = Query::FindEvent { simulation: self.simulation.clone(), filter, from, forward };
        self.searching = Some(desk.ask(Slot::Find, query));
    }

    /// Runs to the next event that the condition lets through, from the last one that has happened.
    fn run_to(&mut self, forward: bool, desk: &mut Desk<'_>) {
        if self.condition.is_empty() {
            *desk.prompt = Some(Prompt::new(Purpose::Condition, ""));
            return;
        }
        let Some(moment) = &self.moment else { return };
        let last = moment.applied.checked_sub(1).and_then(|last| moment.events.get(last));
        let next = moment.events.get(moment.applied);
        let mut filter = self.condition.clone();
        let from = match (last, next) {
            (Some(event), _) => Some(event.sequence),
            // Before the first event of its tick: that one is still to come.
            (None, Some(next)) if forward => next.sequence.checked_sub(1),
            (None, Some(next)) => Some(next.sequence),
            // A tick without events has no sequence: its neighbours are told by their ticks.
            (None, None) => {
                let (low, high) = filter.ticks.unwrap_or((0, u64::MAX));
                filter.ticks = Some(match forward {
                    true => (low.max(moment.tick.saturating_add(1)), high),
                    false => (low, high.min(moment.tick)),
                });
                None
            }
        };
        let query = Query::FindEvent { simulation: self.simulation.clone(), filter, from, forward };
        self.playing = false;
        self.searching = Some(desk.ask(Slot::Find, query));
    }

    fn play_intent(&mut self, intent: Intent, desk: &mut Desk<'_>) -> bool {
        match intent {
            Intent::PlayPause => self.playing = !self.playing,
            Intent::Faster => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            Intent::Slower => self.speed = self.speed.saturating_sub(1),
            Intent::Follow => {
                self.following = !self.following;
                if self.following {
                    self.playing = false;
                    self.go(Seek::End, desk);
                }
            }
            _ => return false,
        }
        true
    }

    fn open_events(&self, desk: &mut Desk<'_>) {
        let selected = self.moment.as_ref().and_then(|moment| moment.events.get(self.events.at));
        let start = selected.map_or(From::First, |event| From::Around(event.sequence));
        desk.open(Screen::Events(Events::new(self.simulation.clone(), start)));
    }

    /// The payment that is selected: in a queue, else that of the selected event.
    fn payment(&self) -> Option<String> {
        let moment = self.moment.as_ref()?;
        match self.focus.pane {
            QUEUE1 => self.queue1().get(self.queue1.at).map(|row| row.payment.clone()),
            QUEUE2 => moment.queue2.get(self.queue2.at).map(|row| row.payment.clone()),
            _ => moment.events.get(self.events.at).and_then(|event| describe::payment(&event.line)),
        }
    }

    fn open_payment(&self, desk: &mut Desk<'_>) {
        match self.payment() {
            Some(payment) => desk.open(Screen::Payment(Payment::new(self.simulation.clone(), payment))),
            None => desk.complain("select a payment in a queue, or an event about one"),
        }
    }

    fn open_bank(&self, desk: &mut Desk<'_>) {
        match self.bank() {
            Some(bank) => desk.open(Screen::Bank(Bank::new(self.simulation.clone(), bank.bank.clone()))),
            None => desk.complain("select one bank in pane 1"),
        }
    }

    fn ask_parting(&mut self, desk: &mut Desk<'_>) {
        match &self.companion {
            None => *desk.prompt = Some(Prompt::new(Purpose::Companion, "")),
            Some(other) => {
                let query = Query::Divergence(self.simulation.clone(), other.clone());
                self.parting = Some(desk.ask(Slot::Find, query));
            }
        }
    }

    fn part(&mut self, answer: Result<Answer, String>, desk: &mut Desk<'_>) {
        let other = self.companion.clone().unwrap_or_default();
        match answer {
            Ok(Answer::Divergence(None)) => desk.say(format!("every event is the same as in {other}")),
            Ok(Answer::Divergence(Some(Divergence { sequence, a: Some(_), b }))) => {
                desk.say(match b {
                    Some(event) => {
                        format!("{other} has here: {} {}", event.kind, describe::summary(&event.line))
                    }
                    None => format!("{other} has ended before this event"),
                });
                self.go(Seek::Sequence(sequence), desk);
            }
            Ok(_) => {
                desk.say(format!("{other} goes on where this one ends"));
                self.go(Seek::End, desk);
            }
            Err(problem) => {
                self.companion = None;
                desk.complain(problem);
            }
        }
    }

    fn list_motion(&mut self, intent: Intent, count: Option<u64>) -> bool {
        let queue1 = self.queue1().len();
        let Some(moment) = &self.moment else { return false };
        match self.focus.pane {
            BANKS => self.banks.motion(intent, count, moment.banks.len() + 1),
            EVENTS => self.events.motion(intent, count, moment.events.len()),
            QUEUE1 => self.queue1.motion(intent, count, queue1),
            QUEUE2 => self.queue2.motion(intent, count, moment.queue2.len()),
            _ => false,
        }
    }

    fn into(&mut self, desk: &mut Desk<'_>) {
        let Some(moment) = &self.moment else { return };
        if self.focus.is(EVENTS) && !moment.events.is_empty() {
            self.go(Seek::Event(moment.tick, self.events.at + 1), desk);
        } else {
            self.focus.zoomed = !self.focus.zoomed;
        }
    }
}

impl View for Replay {
    fn crumb(&self) -> String {
        format!("Replay of {}", self.title)
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Replay, Scope::Lists, Scope::Everywhere]
    }

    fn enter(&mut self, desk: &mut Desk<'_>) {
        self.give_up_search();
        self.backlog = None;
        self.awaiting_course = None;
        self.read(self.seek, desk);
        self.ask_course(desk);
    }

    fn poll(&mut self, desk: &mut Desk<'_>) {
        let running = self.moment.as_ref().is_none_or(|moment| moment.status == Status::Running);
        if running && self.awaiting.is_none() && !self.playing {
            self.read(if self.following { Seek::End } else { self.seek }, desk);
            self.ask_course(desk);
        }
    }

    fn intent(&mut self, intent: Intent, count: Option<u64>, desk: &mut Desk<'_>) -> bool {
        let times = count.unwrap_or(1);
        if self.focus.intent(intent, count)
            || self.play_intent(intent, desk)
            || self.list_motion(intent, count)
        {
            return true;
        }
        match intent {
            Intent::TickForward | Intent::TickBack | Intent::EventForward | Intent::EventBack => {
                self.step_by_hand(intent, times, desk);
            }
            Intent::TenForward => self.step_by_hand(Intent::TickForward, times.saturating_mul(10), desk),
            Intent::TenBack => self.step_by_hand(Intent::TickBack, times.saturating_mul(10), desk),
            Intent::NextOfKind | Intent::PreviousOfKind => self.find_kind(intent == Intent::NextOfKind, desk),
            Intent::GoToTick => match count {
                Some(tick) => self.go(Seek::Tick(tick), desk),
                None => *desk.prompt = Some(Prompt::new(Purpose::Tick, "")),
            },
            Intent::First => self.go(Seek::Event(0, 0), desk),
            Intent::Last => self.go(Seek::End, desk),
            Intent::OpenEvents => self.open_events(desk),
            Intent::OpenPolicy => {
                let bank = self.bank().map_or_else(String::new, |bank| bank.bank.clone());
                let policy = PolicyOf::Simulated { simulation: self.simulation.clone(), bank };
                desk.open(Screen::Policy(Policy::new(None, policy)));
            }
            Intent::OpenPayment => self.open_payment(desk),
            Intent::OpenBank => self.open_bank(desk),
            Intent::Condition => {
                *desk.prompt = Some(Prompt::new(Purpose::Condition, self.condition.typed()));
            }
            Intent::RunForward | Intent::RunBack => self.run_to(intent == Intent::RunForward, desk),
            Intent::FirstDifference => self.ask_parting(desk),
            Intent::Into if matches!(self.focus.pane, QUEUE1 | QUEUE2) && self.payment().is_some() => {
                self.open_payment(desk);
            }
            Intent::Into => self.into(desk),
            _ => return false,
        }
        true
    }

    fn answer(&mut self, ticket: Ticket, answer: Result<Answer, String>, desk: &mut Desk<'_>) -> bool {
        if self.awaiting.take_if(|awaited| *awaited == ticket).is_some() {
            match answer {
                Ok(Answer::Moment(moment)) => self.arrive(moment, desk),
                Ok(_) => {}
                Err(problem) => {
                    self.playing = false;
                    self.backlog = None;
                    self.problem = Some(problem);
                }
            }
        } else if self.awaiting_course.take_if(|awaited| *awaited == ticket).is_some() {
            match answer {
                Ok(Answer::Course(course)) => self.course = course,
                Ok(_) => {}
                Err(problem) => desk.complain(problem),
            }
        } else if self.searching.take_if(|awaited| *awaited == ticket).is_some() {
            match answer {
                Ok(Answer::Found(Some(event))) => self.go(Seek::Sequence(event.sequence), desk),
                Ok(_) => desk.complain("there is no further event of this kind"),
                Err(problem) => desk.complain(problem),
            }
        } else if self.parting.take_if(|awaited| *awaited == ticket).is_some() {
            self.part(answer, desk);
        } else {
            return false;
        }
        true
    }

    fn counts(&self) -> bool {
        true
    }

    fn given(&mut self, purpose: Purpose, text: &str, desk: &mut Desk<'_>) {
        match (purpose, text.parse()) {
            (Purpose::Tick, Ok(tick)) => self.go(Seek::Tick(tick), desk),
            (Purpose::Condition, _) => {
                if let Ok(condition) = EventFilter::parse(text) {
                    self.condition = condition;
                    self.run_to(true, desk);
                }
            }
            (Purpose::Companion, _) if !text.is_empty() => {
                self.companion = Some(text.to_owned());
                self.ask_parting(desk);
            }
            _ => {}
        }
    }

    fn pace(&self) -> Option<Duration> {
        let speed = SPEEDS.get(self.speed).copied().unwrap_or(1);
        self.playing.then(|| Duration::from_millis(1000 / speed))
    }

    fn beat(&mut self, desk: &mut Desk<'_>) {
        if self.playing && self.awaiting.is_none() {
            self.step(Intent::TickForward, 1, desk);
        }
    }

    fn simulation(&self) -> Option<&str> {
        Some(&self.simulation)
    }

    fn export(&self) -> Option<Export> {
        Some(Export::Events(self.simulation.clone(), EventFilter::default()))
    }

    fn copyable(&self) -> Option<Copyable> {
        let moment = self.moment.as_ref()?;
        let whole = moment.applied == moment.events.len();
        let link = Link::Replay(self.simulation.clone(), moment.tick, (!whole).then_some(moment.applied));
        let event = moment.events.get(self.events.at);
        let row = event.map_or_else(String::new, |event| event.line.clone());
        Some(Copyable { link, id: self.simulation.clone(), row })
    }

    fn draw(&self, area: Rect, buffer: &mut Buffer, scene: Scene<'_>) {
        self.draw_panes(area, buffer, scene.look);
    }
}
