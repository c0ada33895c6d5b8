//! Lists: a cursor, and a window of rows of a list that may be far longer than memory.

use std::cell::Cell;

use super::desk::Desk;
use super::keymap::Intent;
use super::message::{Answer, Batch, From, Page, Ticket};
use super::rows::Row;

/// Rows asked for at once.
pub const PAGE: usize = 200;
/// Most rows kept; those farthest from the cursor go first.
const KEPT: usize = 1000;
/// Rows left in the direction of movement at which the next page is asked for.
const NEAR: usize = 50;

/// What part of a list its pane shows. Drawing sets it, so that a page is what the eye sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewport {
    top: Cell<usize>,
    height: Cell<usize>,
}

impl Viewport {
    /// At the top.
    pub const fn new() -> Self {
        Self { top: Cell::new(0), height: Cell::new(0) }
    }

    /// Scrolls so that the selected row is visible; returns the first row to draw.
    pub fn fit(&self, selected: usize, rows: usize, height: usize) -> usize {
        self.height.set(height);
        let highest = rows.saturating_sub(height);
        let from = (selected + 1).saturating_sub(height);
        let top = self.top.get().min(selected).max(from).min(highest.max(from));
        self.top.set(top);
        top
    }

    /// Rows that fit on the screen.
    pub fn height(&self) -> usize {
        self.height.get().max(1)
    }

    /// Shows a row that has come to another place where it was shown before.
    fn follow(&self, before: usize, now: usize) {
        self.top.set((self.top.get() + now).saturating_sub(before));
    }
}

/// The selected row of a list in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub at: usize,
    pub view: Viewport,
}

impl Cursor {
    /// On the first row.
    pub const fn new() -> Self {
        Self { at: 0, view: Viewport::new() }
    }

    /// Moves by an intent; false if it is no movement.
    pub fn motion(&mut self, intent: Intent, count: Option<u64>, rows: usize) -> bool {
        let Some(target) = target(intent, count, self.at, rows, self.view.height()) else { return false };
        self.at = target.min(rows.saturating_sub(1));
        true
    }

    /// Stays on the row of this key, else on the nearest one.
    pub fn keep<R: Row>(&mut self, key: Option<&R::Key>, rows: &[R]) {
        let found = key.and_then(|key| rows.iter().position(|row| row.key() == *key));
        self.at = found.unwrap_or(self.at).min(rows.len().saturating_sub(1));
    }
}

/// Where a movement leads; may lie beyond the last row.
fn target(intent: Intent, count: Option<u64>, at: usize, rows: usize, height: usize) -> Option<usize> {
    let times = usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX);
    let half = (height / 2).max(1).saturating_mul(times);
    let page = height.saturating_sub(1).max(1).saturating_mul(times);
    match intent {
        Intent::Down => Some(at.saturating_add(times)),
        Intent::Up => Some(at.saturating_sub(times)),
        Intent::HalfDown => Some(at.saturating_add(half)),
        Intent::HalfUp => Some(at.saturating_sub(half)),
        Intent::PageDown => Some(at.saturating_add(page)),
        Intent::PageUp => Some(at.saturating_sub(page)),
        Intent::First => Some(0),
        Intent::Last => Some(rows.saturating_sub(1)),
        _ => None,
    }
}

/// Some rows of a list in the database, paged by key.
#[derive(Clone, Debug, PartialEq)]
pub struct Window<R: Row> {
    rows: Vec<R>,
    cursor: Cursor,
    total: u64,
    more_before: bool,
    more_after: bool,
    awaiting: Option<(Ticket, From<R::Key>)>,
    problem: Option<String>,
    loaded: bool,
}

impl<R: Row> Default for Window<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            cursor: Cursor::default(),
            total: 0,
            more_before: false,
            more_after: false,
            awaiting: None,
            problem: None,
            loaded: false,
        }
    }
}

impl<R: Row> Window<R> {
    /// The rows at hand.
    pub fn rows(&self) -> &[R] {
        &self.rows
    }

    /// The selected row's place among them.
    pub const fn at(&self) -> usize {
        self.cursor.at
    }

