//! The one loop: terminal events, messages and timers in, at most one frame per 16 ms out.

use std::future::pending;
use std::io;
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
use super::terminal::Terminal;
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

struct Loop<'a, W> {
    state: &'a mut State,
    terminal: &'a mut Terminal,
    world: &'a mut W,
    last_frame: Instant,
    last_beat: Instant,
    last_poll: Instant,
    /// The signal that ends the explorer, and until when jobs are waited for.
    ending: Option<(i32, Instant)>,
}

/// Runs until the user leaves, or a signal ends it; then its number.
///
/// # Errors
///
/// The terminal is gone.
pub async fn run(
    state: &mut State,
    terminal: &mut Terminal,
    world: &mut impl World,
    inbox: &mut UnboundedReceiver<Message>,
) -> io::Result<Option<i32>> {
    let now = Instant::now();
    let mut signals = Signals::new()?;
    let mut events = EventStream::new();
    state.size = terminal.size();
    let mut this = Loop {
        state,
        terminal,
        world,
        last_frame: now - FRAME,
        last_beat: now,
        last_poll: now,
        ending: None,
    };
    let effects = begin(this.state);
    this.carry_out(effects)?;
    while this.state.leaving != Leaving::Now {
        this.draw_if_due()?;
        let timers =
            [this.frame_due(), this.beat_due(), this.poll_due(), this.ending.map(|(_, until)| until)];
        tokio::select! {
            event = events.next() => match event {
                Some(event) => this.terminal_event(&event?)?,
                None => break,
            },
            Some(message) = inbox.recv() => this.take(message)?,
            caught = signals.next() => this.caught(caught)?,
            () = earliest(timers) => this.timers_due()?,
        }
        // Everything that waits is taken in before the next frame. Keys that wait come one by one: the
        // stream must not be polled aside, it would wake nobody afterwards.
        while let Ok(message) = inbox.try_recv() {
            this.take(message)?;
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

impl<W: World> Loop<'_, W> {
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
            self.terminal.draw(self.state)?;
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
            self.take(Message::Poll)?;
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
                self.terminal.resume()?;
                self.take(Message::Resumed)
            }
        }
    }

    fn take(&mut self, message: Message) -> io::Result<()> {
        let effects = update(self.state, message);
        self.carry_out(effects)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Ask(slot, ticket, query) => self.world.ask(slot, ticket, query),
                Effect::StartJob(id, plan) => self.world.start(id, plan),
                Effect::CancelJob(id) => self.world.cancel(id),
                Effect::Suspend => {
                    self.terminal.suspend()?;
                    self.take(Message::Resumed)?;
                }
                Effect::Quit => self.state.leaving = Leaving::Now,
            }
        }
        Ok(())
    }
}
