//! Payments from a file (spec 01, 2.12).

use std::collections::HashMap;
use std::sync::Arc;

use super::arrivals::DEFAULT_PRIORITY;
use super::{FileKind, FileText, Files};
use crate::document::{Item, Node, Report, Value, shortened};
use crate::event::Text;
use crate::finding::{Finding, Position, meant, nearest};
use crate::money::Cents;
use crate::scenario::check;
use crate::scenario::file::ScenarioFile;
use crate::scenario::model::FilePayment;
use crate::time::{Calendar, Tick};

/// Bad rows that are reported one by one; more are counted.
const MAX_BAD_ROWS: usize = 1000;

/// `payments_file` as it stands in the scenario.
pub(super) struct PaymentsItem<'a>(pub Item<'a>);

type Payments = Option<Arc<[FilePayment<Text>]>>;

/// The columns of the section; their order is that of [`Table::columns`].
const COLUMNS: [&str; 8] = ["tick", "time", "day", "sender", "receiver", "amount", "priority", "deadline"];

#[derive(Clone, Copy, PartialEq)]
enum Column {
    Tick,
    Time,
    Day,
    Sender,
    Receiver,
    Amount,
    Priority,
    Deadline,
}

/// The payments, `Some(None)` without a payments file.
pub(super) fn read(
    item: Option<PaymentsItem<'_>>,
    file: &ScenarioFile,
    files: &dyn Files,
    report: &Report,
) -> Option<Payments> {
    let Some(PaymentsItem(item)) = item else { return Some(None) };
    let banks: Banks<'_> = file.agents.iter().map(|agent| (&*agent.id, &agent.id)).collect();
    let payments = if item.node.as_map().is_some() {
        mapping(item, file.calendar, &banks, files)
    } else if item.node.as_text().is_some() {
        let layout = Layout::default();
        from_file(&item, &layout, file.calendar, &banks, files)
    } else {
        item.expected("the path of a file or a mapping", None)
    };
    let payments = payments?;
    let faults = check::payments(&payments, file.calendar, |bank| banks.contains_key(&**bank));
    for (index, key, message) in faults.into_iter().take(MAX_BAD_ROWS) {
        report.error(format!("payments_file.rows[{index}]"), format!("`{key}`: {message}"));
    }
    (!report.has_errors()).then(|| Some(payments.into()))
}

type Banks<'a> = HashMap<&'a str, &'a Text>;

fn mapping(
    item: Item<'_>,
    calendar: Calendar,
    banks: &Banks<'_>,
    files: &dyn Files,
) -> Option<Vec<FilePayment<Text>>> {
    let mut section = item.clone().mapping()?;
    match (section.item("path"), section.item("rows")) {
        (None, Some(rows)) => {
            section.finish();
            read_rows(&rows, banks)
        }
        (Some(path), None) => {
            let columns = section.or("columns", Vec::new(), columns);
            let in_units =
                section.or("amounts", false, |item| item.one_of(&[("cents", false), ("units", true)]));
            let opens = section.nullable("opens", |item| moment(&item, false));
            let closes = section.nullable("closes", |item| moment(&item, true));
            section.finish();
            let layout = Layout { columns: columns?, in_units: in_units?, opens: opens?, closes: closes? };
            from_file(&path, &layout, calendar, banks, files)
        }
        _ => item.expected("exactly one of `path` and `rows`", None),
    }
}

/// How a file is laid out.
#[derive(Default)]
struct Layout {
    /// Other names of columns.
    columns: Vec<(Column, String)>,
    in_units: bool,
    /// Seconds of the day.
    opens: Option<u32>,
    closes: Option<u32>,
}

const ALL_COLUMNS: [Column; 8] = [
    Column::Tick,
    Column::Time,
    Column::Day,
    Column::Sender,
    Column::Receiver,
    Column::Amount,
    Column::Priority,
    Column::Deadline,
];

fn columns(item: Item<'_>) -> Option<Vec<(Column, String)>> {
    let mut section = item.mapping()?;
    let mut names = Vec::new();
    let mut complete = true;
    for column in ALL_COLUMNS {
        if let Some(item) = section.item(COLUMNS[column as usize]) {
            match item.text() {
                Some(name) => names.push((column, name)),
                None => complete = false,
            }
        }
    }
    section.finish();
    complete.then_some(names)
}

