//! Key scripts: the explorer driven by a text instead of a person, without a terminal.
//!
//! A step a line; blank lines and lines that begin with `# ` are nothing:
//!
//! ```text
//! size 80x24          columns and rows from here on
//! j j Enter           keys in the help's notation
//! type large-day      the letters of a text
//! wait Library        until the text is on the screen, at most 30 seconds
//! frame               prints the screen; `frame FILE` writes it, as a picture if FILE ends in .svg
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::event_loop::{Canvas, Loop, World};
use super::frame::Frame;
use super::key::{Code, Key};
use super::message::Message;
use super::state::{Leaving, State};

/// How long a text may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Keys(Vec<Key>),
    Wait(String),
    Size(u16, u16),
    Frame(Option<PathBuf>),
}

/// A script, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Steps with the numbers of their lines, from 1.
    steps: Vec<(usize, Step)>,
}

/// A step that cannot be read, or that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the key script: {what}")]
pub struct ScriptError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// The first line that is no step.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let meant = lines.filter(|(_, line)| !line.is_empty() && *line != "#" && !line.starts_with("# "));
        let steps = meant.map(|(line, text)| match Step::parse(text) {
            Ok(step) => Ok((line, step)),
            Err(what) => Err(ScriptError { line, what }),
        });
        Ok(Self { steps: steps.collect::<Result<_, _>>()? })
    }
}

impl Step {
    fn parse(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        match word {
            "wait" if rest.is_empty() => Err("`wait` needs the text to wait for".to_owned()),
            "wait" => Ok(Self::Wait(rest.to_owned())),
            "type" => Ok(Self::Keys(rest.chars().map(|letter| Key::plain(Code::Char(letter))).collect())),
            "frame" => Ok(Self::Frame((!rest.is_empty()).then(|| PathBuf::from(rest)))),
            "size" => {
                let size = rest
                    .split_once('x')
                    .and_then(|(columns, rows)| Some(Self::Size(columns.parse().ok()?, rows.parse().ok()?)));
                size.ok_or_else(|| format!("`{rest}` is no size: write `size 80x24`"))
            }
            _ => {
                let key = |word: &str| {
                    let steps = "keys, `type TEXT`, `wait TEXT`, `size 80x24` or `frame`";
                    Key::parse(word).ok_or_else(|| format!("`{word}` is no key; a step is {steps}"))
                };
                Ok(Self::Keys(text.split_whitespace().map(key).collect::<Result<_, _>>()?))
            }
        }
    }
}

/// Frames are drawn when a step asks for one.
pub(super) struct Paper(pub (u16, u16));

impl Canvas for Paper {
    fn size(&self) -> (u16, u16) {
        self.0
    }

    fn draw(&mut self, _state: &State) -> io::Result<()> {
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn edit(&mut self, _path: &Path) -> io::Result<Result<(), String>> {
        Ok(Err("an editor needs a terminal".to_owned()))
    }

    fn copy(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }
}

/// Plays a script until its end or until the explorer is left.
///
/// # Errors
///
/// A text that does not appear, a frame that cannot be written.
pub async fn play(
    script: &Script,
    state: &mut State,
    world: &mut impl World,
    inbox: &mut UnboundedReceiver<Message>,
    output: &mut dyn Write,
) -> Result<(), ScriptError> {
    let mut paper = Paper(state.size);
    let started = Loop::begin(state, &mut paper, world);
    let mut player = Player { inner: started.map_err(|error| failed(0, &error))?, inbox, output };
    for (line, step) in &script.steps {
        if player.inner.state.leaving == Leaving::Now {
            let what = "the explorer has been left before this step".to_owned();
            return Err(ScriptError { line: *line, what });
        }
        player.step(step).await.map_err(|error| failed(*line, &error))?;
    }
    Ok(())
}

fn failed(line: usize, error: &io::Error) -> ScriptError {
    ScriptError { line, what: error.to_string() }
}

struct Player<'a, W> {
    inner: Loop<'a, Paper, W>,
    inbox: &'a mut UnboundedReceiver<Message>,
    output: &'a mut dyn Write,
}

impl<W: World> Player<'_, W> {
    async fn step(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Keys(keys) => {
                for key in keys {
                    self.settle().await?;
                    self.inner.take(Message::Key(*key))?;
                    self.inner.edit_asked()?;
                }
                Ok(())
            }
            Step::Size(columns, rows) => self.inner.take(Message::Resize(*columns, *rows)),
            Step::Wait(text) => self.wait(text).await,
            Step::Frame(file) => {
                self.settle().await?;
                let frame = Frame::of(self.inner.state);
                match file {
                    None => write!(self.output, "{}", frame.text()),
                    Some(file) if file.extension().is_some_and(|ending| ending == "svg") => {
                        fs::write(file, frame.svg())
                    }
                    Some(file) => fs::write(file, frame.text()),
                }
            }
        }
    }

    async fn wait(&mut self, text: &str) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let frame = Frame::of(self.inner.state).text();
            if frame.contains(text) {
                return Ok(());
            }
            if Instant::now() >= end {
                let what = format!("`{text}` did not appear; the screen is\n{frame}");
                return Err(io::Error::other(what));
            }
            self.inner.idle(self.inbox, end).await?;
        }
    }

    /// Lets the answers come that are under way: a person would not type on either before seeing them.
    async fn settle(&mut self) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !self.inner.is_settled() && Instant::now() < end {
            self.inner.idle(self.inbox, end).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_line_by_line() {
        let script =
            Script::parse("# a comment\nsize 120x40\n\n  g r Enter\nwait two words\nframe a.svg\ntype a b\n");
        let keys = |text: &str| text.split(' ').map(|key| Key::parse(key).unwrap()).collect();
        let expected = vec![
            (2, Step::Size(120, 40)),
            (4, Step::Keys(keys("g r Enter"))),
            (5, Step::Wait("two words".to_owned())),
            (6, Step::Frame(Some(PathBuf::from("a.svg")))),
            (7, Step::Keys(keys("a Space b"))),
        ];
        assert_eq!(script.unwrap().steps, expected);
    }

    #[test]
    fn a_line_that_is_no_step_is_named() {
        for (text, line, word) in
            [("j\nNonsense j", 2, "`Nonsense` is no key"), ("size 80", 1, "no size"), ("wait", 1, "wait for")]
        {
            let error = Script::parse(text).unwrap_err();
            assert!(error.line == line && error.what.contains(word), "{error}");
        }
    }
}
