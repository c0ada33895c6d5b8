//! The log: what the program notices and nobody asked for, in a file of the user's state folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::folders;

/// Size at which a log is put aside; the one before it is forgotten.
const LARGEST: u64 = 1024 * 1024;

/// Where the log goes: `$XDG_STATE_HOME/payment-sim/payment-sim.log`; nothing without a home.
#[must_use]
pub fn path() -> Option<PathBuf> {
    Some(folders::state()?.join("payment-sim.log"))
}

/// Sends warnings and notices to the log file. Without a folder that can be written there is no log,
/// and nothing else changes.
pub fn start() {
    let Some(path) = path() else { return };
    let log = LogFile { path, file: Mutex::new(None) };
    // Others may note what is nobody's business: a library for language models whole answers, in which a
    // server may repeat a key.
    let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), Level::INFO);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log).with_filter(own);
    // Only the first call of a process takes effect.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!(%panic, "a defect of the program");
        report(panic);
    }));
}

/// Opens its file when there is something to say, so that a quiet program leaves none.
struct LogFile {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = Some(open(&self.path)?);
        }
        file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|log| log.len() > LARGEST) {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_log_appears_with_its_first_line_and_is_put_aside_when_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/payment-sim.log");
        let log = LogFile { path: path.clone(), file: Mutex::new(None) };
        assert!(!path.exists());
        (&log).write_all(b"first\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\n");

        fs::write(&path, vec![b'x'; usize::try_from(LARGEST).unwrap() + 1]).unwrap();
        let log = LogFile { path: path.clone(), file: Mutex::new(None) };
        (&log).write_all(b"next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "next\n");
        assert!(folder.path().join("state/payment-sim.log.old").exists());
    }
}
