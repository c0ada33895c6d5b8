//! The one table of keys: what each does where, and its line of help.
//!
//! Footer and help are generated from it; a test refuses keys that mean two things.

use super::key::Key;
use crate::finding::nearest;

/// Something the user wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Interrupt,
    Suspend,
    Back,
    Quit,
    Help,
    Refresh,
    Launch,
    GoHome,
    GoRuns,
    GoSimulations,
    GoJobs,
    NextPane,
    PreviousPane,
    Zoom,
    Into,
    Up,
    Down,
    HalfUp,
    HalfDown,
    PageUp,
    PageDown,
    First,
    Last,
    Search,
    NextMatch,
    PreviousMatch,
    Filter,
    ClearFilter,
    OpenEvents,
    Follow,
    Cancel,
    Resume,
    Rerun,
    Sooner,
    Later,
    OpenPolicy,
    OpenProposal,
    OpenConversation,
    OpenSummary,
    Export,
    OpenPayment,
    OpenBank,
    FirstDifference,
    Condition,
    RunForward,
    RunBack,
    Mark,
    Palette,
    GoSql,
    Bookmark,
    GoBookmarks,
    Note,
    GoNotes,
    KeepFilter,
    GoFilters,
    Sort,
    NextChart,
    Onward,
    Backward,
    NextBank,
    PreviousBank,
    CopyId,
    CopyLink,
    CopyRow,
    TickForward,
    TickBack,
    TenForward,
    TenBack,
    EventForward,
    EventBack,
    NextOfKind,
    PreviousOfKind,
    PlayPause,
    Faster,
    Slower,
    GoToTick,
    Edit,
    FieldNext,
    FieldPrevious,
    ChoiceNext,
    ChoicePrevious,
    Confirm,
    Decline,
}

/// Where a binding acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every screen.
    Everywhere,
    /// Screens with lists.
    Lists,
    /// Screens that can be searched.
    Search,
    /// The form of Launch.
    Form,
    Jobs,
    Runs,
    Iterations,
    Policy,
    /// Lists of which two rows can be compared.
    Marks,
    Compare,
    Bank,
    /// Lists of what the user keeps.
    Kept,
    /// Lists with a filter.
    Filtered,
    /// The line for a statement, and its result.
    SqlLine,
    SqlResult,
    /// A list that is searched by typing.
    Menu,
    Simulations,
    Events,
    Replay,
    /// A question with yes and no.
    Question,
}

impl Scope {
    /// Title of the section in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Lists => "Lists and panes",
            Self::Search => "Search",
            Self::Form => "Form",
            Self::Jobs => "Jobs",
            Self::Runs => "Runs",
            Self::Iterations => "Iterations",
            Self::Policy => "Policy",
            Self::Marks => "Comparing",
            Self::Compare => "Compare",
            Self::Bank => "Bank",
            Self::Kept => "What is kept",
            Self::Filtered => "Filters",
            Self::SqlLine => "SQL",
            Self::SqlResult => "SQL results",
            Self::Menu => "Palette",
            Self::Simulations => "Simulations",
            Self::Events => "Events",
            Self::Replay => "Replay",
            Self::Question => "Questions",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Binding {
    pub scope: Scope,
    /// Keys in the help's notation, a sequence with a blank between its keys.
    pub keys: &'static [&'static str],
    pub intent: Intent,
    pub help: &'static str,
    /// Word in the footer; empty: not shown there.
    pub footer: &'static str,
}

const fn bind(
    scope: Scope,
    keys: &'static [&'static str],
    intent: Intent,
    help: &'static str,
    footer: &'static str,
) -> Binding {
    Binding { scope, keys, intent, help, footer }
}

