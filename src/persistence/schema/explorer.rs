//! Tables of the explorer (spec 06, 2.9).

use super::Kind::{TextList, Time};
use super::{Table, big, column, text_column};

/// Places the user wants to find again.
pub(super) const BOOKMARKS: Table = Table {
    name: "bookmarks",
    help: "One row per bookmark of the explorer.",
    key: &["bookmark_id"],
    columns: &[
        big("bookmark_id", "Number of the bookmark.").numbered("bookmarks_id_seq"),
        column("created_at", Time, "When it was made.").nn(),
        text_column("label", "What the user called it."),
        text_column("link", "Deep link that reopens the view.").nn(),
        text_column("experiment_run_id", "Run that it points at, if it points at one."),
        text_column("simulation_id", "Simulation that it points at, if it points at one."),
        big("tick", "Tick that it points at, if it points at one."),
        big("sequence", "Event that it points at, if it points at one."),
    ],
};

/// What the user wrote about things.
pub(super) const NOTES: Table = Table {
    name: "notes",
    help: "One row per note of the explorer.",
    key: &["note_id"],
    columns: &[
        big("note_id", "Number of the note.").numbered("notes_id_seq"),
        column("created_at", Time, "When it was made.").nn(),
        column("updated_at", Time, "When it was last changed.").nn(),
        text_column("target_kind", "What it is about: `run`, `iteration`, `simulation` or `event`.").nn(),
        text_column("target_id", "Run id, `run id/iteration`, simulation id or event id.").nn(),
        text_column("body", "The text.").nn(),
        column("tags", TextList, "Tags of the user.").nn(),
    ],
};

/// Filters the user keeps.
pub(super) const SAVED_FILTERS: Table = Table {
    name: "saved_filters",
    help: "One row per filter that the user saved.",
    key: &["screen", "name"],
    columns: &[
        text_column("screen", "Screen on which it is offered."),
        text_column("name", "Name under which it is offered."),
        text_column("expression", "The filter as typed.").nn(),
        column("created_at", Time, "When it was made.").nn(),
    ],
};
