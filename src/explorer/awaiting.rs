//! A question whose answer a screen waits for.

use super::desk::Desk;
use super::message::{Answer, Query, Slot, Ticket};

/// The question that was asked last, and why it could not be answered.
#[derive(Debug, Default)]
pub struct Awaiting {
    ticket: Option<Ticket>,
    problem: Option<String>,
}

impl Awaiting {
    /// Nothing is asked yet.
    pub const fn new() -> Self {
        Self { ticket: None, problem: None }
    }

    /// Asks; an answer to what was asked before is not waited for any more.
    pub fn ask(&mut self, desk: &mut Desk<'_>, slot: Slot, query: Query) {
        self.ticket = Some(desk.ask(slot, query));
    }

    /// Waits for nothing any more.
    pub const fn give_up(&mut self) {
        self.ticket = None;
    }

    /// Forgets the problem: something else is asked now.
    pub fn clear(&mut self) {
        self.problem = None;
    }

    /// Whether an answer is waited for.
    pub const fn waits(&self) -> bool {
        self.ticket.is_some()
    }

    /// Whether it is this question that an answer is waited for.
    pub fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == Some(ticket)
    }

    /// What has come: `None` if it answers another question, nothing in it if there is a problem instead,
    /// which is kept until an answer comes.
    #[allow(clippy::option_option, reason = "whether it is ours, and whether it is an answer")]
    pub fn arrived(&mut self, ticket: Ticket, answer: Result<Answer, String>) -> Option<Option<Answer>> {
        if !self.awaits(ticket) {
            return None;
        }
        self.ticket = None;
        let (answer, problem) = match answer {
            Ok(answer) => (Some(answer), None),
            Err(problem) => (None, Some(problem)),
        };
        self.problem = problem;
        Some(answer)
    }

    /// The answer says that there is nothing to show.
    pub fn fail(&mut self, problem: String) {
        self.problem = Some(problem);
    }

    /// Why there is no answer.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_answer_counts_and_a_problem_stays_until_one_comes() {
        let mut awaiting = Awaiting { ticket: Some(7), problem: None };
        assert_eq!(awaiting.arrived(6, Ok(Answer::Nothing)), None);
        assert_eq!(awaiting.arrived(7, Err("the disk is gone".into())), Some(None));
        assert_eq!(awaiting.problem(), Some("the disk is gone"));
        assert_eq!(awaiting.arrived(7, Ok(Answer::Nothing)), None, "an answer comes once");
        awaiting.ticket = Some(8);
        assert_eq!(awaiting.arrived(8, Ok(Answer::Nothing)), Some(Some(Answer::Nothing)));
        assert_eq!(awaiting.problem(), None);
    }
}