/// Every binding. In the footer they stand in this order.
pub const BINDINGS: &[Binding] = &[
    bind(Scope::Replay, &["."], Intent::TickForward, "one tick on (with a count: so many)", "tick on"),
    bind(Scope::Replay, &[","], Intent::TickBack, "one tick back", "back"),
    bind(Scope::Replay, &[">"], Intent::EventForward, "one event on", "event on"),
    bind(Scope::Replay, &["<"], Intent::EventBack, "one event back", "back"),
    bind(Scope::Replay, &["Space"], Intent::PlayPause, "play or pause", "play"),
    bind(Scope::Replay, &["t"], Intent::GoToTick, "go to a tick (`50t` goes there at once)", "go to"),
    bind(Scope::Replay, &["}"], Intent::TenForward, "ten ticks on", ""),
    bind(Scope::Replay, &["{"], Intent::TenBack, "ten ticks back", ""),
    bind(Scope::Replay, &["]"], Intent::NextOfKind, "next tick with an event of the selected type", ""),
    bind(
        Scope::Replay,
        &["["],
        Intent::PreviousOfKind,
        "previous tick with an event of the selected type",
        "",
    ),
    bind(Scope::Replay, &["+"], Intent::Faster, "play faster", ""),
    bind(Scope::Replay, &["-"], Intent::Slower, "play slower", ""),
    bind(Scope::Replay, &["v"], Intent::OpenEvents, "all events of the simulation, from here on", "events"),
    bind(Scope::Replay, &["p"], Intent::OpenPolicy, "the policy of the selected bank", "policy"),
    bind(Scope::Replay, &["i"], Intent::OpenPayment, "the life of the selected payment", "payment"),
    bind(Scope::Replay, &["B"], Intent::OpenBank, "the selected bank through the whole run", "bank"),
    bind(
        Scope::Replay,
        &["D"],
        Intent::FirstDifference,
        "to the first event that differs from another simulation",
        "",
    ),
    bind(
        Scope::Replay,
        &["b"],
        Intent::Condition,
        "set what to run to: an event of a bank, a type, with a text",
        "",
    ),
    bind(Scope::Replay, &["c"], Intent::RunForward, "run on to the next such event", ""),
    bind(Scope::Replay, &["C"], Intent::RunBack, "run back to the one before", ""),
    bind(Scope::Replay, &["F"], Intent::Follow, "follow a simulation that is still running", ""),
    bind(Scope::Form, &["Enter"], Intent::Into, "start; on a setting: to the start button", "start"),
    bind(Scope::Form, &["Tab", "Down"], Intent::FieldNext, "next setting", "next"),
    bind(Scope::Form, &["Shift+Tab", "Up"], Intent::FieldPrevious, "previous setting", ""),
    bind(Scope::Form, &["Right"], Intent::ChoiceNext, "next choice", "choose"),
    bind(Scope::Form, &["Left"], Intent::ChoicePrevious, "previous choice", ""),
    bind(Scope::Form, &["Ctrl+O"], Intent::Edit, "edit the file, or a copy of the library entry", "edit"),
    bind(Scope::Lists, &["Enter", "l", "Right"], Intent::Into, "open what is selected", "open"),
    bind(
        Scope::Iterations,
        &["p"],
        Intent::OpenPolicy,
        "the bank's policy beside the one of the iteration before",
        "policy",
    ),
    bind(Scope::Iterations, &["P"], Intent::OpenProposal, "what was proposed beside the policy in force", ""),
    bind(
        Scope::Iterations,
        &["c"],
        Intent::OpenConversation,
        "what the proposer was told and what it said",
        "conversation",
    ),
    bind(Scope::Iterations, &["s"], Intent::OpenSummary, "what the run found, in a page", "summary"),
    bind(Scope::Iterations, &["w"], Intent::NextChart, "costs or parameters in the chart", "chart"),
    bind(Scope::Policy, &["w"], Intent::NextChart, "as a tree, in English, as JSON", "reading"),
    bind(Scope::Policy, &["n"], Intent::NextMatch, "next difference", "difference"),
    bind(Scope::Policy, &["N"], Intent::PreviousMatch, "previous difference", ""),
    bind(Scope::Policy, &[">"], Intent::NextBank, "next bank", "bank"),
    bind(Scope::Policy, &["<"], Intent::PreviousBank, "previous bank", ""),
    bind(Scope::Policy, &["]"], Intent::Onward, "next iteration", "iteration"),
    bind(Scope::Policy, &["["], Intent::Backward, "previous iteration", ""),
    bind(Scope::Filtered, &["f"], Intent::Filter, "show only what passes a filter", "filter"),
    bind(Scope::Marks, &["Space"], Intent::Mark, "mark a row; on a second one: compare both", "compare"),
    bind(Scope::Compare, &["D"], Intent::FirstDifference, "to the first event that differs", "difference"),
    bind(Scope::Compare, &[">"], Intent::NextBank, "next bank in the chart", "bank"),
    bind(Scope::Compare, &["<"], Intent::PreviousBank, "previous bank in the chart", ""),
    bind(Scope::Compare, &["p"], Intent::OpenPolicy, "the policies of that bank side by side", "policy"),
    bind(Scope::Bank, &["p"], Intent::OpenPolicy, "the policy of the bank", "policy"),
    bind(Scope::Kept, &["x"], Intent::Cancel, "forget it", "forget"),
    bind(Scope::SqlLine, &["Enter"], Intent::Into, "run the statement", "run"),
    bind(Scope::SqlLine, &["Up"], Intent::FieldPrevious, "the statement before", "earlier"),
    bind(Scope::SqlLine, &["Down"], Intent::FieldNext, "the statement after", ""),
    bind(Scope::SqlLine, &["Tab", "Shift+Tab"], Intent::NextPane, "to the result", "result"),
    bind(Scope::SqlResult, &[">"], Intent::Onward, "one column to the right", "columns"),
    bind(Scope::SqlResult, &["<"], Intent::Backward, "one column to the left", ""),
    bind(Scope::Menu, &["Enter"], Intent::Into, "do it, or go there", "choose"),
    bind(Scope::Menu, &["Down", "Ctrl+N"], Intent::Down, "down", ""),
    bind(Scope::Menu, &["Up", "Ctrl+P"], Intent::Up, "up", ""),
    bind(Scope::Simulations, &["p"], Intent::OpenPolicy, "the policies of its banks", "policy"),
    bind(Scope::Simulations, &["v"], Intent::OpenEvents, "the events of the simulation", "events"),
    bind(
        Scope::Simulations,
        &["s"],
        Intent::Sort,
        "order by the next column: cost, settled, events…",
        "sort",
    ),
    bind(Scope::Jobs, &["x"], Intent::Cancel, "cancel the job; finished simulations stay", "cancel"),
    bind(Scope::Runs, &["R"], Intent::Resume, "go on with a run that was stopped or has failed", ""),
    bind(Scope::Runs, &["A"], Intent::Rerun, "run the experiment once more, as it was recorded", ""),
    bind(Scope::Jobs, &["Space"], Intent::PlayPause, "pause the job, or let it go on", "pause"),
    bind(Scope::Jobs, &["J"], Intent::Sooner, "let a waiting job start sooner: the newest stands first", ""),
    bind(Scope::Jobs, &["K"], Intent::Later, "let a waiting job start later", ""),
    bind(Scope::Jobs, &["+"], Intent::Faster, "let one more job run at once", ""),
    bind(Scope::Jobs, &["-"], Intent::Slower, "let one less job run at once", ""),
    bind(Scope::Events, &["i"], Intent::OpenPayment, "the life of the event's payment", "payment"),
    bind(Scope::Filtered, &["X"], Intent::ClearFilter, "show everything again", ""),
    bind(Scope::Filtered, &["S"], Intent::KeepFilter, "keep the filter under a name", ""),
    bind(Scope::Filtered, &["g f"], Intent::GoFilters, "filters that were kept", ""),
    bind(Scope::Events, &["F"], Intent::Follow, "follow the newest events; moving up pauses", ""),
    bind(Scope::Search, &["/"], Intent::Search, "search", "search"),
    bind(Scope::Search, &["n"], Intent::NextMatch, "next match", ""),
    bind(Scope::Search, &["N"], Intent::PreviousMatch, "previous match", ""),
    bind(Scope::Lists, &["j", "Down"], Intent::Down, "down", ""),
    bind(Scope::Lists, &["k", "Up"], Intent::Up, "up", ""),
    bind(Scope::Lists, &["Ctrl+D"], Intent::HalfDown, "half a page down", ""),
    bind(Scope::Lists, &["Ctrl+U"], Intent::HalfUp, "half a page up", ""),
    bind(Scope::Lists, &["PgDn"], Intent::PageDown, "a page down", ""),
    bind(Scope::Lists, &["PgUp"], Intent::PageUp, "a page up", ""),
    bind(Scope::Lists, &["g g", "Home"], Intent::First, "to the first row", ""),
    bind(Scope::Lists, &["G", "End"], Intent::Last, "to the last row", ""),
    bind(Scope::Lists, &["Tab"], Intent::NextPane, "next pane (`2 Tab`, elsewhere `2`: pane 2)", "pane"),
    bind(Scope::Lists, &["Shift+Tab"], Intent::PreviousPane, "previous pane", ""),
    bind(Scope::Lists, &["z"], Intent::Zoom, "this pane alone, and back", ""),
    bind(Scope::Lists, &["y y"], Intent::CopyId, "copy the whole id of what is selected", ""),
    bind(Scope::Lists, &["y l"], Intent::CopyLink, "copy a link to this view (`explore --open LINK`)", ""),
    bind(Scope::Lists, &["y r"], Intent::CopyRow, "copy the selected row; an event as JSON", ""),
    bind(Scope::Everywhere, &["L"], Intent::Launch, "launch an experiment or a scenario", ""),
    bind(Scope::Everywhere, &["g h"], Intent::GoHome, "home", ""),
    bind(Scope::Everywhere, &["g r"], Intent::GoRuns, "runs of experiments", ""),
    bind(Scope::Everywhere, &["g s"], Intent::GoSimulations, "all simulations", ""),
    bind(Scope::Everywhere, &["g j"], Intent::GoJobs, "jobs", ""),
    bind(Scope::Lists, &["e"], Intent::Export, "export the rows of this view: CSV, JSON lines, Parquet", ""),
    bind(Scope::Lists, &["m"], Intent::Bookmark, "keep this place in the database", ""),
    bind(Scope::Lists, &["'"], Intent::GoBookmarks, "places that were kept", ""),
    bind(Scope::Lists, &["a"], Intent::Note, "write a note about what is selected; #words are tags", ""),
    bind(Scope::Everywhere, &["g n"], Intent::GoNotes, "all notes", ""),
    bind(Scope::Everywhere, &["g q"], Intent::GoSql, "ask the database in SQL", ""),
    bind(
        Scope::Everywhere,
        &[":"],
        Intent::Palette,
        "find a command, run, simulation, bank or payment",
        "find",
    ),
    bind(Scope::Everywhere, &["Ctrl+R"], Intent::Refresh, "read again from the database", ""),
    bind(Scope::Everywhere, &["Esc", "h"], Intent::Back, "back to the screen before", "back"),
    bind(Scope::Lists, &["Left"], Intent::Back, "back to the screen before", ""),
    bind(Scope::Everywhere, &["q"], Intent::Quit, "back; on the first screen quit", "quit"),
    bind(Scope::Everywhere, &["?", "F1"], Intent::Help, "this help", "help"),
    bind(Scope::Everywhere, &["Ctrl+Z"], Intent::Suspend, "suspend; `fg` comes back", ""),
    bind(Scope::Everywhere, &["Ctrl+C"], Intent::Interrupt, "quit after a question; twice: at once", ""),
    bind(Scope::Question, &["y", "Enter"], Intent::Confirm, "yes", "yes"),
    bind(Scope::Question, &["n", "Esc", "q"], Intent::Decline, "no", "no"),
    bind(Scope::Question, &["Ctrl+C"], Intent::Interrupt, "quit at once", ""),
];

