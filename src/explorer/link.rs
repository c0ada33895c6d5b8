//! Deep links: a place of the explorer as a path, `run/ID/iteration/3` or `sim/ID/replay?tick=12&event=40`.

use super::message::From;
use super::rows::{Seek, SimulationFilter};
use super::screens::Screen;
use super::screens::bank::Bank;
use super::screens::events::Events;
use super::screens::iterations::Iterations;
use super::screens::payment::Payment;
use super::screens::replay::Replay;
use super::screens::runs::Runs;
use super::screens::simulations::Simulations;
use super::screens::sql::Sql;

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The iterations of a run of an experiment.
    Run(String),
    /// The simulations of an iteration, counted from 0.
    Iteration(String, u64),
    /// The simulations of a point of a sweep, counted from 0.
    Point(String, u64),
    /// All events of a simulation, from a sequence number on.
    Events(String, u64),
    /// The prompt for statements.
    Sql,
    /// A payment of a simulation.
    Payment(String, String),
    /// A bank of a simulation.
    Bank(String, String),
    /// The state of a simulation after a tick, or within it after so many of its events.
    Replay(String, u64, Option<usize>),
}

impl Link {
    /// Reads a link.
    ///
    /// # Errors
    ///
    /// What a link looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no link: write `run/ID`, `run/ID/iteration/3`, `sim/ID/events?from=100` or \
                 `sim/ID/replay?tick=12&event=40`"
            )
        };
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let mut given = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('='));
        let mut numbers = std::collections::BTreeMap::new();
        for pair in &mut given {
            let (key, value) = pair.ok_or_else(wrong)?;
            numbers.insert(key, value.parse::<u64>().map_err(|_| wrong())?);
        }
        let allowed: &[&str] = match parts.last() {
            Some(&"replay") => &["tick", "event"],
            Some(&"events") => &["from"],
            _ => &[],
        };
        if numbers.keys().any(|key| !allowed.contains(key)) {
            return Err(wrong());
        }
        let number = |key: &str| numbers.get(key).copied();
        match parts.as_slice() {
            ["run", id] if !id.is_empty() => Ok(Self::Run((*id).to_owned())),
            ["run", id, "iteration", iteration] => {
                Ok(Self::Iteration((*id).to_owned(), iteration.parse().map_err(|_| wrong())?))
            }
            ["run", id, "point", point] => {
                Ok(Self::Point((*id).to_owned(), point.parse().map_err(|_| wrong())?))
            }
            ["sql"] => Ok(Self::Sql),
            ["sim", id] if !id.is_empty() => Ok(Self::Replay((*id).to_owned(), 0, None)),
            ["sim", id, "payment", payment] if !payment.is_empty() => {
                Ok(Self::Payment((*id).to_owned(), (*payment).to_owned()))
            }
            ["sim", id, "bank", bank] if !bank.is_empty() => {
                Ok(Self::Bank((*id).to_owned(), (*bank).to_owned()))
            }
            ["sim", id, "events"] => Ok(Self::Events((*id).to_owned(), number("from").unwrap_or(0))),
            ["sim", id, "replay"] => {
                let event = number("event").and_then(|event| usize::try_from(event).ok());
                Ok(Self::Replay((*id).to_owned(), number("tick").unwrap_or(0), event))
            }
            _ => Err(wrong()),
        }
    }

    /// The screens that lead there from Home.
    pub fn screens(self) -> Vec<Screen> {
        let simulations = || Screen::Simulations(Simulations::default());
        let run_screens = |run: &str| {
            vec![
                Screen::Runs(Runs::default()),
                Screen::Iterations(Iterations::new(run.to_owned(), run.to_owned())),
            ]
        };
        let part_of = |run: String, part: SimulationFilter| {
            let mut screens = run_screens(&run);
            let filter = SimulationFilter { run: Some(run), ..part };
            screens.push(Screen::Simulations(Simulations::new(filter)));
            screens
        };
        let all = SimulationFilter::default();
        match self {
            Self::Run(run) => run_screens(&run),
            Self::Iteration(run, iteration) => {
                part_of(run, SimulationFilter { iteration: Some(iteration), ..all })
            }
            Self::Point(run, point) => part_of(run, SimulationFilter { point: Some(point), ..all }),
            Self::Payment(simulation, payment) => {
                vec![simulations(), Screen::Payment(Payment::new(simulation, payment))]
            }
            Self::Bank(simulation, bank) => vec![simulations(), Screen::Bank(Bank::new(simulation, bank))],
            Self::Sql => vec![Screen::Sql(Sql::default())],
            Self::Events(simulation, 0) => {
                vec![simulations(), Screen::Events(Events::new(simulation, From::First))]
            }
            Self::Events(simulation, from) => {
                vec![simulations(), Screen::Events(Events::new(simulation, From::Around(from)))]
            }
            Self::Replay(simulation, tick, event) => {
                let seek = event.map_or(Seek::Tick(tick), |event| Seek::Event(tick, event));
                vec![simulations(), Screen::Replay(Replay::new(simulation.clone(), simulation, seek))]
            }
        }
    }
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run/{run}"),
            Self::Iteration(run, iteration) => write!(f, "run/{run}/iteration/{iteration}"),
            Self::Point(run, point) => write!(f, "run/{run}/point/{point}"),
            Self::Payment(simulation, payment) => write!(f, "sim/{simulation}/payment/{payment}"),
            Self::Bank(simulation, bank) => write!(f, "sim/{simulation}/bank/{bank}"),
            Self::Sql => f.write_str("sql"),
            Self::Events(simulation, from) => write!(f, "sim/{simulation}/events?from={from}"),
            Self::Replay(simulation, tick, None) => write!(f, "sim/{simulation}/replay?tick={tick}"),
            Self::Replay(simulation, tick, Some(event)) => {
                write!(f, "sim/{simulation}/replay?tick={tick}&event={event}")
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn links_read_back_as_they_are_written() {
        for text in [
            "sql",
            "sim/a-b/payment/tx-000012",
            "sim/a-b/bank/BANK_A",
            "run/game-1",
            "run/game-1/iteration/3",
            "run/game-1/point/3",
            "sim/a-b/events?from=100",
            "sim/a-b/replay?tick=12",
            "sim/a-b/replay?tick=12&event=40",
        ] {
            assert_eq!(Link::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Link::parse("sim/a").unwrap(), Link::Replay("a".to_owned(), 0, None));
    }

    #[test]
    fn what_is_no_link_says_how_one_looks() {
        for text in ["", "run/", "run/a/iteration/x", "sim/a/replay?tick=-1", "sim/a/replay?tack=1", "home"] {
            assert!(Link::parse(text).unwrap_err().contains("`run/ID/iteration/3`"), "{text}");
        }
    }
}
