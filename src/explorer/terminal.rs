//! The terminal: taken over at the start, given back whatever happens.

use std::io::{self, Stdout, Write as _};
use std::panic;
use std::sync::Mutex;
use std::sync::Once;
use std::thread::{self, ThreadId};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::backend::CrosstermBackend;

use super::draw::draw;
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

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.inner.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Draws a frame from the state; only what changed is sent.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn draw(&mut self, state: &State) -> io::Result<()> {
        self.inner.draw(|frame| draw(state, frame.area(), frame.buffer_mut()))?;
        Ok(())
    }

    /// Gives the terminal back, stops the process as Ctrl+Z does, and takes the terminal over again
    /// when the process goes on.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole group, so that a `cargo run` around us stops too and the shell comes back.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::STOP);
        self.resume()
    }

    /// Takes the terminal over again, after somebody else stopped and continued the process.
    ///
    /// # Errors
    ///
    /// The terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        take_over()?;
        self.inner.clear()
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