/// What a sequence of keys means so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is bound.
    Bound(Intent),
    /// It begins a longer sequence.
    Begins,
    /// It means nothing.
    Nothing,
}

/// A binding with the keys that are in force.
#[derive(Clone, Debug)]
struct Row {
    scope: Scope,
    /// In the help's notation.
    keys: Vec<String>,
    intent: Intent,
    help: &'static str,
    footer: &'static str,
}

/// The table with the keys that are in force.
#[derive(Debug)]
pub struct Keymap {
    table: Vec<Row>,
    /// Every sequence, read.
    rows: Vec<(Scope, Vec<Key>, Intent)>,
}

/// Scopes that can be active together, screen by screen.
const TOGETHER: &[&[Scope]] = &[
    &[Scope::Everywhere, Scope::Lists, Scope::Jobs],
    &[Scope::Everywhere, Scope::Lists, Scope::Search, Scope::Marks, Scope::Runs],
    &[Scope::Everywhere, Scope::Lists, Scope::Search, Scope::Marks, Scope::Filtered, Scope::Simulations],
    &[Scope::Everywhere, Scope::Lists, Scope::Search, Scope::Filtered, Scope::Events],
    &[Scope::Everywhere, Scope::Lists, Scope::Search, Scope::Kept],
    &[Scope::Everywhere, Scope::Lists, Scope::Replay],
    &[Scope::Everywhere, Scope::Lists, Scope::Iterations],
    &[Scope::Everywhere, Scope::Lists, Scope::Policy],
    &[Scope::Everywhere, Scope::Lists, Scope::Compare],
    &[Scope::Everywhere, Scope::Lists, Scope::Bank],
    &[Scope::Everywhere, Scope::Lists, Scope::SqlResult],
    &[Scope::Everywhere, Scope::SqlLine],
    &[Scope::Everywhere, Scope::Menu],
    &[Scope::Everywhere, Scope::Form],
    &[Scope::Question],
];