    /// What its pane shows.
    pub const fn view(&self) -> &Viewport {
        &self.cursor.view
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&R> {
        self.rows.get(self.cursor.at)
    }

    /// Rows of the whole list.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Why the last question failed.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What stands in place of rows while there are none.
    pub fn placeholder<'a>(&'a self, empty: &'a str) -> &'a str {
        match &self.problem {
            Some(problem) => problem,
            None if self.loaded => empty,
            None => "reading",
        }
    }

    /// Whether the selected row is the list's last.
    pub const fn at_end(&self) -> bool {
        !self.more_after && self.cursor.at + 1 >= self.rows.len()
    }

    /// Selects a row at hand.
    pub fn select(&mut self, key: &R::Key) -> bool {
        let found = self.rows.iter().position(|row| row.key() == *key);
        if let Some(at) = found {
            self.cursor.at = at;
        }
        found.is_some()
    }

    /// Selects the last row at hand.
    pub const fn select_last(&mut self) {
        self.cursor.at = self.rows.len().saturating_sub(1);
    }

    /// Moves by an intent. `None`: it is no movement; else the page that is needed now, if any.
    pub fn motion(&mut self, intent: Intent, count: Option<u64>) -> Option<Option<From<R::Key>>> {
        match intent {
            Intent::First if self.more_before => return Some(Some(From::First)),
            Intent::Last if self.more_after => return Some(Some(From::Last)),
            _ => {}
        }
        let before = self.cursor.at;
        if !self.cursor.motion(intent, count, self.rows.len()) {
            return None;
        }
        if self.awaiting.is_some() {
            return Some(None);
        }
        let at = self.cursor.at;
        let (first, last) = (self.rows.first().map(Row::key), self.rows.last().map(Row::key));
        let down = at > before || at + 1 == self.rows.len();
        Some(if down && self.more_after && at + NEAR >= self.rows.len() {
            last.map(From::After)
        } else if at <= before && self.more_before && at < NEAR {
            first.map(From::Before)
        } else {
            None
        })
    }

    /// The page that reads the rows again: new ones at the top included, or around the selected one if
    /// the window does not begin at the top.
    pub fn again(&self) -> Page<R::Key> {
        let from = match self.selected() {
            Some(row) if self.more_before => From::Around(row.key()),
            _ => From::First,
        };
        Page { from, limit: self.rows.len().max(PAGE) }
    }

    /// The page behind the last row, if the window reaches the end of the list.
    pub fn tail(&self) -> Option<Page<R::Key>> {
        if self.more_after || self.awaiting.is_some() {
            return None;
        }
        let from = self.rows.last().map_or(From::First, |row| From::After(row.key()));
        Some(Page { from, limit: PAGE })
    }

    /// Notes which question the window waits for; an older one is forgotten.
    pub fn expect(&mut self, ticket: Ticket, from: From<R::Key>) {
        self.awaiting = Some((ticket, from));
    }

    /// Takes an answer in that holds rows of this list, and tells why there is none; false if it answers
    /// another question.
    pub fn answer(
        &mut self,
        ticket: Ticket,
        answer: Result<Answer, String>,
        rows: impl FnOnce(Answer) -> Option<Batch<R>>,
        desk: &mut Desk<'_>,
    ) -> bool {
        let batch = match answer.map(rows) {
            Ok(Some(batch)) => Ok(batch),
            Ok(None) => return false,
            Err(problem) => Err(problem),
        };
        let taken = self.take(ticket, batch);
        if let (true, Some(problem)) = (taken, self.problem()) {
            desk.complain(problem);
        }
        taken
    }

    fn take(&mut self, ticket: Ticket, answer: Result<Batch<R>, String>) -> bool {
        let Some((_, from)) = self.awaiting.take_if(|(awaited, _)| *awaited == ticket) else { return false };
        self.loaded = true;
        match answer {
            Ok(batch) => {
                self.problem = None;
                self.place(&from, batch);
            }
            Err(problem) => self.problem = Some(problem),
        }
        true
    }

    fn place(&mut self, from: &From<R::Key>, batch: Batch<R>) {
        self.total = batch.total;
        let began_at_top = !self.more_before;
        let selected = self.selected().map(Row::key);
        match from {
            From::After(_) => {
                self.rows.extend(batch.rows);
                self.more_after = batch.more_after;
                let surplus = self.rows.len().saturating_sub(KEPT).min(self.cursor.at);
                self.rows.drain(..surplus);
                self.more_before |= surplus > 0;
                self.cursor.at -= surplus;
            }
            From::Before(_) => {
                let added = batch.rows.len();
                self.rows.splice(0..0, batch.rows);
                self.more_before = batch.more_before;
                self.cursor.view.follow(self.cursor.at, self.cursor.at + added);
                self.cursor.at += added;
                let kept = KEPT.max(self.cursor.at + NEAR);
                self.more_after |= self.rows.len() > kept;
                self.rows.truncate(kept);
            }
            From::First | From::Last | From::Around(_) => {
                self.more_before = batch.more_before;
                self.more_after = batch.more_after;
                self.rows = batch.rows;
                match from {
                    From::Last => self.select_last(),
                    From::Around(key) => {
                        let before = self.cursor.at;
                        self.cursor.keep(Some(key), &self.rows);
                        if selected.as_ref() == Some(key) {
                            self.cursor.view.follow(before, self.cursor.at);
                        }
                    }
                    _ if began_at_top => self.cursor.keep(selected.as_ref(), &self.rows),
                    // The first row was asked for, from farther down.
                    _ => self.cursor.at = 0,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Number(u64);

    impl Row for Number {
        type Key = u64;

        fn key(&self) -> u64 {
            self.0
        }
    }

    fn batch(numbers: std::ops::Range<u64>, all: u64) -> Batch<Number> {
        Batch {
            more_before: numbers.start > 0,
            more_after: numbers.end < all,
            rows: numbers.map(Number).collect(),
            total: all,
        }
    }

    fn filled(numbers: std::ops::Range<u64>, all: u64) -> Window<Number> {
        let mut window = Window::default();
        window.expect(1, From::First);
        assert!(window.take(1, Ok(batch(numbers, all))));
        window
    }

    #[test]
    fn the_next_page_is_asked_for_before_the_end_is_reached() {
        let mut window = filled(0..200, 1000);
        assert_eq!(window.motion(Intent::Down, Some(100)), Some(None));
        assert_eq!(window.motion(Intent::Down, Some(60)), Some(Some(From::After(199))));
        window.expect(2, From::After(199));
        assert_eq!(window.motion(Intent::Down, None), Some(None), "one page at a time");
        assert!(window.take(2, Ok(batch(200..400, 1000))));
        assert_eq!((window.rows().len(), window.selected()), (400, Some(&Number(161))));
    }

    #[test]
    fn the_window_stays_small_and_keeps_its_row() {
        let mut window = filled(0..200, 100_000);
        for page in 1..20 {
            let last = page * 200 - 1;
            assert!(window.motion(Intent::Last, None).is_some());
            window.select_last();
            window.expect(page + 1, From::After(last));
            assert!(window.take(page + 1, Ok(batch(last + 1..last + 201, 100_000))));
            assert_eq!(window.selected(), Some(&Number(last)));
        }
        assert!(window.rows().len() <= KEPT + PAGE);
        assert_eq!(window.motion(Intent::First, None), Some(Some(From::First)));
        window.expect(99, From::First);
        assert!(window.take(99, Ok(batch(0..200, 100_000))));
        assert_eq!(window.selected(), Some(&Number(0)), "that is what was asked for");
    }

    #[test]
    fn rows_before_are_put_in_front_of_the_selected_one() {
        let mut window = Window::default();
        window.expect(1, From::Around(500));
        assert!(window.take(1, Ok(batch(480..680, 1000))));
        assert_eq!(window.selected(), Some(&Number(500)));
        assert_eq!(window.motion(Intent::Up, None), Some(Some(From::Before(480))));
        window.expect(2, From::Before(480));
        assert!(window.take(2, Ok(batch(280..480, 1000))));
        assert_eq!(window.selected(), Some(&Number(499)));
    }

    #[test]
    fn a_stale_answer_is_dropped_and_a_reload_keeps_the_selected_row() {
        let mut window = Window::default();
        window.expect(1, From::First);
        assert!(window.take(1, Ok(Batch { more_before: false, ..batch(10..20, 10) })));
        window.select(&15);
        window.expect(7, From::First);
        assert!(!window.take(6, Ok(batch(0..3, 3))));
        assert!(window.take(7, Ok(batch(0..20, 20))));
        assert_eq!(window.selected(), Some(&Number(15)));
    }

    #[test]
    fn reading_again_keeps_the_row_and_its_place_on_the_screen_far_from_the_top() {
        let mut window = Window::default();
        window.expect(1, From::Last);
        assert!(window.take(1, Ok(batch(800..1000, 1000))));
        assert!(window.motion(Intent::Up, Some(120)).is_some());
        window.view().fit(window.at(), window.rows().len(), 20);
        let line =
            |window: &Window<Number>| window.at() - window.view().fit(window.at(), window.rows().len(), 20);
        let before = line(&window);
        let page = window.again();
        assert_eq!(page.from, From::Around(879), "not the top");
        window.expect(2, page.from);
        assert!(window.take(2, Ok(batch(779..979, 1000))));
        assert_eq!((window.selected(), line(&window)), (Some(&Number(879)), before));
        assert_eq!(filled(0..200, 1000).again(), Page { from: From::First, limit: PAGE });
    }

    #[test]
    fn a_failed_question_says_why_and_keeps_the_rows() {
        let mut window = filled(0..5, 5);
        window.expect(2, From::First);
        assert!(window.take(2, Err("the file is gone".into())));
        assert_eq!((window.problem(), window.rows().len()), (Some("the file is gone"), 5));
    }

    #[test]
    fn the_selected_row_is_always_in_view() {
        let view = Viewport::default();
        assert_eq!(view.fit(0, 100, 10), 0);
        assert_eq!(view.fit(15, 100, 10), 6);
        assert_eq!(view.fit(10, 100, 10), 6, "no scrolling while it is visible");
        assert_eq!(view.fit(3, 100, 10), 3);
        assert_eq!(view.fit(99, 100, 10), 90);
        assert_eq!(view.fit(4, 5, 10), 0);
    }
}
