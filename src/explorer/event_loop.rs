//! The one loop: terminal events, messages and timers in, at most one frame per 16 ms out. A key script
//! (`script`) drives the same [`Loop`] without a terminal.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep_until};

use super::key::Key;
use super::message::{Effect, JobId, Message, Query, Slot, Ticket};
use super::rows::Plan;
use super::state::{Leaving, State};
use super::update::{begin, update};

/// Least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Time between two looks for new rows while jobs run.
const POLL: Duration = Duration::from_millis(500);
/// How long jobs may take to finish their tick after a signal.
const PATIENCE: Duration = Duration::from_secs(5);

/// What carries the effects out.
pub trait World {
    /// Asks the database.
    fn ask(&mut self, slot: Slot, ticket: Ticket, query: Query);
    /// Starts a job.
    fn start(&mut self, id: JobId, plan: Plan);
    /// Asks a job to stop.
    fn cancel(&mut self, id: JobId);
    /// Lets a job wait, or go on.
    fn pause(&mut self, id: JobId, paused: bool);
    /// The file to edit for a path or a library entry, of which it makes a copy.
    fn draft(&mut self, source: &str) -> Result<PathBuf, String>;
}

/// What frames are drawn on.
pub trait Canvas {
    /// Columns and rows.
    fn size(&self) -> (u16, u16);
    /// Draws a frame from the state.
    fn draw(&mut self, state: &State) -> io::Result<()>;
    /// Gives the terminal back, waits until the process goes on, and takes it again.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal again, after somebody else stopped and continued the process.
    fn resume(&mut self) -> io::Result<()>;
    /// Gives the terminal back to the user's editor on a file until that ends, and takes it again.
    fn edit(&mut self, path: &Path) -> io::Result<Result<(), String>>;
    /// Puts a text where the user can paste it from.
    fn copy(&mut self, text: &str) -> io::Result<()>;
}

/// Signals that concern the explorer.
struct Signals {
    terminate: Signal,
    hang_up: Signal,
    stop: Signal,
    go_on: Signal,
}

/// `SIGTSTP` and `SIGCONT`.
const STOP: SignalKind = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
const CONTINUE: SignalKind = SignalKind::from_raw(rustix::process::Signal::CONT.as_raw());

enum Caught {
    Terminate(i32),
    Stop,
    GoOn,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            stop: signal(STOP)?,
            go_on: signal(CONTINUE)?,
        })
    }

    async fn next(&mut self) -> Caught {
        tokio::select! {
            _ = self.terminate.recv() => Caught::Terminate(SignalKind::terminate().as_raw_value()),
            _ = self.hang_up.recv() => Caught::Terminate(SignalKind::hangup().as_raw_value()),
            _ = self.stop.recv() => Caught::Stop,
            _ = self.go_on.recv() => Caught::GoOn,
        }
    }
}

/// The state with what it is drawn on and what carries out its effects.
pub struct Loop<'a, C, W> {
    pub state: &'a mut State,
    canvas: &'a mut C,
    world: &'a mut W,
    last_frame: Instant,
    last_beat: Instant,
    last_poll: Instant,
    /// The signal that ends the explorer, and until when jobs are waited for.
    ending: Option<(i32, Instant)>,
    /// The newest question of each slot that is not answered yet.
    asked: BTreeMap<Slot, Ticket>,
    /// What is to be edited as soon as nothing else reads the keyboard.
    editing: Option<String>,
}