/// Keys that the user chose, by the name of what they do.
pub type ChosenKeys = std::collections::BTreeMap<String, Vec<String>>;

impl Intent {
    /// Its name in the settings: `GoToTick` is `go-to-tick`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        name
    }
}

impl Keymap {
    /// The bindings of [`BINDINGS`].
    pub fn standard() -> Self {
        let table = BINDINGS.iter().map(|binding| Row {
            scope: binding.scope,
            keys: binding.keys.iter().map(|keys| (*keys).to_owned()).collect(),
            intent: binding.intent,
            help: binding.help,
            footer: binding.footer,
        });
        Self::of(table.collect())
    }

    fn of(table: Vec<Row>) -> Self {
        let read = |row: &Row| {
            let (scope, intent) = (row.scope, row.intent);
            row.keys.iter().map(|keys| (scope, sequence(keys), intent)).collect::<Vec<_>>()
        };
        let rows = table.iter().flat_map(read).collect();
        Self { table, rows }
    }

    /// The bindings with other keys for some of them.
    ///
    /// # Errors
    ///
    /// A name that is none, a key that cannot be read, keys that would mean two things on one screen.
    pub fn with(chosen: &ChosenKeys) -> Result<Self, String> {
        let mut table = Self::standard().table;
        for (name, keys) in chosen {
            if let Some(odd) = keys.iter().find(|keys| !is_readable(keys)) {
                return Err(format!(
                    "`{odd}` (for `{name}`) is no key; keys are written as in the help, `g j` or `Ctrl+D`"
                ));
            }
            let rows = table.iter_mut().filter(|row| row.intent.name() == *name);
            let mut known = false;
            for row in rows {
                row.keys.clone_from(keys);
                known = true;
            }
            if !known {
                let names: Vec<String> = BINDINGS.iter().map(|binding| binding.intent.name()).collect();
                let near = nearest(name, names.iter().map(String::as_str));
                let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return Err(format!("nothing is called `{name}`{hint}"));
            }
        }
        let keymap = Self::of(table);
        match keymap.conflict() {
            Some(conflict) => Err(conflict),
            None => Ok(keymap),
        }
    }

