//! The program from outside: a fresh folder, its standard streams, its exit status.

use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The program, run in a folder of its own.
pub struct Program {
    pub folder: TempDir,
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// A command that knows no data folder but this one's.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_payment-sim"));
        command
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env("HOME", self.folder.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("PAYMENT_SIM_DB");
        // A test that asks a language model brings its own server.
        for provider in ["OPENAI", "ANTHROPIC", "GOOGLE", "GEMINI"] {
            command.env_remove(format!("{provider}_API_KEY")).env_remove(format!("{provider}_BASE_URL"));
        }
        command
    }

    /// Runs a command line, words separated by blanks.
    pub fn run(&self, line: &str) -> Said {
        self.with(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command with these arguments.
    pub fn with(&self, arguments: &[&str]) -> Said {
        said(self.command().args(arguments).output().expect("the program starts"))
    }

    /// Runs a command line with a limit on the size of files, in blocks of 512 bytes: what lies beyond fails
    /// to be written as on a full disk.
    pub fn on_a_full_disk(&self, blocks: u32, line: &str) -> Said {
        let script = format!("ulimit -f {blocks}; exec \"$0\" {line}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_payment-sim")]).current_dir(self.folder.path());
        said(command.env("HOME", self.folder.path()).output().expect("a shell"))
    }

    /// Runs a command line that must succeed; gives its standard output.
    pub fn out(&self, line: &str) -> String {
        self.with_out(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs a command that must succeed; gives its standard output.
    pub fn with_out(&self, arguments: &[&str]) -> String {
        let said = self.with(arguments);
        assert_eq!(said.status, 0, "{arguments:?}: {}", said.err);
        said.out
    }

    /// The result of a command that prints one JSON object.
    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.out(line)).expect("one JSON object")
    }

    /// Rows of an SQL statement on a database.
    pub fn sql(&self, database: &str, query: &str) -> Vec<Value> {
        let text = self.with_out(&["db", "sql", query, "--db", database, "--format", "jsonl"]);
        text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), content).expect("a file is written");
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn has(&self, name: &str) -> bool {
        Path::exists(&self.path(name))
    }
}

/// Sends a signal to a process.
pub fn send(process: u32, signal: Signal) {
    let process = Pid::from_raw(i32::try_from(process).expect("a process id")).expect("a process id");
    kill_process(process, signal).expect("the signal is sent");
}

/// Waits until something is so.
pub fn wait_for(what: &str, mut ready: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not come: {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Waits until a file has so many bytes.
pub fn wait_for_bytes(path: &Path, bytes: u64) {
    let size = || std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    wait_for(&format!("{bytes} bytes in {}", path.display()), || size() >= bytes);
}

pub fn said(output: Output) -> Said {
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
