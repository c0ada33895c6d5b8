//! Steps in words: from where, which key, to where.

use super::stepping::{Step, step};
use crate::explorer::keymap::Intent::{self, EventBack, EventForward, TickBack, TickForward};
use crate::explorer::rows::{EventRow, Moment, Seek, Status};

fn moment(tick: u64, applied: usize, events: u64) -> Moment {
    let event = |number| EventRow {
        sequence: tick * 100 + number,
        tick,
        kind: "PolicyHold".into(),
        line: "{}".into(),
    };
    Moment {
        tick,
        applied,
        day: 0,
        tick_in_day: tick,
        last_tick: 9,
        ticks: 10,
        status: Status::Completed,
        title: "two-banks".into(),
        banks: Vec::new(),
        queue1: Vec::new(),
        queue2: Vec::new(),
        events: (0..events).map(event).collect(),
    }
}

#[test]
fn steps_lead_where_they_should() {
    let table: &[(Moment, Intent, u64, Step)] = &[
        (moment(3, 5, 5), TickForward, 1, Step::To(Seek::Tick(4))),
        (moment(3, 2, 5), TickForward, 1, Step::To(Seek::Tick(3))),
        (moment(3, 5, 5), TickForward, 50, Step::To(Seek::Tick(9))),
        (moment(9, 5, 5), TickForward, 1, Step::AtEnd),
        (moment(9, 2, 5), TickForward, 4, Step::To(Seek::Tick(9))),
        (moment(3, 2, 5), TickBack, 1, Step::To(Seek::Tick(2))),
        (moment(0, 3, 3), TickBack, 1, Step::To(Seek::Event(0, 0))),
        (moment(0, 0, 3), TickBack, 1, Step::AtStart),
        (moment(0, 0, 3), TickForward, 1, Step::To(Seek::Tick(0))),
        (moment(0, 0, 0), TickForward, 1, Step::To(Seek::Tick(1))),
        (moment(3, 2, 5), EventForward, 1, Step::To(Seek::Event(3, 3))),
        (moment(3, 5, 5), EventForward, 1, Step::To(Seek::Event(4, 1))),
        (moment(3, 2, 5), EventForward, 4, Step::To(Seek::Event(4, 1))),
        (moment(9, 5, 5), EventForward, 1, Step::AtEnd),
        (moment(3, 2, 5), EventBack, 1, Step::To(Seek::Event(3, 1))),
        (moment(3, 1, 5), EventBack, 1, Step::To(Seek::Tick(2))),
        (moment(3, 0, 0), EventBack, 1, Step::To(Seek::Tick(2))),
        (moment(0, 1, 5), EventBack, 1, Step::To(Seek::Event(0, 0))),
        (moment(0, 0, 5), EventBack, 1, Step::AtStart),
    ];
    for (from, intent, times, expected) in table {
        let place = (from.tick, from.applied, from.events.len());
        assert_eq!(step(from, *intent, *times), *expected, "{intent:?} x{times} from {place:?}");
    }
}
