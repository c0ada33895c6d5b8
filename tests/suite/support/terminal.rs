//! A program in a pseudo-terminal: keys in, the screen as text out.

use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program with its terminal.
pub struct Program {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Local modes of the terminal before the program had it.
    modes: String,
}

fn size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Program {
    /// Starts a program with its arguments in a terminal of so many columns and rows.
    pub fn start(command: &[&str], (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size((columns, rows))).expect("a pseudo-terminal");
        let modes = modes(pair.master.as_ref());
        let mut builder = CommandBuilder::new(command[0]);
        builder.args(&command[1..]);
        builder.env("TERM", "xterm-256color");
        builder.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(builder).expect("the program starts");
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0)));
        let (shown, mut output) = (screen.clone(), pair.master.try_clone_reader().expect("a reader"));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = output.read(&mut bytes) {
                if count == 0 {
                    break;
                }
                shown.lock().expect("the screen").process(&bytes[..count]);
            }
        });
        let keys = pair.master.take_writer().expect("a writer");
        Self { child, master: pair.master, keys, screen, modes }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process id")
    }

    /// Types bytes.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        self.keys.write_all(keys.as_bytes()).expect("the keys are taken");
        self.keys.flush().expect("the keys are taken");
        self
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.screen
            .lock()
            .expect("the screen")
            .screen_mut()
            .set_size(at_least_one(rows), at_least_one(columns));
        self.master.resize(size((columns, rows))).expect("the size changes");
        self
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.screen.lock().expect("the screen").screen().contents()
    }

    /// Waits until a text is on the screen.
    pub fn wait(&mut self, text: &str) -> &mut Self {
        self.until(text, |program| program.screen().contains(text))
    }

    /// Waits until something holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "`{what}` did not come; the screen is:\n{}", self.screen());
            thread::sleep(Duration::from_millis(5));
        }
        self
    }

    /// Whether the program has the terminal: raw mode, alternate screen.
    pub fn is_taken(&self) -> bool {
        let screen = self.screen.lock().expect("the screen");
        screen.screen().alternate_screen() && modes(self.master.as_ref()) != self.modes
    }

    /// Whether the terminal is as it was before.
    pub fn is_given_back(&self) -> bool {
        let screen = self.screen.lock().expect("the screen");
        let screen = screen.screen();
        let shown = !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste();
        shown && modes(self.master.as_ref()) == self.modes
    }

    /// Whether the process is stopped.
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// Waits for its end; the status as a shell shows it.
    pub fn exit_status(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                // What it wrote last is still on its way to the screen.
                thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            assert!(Instant::now() < end, "it does not end; the screen is:\n{}", self.screen());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended unless a test failed.
        let _ = self.child.kill();
    }
}

fn at_least_one(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).expect("a size above 0")
}

/// The terminal's modes in words.
fn modes(master: &dyn MasterPty) -> String {
    let modes = master.get_termios().expect("the terminal's modes");
    format!("{:?} {:?} {:?}", modes.local_flags, modes.input_flags, modes.output_flags)
}
