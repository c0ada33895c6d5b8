//! Ctrl+C and SIGTERM: the first asks the run to end after its tick, the second ends at once.

use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::error::CliError;
use crate::persistence::Reader;
use crate::run::CancelFlag;

/// Time between two looks at whether a query is to end.
const PAUSE: Duration = Duration::from_millis(20);

/// Watches for signals from now on; gives the flag that they set.
pub fn watch() -> CancelFlag {
    let cancel = CancelFlag::default();
    let flag = cancel.clone();
    let (ready, watching) = channel();
    let watcher = thread::Builder::new().name("signals".to_owned());
    // Without the thread signals end the program at once, which loses nothing that was committed.
    if watcher.spawn(move || wait(&flag, ready)).is_ok() {
        // An error means that the thread has given up: then nothing is to be waited for either.
        let _ = watching.recv();
    }
    cancel
}

/// Does something with a reader that Ctrl+C ends, so that whatever it was making is taken away.
pub fn or_done<T>(reader: &Reader, work: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    let (cancel, query) = (watch(), reader.interrupt());
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

fn wait(cancel: &CancelFlag, ready: Sender<()>) {
    let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
    runtime.block_on(async {
        let (Ok(mut interrupts), Ok(mut terminations)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        drop(ready);
        loop {
            let status = tokio::select! {
                _ = interrupts.recv() => 130,
                _ = terminations.recv() => 143,
            };
            if cancel.is_cancelled() {
                std::process::exit(status);
            }
            cancel.cancel();
        }
    });
}
