//! The threads that ask the database, so that the screen never waits.
//!
//! The newest question of a slot counts: an older one that waits is forgotten, one that runs is
//! interrupted, and its answer is dropped.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::mpsc::UnboundedSender;

use super::message::{Answer, Message, Query, Slot, Ticket};
use crate::text::panic_message;

/// Ends the query that is being worked on; called from another thread.
pub type Interrupt = Box<dyn Fn() + Send>;

/// Answers questions, one at a time.
pub trait Source: Send + 'static {
    /// Answers; gives up soon after `stop` was set, whatever it says then.
    fn answer(&mut self, query: &Query, stop: &Stop) -> Result<Answer, String>;

    /// What ends a query of this source.
    fn interrupt(&self) -> Interrupt;
}

/// Says that nobody waits for the answer any more.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether to give up.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Running {
    slot: Slot,
    stop: Stop,
}

#[derive(Default)]
struct Queue {
    waiting: BTreeMap<Slot, (Ticket, Query)>,
    /// By thread.
    running: Vec<Option<Running>>,
    interrupts: Vec<Option<Interrupt>>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader threads.
pub struct Readers {
    shared: Arc<Shared>,
}

/// Reader threads.
const THREADS: usize = 3;

/// The thread that takes a question: what the eye waits for has one of its own, and so has what must not
/// be given up for a newer question.
const fn thread_of(slot: Slot) -> usize {
    match slot {
        Slot::Main => 0,
        Slot::Find | Slot::Side => 1,
        Slot::Errand => 2,
    }
}

impl Readers {
    /// Starts a thread for each of the sources.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start<S: Source>(
        sources: [S; THREADS],
        answers: &UnboundedSender<Message>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new() });
        for (number, source) in sources.into_iter().enumerate() {
            let mut queue = shared.lock();
            queue.running.push(None);
            queue.interrupts.push(Some(source.interrupt()));
            drop(queue);
            let (shared, answers) = (shared.clone(), answers.clone());
            thread::Builder::new()
                .name(format!("reader-{number}"))
                .spawn(move || work(number, source, &shared, &answers))?;
        }
        Ok(Self { shared })
    }

    /// Asks; forgets what the slot asked before.
    pub fn ask(&self, slot: Slot, ticket: Ticket, query: Query) {
        let mut queue = self.shared.lock();
        queue.waiting.insert(slot, (ticket, query));
        interrupt(&queue, |running| running.slot == slot);
        self.shared.changed.notify_all();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.closed = true;
        queue.waiting.clear();
        interrupt(&queue, |_| true);
        self.shared.changed.notify_all();
    }
}

/// Interrupts under the lock: a thread that has gone on to its next question is left alone.
fn interrupt(queue: &Queue, which: impl Fn(&Running) -> bool) {
    for (running, interrupt) in queue.running.iter().zip(&queue.interrupts) {
        if let (Some(running), Some(interrupt)) =
            (running.as_ref().filter(|running| which(running)), interrupt)
        {
            running.stop.set();
            interrupt();
        }
    }
}

