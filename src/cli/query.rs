//! Queries that take their time.

use std::thread;
use std::time::Duration;

use super::error::{CliError, say};
use super::interrupt;
use crate::persistence::{PersistenceError, Reader};

/// Time between two looks at whether a query is to end.
const PAUSE: Duration = Duration::from_millis(20);

/// Does something that asks now and then whether it is still wanted, which it no longer is after Ctrl+C.
pub fn until_unwanted<T>(
    work: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> Result<T, PersistenceError>,
) -> Result<T, CliError> {
    let cancel = interrupt::watch();
    match work(&|| cancel.is_cancelled()) {
        Err(PersistenceError::Cancelled) => Err(CliError::Interrupted),
        Err(error @ PersistenceError::ImportStopped { .. }) if cancel.is_cancelled() => {
            say(&format!("note: {error}"));
            error.hint().into_iter().for_each(|hint| say(&format!("hint: {hint}")));
            Err(CliError::Interrupted)
        }
        done => Ok(done?),
    }
}

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
