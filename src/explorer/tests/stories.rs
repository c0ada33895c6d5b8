//! A made-up payment, bank, comparison and result of a statement.

use super::world::event;
use crate::explorer::filter::FilterOf;
use crate::explorer::link::Link;
use crate::explorer::rows::{
    BankDay, BankStory, Comparison, Counterparty, Couple, Divergence, Figure, Kept, KeptKey, PaymentStory,
    Place, Shelf, SqlRows, run_figures,
};
use crate::money::Cents;

fn fact(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

pub fn payment(payment: &str) -> PaymentStory {
    if payment == "tx-000099" {
        return PaymentStory::default();
    }
    PaymentStory {
        facts: vec![
            fact("payment", payment),
            fact("from, to", "BANK_A > BANK_B"),
            fact("amount", "1,250.00"),
            fact("became", "settled in tick 2 by RtgsImmediateSettlement"),
        ],
        parts: vec![("tx-000003-1".into(), Cents(62_500), "waits in queue 2".into())],
        events: vec![event(8), event(9), event(10)],
    }
}

pub fn bank() -> BankStory {
    let day = |day: u64| BankDay {
        day,
        opening: Cents(500_000),
        lowest: Cents(-125_000),
        highest: Cents(750_000),
        closing: Cents(375_000),
        peak_line: Cents(125_000),
        arrived: 12,
        settled: 11,
        queue1_peak: 3,
        cost: Cents(2_500),
    };
    BankStory {
        facts: vec![fact("cost in all", "25.00"), fact("  delay", "25.00"), fact("mean delay", "1.25 ticks")],
        days: vec![day(0), day(1)],
        counterparties: vec![Counterparty {
            bank: "BANK_B".into(),
            sent: 12,
            value_sent: Cents(1_500_000),
            received: 10,
            value_received: Cents(1_250_000),
        }],
    }
}

pub fn comparison(couple: &Couple) -> Comparison {
    let figure = |name: &str, a: &str, b: &str, difference: &str| Figure {
        name: name.into(),
        a: a.into(),
        b: b.into(),
        difference: difference.into(),
    };
    let settings = vec![figure("simulation.rng_seed", "42", "43", "")];
    match couple {
        Couple::Runs(..) => {
            let run = super::runs::detail();
            Comparison {
                figures: run_figures(&run, &run),
                settings,
                divergence: None,
                costs: [vec![2_500_000.0, 1_900_000.0, 1_200_000.0], vec![2_500_000.0, 2_000_000.0]],
            }
        }
        Couple::Simulations(..) => Comparison {
            figures: vec![
                figure("total cost", "0.00", "1,234.56", "+1,234.56"),
                figure("settlement rate", "97.3 %", "97.3 %", ""),
            ],
            settings,
            divergence: divergence(),
            costs: [Vec::new(), Vec::new()],
        },
    }
}

pub fn divergence() -> Option<Divergence> {
    Some(Divergence { sequence: 10, a: Some(event(10)), b: Some(event(11)) })
}

pub fn statement(text: &str) -> Result<SqlRows, String> {
    if text.starts_with("DROP") {
        return Err("`DROP` does not only read".into());
    }
    let row = |id: &str, ticks: &str| vec![id.to_owned(), ticks.to_owned(), "a title".to_owned()];
    Ok(SqlRows {
        columns: vec!["simulation_id".into(), "num_ticks".into(), "config_name".into()],
        rows: vec![row("sim-00000000", "12"), row("sim-00000001", "600")],
        numbers: vec![false, true, false],
        cut: false,
    })
}

pub fn places(simulation: Option<&str>) -> Vec<Place> {
    let mut places: Vec<Place> = simulation
        .map(|simulation| Place::Bank { simulation: simulation.into(), bank: "BANK_B".into() })
        .into_iter()
        .collect();
    places.push(Place::Run { id: super::runs::run_row().id, name: "two-period-game".into() });
    places.push(Place::Simulation { id: "sim-00000002".into(), title: "two-banks".into(), seed: 44 });
    places
}

pub fn kept(shelf: Shelf) -> Vec<Kept> {
    let kept = |key, label: &str, place: &str| Kept {
        key,
        label: label.into(),
        place: place.into(),
        when: "2026-11-01 10:15:30".into(),
    };
    match shelf {
        Shelf::Bookmarks => vec![
            kept(KeptKey::Bookmark(2), "where BANK_A runs dry", "sim/sim-00000002/replay?tick=7"),
            kept(KeptKey::Bookmark(1), "from a newer program", "galaxy/far"),
        ],
        Shelf::Notes => vec![
            kept(KeptKey::Note(2), "gridlock from here on #gridlock", "sim/sim-00000002/events?from=5"),
            kept(
                KeptKey::Note(1),
                "the seed of the paper #paper",
                "run/two-period-game-20261031-080000-a1b2c3",
            ),
        ],
        Shelf::Filters(of) => {
            let typed = if of == FilterOf::Events { "type:Arrival bank:BANK_A" } else { "state:failed" };
            vec![kept(KeptKey::Filter(of, "what came in".into()), "what came in", typed)]
        }
    }
}

/// What is written about a place.
pub fn note(link: &Link) -> String {
    if matches!(link, Link::Replay(id, ..) if id == "sim-00000000") {
        "look again #late".into()
    } else {
        String::new()
    }
}

pub fn summary() -> String {
    "two-period-game\n\nCosts\n  From 25,000.00 to 12,000.00, 52.0 % less.\n  - BANK_A brings 0.3 of its pool.\n".into()
}
