//! What a launch will cost: simulations, ticks, rows, disk, time. Upper bounds and estimates, named so.

use crate::experiment::extent::{Asked, Extent};
use crate::explorer::format::duration;
use crate::explorer::rows::{ExperimentPlan, ExperimentSettings, Persist, Plan, Subject, SweepSize, Trial};
use crate::money::grouped;

/// Bytes that a stored event takes in the file with all that belongs to it (86,000 events of the library's
/// `large-day` take 5.6 MB).
const BYTES_PER_EVENT: f64 = 65.0;

/// Simulations of an experiment at most, as it is to be run.
pub fn most_simulations(settings: &ExperimentSettings, plan: &ExperimentPlan) -> u64 {
    extent(settings, plan).simulations()
}

fn extent(settings: &ExperimentSettings, plan: &ExperimentPlan) -> Extent {
    let asked = Asked::of_name(&plan.proposer);
    let proposer = settings.extent.proposer.map(|own| if plan.replaces_proposer { asked } else { own });
    let (iterations, samples) = (plan.iterations, plan.samples.max(1));
    Extent { iterations, samples, proposer, ..settings.extent }
}

/// Those of them that are stored.
fn most_stored(settings: &ExperimentSettings, plan: &ExperimentPlan) -> u64 {
    match plan.persist {
        Persist::None => 0,
        Persist::Primary => extent(settings, plan).primary(),
        Persist::All => extent(settings, plan).storable(),
    }
}

/// The cost in sentences; empty while the form is not right.
pub fn sentences(subject: &Subject, plan: Option<&Plan>) -> String {
    match (&subject.experiment, plan) {
        (Some(settings), Some(Plan { experiment: Some(chosen), .. })) => {
            let all = most_simulations(settings, chosen);
            let size = size(settings, all, subject.ticks);
            // Samples and runs of a sweep are spread over the workers, whole days follow each other.
            let spread = settings.mode == "bootstrap" || settings.sweep.is_some();
            let at_once = if spread { chosen.workers.max(1) } else { 1 };
            let stored = most_stored(settings, chosen);
            format!("{size}\n{}", estimate(subject, subject.ticks, all, stored, at_once))
        }
        (None, Some(Plan { ticks: Some(ticks), .. })) => {
            format!("One simulation of {} ticks.\n{}", grouped(*ticks), estimate(subject, *ticks, 1, 1, 1))
        }
        _ => String::new(),
    }
}

fn size(settings: &ExperimentSettings, simulations: u64, ticks: u64) -> String {
    let (simulations, ticks) = (grouped(simulations), grouped(ticks));
    match &settings.sweep {
        Some(SweepSize { points, repetitions, axes }) => format!(
            "A sweep over {}: {} points, {} repetitions each, {simulations} simulations of {ticks} ticks.",
            axes.join(", "),
            grouped(*points),
            grouped(*repetitions)
        ),
        None => format!(
            "{}: at most {simulations} simulations of {ticks} ticks, optimising {}.",
            settings.mode,
            settings.optimized.join(", ")
        ),
    }
}

fn estimate(subject: &Subject, ticks: u64, simulations: u64, stored: u64, at_once: u64) -> String {
    let Some(Trial { ticks: tried, events, seconds }) = subject.trial else { return String::new() };
    let (per_tick, tick_seconds) = (events as f64 / tried as f64, seconds / tried as f64);
    let all_ticks = ticks as f64 * simulations as f64;
    let seconds = all_ticks * tick_seconds / at_once as f64;
    let limit = if simulations > 1 { "at most " } else { "" };
    let time = match seconds {
        ..1.0 => "less than 1 s".to_owned(),
        _ => format!("{limit}about {}", duration(seconds)),
    };
    let rows = per_tick * ticks as f64 * stored as f64;
    let kept = if stored == 0 {
        "nothing of the simulations is stored".to_owned()
    } else {
        format!("about {} events stored, {}", grouped(rows as u64), bytes(rows * BYTES_PER_EVENT))
    };
    format!("By a trial of {} ticks: {time}; {kept}.", grouped(tried))
}

fn bytes(count: f64) -> String {
    match count {
        1e9.. => format!("{:.1} GB", count / 1e9),
        1e6.. => format!("{:.0} MB", count / 1e6),
        _ => "less than 1 MB".to_owned(),
    }
}
