//! A message comes in, the state changes, effects go out. Nothing here waits, reads or draws.

use super::desk::{Go, Notice};
use super::key::Key;
use super::keymap::{Intent, Lookup, Scope};
use super::message::{Answer, Effect, Message, Query, Slot};
use super::prompt::{Prompt, Purpose, Question, Reply};
use super::rows::{Export, Shelf};
use super::screens::help::Help;
use super::screens::home::Home;
use super::screens::jobs::JobsScreen;
use super::screens::kept::Kept;
use super::screens::launch::Launch;
use super::screens::palette::Palette;
use super::screens::runs::Runs;
use super::screens::simulations::Simulations;
use super::screens::sql::Sql;
use super::screens::{Screen, View};
use super::state::{Leaving, State};

/// Screens that can be open on each other.
const DEEPEST: usize = 64;

/// Takes in one message.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    let was_dirty = std::mem::replace(&mut state.dirty, true);
    match message {
        Message::Key(key) => press(state, key, &mut effects),
        Message::Paste(text) => paste(state, &text, &mut effects),
        Message::Resize(columns, rows) => state.size = (columns, rows),
        Message::Answer(ticket, answer) if state.errand == Some(ticket) => done(state, answer),
        Message::Answer(ticket, answer) => {
            let taken = act(state, &mut effects, |view, desk| view.answer(ticket, answer, desk));
            // An answer that nobody waits for changes nothing, but what changed before it must
            // still be drawn.
            state.dirty = was_dirty || taken == Some(true);
        }
        Message::Job(id, report) => {
            if let Some(said) = state.jobs.report(id, report, &mut effects) {
                state.notice = Some(Notice { text: said, trouble: false });
                act(state, &mut effects, |view, desk| view.poll(desk));
            }
            if state.leaving == Leaving::WhenJobsEnd && state.jobs.active() == 0 {
                leave(state, &mut effects);
            }
        }
        Message::Beat => {
            act(state, &mut effects, |view, desk| view.beat(desk));
        }
        Message::Poll => {
            act(state, &mut effects, |view, desk| view.poll(desk));
        }
        Message::Resumed => {
            act(state, &mut effects, |view, desk| view.enter(desk));
        }
        Message::Edited(path) => {
            act(state, &mut effects, |view, desk| view.edited(&path, desk));
        }
        Message::Terminate => cancel_and_leave(state, &mut effects),
        Message::Trouble(text) => trouble(state, &text),
    }
    effects
}

/// Opens the first screen.
pub fn begin(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    act(state, &mut effects, |view, desk| view.enter(desk));
    effects
}