/// Runs until the user leaves, or a signal ends it; then its number.
///
/// # Errors
///
/// The terminal is gone.
pub async fn run(
    state: &mut State,
    canvas: &mut impl Canvas,
    world: &mut impl World,
    inbox: &mut UnboundedReceiver<Message>,
) -> io::Result<Option<i32>> {
    let mut signals = Signals::new()?;
    let mut events = EventStream::new();
    let mut this = Loop::begin(state, canvas, world)?;
    while this.state.leaving != Leaving::Now {
        this.draw_if_due()?;
        tokio::select! {
            event = events.next() => match event {
                Some(event) => this.terminal_event(&event?)?,
                None => break,
            },
            Some(message) = inbox.recv() => this.take(message)?,
            caught = signals.next() => this.caught(caught)?,
            () = earliest(this.timers()) => this.timers_due()?,
        }
        // Everything that waits is taken in before the next frame. Keys that wait come one by one: the
        // stream must not be polled aside, it would wake nobody afterwards.
        this.take_waiting(inbox)?;
        if this.editing.is_some() {
            // The stream reads the keyboard in a thread of its own, which now belongs to the editor.
            drop(events);
            this.edit_asked()?;
            events = EventStream::new();
        }
    }
    Ok(this.ending.map(|(signal, _)| signal))
}