fn work<S: Source>(number: usize, mut source: S, shared: &Shared, answers: &UnboundedSender<Message>) {
    loop {
        let mut queue = shared.lock();
        let (slot, ticket, query) = loop {
            if queue.closed {
                return;
            }
            let mine = queue.waiting.keys().copied().find(|slot| thread_of(*slot) == number);
            let next = mine.and_then(|slot| queue.waiting.remove_entry(&slot));
            match next {
                Some((slot, (ticket, query))) => break (slot, ticket, query),
                None => queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        };
        let stop = Stop::default();
        if let Some(place) = queue.running.get_mut(number) {
            *place = Some(Running { slot, stop: stop.clone() });
        }
        drop(queue);
        let answer = catch_unwind(AssertUnwindSafe(|| source.answer(&query, &stop)))
            .unwrap_or_else(|panic| Err(format!("internal error: {}", panic_message(panic.as_ref()))));
        let mut queue = shared.lock();
        if let Some(place) = queue.running.get_mut(number) {
            *place = None;
        }
        drop(queue);
        if !stop.is_set() && answers.send(Message::Answer(ticket, answer)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]

    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::explorer::rows::Overview;

    /// Answers a run's name at once; `slow` only when it is told to stop, and it says when it begins.
    struct Slow(mpsc::Sender<()>);

    impl Source for Slow {
        fn answer(&mut self, query: &Query, stop: &Stop) -> Result<Answer, String> {
            match query {
                Query::Run(name) if name == "slow" => {
                    let _ = self.0.send(());
                    let until = Instant::now() + Duration::from_secs(20);
                    while !stop.is_set() && Instant::now() < until {
                        thread::sleep(Duration::from_millis(1));
                    }
                    Err("stopped".into())
                }
                Query::Run(name) if name == "broken" => panic!("this query is broken"),
                _ => Ok(Answer::Overview(Overview::default())),
            }
        }

        fn interrupt(&self) -> Interrupt {
            Box::new(|| {})
        }
    }

    /// Readers, their answers, and what says that a slow question is being worked on.
    fn readers() -> (Readers, UnboundedReceiver<Message>, mpsc::Receiver<()>) {
        let (sender, receiver) = unbounded_channel();
        let (begin, begun) = mpsc::channel();
        match Readers::start([0; THREADS].map(|_| Slow(begin.clone())), &sender) {
            Ok(readers) => (readers, receiver, begun),
            Err(error) => panic!("no threads: {error}"),
        }
    }

    /// Asks a question that is being worked on from then on.
    fn ask_slowly(readers: &Readers, begun: &mpsc::Receiver<()>, slot: Slot) {
        readers.ask(slot, 1, Query::Run("slow".into()));
        assert_eq!(begun.recv_timeout(Duration::from_secs(20)), Ok(()));
    }

    #[test]
    fn the_newest_question_wins_and_the_old_answer_is_dropped() {
        let (readers, mut answers, begun) = readers();
        ask_slowly(&readers, &begun, Slot::Main);
        readers.ask(Slot::Main, 2, Query::Run("another".into()));
        let Some(Message::Answer(ticket, Ok(_))) = answers.blocking_recv() else { panic!("no answer") };
        assert_eq!(ticket, 2);
    }

    #[test]
    fn every_question_has_somebody_who_answers_it() {
        let (readers, mut answers, _) = readers();
        for (ticket, slot) in (1..).zip([Slot::Main, Slot::Find, Slot::Side, Slot::Errand]) {
            readers.ask(slot, ticket, Query::Overview);
            let Some(Message::Answer(answered, Ok(_))) = answers.blocking_recv() else { panic!("{slot:?}") };
            assert_eq!(answered, ticket, "{slot:?}");
        }
    }

    #[test]
    fn charts_do_not_hold_up_the_rows() {
        let (readers, mut answers, begun) = readers();
        ask_slowly(&readers, &begun, Slot::Side);
        readers.ask(Slot::Main, 2, Query::Overview);
        assert!(matches!(answers.blocking_recv(), Some(Message::Answer(2, Ok(_)))));
    }

    #[test]
    fn a_question_that_panics_is_answered_with_an_error() {
        let (readers, mut answers, _) = readers();
        readers.ask(Slot::Main, 1, Query::Run("broken".into()));
        let Some(Message::Answer(1, Err(problem))) = answers.blocking_recv() else { panic!("no answer") };
        assert!(problem.contains("this query is broken"), "{problem}");
        readers.ask(Slot::Main, 2, Query::Overview);
        assert!(matches!(answers.blocking_recv(), Some(Message::Answer(2, Ok(_)))), "the thread lives on");
    }

    #[test]
    fn leaving_ends_the_threads() {
        let (readers, mut answers, begun) = readers();
        ask_slowly(&readers, &begun, Slot::Main);
        drop(readers);
        assert_eq!(answers.blocking_recv(), None, "all senders are gone");
    }
}