/// Lets the visible screen act, then goes where it wants to go.
fn act<T>(
    state: &mut State,
    effects: &mut Vec<Effect>,
    deed: impl FnOnce(&mut dyn View, &mut super::desk::Desk<'_>) -> T,
) -> Option<T> {
    let (done, go) = state.with_top(effects, deed)?;
    match go {
        Some(Go::Open(screen)) => open(state, *screen, effects),
        Some(Go::Replace(screen)) => {
            if state.stack.len() > 1 {
                state.stack.pop();
            }
            open(state, *screen, effects);
        }
        Some(Go::Do(intent)) => {
            state.stack.pop();
            dispatch(state, intent, None, effects);
        }
        Some(Go::Give(purpose, text)) => {
            state.stack.pop();
            state.with_top(effects, |view, desk| view.given(purpose, &text, desk));
        }
        Some(Go::Visit(link)) => {
            state.stack.truncate(1);
            state.stack.extend(link.screens());
            state.with_top(effects, |view, desk| view.enter(desk));
        }
        None => {}
    }
    Some(done)
}

/// Opens a screen. Between replay and events of one simulation it goes back and forth instead of up.
fn open(state: &mut State, screen: Screen, effects: &mut Vec<Effect>) {
    let before = state.stack.len().checked_sub(2).and_then(|place| state.stack.get(place));
    let there_and_back = match (&screen, state.stack.last(), before) {
        (Screen::Replay(new), Some(Screen::Events(_)), Some(Screen::Replay(old))) => {
            new.simulation() == old.simulation()
        }
        _ => false,
    };
    if there_and_back {
        state.stack.pop();
        if let (Some(Screen::Replay(old)), Screen::Replay(new)) = (state.stack.last_mut(), &screen) {
            old.aim(new.target());
        }
    } else {
        if state.stack.len() >= DEEPEST {
            state.stack.remove(1);
        }
        state.stack.push(screen);
    }
    state.with_top(effects, |view, desk| view.enter(desk));
}

fn back(state: &mut State, effects: &mut Vec<Effect>) {
    if state.stack.len() > 1 {
        state.stack.pop();
        state.with_top(effects, |view, desk| view.enter(desk));
    } else {
        state.notice = Some(Notice { text: "this is the first screen: q quits".into(), trouble: false });
    }
}

fn press(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    state.notice = None;
    if state.leaving != Leaving::No {
        if Key::parse("Ctrl+C") == Some(key) {
            leave(state, effects);
        }
        return;
    }
    if state.question.is_some() {
        if let Lookup::Bound(intent) = state.keymap.find(&[Scope::Question], &[key]) {
            decide(state, intent, effects);
        }
        return;
    }
    if state.prompt.is_some() {
        answer_prompt(state, key, effects);
        return;
    }
    if state.pressed.is_empty() {
        if act(state, effects, |view, desk| view.type_key(key, desk)) == Some(true) {
            return;
        }
        if digit(state, key, effects) {
            return;
        }
    }
    state.pressed.push(key);
    match state.keymap.find(state.top().scopes(), &state.pressed) {
        Lookup::Begins => {}
        Lookup::Nothing => {
            state.pressed.clear();
            state.count = None;
        }
        Lookup::Bound(intent) => {
            state.pressed.clear();
            let count = state.count.take();
            dispatch(state, intent, count, effects);
        }
    }
}

/// A digit of a count, or the number of a pane.
fn digit(state: &mut State, key: Key, effects: &mut Vec<Effect>) -> bool {
    let Some(digit) = key.digit() else { return false };
    if state.top().counts() {
        if digit == 0 && state.count.is_none() {
            return false;
        }
        state.count = Some(state.count.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        return true;
    }
    act(state, effects, |view, desk| view.intent(Intent::NextPane, Some(digit), desk)) == Some(true)
}

fn dispatch(state: &mut State, intent: Intent, count: Option<u64>, effects: &mut Vec<Effect>) {
    let handled = act(state, effects, |view, desk| view.intent(intent, count, desk));
    if handled == Some(true) {
        return;
    }
    match intent {
        Intent::Back => back(state, effects),
        Intent::Refresh => {
            act(state, effects, |view, desk| view.enter(desk));
        }
        Intent::Quit if state.stack.len() > 1 => back(state, effects),
        Intent::Quit => ask_to_quit(state, effects),
        Intent::Interrupt => {
            let jobs = state.jobs.active();
            state.question = Some(if jobs > 0 { Question::QuitWithJobs(jobs) } else { Question::Quit });
        }
        Intent::Suspend => effects.push(Effect::Suspend),
        Intent::Help if matches!(state.stack.last(), Some(Screen::Help(_))) => {}
        Intent::Help => {
            let help = Help::about(state.top().scopes(), &state.keymap);
            open(state, Screen::Help(help), effects);
        }
        Intent::Bookmark => match state.top().copyable() {
            Some(copyable) => {
                let label = format!("{} {}", state.top().crumb(), copyable.id);
                state.prompt = Some(Prompt::new(Purpose::Bookmark, label));
            }
            None => complain(state, "this place has no link to keep"),
        },
        Intent::Export => ask_for_file(state),
        Intent::Note => match state.top().copyable() {
            // The line is there at once, so that what is typed is no command; what was written before
            // comes into it.
            Some(copyable) => {
                if errand(state, Query::Note(copyable.link.clone()), effects) {
                    state.noted = Some(copyable.link);
                    state.prompt = Some(Prompt::new(Purpose::Note, ""));
                }
            }
            None => complain(state, "nothing is selected to write about"),
        },
        Intent::KeepFilter => match state.top().filter() {
            Some((_, typed)) if !typed.is_empty() => {
                state.prompt = Some(Prompt::new(Purpose::KeepFilter, typed));
            }
            _ => complain(state, "there is no filter to keep: f sets one"),
        },
        Intent::GoBookmarks => shelf(state, Shelf::Bookmarks, effects),
        Intent::GoNotes => shelf(state, Shelf::Notes, effects),
        Intent::GoFilters => {
            if let Some((of, _)) = state.top().filter() {
                shelf(state, Shelf::Filters(of), effects);
            }
        }
        Intent::Palette => {
            let simulation = state.top().simulation().map(str::to_owned);
            let palette = Palette::over(state.top().scopes(), simulation, &state.keymap);
            open(state, Screen::Palette(palette), effects);
        }
        Intent::CopyId | Intent::CopyLink | Intent::CopyRow => copy(state, intent, effects),
        Intent::Launch => open(state, Screen::Launch(Launch::default()), effects),
        Intent::GoHome => go(state, Screen::Home(Home::default()), effects),
        Intent::GoRuns => go(state, Screen::Runs(Runs::default()), effects),
        Intent::GoSimulations => go(state, Screen::Simulations(Simulations::default()), effects),
        Intent::GoSql => go(state, Screen::Sql(Sql::default()), effects),
        Intent::GoJobs => go(state, Screen::Jobs(JobsScreen::default()), effects),
        _ => {}
    }
}

/// Opens the list of what is kept of a kind, unless it is open.
fn shelf(state: &mut State, shelf: Shelf, effects: &mut Vec<Effect>) {
    if !matches!(state.stack.last(), Some(Screen::Kept(kept)) if kept.shelf() == shelf) {
        open(state, Screen::Kept(Kept::new(shelf)), effects);
    }
}

/// Says what went wrong, below what has gone wrong already since the last key.
fn trouble(state: &mut State, text: &str) {
    let before = state.notice.take().filter(|notice| notice.trouble);
    let text = before.map_or_else(|| text.to_owned(), |before| format!("{}\n{text}", before.text));
    state.notice = Some(Notice { text, trouble: true });
}

fn complain(state: &mut State, text: &str) {
    state.notice = Some(Notice { text: text.to_owned(), trouble: true });
}

/// What a line of the user is to do beside the screen: keep its place or filter, write about it, export
/// its rows.
fn errand_of(state: &State, purpose: Purpose, text: String) -> Option<Query> {
    match purpose {
        Purpose::Export => state.top().export().map(|what| Query::Export(what, text)),
        Purpose::Bookmark => state.top().copyable().map(|copyable| Query::Keep(text, copyable.link)),
        Purpose::Note => state.noted.clone().map(|link| Query::Annotate(link, text)),
        Purpose::KeepFilter => state.top().filter().map(|(of, typed)| Query::KeepFilter(of, text, typed)),
        _ => None,
    }
}

/// Asks for something beside the screen; false if something else is being done there: it is finished first.
fn errand(state: &mut State, query: Query, effects: &mut Vec<Effect>) -> bool {
    if state.errand.is_some() {
        complain(state, "something is still being written: wait until it is done");
        return false;
    }
    let asked = state.with_top(effects, |_, desk| desk.ask(Slot::Errand, query));
    state.errand = asked.map(|(ticket, _)| ticket);
    true
}

fn done(state: &mut State, answer: Result<Answer, String>) {
    state.errand = None;
    state.notice = match answer {
        Ok(Answer::Note(link, written)) => {
            let wanted = state.noted.as_ref() == Some(&link);
            if let Some(prompt) =
                state.prompt.as_mut().filter(|prompt| wanted && prompt.purpose == Purpose::Note)
            {
                prompt.put_before(&written);
            }
            None
        }
        Ok(Answer::Done(text)) => Some(Notice { text, trouble: false }),
        Ok(_) => None,
        Err(text) => Some(Notice { text, trouble: true }),
    };
}

/// Asks where to export to.
fn ask_for_file(state: &mut State) {
    let name = match state.top().export() {
        Some(Export::Events(simulation, _)) => format!("{simulation}-events.csv"),
        Some(Export::Bank(simulation, bank)) => format!("{simulation}-{bank}-days.csv"),
        Some(Export::Iterations(run)) => format!("{run}-iterations.csv"),
        Some(Export::Simulations(_)) => "simulations.csv".to_owned(),
        None => {
            complain(state, "this view has no rows to export");
            return;
        }
    };
    state.prompt = Some(Prompt::new(Purpose::Export, name));
}

/// Copies what is selected.
fn copy(state: &mut State, intent: Intent, effects: &mut Vec<Effect>) {
    let copied = state.top().copyable().map(|copyable| match intent {
        Intent::CopyLink => copyable.link.to_string(),
        Intent::CopyRow => copyable.row,
        _ => copyable.id,
    });
    state.notice = Some(match &copied {
        Some(text) => Notice { text: format!("copied: {text}"), trouble: false },
        None => Notice { text: "nothing is selected that could be copied".into(), trouble: true },
    });
    effects.extend(copied.map(Effect::Copy));
}

/// Goes to one of the main places: they stand directly above Home, which is kept as it is.
fn go(state: &mut State, screen: Screen, effects: &mut Vec<Effect>) {
    state.stack.truncate(1);
    if matches!(screen, Screen::Home(_)) {
        state.with_top(effects, |view, desk| view.enter(desk));
    } else {
        open(state, screen, effects);
    }
}

fn ask_to_quit(state: &mut State, effects: &mut Vec<Effect>) {
    match state.jobs.active() {
        0 => leave(state, effects),
        jobs => state.question = Some(Question::QuitWithJobs(jobs)),
    }
}

fn decide(state: &mut State, intent: Intent, effects: &mut Vec<Effect>) {
    match intent {
        Intent::Confirm => {
            state.question = None;
            cancel_and_leave(state, effects);
        }
        Intent::Interrupt => {
            state.jobs.cancel_all(effects);
            leave(state, effects);
        }
        _ => state.question = None,
    }
}

fn cancel_and_leave(state: &mut State, effects: &mut Vec<Effect>) {
    state.jobs.cancel_all(effects);
    if state.jobs.active() == 0 {
        leave(state, effects);
    } else {
        state.leaving = Leaving::WhenJobsEnd;
        let text = "cancelling: the running ticks are finished first (Ctrl+C: do not wait)".into();
        state.notice = Some(Notice { text, trouble: false });
    }
}

fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    state.leaving = Leaving::Now;
    effects.push(Effect::Quit);
}

fn answer_prompt(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    let Some(prompt) = &mut state.prompt else { return };
    let purpose = prompt.purpose;
    match prompt.key(key) {
        Reply::Typing => {}
        Reply::Dismissed => state.prompt = None,
        Reply::Given(text) => {
            let given = state.prompt.take();
            if let Some(query) = errand_of(state, purpose, text.clone()) {
                if !errand(state, query, effects) {
                    state.prompt = given;
                }
                return;
            }
            act(state, effects, |view, desk| view.given(purpose, &text, desk));
        }
    }
}

fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    match &mut state.prompt {
        Some(prompt) => prompt.paste(text),
        None => {
            act(state, effects, |view, desk| view.paste(text, desk));
        }
    }
}
