//! Pausing a job: its thread waits between two ticks, or between two simulations of an experiment.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether a job is to wait. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Pause(Arc<(Mutex<bool>, Condvar)>);

impl Pause {
    /// Lets the job wait, or go on.
    pub fn set(&self, paused: bool) {
        let (flag, changed) = &*self.0;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = paused;
        changed.notify_all();
    }

    /// Waits while the job is paused; says how long that was.
    pub fn wait(&self) -> Duration {
        let (flag, changed) = &*self.0;
        let mut paused = flag.lock().unwrap_or_else(PoisonError::into_inner);
        if !*paused {
            return Duration::ZERO;
        }
        let began = Instant::now();
        while *paused {
            paused = changed.wait(paused).unwrap_or_else(PoisonError::into_inner);
        }
        began.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_job_waits_until_it_may_go_on() {
        let pause = Pause::default();
        assert_eq!(pause.wait(), Duration::ZERO);
        pause.set(true);
        let other = pause.clone();
        let waiting = std::thread::spawn(move || other.wait());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished());
        pause.set(false);
        assert!(waiting.join().is_ok_and(|waited| waited > Duration::ZERO));
    }
}
