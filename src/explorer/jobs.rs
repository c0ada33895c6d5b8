//! The jobs of this session: a queue with a limit on how many run at once.

use std::collections::VecDeque;

use super::message::{Effect, JobId};
use super::rows::{Hearing, JobReport, Plan, Progress, Status};

/// Lines of a job's log that are kept.
const LOG_LINES: usize = 200;
/// Jobs that run at once, to begin with; an experiment keeps all cores busy by itself.
const LIMIT: usize = 2;
/// The most that can be chosen.
const MOST: usize = 16;

/// How far a job is.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    Waiting,
    Running,
    /// It waits between two ticks or simulations; another one may run in its place.
    Paused,
    /// Asked to stop; it ends after the tick that it is in.
    Cancelling,
    Ended {
        status: Status,
        message: String,
    },
}

/// One job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub plan: Plan,
    pub state: JobState,
    pub progress: Progress,
    /// The run or simulation that it writes, once it began.
    pub run: Option<String>,
    pub simulation: Option<String>,
    pub log: VecDeque<String>,
    /// What a language model is saying.
    pub hearing: Option<Hearing>,
}

impl Job {
    /// Whether it still has something to do.
    pub const fn is_active(&self) -> bool {
        !matches!(self.state, JobState::Ended { .. })
    }

    /// Seconds until it ends, if that can be told.
    pub fn remaining_seconds(&self) -> Option<f64> {
        let Progress { part, elapsed_seconds, .. } = self.progress;
        (self.state == JobState::Running && part > 0.01 && part <= 1.0)
            .then(|| elapsed_seconds / part * (1.0 - part))
    }

    fn note(&mut self, line: String) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }
}

/// All jobs of the session, oldest first; those that wait in the order in which they start.
#[derive(Clone, Debug, PartialEq)]
pub struct Jobs {
    list: Vec<Job>,
    limit: usize,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { list: Vec::new(), limit: LIMIT }
    }
}

impl Jobs {
    /// The jobs, oldest first.
    pub fn list(&self) -> &[Job] {
        &self.list
    }

    /// How many may run at once.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Lets more or fewer run at once; those that run go on.
    pub fn set_limit(&mut self, limit: usize, effects: &mut Vec<Effect>) {
        self.limit = limit.clamp(1, MOST);
        self.start_waiting(effects);
    }

    /// Lets a running job wait, or a paused one go on; false if it does neither.
    pub fn pause(&mut self, id: JobId, effects: &mut Vec<Effect>) -> bool {
        let Some(job) = self.list.iter_mut().find(|job| job.id == id) else { return false };
        let paused = match job.state {
            JobState::Running => true,
            JobState::Paused => false,
            _ => return false,
        };
        job.state = if paused { JobState::Paused } else { JobState::Running };
        effects.push(Effect::PauseJob(id, paused));
        self.start_waiting(effects);
        true
    }

    /// Lets a waiting job start before or after its neighbour; false if there is none that waits.
    pub fn reorder(&mut self, id: JobId, sooner: bool) -> bool {
        let waiting = |job: &Job| job.state == JobState::Waiting;
        let Some(place) = self.list.iter().position(|job| job.id == id && waiting(job)) else { return false };
        let other = if sooner {
            self.list[..place].iter().rposition(waiting)
        } else {
            self.list[place + 1..].iter().position(waiting).map(|behind| place + 1 + behind)
        };
        if let Some(other) = other {
            self.list.swap(place, other);
        }
        other.is_some()
    }

    /// How many run, wait or are being cancelled.
    pub fn active(&self) -> usize {
        self.list.iter().filter(|job| job.is_active()).count()
    }

    /// The part done of the jobs that are active, on average.
    pub fn part_done(&self) -> f64 {
        let active = self.active();
        let sum: f64 = self.list.iter().filter(|job| job.is_active()).map(|job| job.progress.part).sum();
        if active == 0 { 0.0 } else { sum / active as f64 }
    }

    /// Adds a job and starts it if there is room.
    pub fn add(&mut self, plan: Plan, effects: &mut Vec<Effect>) -> JobId {
        let id = self.list.len() as JobId + 1;
        self.list.push(Job {
            id,
            plan,
            state: JobState::Waiting,
            progress: Progress::default(),
            run: None,
            simulation: None,
            log: VecDeque::new(),
            hearing: None,
        });
        self.start_waiting(effects);
        id
    }

    /// Asks a job to stop; one that waits ends at once.
    pub fn cancel(&mut self, id: JobId, effects: &mut Vec<Effect>) {
        let Some(job) = self.list.iter_mut().find(|job| job.id == id) else { return };
        match job.state {
            JobState::Waiting => {
                let message = "cancelled before it began".to_owned();
                job.state = JobState::Ended { status: Status::Cancelled, message };
            }
            JobState::Running | JobState::Paused => {
                job.state = JobState::Cancelling;
                effects.push(Effect::CancelJob(id));
            }
            JobState::Cancelling | JobState::Ended { .. } => {}
        }
    }

    /// Asks all jobs to stop.
    pub fn cancel_all(&mut self, effects: &mut Vec<Effect>) {
        // Waiting ones first, so that none of them starts in the place of a running one.
        for waiting in [true, false] {
            let chosen = self.list.iter().filter(|job| (job.state == JobState::Waiting) == waiting);
            for id in chosen.map(|job| job.id).collect::<Vec<_>>() {
                self.cancel(id, effects);
            }
        }
    }

