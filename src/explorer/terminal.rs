//! The terminal: taken over at the start, given back whatever happens.

use std::io::{self, Stdout, Write as _};
use std::panic;
use std::path::Path;
use std::sync::Mutex;
use std::sync::Once;
use std::thread::{self, ThreadId};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::backend::CrosstermBackend;

use super::draw::draw;
use super::editor;
use super::event_loop::Canvas;
use super::state::State;

/// The thread that has the terminal, while one has it.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// The terminal while it is ours; dropping it gives it back.
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
}

impl Terminal {
    /// Takes the terminal over: raw mode, the alternate screen, bracketed paste.
    ///
    /// # Errors
    ///
    /// The terminal does not let itself be taken over.
    pub fn take() -> io::Result<Self> {
        hook_panics();
        take_over()?;
        let inner =
            ratatui::Terminal::new(CrosstermBackend::new(io::stdout())).inspect_err(|_| give_back())?;
        Ok(Self { inner })
    }
}

impl Canvas for Terminal {
    fn size(&self) -> (u16, u16) {
        self.inner.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Only what changed is sent.
    fn draw(&mut self, state: &State) -> io::Result<()> {
        self.inner.draw(|frame| draw(state, frame.area(), frame.buffer_mut()))?;
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole group, so that a `cargo run` around us stops too and the shell comes back.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
        self.resume()
    }

    fn resume(&mut self) -> io::Result<()> {
        take_over()?;
        // A fresh one knows nothing of the old screen and sends everything. (Its own `clear` would ask
        // the terminal for the cursor and wait for an answer.)
        self.inner = ratatui::Terminal::new(CrosstermBackend::new(io::stdout()))?;
        execute!(io::stdout(), Clear(ClearType::All))
    }

    fn edit(&mut self, path: &Path) -> io::Result<Result<(), String>> {
        give_back();
        let edited = editor::edit(path);
        self.resume()?;
        Ok(edited)
    }

    /// By OSC 52, which also works over SSH; a terminal that does not know it ignores it.
    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn set_owner(owner: Option<ThreadId>) -> Option<ThreadId> {
    let mut guard = OWNER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    std::mem::replace(&mut *guard, owner)
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    set_owner(Some(thread::current().id()));
    let taken = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide);
    taken.inspect_err(|_| give_back())
}

/// Gives the terminal back if it is ours. What fails here cannot be told to anybody.
fn give_back() {
    if set_owner(None).is_none() {
        return;
    }
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
    let _ = io::stdout().flush();
}

/// A panic in our own thread gives the terminal back before it is reported. One in a worker is
/// silent here: whoever started the worker reports it.
fn hook_panics() {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let owner = *OWNER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match owner {
                Some(owner) if owner != thread::current().id() => {}
                _ => {
                    give_back();
                    report(info);
                }
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::env;
    use std::io::Read as _;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    const CHILD: &str = "PAYMENT_SIM_TERMINAL_TEST";

    /// No test by itself: what the test below starts in a terminal of its own.
    #[expect(clippy::print_stdout, reason = "another process reads what a worker leaves on the screen")]
    #[test]
    fn a_child_that_panics() {
        let Some(whose) = env::var_os(CHILD) else { return };
        let _terminal = Terminal::take().unwrap();
        if whose == "worker" {
            assert!(thread::spawn(|| panic!("a worker is broken")).join().is_err());
            print!("the screen is whole");
            io::stdout().flush().unwrap();
        } else {
            panic!("the screen is broken");
        }
    }

    /// What such a child leaves on the terminal, and whether its modes are the old ones.
    fn left_behind(whose: &str) -> (vt100::Parser, String, bool) {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let modes = || format!("{:?}", pair.master.get_termios().unwrap().local_flags);
        let before = modes();
        let mut command = CommandBuilder::new(env::current_exe().unwrap());
        command.args(["--exact", "explorer::terminal::tests::a_child_that_panics", "--nocapture"]);
        command.env(CHILD, whose);
        let mut child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let output = thread::spawn(move || {
            let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                all.extend_from_slice(&bytes[..count]);
            }
            all
        });
        child.wait().unwrap();
        let same = modes() == before;
        drop(pair);
        let output = output.join().unwrap();
        let mut screen = vt100::Parser::default();
        screen.process(&output);
        (screen, String::from_utf8_lossy(&output).into_owned(), same)
    }

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_reported() {
        let (screen, output, same) = left_behind("own");
        assert!(same && !screen.screen().alternate_screen() && !screen.screen().hide_cursor(), "{output}");
        let (back, report) = (output.find("[?1049l"), output.find("the screen is broken"));
        assert!(back.is_some() && back < report, "{output}");
    }

    #[test]
    fn a_panic_of_a_worker_leaves_the_screen_alone() {
        let (screen, output, same) = left_behind("worker");
        assert!(same && !screen.screen().alternate_screen(), "{output}");
        assert!(output.contains("the screen is whole") && !output.contains("a worker is broken"), "{output}");
    }
}