/// Ends at the earliest of these times; never if there is none.
async fn earliest<const N: usize>(times: [Option<Instant>; N]) {
    match times.into_iter().flatten().min() {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

impl<'a, C: Canvas, W: World> Loop<'a, C, W> {
    /// Opens the first screens.
    pub fn begin(state: &'a mut State, canvas: &'a mut C, world: &'a mut W) -> io::Result<Self> {
        let now = Instant::now();
        state.size = canvas.size();
        let effects = begin(state);
        let mut this = Self {
            state,
            canvas,
            world,
            last_frame: now - FRAME,
            last_beat: now,
            last_poll: now,
            ending: None,
            asked: BTreeMap::new(),
            editing: None,
        };
        this.carry_out(effects)?;
        Ok(this)
    }

    /// Takes in what comes until then, or one message or timer if that is earlier.
    pub async fn idle(&mut self, inbox: &mut UnboundedReceiver<Message>, until: Instant) -> io::Result<()> {
        let [_, beat, poll, end] = self.timers();
        tokio::select! {
            Some(message) = inbox.recv() => self.take(message)?,
            () = earliest([beat, poll, end, Some(until)]) => self.timers_due()?,
        }
        self.take_waiting(inbox)
    }

    /// Whether every question is answered.
    pub fn is_settled(&self) -> bool {
        self.asked.is_empty()
    }

    /// Lets the user edit what a screen asked for.
    pub fn edit_asked(&mut self) -> io::Result<()> {
        let Some(source) = self.editing.take() else { return Ok(()) };
        let message = match self.world.draft(&source) {
            Err(problem) => Message::Trouble(problem),
            Ok(path) => match self.canvas.edit(&path)? {
                Ok(()) => Message::Edited(path.display().to_string()),
                Err(problem) => Message::Trouble(problem),
            },
        };
        self.take(message)
    }

    fn take_waiting(&mut self, inbox: &mut UnboundedReceiver<Message>) -> io::Result<()> {
        while let Ok(message) = inbox.try_recv() {
            self.take(message)?;
        }
        Ok(())
    }

    fn timers(&self) -> [Option<Instant>; 4] {
        [self.frame_due(), self.beat_due(), self.poll_due(), self.ending.map(|(_, until)| until)]
    }

    fn frame_due(&self) -> Option<Instant> {
        self.state.dirty.then(|| self.last_frame + FRAME)
    }

    fn beat_due(&self) -> Option<Instant> {
        self.state.pace().map(|pace| self.last_beat + pace)
    }

    fn poll_due(&self) -> Option<Instant> {
        self.state.live().then(|| self.last_poll + POLL)
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        if self.state.dirty && self.last_frame.elapsed() >= FRAME {
            self.state.dirty = false;
            self.canvas.draw(self.state)?;
            self.last_frame = Instant::now();
        }
        Ok(())
    }

    fn timers_due(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if self.beat_due().is_some_and(|due| due <= now) {
            self.last_beat = now;
            self.take(Message::Beat)?;
        }
        if self.poll_due().is_some_and(|due| due <= now) {
            self.last_poll = now;
            // A question that is still being answered would be given up for the same one, over and over.
            if !self.asked.contains_key(&Slot::Main) {
                self.take(Message::Poll)?;
            }
        }
        if self.ending.is_some_and(|(_, until)| until <= now) {
            self.state.leaving = Leaving::Now;
        }
        Ok(())
    }

    fn terminal_event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Key(key) => match Key::from_terminal(key) {
                Some(key) => self.take(Message::Key(key)),
                None => Ok(()),
            },
            Event::Paste(text) => self.take(Message::Paste(text.clone())),
            Event::Resize(columns, rows) => self.take(Message::Resize(*columns, *rows)),
            _ => Ok(()),
        }
    }

    fn caught(&mut self, caught: Caught) -> io::Result<()> {
        match caught {
            Caught::Terminate(signal) => {
                self.ending = Some((signal, Instant::now() + PATIENCE));
                self.take(Message::Terminate)
            }
            Caught::Stop => self.carry_out(vec![Effect::Suspend]),
            Caught::GoOn => {
                self.canvas.resume()?;
                self.take(Message::Resumed)
            }
        }
    }

    /// Takes in a message and carries out what it asks for.
    pub fn take(&mut self, message: Message) -> io::Result<()> {
        if let Message::Answer(ticket, _) = &message {
            self.asked.retain(|_, asked| asked != ticket);
        }
        let effects = update(self.state, message);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Ask(slot, ticket, query) => {
                    self.asked.insert(slot, ticket);
                    self.world.ask(slot, ticket, query);
                }
                Effect::StartJob(id, plan) => self.world.start(id, plan),
                Effect::CancelJob(id) => self.world.cancel(id),
                Effect::PauseJob(id, paused) => self.world.pause(id, paused),
                Effect::Copy(text) => self.canvas.copy(&text)?,
                Effect::Suspend => {
                    self.canvas.suspend()?;
                    self.take(Message::Resumed)?;
                }
                Effect::Edit(source) => self.editing = Some(source),
                Effect::Quit => self.state.leaving = Leaving::Now,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::explorer::look::Look;
    use crate::explorer::message::Answer;
    use crate::explorer::rows::{Kind, Overview};
    use crate::explorer::script::Paper;

    /// Notes what is asked and answers nothing.
    #[derive(Default)]
    struct Asked(Vec<(Slot, Ticket)>);

    impl World for Asked {
        fn ask(&mut self, slot: Slot, ticket: Ticket, _query: Query) {
            self.0.push((slot, ticket));
        }

        fn start(&mut self, _id: JobId, _plan: Plan) {}

        fn cancel(&mut self, _id: JobId) {}

        fn pause(&mut self, _id: JobId, _paused: bool) {}

        fn draft(&mut self, source: &str) -> Result<PathBuf, String> {
            Ok(source.into())
        }
    }

    #[test]
    fn new_rows_are_looked_for_when_those_before_have_come() {
        let mut state = State::new(Vec::new(), String::new(), Look::default());
        let (source, title, seed) = (String::new(), String::new(), String::new());
        let plan = Plan { source, kind: Kind::Scenario, title, seed, ticks: None, experiment: None };
        state.jobs.add(plan, &mut Vec::new());
        let (mut canvas, mut world) = (Paper((80, 24)), Asked::default());
        let mut this = Loop::begin(&mut state, &mut canvas, &mut world).unwrap();
        let half_a_second_later = |this: &mut Loop<'_, Paper, Asked>| {
            this.last_poll -= POLL;
            this.timers_due().unwrap();
            this.world.0.clone()
        };
        assert_eq!(half_a_second_later(&mut this), [(Slot::Main, 1)], "the first question is open");
        this.take(Message::Answer(1, Ok(Answer::Overview(Overview::default())))).unwrap();
        assert_eq!(half_a_second_later(&mut this), [(Slot::Main, 1), (Slot::Main, 2)]);
        assert_eq!(half_a_second_later(&mut this).len(), 2);
    }
}
