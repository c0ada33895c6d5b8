//! The screen of a sweep: its pictures, and what its keys do.

use super::runs::run_row;
use super::world::World;
use crate::explorer::look::{Look, Theme};
use crate::explorer::message::Answer;
use crate::explorer::rows::{PointRow, Status, SweepDetail};

const COLOUR: Look = Look { colour: true, ascii: false, theme: Theme::Dark };
const ASCII: Look = Look { colour: false, ascii: true, theme: Theme::Dark };

/// A sweep of three fractions with netting and without; one point failed, one is still to come.
fn detail() -> SweepDetail {
    let fractions = ["0.1", "0.2", "0.4"];
    let point = |number: usize| {
        let (netting, fraction) = (number >= 3, number % 3);
        let (delay, cost) =
            (3.0 / (fraction + 1) as f64 - f64::from(netting), 120_000 + 40_000 * fraction as i64);
        let open = usize::from(number == 5);
        let failed = usize::from(number == 4);
        let run = open == 0;
        PointRow {
            point: number as u64,
            settings: vec![netting.to_string(), fractions[fraction].to_owned()],
            progress: match (open, failed) {
                (0, 0) => "5 of 5".into(),
                (0, _) => "4 of 5, 1 failed".into(),
                _ => "0 of 5".into(),
            },
            failed,
            pending: open * 5,
            error: (failed > 0).then(|| "tick 5: the cost of BANK_A would leave 64 bits".into()),
            shown: match run {
                true => vec![format!("{delay:.2} ± 0.12"), format!("{} ± 45.10", crate::money::Cents(cost))],
                false => vec!["–".into(), "–".into()],
            },
            means: match run {
                true => vec![Some(delay * 100.0), Some(cost as f64)],
                false => vec![None, None],
            },
        }
    };
    SweepDetail {
        run: crate::explorer::rows::RunRow { status: Status::Running, mode: "sweep".into(), ..run_row() },
        axes: vec!["lsm_config.enable_bilateral".into(), "agents[*].liquidity_allocation_fraction".into()],
        figures: vec!["avg_delay_ticks".into(), "total_cost".into()],
        points: (0..6).map(point).collect(),
        reason: None,
    }
}

fn world(look: Look) -> World {
    let mut world = World::new(look);
    world.sweep = Some(Answer::Sweep(Box::new(detail())));
    world.keys("g r Enter");
    world
}

#[test]
fn the_sweep_has_its_picture_at_every_size() {
    for (width, height) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("sweep_{width}x{height}"), world(COLOUR).screen(width, height));
    }
    let screen = world(ASCII).screen(80, 24);
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!("sweep_ascii", screen);
}

#[test]
fn the_figure_chosen_in_its_pane_is_what_table_and_curve_show() {
    let mut world = world(COLOUR);
    assert!(world.screen(120, 40).contains("avg_delay_ticks over liquidity_allocation_fraction"));
    let screen = world.keys("3 j").screen(120, 40);
    assert!(screen.contains("total_cost over liquidity_allocation_fraction"), "{screen}");
    assert!(screen.contains("1,200.00 ± 45.10"), "{screen}");
    let screen = world.keys("2 k").screen(120, 40);
    assert!(screen.contains("total_cost over enable_bilateral"), "{screen}");
}

#[test]
fn a_point_leads_to_its_simulations_and_a_failed_one_says_why() {
    let mut world = world(COLOUR);
    let screen = world.keys("j j j j").screen(120, 40);
    assert!(screen.contains("failed: tick 5: the cost of BANK_A would leave 64 bits"), "{screen}");
    assert_eq!(world.state.top().copyable().unwrap().link.to_string().split('/').next_back(), Some("4"));
    assert!(world.keys("Enter").screen(120, 40).contains("Simulations"));
    assert!(world.keys("Esc").screen(120, 40).contains("Figures of point 4"), "the selection stays");
}
