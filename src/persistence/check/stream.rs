//! The stored events of all simulations, page by page, read and digested beside the fold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use duckdb::params;

use super::CheckDepth;
use crate::event::{Columns, Digest, write_columns_line};
use crate::persistence::query::LINE_COLUMNS;
use crate::persistence::{PersistenceError, Reader};

/// Numbers of events that are read at once.
const STRETCH: i64 = 16_384;
/// Pages that may wait.
const WAITING: usize = 4;

/// A row of `simulation_events`, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredEvent {
    pub sequence: i64,
    pub tick: i64,
    pub day: i64,
    pub created_at: i64,
    pub event_type: String,
    pub agent_id: Option<String>,
    pub tx_id: Option<String>,
    pub details: String,
    /// The banks of `agents`, with a separator between them.
    pub agents: String,
    /// The payments of `tx_ids`, likewise.
    pub tx_ids: String,
}

/// What stands between two ids of a list: nothing that an id has.
pub(super) const SEPARATOR: char = '\u{1f}';

/// How many events a simulation has, and between which numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub count: u64,
    first: i64,
    last: i64,
}

/// A part of a simulation.
pub(super) enum Part {
    Page(Arc<Vec<StoredEvent>>),
    End,
}

/// All events in order of the simulations.
pub(super) struct Stream {
    parts: Receiver<Result<Part, PersistenceError>>,
    digests: Option<Receiver<String>>,
}

impl Reader {
    /// The extents of all simulations that have events.
    pub(super) fn extents(&self) -> Result<BTreeMap<String, Extent>, PersistenceError> {
        let rows = self.list(
            "SELECT simulation_id, count(*), min(sequence), max(sequence) FROM simulation_events GROUP BY 1",
            [],
            |row| Ok((row.get(0)?, Extent { count: row.get(1)?, first: row.get(2)?, last: row.get(3)? })),
        )?;
        Ok(rows.into_iter().collect())
    }

    fn stored_page(&self, id: &str, first: i64) -> Result<Vec<StoredEvent>, PersistenceError> {
        let query = format!(
            "SELECT {LINE_COLUMNS}, day, epoch_us(created_at), array_to_string(agents, chr(31)), \
             array_to_string(tx_ids, chr(31)) FROM simulation_events \
             WHERE simulation_id = ? AND sequence >= ? AND sequence < ? ORDER BY sequence"
        );
        self.list(&query, params![id, first, first.saturating_add(STRETCH)], |row| {
            Ok(StoredEvent {
                sequence: row.get(0)?,
                tick: row.get(1)?,
                event_type: row.get(2)?,
                agent_id: row.get(3)?,
                tx_id: row.get(4)?,
                details: row.get(5)?,
                day: row.get(6)?,
                created_at: row.get(7)?,
                agents: row.get(8)?,
                tx_ids: row.get(9)?,
            })
        })
    }

    fn next_sequence(&self, id: &str, from: i64) -> Result<Option<i64>, PersistenceError> {
        let query = "SELECT min(sequence) FROM simulation_events WHERE simulation_id = ? AND sequence >= ?";
        Ok(self.one(query, params![id, from], |row| row.get(0))?.flatten())
    }
}

impl Stream {
    /// Starts to read; `reader` stays free for others.
    pub(super) fn start(
        reader: &Reader,
        ids: Vec<String>,
        extents: BTreeMap<String, Extent>,
        depth: CheckDepth,
    ) -> Result<Self, PersistenceError> {
        let reader = reader.database().reader()?;
        let (to_fold, parts) = sync_channel(WAITING);
        let (mut to_digest, mut digests) = (None, None);
        let no_thread = |error: std::io::Error| PersistenceError::Query(format!("no thread: {error}"));
        if depth == CheckDepth::Full {
            let (lines, received) = sync_channel(WAITING);
            let (results, wanted) = channel();
            let work = move || make_digests(&received, &results);
            thread::Builder::new().name("check digests".to_owned()).spawn(work).map_err(no_thread)?;
            (to_digest, digests) = (Some(lines), Some(wanted));
        }
        let work = move || {
            // An error of sending means that nobody wants to know any more.
            if let Err(error) = read_all(&reader, &ids, &extents, &to_fold, to_digest.as_ref()) {
                let _ = to_fold.send(Err(error));
            }
        };
        thread::Builder::new().name("check reader".to_owned()).spawn(work).map_err(no_thread)?;
        Ok(Self { parts, digests })
    }

    /// The next part of the simulation whose turn it is.
    pub(super) fn next(&self) -> Result<Part, PersistenceError> {
        self.parts.recv().unwrap_or(Err(PersistenceError::Stopped))
    }

    /// The digest of the simulation that has just ended, if digests are made.
    pub(super) fn digest(&self) -> Result<Option<String>, PersistenceError> {
        let digest = self.digests.as_ref().map(Receiver::recv);
        digest.transpose().map_err(|_| PersistenceError::Stopped)
    }
}

fn read_all(
    reader: &Reader,
    ids: &[String],
    extents: &BTreeMap<String, Extent>,
    to_fold: &SyncSender<Result<Part, PersistenceError>>,
    to_digest: Option<&SyncSender<Part>>,
) -> Result<(), PersistenceError> {
    let send = |part: Part| {
        if let Some(to_digest) = to_digest {
            let same = match &part {
                Part::Page(page) => Part::Page(page.clone()),
                Part::End => Part::End,
            };
            let _ = to_digest.send(same);
        }
        to_fold.send(Ok(part)).map_err(|_| PersistenceError::Cancelled)
    };
    for id in ids {
        let mut from = extents.get(id).map(|extent| (extent.first, extent.last));
        while let Some((first, last)) = from {
            let page = reader.stored_page(id, first)?;
            let next = first.saturating_add(STRETCH);
            // Behind a gap the reading goes on where the next event is.
            let next = if page.is_empty() { reader.next_sequence(id, next)? } else { Some(next) };
            if !page.is_empty() {
                send(Part::Page(Arc::new(page)))?;
            }
            from = next.filter(|next| *next <= last).map(|next| (next, last));
        }
        send(Part::End)?;
    }
    Ok(())
}

fn make_digests(parts: &Receiver<Part>, results: &Sender<String>) {
    let (mut digest, mut line) = (Digest::default(), String::new());
    while let Ok(part) = parts.recv() {
        match part {
            Part::Page(page) => {
                for event in page.iter() {
                    line.clear();
                    write_columns_line(&event.columns(), &mut line);
                    digest.line(&line);
                }
            }
            Part::End => {
                if results.send(std::mem::take(&mut digest).hex()).is_err() {
                    return;
                }
            }
        }
    }
}

impl StoredEvent {
    /// The columns of its line.
    fn columns(&self) -> Columns<'_> {
        Columns {
            sequence: self.sequence.unsigned_abs(),
            tick: self.tick.unsigned_abs(),
            event_type: &self.event_type,
            agent_id: self.agent_id.as_deref(),
            tx_id: self.tx_id.as_deref(),
            details: &self.details,
        }
    }
}
