//! Every screen as a picture: at the design floor, at a large size, too small, without colour, in ASCII.

use super::world::{World, half_way, plan};
use crate::explorer::look::{Look, Theme};
use crate::explorer::message::Message;

const COLOUR: Look = Look { colour: true, ascii: false, theme: Theme::Dark };
const PLAIN: Look = Look { colour: false, ascii: false, theme: Theme::Dark };
const ASCII: Look = Look { colour: false, ascii: true, theme: Theme::Dark };

fn with_jobs(world: &mut World) {
    let mut effects = Vec::new();
    for title in ["two-period-game", "gridlock-ring", "two-banks"] {
        world.state.jobs.add(plan(title), &mut effects);
    }
    world.report(1, half_way());
    world.report(1, crate::explorer::rows::JobReport::Log("iteration 11: BANK_A accepted".into()));
}

/// The keys that lead from Home to each screen.
const SCREENS: &[(&str, &str)] = &[
    ("home", ""),
    ("launch_experiment", "Enter"),
    ("launch_scenario", "j j Enter"),
    ("launch_nothing", "L"),
    ("jobs", "g j"),
    ("runs", "g r"),
    ("iterations", "g r Enter k"),
    ("iterations_rejected", "g r Enter k 4"),
    ("iterations_parameters", "g r Enter w"),
    ("conversation", "g r Enter k c j"),
    ("summary", "g r Enter s"),
    ("policy", "j j j j Enter"),
    ("policy_beside", "g r Enter p n"),
    ("simulations", "g s j"),
    ("events", "g s v j j"),
    ("bookmarks", "'"),
    ("notes", "g n"),
    ("filters", "g s v g f"),
    ("payment", "g s v j j i j"),
    ("bank", "g s Enter j B"),
    ("bank_others", "g s Enter j B 4"),
    ("compare_runs", "g r Space j Space"),
    ("compare_settings", "g s Space j Space 3"),
    ("compare_simulations", "g s Space j Space"),
    ("sql", "g q"),
    ("sql_result", "g q Enter j"),
    ("palette", "g s Enter : b"),
    ("replay", "g s Enter . . . 2 Tab"),
    ("replay_event", "g s Enter . > > 5 Tab"),
    ("help", "g s Enter ?"),
];

#[test]
fn every_screen_has_its_picture() {
    for (name, keys) in SCREENS {
        let mut world = World::new(COLOUR);
        if *name == "jobs" || *name == "home" {
            with_jobs(&mut world);
        }
        world.keys(keys);
        for (width, height) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), world.screen(width, height));
        }
    }
}

#[test]
fn every_screen_keeps_its_meaning_without_colour_and_in_ascii() {
    for (name, keys) in SCREENS {
        let mut plain = World::new(PLAIN);
        plain.keys(keys);
        let buffer = plain.buffer(80, 24);
        let coloured = |cell: &ratatui::buffer::Cell| cell.fg != ratatui::style::Color::Reset;
        assert!(!buffer.content.iter().any(coloured), "{name} uses colours");
        let mut ascii = World::new(ASCII);
        ascii.keys(keys);
        let screen = ascii.screen(80, 24);
        let odd: Vec<char> = screen.chars().filter(|letter| !letter.is_ascii()).collect();
        assert!(odd.is_empty(), "{name} shows {odd:?}:\n{screen}");
        insta::assert_snapshot!(format!("{name}_ascii"), screen);
    }
}

#[test]
fn no_size_makes_it_fail() {
    for (_, keys) in SCREENS {
        for look in [COLOUR, ASCII] {
            let mut world = World::new(look);
            world.keys(keys);
            for (width, height) in [(1, 1), (0, 0), (60, 15), (61, 200), (300, 16), (200, 60)] {
                world.send(Message::Resize(width, height));
                world.screen(width, height);
                world.keys("z");
                world.screen(width, height);
                world.keys("Tab j PgDn");
                world.screen(width, height);
            }
        }
    }
}

#[test]
fn a_fresh_database_says_what_to_do() {
    let mut world = World::fresh(COLOUR);
    insta::assert_snapshot!("home_fresh_80x24", world.screen(80, 24));
    assert!(world.keys("g r").screen(80, 24).contains("L launches an experiment"));
}

#[test]
fn questions_and_prompts_stand_over_the_screen() {
    let mut world = World::new(COLOUR);
    with_jobs(&mut world);
    insta::assert_snapshot!("question_80x24", world.keys("q").screen(80, 24));
    world.keys("n g s v f").text("bnk:A");
    insta::assert_snapshot!("prompt_80x24", world.screen(80, 24));
}