fn moment(item: &Item<'_>, may_end_the_day: bool) -> Option<u32> {
    let text = item.str()?;
    let seconds = seconds_of_day(text).filter(|seconds| *seconds < DAY || may_end_the_day);
    if seconds.is_none() {
        item.error(format!("`{}` is no time of day; write `HH:MM` or `HH:MM:SS`", shortened(text)));
    }
    seconds
}

const DAY: u32 = 24 * 60 * 60;

/// `HH:MM` or `HH:MM:SS` up to `24:00`.
fn seconds_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':').map(|part| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    });
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().map_or(Some(0), |seconds| seconds)?;
    if parts.next().is_some() || minutes > 59 || seconds > 59 {
        return None;
    }
    let total = hours * 3600 + minutes * 60 + seconds;
    (total <= DAY).then_some(total)
}

/// `rows`: the form in which a resolved scenario keeps its payments.
fn read_rows(item: &Item<'_>, banks: &Banks<'_>) -> Option<Vec<FilePayment<Text>>> {
    let Value::List(rows) = &item.node.value else { return item.expected("a list of payments", None) };
    let mut payments = Vec::with_capacity(rows.len());
    let mut bad = 0;
    for (index, row) in rows.iter().enumerate() {
        match read_row(row, banks) {
            Some(payment) => payments.push(payment),
            None if bad < MAX_BAD_ROWS => {
                let item = Item::new(row, format!("{}[{index}]", item.path), item.report);
                explain_row(&item);
                bad += 1;
            }
            None => bad += 1,
        }
    }
    (bad == 0).then_some(payments)
}

/// Quick reading of one row; what is wrong with it is found by [`explain_row`].
fn read_row(row: &Node, banks: &Banks<'_>) -> Option<FilePayment<Text>> {
    let [tick, sender, receiver, amount, priority, deadline] = row.as_list()? else { return None };
    let tick_of = |node: &Node| match node.value {
        Value::Int(value) => i64::try_from(value).ok().and_then(|tick| u64::try_from(tick).ok()).map(Tick),
        _ => None,
    };
    let bank = |node: &Node| {
        let id = node.as_text()?;
        Some(banks.get(id).map_or_else(|| Text::from(id), |known| Text::clone(known)))
    };
    let Value::Int(amount) = amount.value else { return None };
    let Value::Int(priority) = priority.value else { return None };
    Some(FilePayment {
        tick: tick_of(tick)?,
        sender: bank(sender)?,
        receiver: bank(receiver)?,
        amount: Cents(i64::try_from(amount).ok()?),
        priority: u8::try_from(priority).ok()?,
        deadline: if deadline.is_null() { None } else { Some(tick_of(deadline)?) },
    })
}

fn explain_row(item: &Item<'_>) {
    let Some(parts) = item.list() else { return };
    let [tick, sender, receiver, amount, priority, deadline] = &parts[..] else {
        let _: Option<()> =
            item.expected("[tick, sender, receiver, amount, priority, deadline or null]", None);
        return;
    };
    let (_, _) = (tick.integer(0..=i64::MAX), amount.integer(1..=i64::MAX));
    let (_, _) = (sender.str(), receiver.str());
    let _ = priority.integer(0..=10);
    if !deadline.node.is_null() {
        let _ = deadline.integer(1..=i64::MAX);
    }
}

fn from_file(
    item: &Item<'_>,
    layout: &Layout,
    calendar: Calendar,
    banks: &Banks<'_>,
    files: &dyn Files,
) -> Option<Vec<FilePayment<Text>>> {
    let path = item.str()?;
    match files.read(path, FileKind::Payments) {
        Ok(file) => Table::new(item, layout, calendar, banks, &file)?.read(&file.text),
        Err(reason) => {
            item.error(format!("no payments file `{}`: {reason}", shortened(path)));
            None
        }
    }
}

/// A payments file whose header is understood.
struct Table<'a> {
    item: &'a Item<'a>,
    layout: &'a Layout,
    calendar: Calendar,
    banks: &'a Banks<'a>,
    file_name: &'a str,
    delimiter: u8,
    width: usize,
    /// Where each column of [`COLUMNS`] stands.
    columns: [Option<usize>; COLUMNS.len()],
}

/// What is wrong with a field: the column and a sentence.
type Fault = (Column, String);