    /// Keys that mean two things on one screen, if there are any.
    fn conflict(&self) -> Option<String> {
        for scopes in TOGETHER {
            let active: Vec<_> = self.rows.iter().filter(|(scope, ..)| scopes.contains(scope)).collect();
            for (at, (_, keys, intent)) in active.iter().enumerate() {
                for (_, others, other) in active.iter().skip(at + 1) {
                    if keys.starts_with(others) || others.starts_with(keys) {
                        let (keys, others) = (written(keys), written(others));
                        let (name, other) = (intent.name(), other.name());
                        return Some(format!(
                            "`{keys}` ({name}) and `{others}` ({other}) are in each other's way"
                        ));
                    }
                }
            }
        }
        None
    }

    /// What the keys pressed so far mean in these scopes.
    pub fn find(&self, scopes: &[Scope], pressed: &[Key]) -> Lookup {
        let mut begins = false;
        for (_, keys, intent) in self.rows.iter().filter(|(scope, ..)| scopes.contains(scope)) {
            if keys.as_slice() == pressed {
                return Lookup::Bound(*intent);
            }
            begins |= keys.starts_with(pressed);
        }
        if begins { Lookup::Begins } else { Lookup::Nothing }
    }

    /// The bindings shown in the footer: key and word, in the order of the table. While letters are typed
    /// into a line they are no keys.
    pub fn footer(&self, scopes: &[Scope], typing: bool) -> impl Iterator<Item = (&str, &'static str)> {
        let acts = move |key: &&String| !typing || (key.chars().count() > 1 && !key.contains(' '));
        self.table
            .iter()
            .filter(|row| scopes.contains(&row.scope) && !row.footer.is_empty())
            .filter_map(move |row| Some((row.keys.iter().find(acts)?.as_str(), row.footer)))
    }

