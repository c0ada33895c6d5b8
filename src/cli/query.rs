//! Queries that take their time.

use std::thread;
use std::time::Duration;

use super::error::CliError;
use super::interrupt;
use crate::persistence::Reader;

/// Time between two looks at whether a query is to end.
const PAUSE: Duration = Duration::from_millis(20);

/// Does something with a reader that Ctrl+C ends, so that whatever it was making is taken away.
pub fn interruptible<T>(reader: &Reader, work: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    let (cancel, query) = (interrupt::watch(), reader.interrupt());
    let flag = cancel.clone();
    let ending = move || {
        // Between two queries nobody hears it, so it is said again.
        loop {
            if flag.is_cancelled() {
                query.cancel();
            }
            thread::sleep(PAUSE);
        }
    };
    // Without the thread the second signal ends the program.
    drop(thread::Builder::new().name("ending".to_owned()).spawn(ending));
    let done = work();
    if done.is_err() && cancel.is_cancelled() { Err(CliError::Interrupted) } else { done }
}