impl<'a> Table<'a> {
    fn new(
        item: &'a Item<'a>,
        layout: &'a Layout,
        calendar: Calendar,
        banks: &'a Banks<'a>,
        file: &'a FileText,
    ) -> Option<Self> {
        let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
        let header_line = text.lines().next().unwrap_or("");
        let delimiter = if header_line.contains(';') { b';' } else { b',' };
        let mut table = Self {
            item,
            layout,
            calendar,
            banks,
            file_name: &file.name,
            delimiter,
            width: 0,
            columns: [None; COLUMNS.len()],
        };
        table.read_header(text)?;
        Some(table)
    }

    fn rows<'t>(&self, text: &'t str) -> csv::Reader<&'t [u8]> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .has_headers(true)
            .from_reader(text.as_bytes())
    }

    fn fault(&self, line: usize, column: usize, message: &str) {
        let message = format!("`{}`, {message}", self.file_name);
        let position = Some(Position { line, column });
        self.item.report.push(Finding::error(&*self.item.path, position, message));
    }

    fn name_of(&self, column: Column) -> &str {
        let renamed = self.layout.columns.iter().find(|(renamed, _)| *renamed == column);
        renamed.map_or(COLUMNS[column as usize], |(_, name)| name)
    }

    fn has(&self, column: Column) -> bool {
        self.columns[column as usize].is_some()
    }

    fn read_header(&mut self, text: &str) -> Option<()> {
        let mut reader = self.rows(text);
        let header = match reader.headers() {
            Ok(header) if !header.iter().all(str::is_empty) => header.clone(),
            Ok(_) => {
                self.fault(1, 1, "the file has no header line");
                return None;
            }
            Err(error) => {
                self.fault(1, 1, &format!("not readable as CSV: {error}"));
                return None;
            }
        };
        self.width = header.len();
        let mut sound = true;
        for column in ALL_COLUMNS {
            let name = self.name_of(column);
            let mut places = header.iter().enumerate().filter(|(_, found)| *found == name);
            let place = places.next().map(|(place, _)| place);
            if let Some((again, _)) = places.next() {
                self.fault(1, again + 1, &format!("column `{name}` occurs twice in the header"));
                sound = false;
            }
            let renamed = self.layout.columns.iter().any(|(renamed, _)| *renamed == column);
            if renamed && place.is_none() {
                self.fault(1, 1, &missing_column(name, &header));
                sound = false;
            }
            self.columns[column as usize] = place;
        }
        sound = self.needs_columns(&header) && sound;
        self.warn_about_others(&header);
        sound.then_some(())
    }

    fn needs_columns(&mut self, header: &csv::StringRecord) -> bool {
        let mut sound = true;
        for column in [Column::Sender, Column::Receiver, Column::Amount] {
            let renamed = self.layout.columns.iter().any(|(renamed, _)| *renamed == column);
            if !self.has(column) && !renamed {
                self.fault(1, 1, &missing_column(self.name_of(column), header));
                sound = false;
            }
        }
        if self.has(Column::Tick) == self.has(Column::Time) {
            self.fault(1, 1, "exactly one of the columns `tick` and `time` is needed");
            return false;
        }
        if self.has(Column::Tick) {
            // A day means nothing beside an absolute tick.
            self.columns[Column::Day as usize] = None;
            return sound;
        }
        match (self.layout.opens, self.layout.closes) {
            (Some(opens), Some(closes)) if opens < closes => sound,
            (Some(_), Some(_)) => self.item.expected::<()>("`closes` later than `opens`", None).is_some(),
            _ => {
                self.item.error("a file with the column `time` needs `opens` and `closes`");
                false
            }
        }
    }

    fn warn_about_others(&self, header: &csv::StringRecord) {
        for (place, name) in header.iter().enumerate() {
            if !self.columns.contains(&Some(place)) {
                let known = ALL_COLUMNS.map(|column| self.name_of(column));
                let near = meant(nearest(name, known).filter(|near| *near != name));
                let message =
                    format!("`{}`, column `{}` is passed over{near}", self.file_name, shortened(name));
                let position = Some(Position { line: 1, column: place + 1 });
                self.item.report.push(Finding::warning(&*self.item.path, position, message));
            }
        }
        let times = self.layout.opens.is_some() || self.layout.closes.is_some();
        if times && !self.has(Column::Time) {
            self.item.warning("`opens` and `closes` have no effect without a column `time`");
        }
    }

    fn read(&self, text: &str) -> Option<Vec<FilePayment<Text>>> {
        let mut reader = self.rows(text);
        let (mut payments, mut bad) = (Vec::new(), 0_usize);
        for row in reader.records() {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    self.fault(1, 1, &format!("not readable as CSV: {error}"));
                    return None;
                }
            };
            let line = row.position().map_or(1, |at| line_of(text, at));
            match self.payment(&row) {
                Ok(payment) => payments.push(payment),
                Err(faults) => {
                    bad += 1;
                    for (column, message) in faults.into_iter().filter(|_| bad <= MAX_BAD_ROWS) {
                        let place = self.columns[column as usize].unwrap_or(0) + 1;
                        self.fault(line, place, &format!("`{}`: {message}", self.name_of(column)));
                    }
                }
            }
        }
        if bad > MAX_BAD_ROWS {
            self.item.error(format!("{} more rows can not be used", bad - MAX_BAD_ROWS));
        }
        (bad == 0).then_some(payments)
    }

    fn payment(&self, row: &csv::StringRecord) -> Result<FilePayment<Text>, Vec<Fault>> {
        if row.len() != self.width {
            let message = format!("the row has {} fields, the header {}", row.len(), self.width);
            return Err(vec![(Column::Amount, message)]);
        }
        let mut faults = Vec::new();
        let arrival = self.arrival(row).map_err(|fault| faults.push(fault)).ok();
        let sender = self.bank(row, Column::Sender).map_err(|fault| faults.push(fault)).ok();
        let receiver = self.bank(row, Column::Receiver).map_err(|fault| faults.push(fault)).ok();
        let amount = self.amount(row).map_err(|fault| faults.push(fault)).ok();
        let priority = self.priority(row).map_err(|fault| faults.push(fault)).ok();
        let deadline =
            arrival.map(|tick| self.deadline(row, tick)).transpose().map_err(|fault| faults.push(fault)).ok();
        if sender.is_some() && sender == receiver {
            faults.push((Column::Receiver, "the sender can not be the receiver".to_owned()));
        }
        match (arrival, sender, receiver, amount, priority, deadline) {
            (Some(tick), Some(sender), Some(receiver), Some(amount), Some(priority), Some(deadline))
                if faults.is_empty() =>
            {
                Ok(FilePayment { tick, sender, receiver, amount, priority, deadline: deadline.flatten() })
            }
            _ => Err(faults),
        }
    }

    /// The text of a field; `None` without the column.
    fn field<'r>(&self, row: &'r csv::StringRecord, column: Column) -> Option<&'r str> {
        row.get(self.columns[column as usize]?)
    }

    fn arrival(&self, row: &csv::StringRecord) -> Result<Tick, Fault> {
        if let Some(text) = self.field(row, Column::Tick) {
            let tick = integer(text).and_then(|tick| u64::try_from(tick).ok()).map(Tick);
            let end = self.calendar.end();
            return tick.filter(|tick| *tick < end).ok_or_else(|| {
                let last = end.0.saturating_sub(1);
                (Column::Tick, format!("`{}` is no tick of the run, 0 to {last}", shortened(text)))
            });
        }
        let last = self.calendar.num_days.saturating_sub(1);
        let day = match self.field(row, Column::Day).unwrap_or("") {
            "" => 0,
            text => {
                integer(text).and_then(|day| u64::try_from(day).ok()).filter(|day| *day <= last).ok_or_else(
                    || (Column::Day, format!("`{}` is no day of the run, 0 to {last}", shortened(text))),
                )?
            }
        };
        let text = self.field(row, Column::Time).unwrap_or("");
        let within = self.tick_of_day(text, false).map_err(|message| (Column::Time, message))?;
        Ok(Tick(day * self.calendar.ticks_per_day + within))
    }

    /// The tick within its day; a deadline may stand at the close, which is the end of the last tick.
    fn tick_of_day(&self, text: &str, is_deadline: bool) -> Result<u64, String> {
        let (opens, closes) = (self.layout.opens.unwrap_or(0), self.layout.closes.unwrap_or(DAY));
        let seconds = seconds_of_day(text)
            .ok_or_else(|| format!("`{}` is no time of day; write `HH:MM` or `HH:MM:SS`", shortened(text)))?;
        if is_deadline && seconds == closes {
            return Ok(self.calendar.ticks_per_day - 1);
        }
        if !(opens..closes).contains(&seconds) {
            return Err(format!("`{text}` is not from `opens` on and before `closes`"));
        }
        let ticks = u128::from(self.calendar.ticks_per_day);
        let tick = u128::from(seconds - opens) * ticks / u128::from(closes - opens);
        Ok(u64::try_from(tick).unwrap_or(u64::MAX))
    }

    fn bank(&self, row: &csv::StringRecord, column: Column) -> Result<Text, Fault> {
        let id = self.field(row, column).unwrap_or("");
        self.banks.get(id).map(|bank| Text::clone(bank)).ok_or_else(|| {
            let near = meant(nearest(id, self.banks.keys().copied()));
            (column, format!("the scenario has no bank `{}`{near}", shortened(id)))
        })
    }

    fn amount(&self, row: &csv::StringRecord) -> Result<Cents, Fault> {
        let text = self.field(row, Column::Amount).unwrap_or("");
        let cents = if self.layout.in_units { units(text) } else { integer(text) };
        let Some(cents) = cents else {
            let form = if self.layout.in_units {
                "an amount with a point and at most two places"
            } else {
                "a whole number of cents"
            };
            return Err((Column::Amount, format!("`{}` is not {form}", shortened(text))));
        };
        i64::try_from(cents)
            .ok()
            .filter(|cents| *cents >= 1)
            .map(Cents)
            .ok_or_else(|| (Column::Amount, format!("`{text}` is not 0.01 to 92233720368547758.07 units")))
    }

    fn priority(&self, row: &csv::StringRecord) -> Result<u8, Fault> {
        match self.field(row, Column::Priority).unwrap_or("") {
            "" => Ok(DEFAULT_PRIORITY),
            text => integer(text)
                .and_then(|priority| u8::try_from(priority).ok())
                .filter(|priority| *priority <= 10)
                .ok_or_else(|| (Column::Priority, format!("`{}` is not 0 to 10", shortened(text)))),
        }
    }

    fn deadline(&self, row: &csv::StringRecord, arrival: Tick) -> Result<Option<Tick>, Fault> {
        let text = self.field(row, Column::Deadline).unwrap_or("");
        if text.is_empty() {
            return Ok(None);
        }
        let fault = |message| (Column::Deadline, message);
        let tick = if self.has(Column::Time) {
            let day = self.calendar.day(arrival).0;
            let within = self.tick_of_day(text, true).map_err(fault)?;
            Tick(day * self.calendar.ticks_per_day + within)
        } else {
            integer(text)
                .and_then(|tick| i64::try_from(tick).ok())
                .and_then(|tick| u64::try_from(tick).ok())
                .map(Tick)
                .ok_or_else(|| fault(format!("`{}` is no tick", shortened(text))))?
        };
        if tick <= arrival {
            return Err(fault(format!("tick {tick} is not after the arrival in tick {arrival}")));
        }
        Ok(Some(tick))
    }
}

/// The line of a row; the reader counts it from the empty lines before it.
fn line_of(text: &str, at: &csv::Position) -> usize {
    let start = usize::try_from(at.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let skipped = empty.filter(|byte| **byte == b'\n').count();
    usize::try_from(at.line()).unwrap_or(usize::MAX).saturating_add(skipped)
}

fn missing_column(name: &str, header: &csv::StringRecord) -> String {
    let near = nearest(name, header.iter()).filter(|near| *near != name);
    let near =
        near.map_or_else(String::new, |near| format!("; is it `{}`? (see `columns`)", shortened(near)));
    format!("the header has no column `{name}`{near}")
}

/// Digits with an optional sign.
fn integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sound = !digits.is_empty() && digits.len() <= 36 && digits.bytes().all(|byte| byte.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

/// A decimal with a point and at most two places, in cents.
fn units(text: &str) -> Option<i128> {
    let (whole, places) = text.split_once('.').unwrap_or((text, "00"));
    let sound = matches!(places.len(), 1 | 2) && places.bytes().all(|byte| byte.is_ascii_digit());
    if !sound {
        return None;
    }
    let cents: i128 = format!("{places:0<2}").parse().ok()?;
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    Some(integer(whole)?.checked_mul(100)? + sign * cents)
}
