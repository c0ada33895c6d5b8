//! Ctrl+C and SIGTERM: the first asks the run to end after its tick, the second ends at once.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::run::CancelFlag;

const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// The exit status that the first signal asks for.
static ASKED: AtomicU8 = AtomicU8::new(INTERRUPTED);

/// The exit status of a command that a signal ended: 143 after SIGTERM, else 130.
pub fn status() -> u8 {
    ASKED.load(Ordering::Relaxed)
}

/// A file that has reached its permitted size (`ulimit -f`) ends in an error of whoever writes it, not in
/// the end of the program. The handler stays when the runtime that installed it has gone.
pub fn survive_full_files() {
    let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
    if let Err(error) =
        runtime.block_on(async { signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop) })
    {
        tracing::warn!(%error, "a limit of the size of files would end the program");
    }
}

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
                _ = interrupts.recv() => INTERRUPTED,
                _ = terminations.recv() => TERMINATED,
            };
            if cancel.is_cancelled() {
                std::process::exit(status.into());
            }
            ASKED.store(status, Ordering::Relaxed);
            cancel.cancel();
        }
    });
}