    /// Takes in what a job reports; returns its last words when it has ended.
    pub fn report(&mut self, id: JobId, report: JobReport, effects: &mut Vec<Effect>) -> Option<String> {
        let job = self.list.iter_mut().find(|job| job.id == id && job.is_active())?;
        match report {
            JobReport::Started { run, simulation } => {
                job.run = run;
                job.simulation = simulation;
            }
            JobReport::Progress(progress) => job.progress = progress,
            JobReport::Log(line) => job.note(line),
            JobReport::Heard(hearing) => job.hearing = hearing,
            JobReport::Ended { status, message } => {
                if status == Status::Completed {
                    job.progress.part = 1.0;
                }
                job.hearing = None;
                job.note(message.clone());
                let said = format!("{} {}: {message}", job.plan.title, status.word());
                job.state = JobState::Ended { status, message };
                self.start_waiting(effects);
                return Some(said);
            }
        }
        None
    }

    fn start_waiting(&mut self, effects: &mut Vec<Effect>) {
        let busy = |job: &&Job| matches!(job.state, JobState::Running | JobState::Cancelling);
        let room = self.limit.saturating_sub(self.list.iter().filter(busy).count());
        for job in self.list.iter_mut().filter(|job| job.state == JobState::Waiting).take(room) {
            job.state = JobState::Running;
            effects.push(Effect::StartJob(job.id, job.plan.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Kind;
    use super::*;

    fn plan(title: &str) -> Plan {
        Plan {
            source: format!("library:{title}"),
            kind: Kind::Scenario,
            title: title.into(),
            seed: "1".into(),
            ticks: Some(10),
            experiment: None,
        }
    }

    fn ended(status: Status) -> JobReport {
        JobReport::Ended { status, message: "over".into() }
    }

    fn three() -> (Jobs, Vec<Effect>) {
        let (mut jobs, mut effects) = (Jobs::default(), Vec::new());
        for title in ["one", "two", "three"] {
            jobs.add(plan(title), &mut effects);
        }
        (jobs, effects)
    }

    #[test]
    fn a_job_waits_until_there_is_room() {
        let (mut jobs, mut effects) = three();
        assert_eq!(effects.len(), 2);
        assert_eq!(jobs.list()[2].state, JobState::Waiting);
        effects.clear();
        jobs.report(1, ended(Status::Completed), &mut effects);
        assert_eq!(effects, [Effect::StartJob(3, plan("three"))]);
    }

    #[test]
    fn a_paused_job_makes_room_and_goes_on() {
        let (mut jobs, mut effects) = three();
        effects.clear();
        assert!(jobs.pause(1, &mut effects));
        assert_eq!(effects, [Effect::PauseJob(1, true), Effect::StartJob(3, plan("three"))]);
        effects.clear();
        assert!(jobs.pause(1, &mut effects));
        assert_eq!(
            (effects.as_slice(), &jobs.list()[0].state),
            (&[Effect::PauseJob(1, false)][..], &JobState::Running)
        );
        jobs.report(2, ended(Status::Completed), &mut effects);
        assert!(!jobs.pause(2, &mut effects), "it has ended");
    }

    #[test]
    fn a_paused_job_can_be_cancelled() {
        let (mut jobs, mut effects) = three();
        jobs.pause(1, &mut effects);
        effects.clear();
        jobs.cancel(1, &mut effects);
        assert_eq!(effects, [Effect::CancelJob(1)]);
    }

    #[test]
    fn the_limit_and_the_order_can_be_changed() {
        let (mut jobs, mut effects) = three();
        jobs.add(plan("four"), &mut effects);
        assert!(jobs.reorder(4, true));
        assert!(!jobs.reorder(4, true), "those before it run");
        assert!(!jobs.reorder(1, false), "it does not wait");
        effects.clear();
        jobs.set_limit(3, &mut effects);
        assert_eq!(effects, [Effect::StartJob(4, plan("four"))]);
        jobs.set_limit(0, &mut effects);
        assert_eq!(jobs.limit(), 1);
    }

    #[test]
    fn cancelling_everything_starts_nothing() {
        let (mut jobs, mut effects) = three();
        effects.clear();
        jobs.cancel_all(&mut effects);
        assert_eq!(effects, [Effect::CancelJob(1), Effect::CancelJob(2)]);
        assert_eq!(jobs.active(), 2);
        for id in [1, 2] {
            assert!(jobs.report(id, ended(Status::Cancelled), &mut effects).is_some());
        }
        assert_eq!((jobs.active(), effects.len()), (0, 2));
    }

    #[test]
    fn a_reply_is_there_until_it_is_whole_or_the_job_ends() {
        let (mut jobs, mut effects) = three();
        let reply = Hearing { agent: "A".into(), call: 1, text: "{\"ver".into() };
        jobs.report(1, JobReport::Heard(Some(reply.clone())), &mut effects);
        assert_eq!(jobs.list()[0].hearing, Some(reply.clone()));
        jobs.report(1, JobReport::Heard(None), &mut effects);
        assert_eq!(jobs.list()[0].hearing, None);
        jobs.report(1, JobReport::Heard(Some(reply)), &mut effects);
        jobs.report(1, ended(Status::Failed), &mut effects);
        assert_eq!(jobs.list()[0].hearing, None);
    }

    #[test]
    fn nothing_is_heard_of_a_job_that_has_ended() {
        let (mut jobs, mut effects) = three();
        jobs.report(1, ended(Status::Failed), &mut effects);
        assert_eq!(jobs.report(1, ended(Status::Completed), &mut effects), None);
        assert!(matches!(&jobs.list()[0].state, JobState::Ended { status: Status::Failed, .. }));
    }
}