    /// The help of some scopes: title, then keys and what they do.
    pub fn help(&self, scopes: &[Scope]) -> Vec<(&'static str, Vec<(String, &'static str)>)> {
        scopes
            .iter()
            .map(|scope| {
                let rows = self.table.iter().filter(|row| row.scope == *scope);
                (scope.title(), rows.map(|row| (row.keys.join("  "), row.help)).collect())
            })
            .collect()
    }

    /// What can be done in some scopes, with help and keys.
    pub fn commands(&self, scopes: &[Scope]) -> impl Iterator<Item = (Intent, &'static str, String)> {
        let rows = self.table.iter().filter(|row| scopes.contains(&row.scope));
        rows.map(|row| (row.intent, row.help, row.keys.join("  ")))
    }
}

fn sequence(keys: &str) -> Vec<Key> {
    keys.split(' ').filter_map(Key::parse).collect()
}

fn is_readable(keys: &str) -> bool {
    !keys.is_empty() && keys.split(' ').all(|key| Key::parse(key).is_some())
}

fn written(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_readable() {
        for binding in BINDINGS {
            for keys in binding.keys {
                let read: Vec<_> = sequence(keys).iter().map(ToString::to_string).collect();
                assert_eq!(&read.join(" "), keys, "{binding:?}");
            }
        }
    }

    #[test]
    fn no_key_means_two_things_on_one_screen() {
        assert_eq!(Keymap::standard().conflict(), None);
    }

    #[test]
    fn every_scope_is_tested_for_conflicts() {
        for binding in BINDINGS {
            assert!(TOGETHER.iter().any(|scopes| scopes.contains(&binding.scope)), "{:?}", binding.scope);
        }
    }

    #[test]
    fn keys_can_be_chosen() {
        let chosen = |name: &str, keys: &[&str]| {
            ChosenKeys::from([(name.to_owned(), keys.iter().map(|keys| (*keys).to_owned()).collect())])
        };
        let keymap = Keymap::with(&chosen("tick-forward", &["Ctrl+T", "g t"])).unwrap();
        let scopes = [Scope::Everywhere, Scope::Lists, Scope::Replay];
        assert_eq!(keymap.find(&scopes, &sequence("g t")), Lookup::Bound(Intent::TickForward));
        assert_eq!(keymap.find(&scopes, &sequence(".")), Lookup::Nothing);
        assert_eq!(keymap.footer(&scopes, false).next(), Some(("Ctrl+T", "tick on")));
        for (name, keys, said) in [
            ("tick-forwards", ".", "nothing is called `tick-forwards`; did you mean `tick-forward`?"),
            ("tick-forward", "Strg+T", "`Strg+T` (for `tick-forward`) is no key"),
            ("tick-forward", "j", "`j` (down)"),
            ("tick-forward", "g", "are in each other's way"),
        ] {
            let refused = Keymap::with(&chosen(name, &[keys])).unwrap_err();
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn every_binding_has_help() {
        assert!(BINDINGS.iter().all(|binding| !binding.help.is_empty()));
    }

    #[test]
    fn sequences_are_found_key_by_key() {
        let keymap = Keymap::standard();
        let scopes = [Scope::Everywhere, Scope::Lists];
        let g = Key::plain(super::super::key::Code::Char('g'));
        assert_eq!(keymap.find(&scopes, &[g]), Lookup::Begins);
        assert_eq!(keymap.find(&scopes, &[g, g]), Lookup::Bound(Intent::First));
        assert_eq!(keymap.find(&scopes, &[g, g, g]), Lookup::Nothing);
    }
}
