//! What the keys do, as a user meets it.

use super::world::{World, half_way, plan};
use crate::explorer::look::{Look, Theme};
use crate::explorer::message::{Answer, Effect, Message, Query};
use crate::explorer::rows::{Export, JobReport, Kind, Persist, Seek, Status};
use crate::explorer::state::Leaving;

fn world() -> World {
    World::new(Look { colour: true, ascii: false, theme: Theme::Dark })
}

fn place(world: &mut World) -> String {
    let screen = world.screen(120, 40);
    let line = screen.lines().nth(1).unwrap_or("").to_owned();
    line.split("day").next().unwrap_or("").trim().to_owned()
}

#[test]
fn an_experiment_is_launched_with_two_keys() {
    let mut world = world();
    world.keys("Enter Enter");
    let [Effect::StartJob(1, plan)] = world.effects.as_slice() else { panic!("{:?}", world.effects) };
    assert_eq!((plan.source.as_str(), plan.seed.as_str()), ("library:two-period-game", "42"));
    let experiment = plan.experiment.as_ref().unwrap();
    assert_eq!((experiment.iterations, experiment.samples, experiment.persist), (25, 10, Persist::Primary));
    assert!(world.screen(80, 24).contains("Home › Jobs"), "{}", world.screen(80, 24));
}

#[test]
fn a_recorded_run_is_run_once_more_and_one_that_is_complete_does_not_go_on() {
    let mut world = world();
    world.keys("g r R");
    let screen = world.screen(120, 40);
    assert!(screen.contains("the run is completed: there is nothing to go on with"), "{screen}");
    assert!(!world.effects.iter().any(|effect| matches!(effect, Effect::StartJob(..))));
    world.keys("A");
    let started = world.effects.iter().find_map(|effect| match effect {
        Effect::StartJob(_, plan) => Some((plan.kind, plan.source.as_str())),
        _ => None,
    });
    assert_eq!(started, Some((Kind::Rerun, "two-period-game-20261101-101530-0a1b2c")));
    assert!(world.screen(80, 24).contains("Jobs"), "{}", world.screen(80, 24));
}

#[test]
fn a_statement_whose_screen_is_left_is_stopped_and_says_so() {
    let mut world = world();
    world.keys("g q");
    world.press("Enter");
    assert!(world.screen(120, 40).contains("running"), "{}", world.screen(120, 40));
    world.keys("F1 Esc");
    let screen = world.screen(120, 40);
    assert!(screen.contains("stopped when the screen was left") && !screen.contains("running"), "{screen}");
    let screen = world.keys("Enter").screen(120, 40);
    assert!(screen.contains("Result (") && !screen.contains("stopped"), "{screen}");
}

#[test]
fn every_one_of_many_runs_is_reached_and_stays_selected() {
    let mut world = world();
    world.runs = 950;
    let selected = |world: &World| world.state.top().copyable().map(|copyable| copyable.id).unwrap();
    let run = |number: u64| format!("two-period-game-20261030-090000-{number:06}");
    world.keys("g r G");
    assert_eq!(selected(&world), run(949));
    world.send(Message::Poll);
    world.settle();
    assert_eq!(selected(&world), run(949), "looking for new runs");
    world.keys("k ? Esc");
    assert_eq!(selected(&world), run(948), "coming back from another screen");
    let before = world.screen(120, 40);
    world.keys("k k k ? Esc j j j");
    assert_eq!(world.screen(120, 40), before, "the rows stay where they were");
    world.keys("g g");
    assert_eq!(selected(&world), "two-period-game-20261101-101530-0a1b2c");
    for _ in 0..30 {
        world.keys("Ctrl+D");
    }
    let far = selected(&world);
    assert!(far > run(300), "{far}");
}

#[test]
fn the_form_checks_while_it_is_typed() {
    let mut world = world();
    world.keys("Enter Up Up Up Up").text("0");
    let screen = world.keys("Backspace Ctrl+U").text("x").screen(80, 24);
    assert!(screen.contains("! a whole number from 0"), "{screen}");
    assert!(screen.contains("[ not ready ]"), "{screen}");
    world.keys("Down Down Down Down Enter");
    assert_eq!(world.effects, []);
    let screen = world.keys("Up Up Up Up Ctrl+U").text("3").screen(80, 24);
    assert!(screen.contains("[ Start ]"), "{screen}");
}

#[test]
fn a_file_that_cannot_be_read_says_so_and_cannot_be_started() {
    let mut world = world();
    world.keys("L").text("nowhere.yaml");
    assert!(world.screen(80, 24).contains("`nowhere.yaml`: there is no such file"));
    world.keys("Down Enter");
    assert_eq!(world.effects, []);
}

#[test]
fn stepping_forth_and_back_comes_home_at_both_grains() {
    let mut world = world();
    world.keys("g s Enter 5 t");
    let start = place(&mut world);
    assert!(start.starts_with("tick 5 of 11"), "{start}");
    for (forth, back) in [(". .", ", ,"), ("> > >", "< < <"), ("}", "{"), ("3 .", "3 ,"), ("7 >", "7 <")] {
        world.keys(forth);
        assert_ne!(world.screen(120, 40).lines().nth(1).map(str::to_owned).unwrap_or_default(), start);
        if !matches!(forth, "}" | "7 >") {
            world.keys(back);
            assert_eq!(place(&mut world), start, "{forth} {back}");
        } else {
            world.keys("5 t");
        }
    }
}

#[test]
fn fast_keys_are_not_lost_while_an_answer_is_under_way() {
    let mut world = world();
    world.keys("g s Enter");
    for _ in 0..5 {
        world.press(".");
    }
    world.settle();
    assert!(place(&mut world).starts_with("tick 5 of"), "{}", place(&mut world));
}

#[test]
fn going_somewhere_gives_up_what_is_searched_and_what_was_to_come() {
    for search in ["]", "c", "D"] {
        for go in ["5 t", "G", "."] {
            let mut world = world();
            world
                .keys("g s Enter 2 t b")
                .text("type:CostAccrual")
                .keys("Enter D")
                .text("sim-1")
                .keys("Enter 2 t");
            world.keys("5 Tab");
            world.press(search);
            let slow = std::mem::take(&mut world.asked);
            assert_eq!(slow.len(), 1, "{search}");
            world.keys(go);
            let there = place(&mut world);
            world.asked = slow;
            world.settle();
            assert_eq!(place(&mut world), there, "{search} before {go}");
        }
    }
    let mut world = world();
    world.keys("g s Enter 5 Tab");
    for key in [".", ",", "G"] {
        world.press(key);
    }
    world.settle();
    assert!(place(&mut world).starts_with("tick 11 of 11"), "{}", place(&mut world));
}

#[test]
fn a_search_is_not_given_up_because_new_rows_are_looked_for() {
    let mut world = world();
    world.keys("g s Enter Tab");
    world.press("]");
    let slow = std::mem::take(&mut world.asked);
    world.send(Message::Poll);
    world.settle();
    world.asked = slow;
    world.settle();
    assert!(place(&mut world).starts_with("tick 1 of"), "{}", place(&mut world));
}

#[test]
fn going_to_a_tick_ends_following() {
    let mut world = world();
    world.keys("g s Enter F");
    assert!(place(&mut world).starts_with("tick 11 of"), "{}", place(&mut world));
    world.keys("5 t F F");
    assert!(place(&mut world).starts_with("tick 11 of"), "{}", place(&mut world));
}

#[test]
fn what_is_typed_while_something_is_still_written_is_not_lost() {
    let mut world = world();
    world.keys("g s m Ctrl+U").text("the first");
    world.press("Enter");
    let slow = std::mem::take(&mut world.asked);
    world.press("m");
    world.press("Ctrl+U");
    for letter in "second".chars() {
        world.press(&letter.to_string());
    }
    world.press("Enter");
    let screen = world.screen(120, 24);
    assert!(screen.contains("keep this place as: second"), "{screen}");
    assert!(screen.contains("! something is still being written: wait until it is done"), "{screen}");
    world.asked = slow;
    world.settle();
    world.press("Enter");
    let kept =
        world.asked.iter().any(|(_, query)| matches!(query, Query::Keep(label, _) if label == "second"));
    assert!(kept, "{:?}", world.asked);
}

#[test]
fn all_that_went_wrong_at_opening_is_said_in_full() {
    let mut world = world();
    let log = "the write-ahead log could not be read: it was set aside as `payment-sim.duckdb.wal.damaged-1`";
    let died = "the process that wrote simulation `sim-1` died: 5 of 12 ticks are stored";
    world.send(Message::Trouble(log.into()));
    world.send(Message::Trouble(died.into()));
    let screen = world.screen(80, 24);
    assert!(screen.contains(" ! the write-ahead log could not be read: it was set aside as\n"), "{screen}");
    assert!(
        screen.contains("\n   `payment-sim.duckdb.wal.damaged-1`\n ! the process that wrote"),
        "{screen}"
    );
    assert!(!world.keys("j").screen(80, 24).contains("damaged"), "until the next key");
}

#[test]
fn stale_answers_are_dropped() {
    let mut world = world();
    world.keys("g s Enter");
    world.press("7");
    world.press("t");
    let stale = world.asked.clone();
    world.press("9");
    world.press("t");
    world.settle();
    for (ticket, query) in stale {
        assert!(matches!(query, Query::Moment(_, Seek::Tick(7))));
        world
            .send(Message::Answer(ticket, Ok(Answer::Moment(Box::new(super::world::moment(Seek::Tick(7)))))));
    }
    assert!(place(&mut world).starts_with("tick 9 of"), "{}", place(&mut world));
}

#[test]
fn an_answer_to_nobody_does_not_keep_the_screen_from_being_drawn() {
    let mut world = world();
    world.state.dirty = false;
    world.send(Message::Answer(99, Err("too late".into())));
    assert!(!world.state.dirty);
    world.press("L");
    world.send(Message::Answer(99, Err("too late".into())));
    assert!(world.state.dirty);
}

#[test]
fn playing_steps_at_every_beat_and_stops_at_the_end() {
    let mut world = world();
    world.keys("g s Enter Space");
    assert!(world.state.pace().is_some());
    for _ in 0..3 {
        world.send(Message::Beat);
        world.settle();
    }
    assert!(place(&mut world).starts_with("tick 3 of"));
    for _ in 0..20 {
        world.send(Message::Beat);
        world.settle();
    }
    assert!(place(&mut world).starts_with("tick 11 of"));
    assert_eq!(world.state.pace(), None);
}

#[test]
fn back_restores_cursor_and_filter() {
    let mut world = world();
    world.keys("g s j v f").text("type:Arrival").keys("Enter j j j");
    let before = world.screen(80, 24);
    assert!(before.contains("type:Arrival"), "{before}");
    let after = world.keys("Enter , , Esc").screen(80, 24);
    assert_eq!(before, after);
    let screen = world.keys("Esc").screen(80, 24);
    assert!(screen.contains("▸ gridlock-ring"), "{screen}");
}

#[test]
fn from_an_event_to_its_replay_and_back_the_path_does_not_grow() {
    let mut world = world();
    world.keys("g s Enter v G Enter");
    assert_eq!(world.state.stack.len(), 3);
    assert!(place(&mut world).starts_with("tick 11 of"), "{}", place(&mut world));
}

#[test]
fn the_filter_is_checked_and_applied() {
    let mut world = world();
    world.keys("g s v f").text("type:Arival");
    assert!(world.screen(120, 40).contains("did you mean `Arrival`?"));
    world.keys("Enter");
    assert!(world.state.prompt.is_some(), "a wrong filter is not applied");
    world.keys("Ctrl+U").text("type:CostAccrual").keys("Enter");
    let screen = world.screen(120, 40);
    assert!(screen.contains("Events (12)"), "{screen}");
    assert!(!screen.contains("RtgsImmediateSettlement"), "{screen}");
    world.keys("X");
    assert!(world.screen(120, 40).contains("Events (48)"));
}

#[test]
fn searching_goes_to_the_next_place() {
    let mut world = world();
    world.keys("g s v /").text("tx-000003").keys("Enter");
    assert!(world.screen(80, 24).contains("▸       8     2 Arrival"), "{}", world.screen(80, 24));
    world.keys("n");
    assert!(world.screen(80, 24).contains("▸       9     2 PolicySubmit"));
    world.keys("N");
    assert!(world.screen(80, 24).contains("▸       8     2 Arrival"));
}

#[test]
fn the_next_tick_with_an_event_of_the_type_is_found() {
    let mut world = world();
    world.keys("g s Enter 2 Tab j ]");
    assert!(place(&mut world).starts_with("tick 1 of"), "{}", place(&mut world));
    world.keys("] [");
    assert!(place(&mut world).starts_with("tick 1 of"));
}

#[test]
fn quitting_with_jobs_asks_cancels_and_waits() {
    let mut world = world();
    let mut effects = Vec::new();
    for title in ["a", "b", "c"] {
        world.state.jobs.add(plan(title), &mut effects);
    }
    world.keys("q");
    assert!(world.screen(80, 24).contains("3 jobs are still running"));
    assert_eq!(world.effects, []);
    world.keys("n");
    assert_eq!(world.state.leaving, Leaving::No);
    world.keys("q y");
    assert_eq!(world.effects, [Effect::CancelJob(1), Effect::CancelJob(2)]);
    for id in [1, 2] {
        world.report(
            id,
            JobReport::Ended { status: Status::Cancelled, message: "5 of 12 ticks stored".into() },
        );
    }
    assert_eq!(world.effects.last(), Some(&Effect::Quit));
    assert_eq!(world.effects.len(), 3, "the waiting job never started");
}

#[test]
fn ctrl_c_asks_and_twice_quits() {
    let mut world = world();
    world.keys("Ctrl+C");
    assert!(world.screen(80, 24).contains("Quit the explorer?"));
    world.keys("Ctrl+C");
    assert_eq!(world.effects, [Effect::Quit]);
}

#[test]
fn without_jobs_q_leaves_at_once_and_a_signal_too() {
    let mut world = world();
    world.keys("g s q");
    assert_eq!(world.effects, []);
    world.keys("q");
    assert_eq!(world.effects, [Effect::Quit]);
    let mut other = self::world();
    other.send(Message::Terminate);
    assert_eq!(other.effects, [Effect::Quit]);
}

#[test]
fn a_job_that_fails_says_why() {
    let mut world = world();
    let mut effects = Vec::new();
    world.state.jobs.add(plan("two-banks"), &mut effects);
    world.report(1, half_way());
    world
        .report(1, JobReport::Ended { status: Status::Failed, message: "a worker panicked: index 9".into() });
    let screen = world.screen(80, 24);
    assert!(screen.contains("two-banks failed: a worker panicked: index 9"), "{screen}");
    world.keys("g j");
    assert!(world.screen(80, 24).contains("✗ failed"));
}

#[test]
fn job_progress_is_shown_everywhere_and_opens_what_it_writes() {
    let mut world = world();
    let mut effects = Vec::new();
    world.state.jobs.add(plan("two-banks"), &mut effects);
    world.report(1, JobReport::Started { run: None, simulation: Some("sim-1".into()) });
    world.report(1, half_way());
    assert!(world.keys("g r").screen(80, 24).contains("1 job 50.0 %"));
    world.keys("g j Enter");
    assert!(place(&mut world).starts_with("tick 11 of"), "a running simulation is shown at its end");
}

#[test]
fn help_is_about_the_screen_before() {
    let mut world = world();
    let screen = world.keys("g s Enter ?").screen(80, 24);
    assert!(screen.contains("one tick on"), "{screen}");
    let screen = world.keys("/").text("LsmCycle").keys("Enter").screen(80, 24);
    assert!(screen.contains("▸   LsmCycleSettlement"), "{screen}");
    world.keys("?");
    assert_eq!(world.state.stack.len(), 4, "help does not pile up");
}

#[test]
fn panes_are_chosen_by_digit_and_zoomed() {
    let mut world = world();
    let screen = world.keys("2 z").screen(80, 24);
    assert!(screen.contains("2 Places") && !screen.contains("1 Library"), "{screen}");
}

#[test]
fn an_event_leads_to_its_payment_and_that_to_the_moment() {
    let mut world = world();
    let screen = world.keys("g s v j j j j j j j j i").screen(120, 40);
    assert!(screen.contains("Life of tx-000003 (3 events)"), "{screen}");
    world.keys("j Enter");
    assert!(place(&mut world).starts_with("tick 2 of"), "{}", place(&mut world));
    let screen = world.keys("g s v j j j i").screen(120, 40);
    assert!(screen.contains("this event is about no payment"), "{screen}");
}

#[test]
fn a_queued_payment_is_opened_by_enter() {
    let mut world = world();
    let screen = world.keys("g s Enter 4 Tab j Enter").screen(120, 40);
    assert!(screen.contains("Life of tx-000004"), "{screen}");
}

#[test]
fn two_marked_simulations_are_compared_and_the_first_difference_is_a_key_away() {
    let mut world = world();
    let screen = world.keys("g s Space").screen(120, 40);
    assert!(screen.contains("marked: sim-00000000"), "{screen}");
    assert!(!world.keys("Space").screen(120, 40).contains("marked"), "the same row again unmarks it");
    let screen = world.keys("Space j Space").screen(120, 40);
    assert!(screen.contains("a: sim-00000000") && screen.contains("b: sim-00000001"), "{screen}");
    assert!(screen.contains("event 10 in tick 2") && screen.contains("Balance of BANK_A"), "{screen}");
    let other = world.keys(">").screen(120, 40);
    assert!(other.contains("Balance of BANK_B"), "{other}");
    world.keys("D");
    assert!(
        place(&mut world).starts_with("tick 2 of 11 · day 0, its tick 2 · event 3 of 4") || {
            let screen = world.screen(120, 40);
            screen.contains("event 3 of 4")
        }
    );
    let screen = world.keys("5 t D").screen(120, 40);
    assert!(
        screen.contains("event 3 of 4") && screen.contains("sim-00000001 has here: CostAccrual"),
        "{screen}"
    );
}

#[test]
fn a_replay_asks_what_it_is_to_be_compared_with() {
    let mut world = world();
    let screen = world.keys("g s Enter D").screen(80, 24);
    assert!(screen.contains("compare with simulation:"), "{screen}");
    let screen = world.text("sim-00000004").keys("Enter").screen(120, 40);
    assert!(screen.contains("sim-00000004 has here"), "{screen}");
}

#[test]
fn the_palette_does_goes_and_finds() {
    let mut world = world();
    let screen = world.keys("g s Enter :").text("go to tick").screen(120, 40);
    assert!(screen.contains("▸ do         go to a tick"), "{screen}");
    let screen = world.keys("Enter").screen(120, 40);
    assert!(screen.contains("go to tick:"), "the command acts on the screen before: {screen}");
    let screen = world.keys("Esc :").text("12").screen(120, 40);
    assert!(screen.contains("▸ payment    tx-000012"), "{screen}");
    assert!(world.keys("Enter").screen(120, 40).contains("Life of tx-000012"));
    let screen = world.keys("Esc :").text("bankb").screen(120, 40);
    assert!(screen.contains("bank       BANK_B"), "{screen}");
    world.keys("g h").keys("Esc g h :").text("two-period").keys("Enter");
    assert!(world.screen(120, 40).contains("Iterations (3)"), "{}", world.screen(120, 40));
    let screen = world.keys(":").text("zzzz").keys("Enter").screen(120, 40);
    assert!(screen.contains("nothing here is called that"), "{screen}");
}

#[test]
fn a_statement_is_typed_run_and_its_rows_are_walked_through() {
    let mut world = world();
    let screen = world.keys("g q Ctrl+U").text("DROP TABLE simulations").keys("Enter").screen(120, 40);
    assert!(screen.contains("`DROP` does not only read"), "{screen}");
    let screen = world.keys("Up Up").screen(120, 40);
    assert!(screen.contains("DROP TABLE"), "there is nothing older: {screen}");
    let screen = world.keys("Ctrl+U").text("FROM simulations").keys("Enter j").screen(120, 40);
    assert!(screen.contains("Result (2 rows)") && screen.contains("▸ sim-00000001"), "{screen}");
    let screen = world.keys(">").screen(120, 40);
    assert!(screen.contains("from column 2") && !screen.contains("▸ sim-00000001"), "{screen}");
    world.keys("Enter").text("x");
    assert!(world.screen(120, 40).contains("FROM simulationsx"), "{}", world.screen(120, 40));
}

#[test]
fn a_running_statement_is_cancelled() {
    let mut world = world();
    world.keys("g q");
    world.press("Enter");
    assert!(world.screen(120, 40).contains("running; Esc cancels"));
    world.press("Esc");
    assert!(world.asked.iter().any(|(_, query)| *query == Query::Nothing), "the reader is interrupted");
    world.settle();
    assert!(!world.screen(120, 40).contains("Result (2 rows)"), "what comes late is dropped");
    assert!(world.screen(120, 40).contains("Home › SQL"), "cancelling does not leave");
}

#[test]
fn iterations_lead_to_policies_and_conversations() {
    let mut world = world();
    let screen = world.keys("g r Enter p").screen(120, 40);
    assert!(screen.contains("BANK_A in iteration 2") && screen.contains("1 line differs"), "{screen}");
    let screen = world.keys("> [").screen(120, 40);
    assert!(screen.contains("BANK_B in iteration 1") && screen.contains("BANK_B in iteration 2"), "{screen}");
    let screen = world.keys("w").screen(120, 40);
    assert!(screen.contains("in English") && screen.contains("otherwise hold (NearDeadline)"), "{screen}");
    let screen = world.keys("Esc P").screen(120, 40);
    assert!(screen.contains("no proposal of BANK_A was compared in this iteration"), "{screen}");
    let screen = world.keys("k P").screen(120, 40);
    assert!(screen.contains("BANK_A, proposed in iteration 2"), "{screen}");
    let screen = world.keys("Esc 3 j c").screen(120, 40);
    assert!(screen.contains("2 BANK_B, call 1"), "the calls for the selected bank: {screen}");
}

#[test]
fn jobs_are_paused_put_in_order_and_limited() {
    let mut world = world();
    let mut effects = Vec::new();
    for title in ["a", "b", "c", "d"] {
        world.state.jobs.add(plan(title), &mut effects);
    }
    let screen = world.keys("g j J").screen(120, 40);
    let row =
        |title: &str| screen.lines().position(|line| line.contains(&format!(" {title}  "))).unwrap_or(0);
    assert!(row("c") < row("d"), "{screen}");
    let screen = world.keys("G Space").screen(120, 40);
    assert!(screen.contains("‖ paused"), "{screen}");
    assert_eq!(world.effects.first(), Some(&Effect::PauseJob(1, true)));
    assert!(world.keys("+").screen(120, 40).contains("3 at once"));
    let screen = world.keys("g g Space").screen(120, 40);
    assert!(screen.contains("only a running job can be paused") || screen.contains("paused"), "{screen}");
}

#[test]
fn a_replay_runs_to_a_condition_in_both_directions() {
    let mut world = world();
    world.keys("g s Enter 5 Tab g g c").text("type:CostAccrual").keys("Enter");
    let screen = world.screen(120, 40);
    assert!(screen.contains("tick 0 of 11") && screen.contains("event 4 of 4"), "{screen}");
    world.keys("c c");
    assert!(place(&mut world).starts_with("tick 2 of"), "{}", place(&mut world));
    world.keys("C");
    assert!(place(&mut world).starts_with("tick 1 of"), "{}", place(&mut world));
    let screen = world.keys("b Ctrl+U").text("type:Arrival").keys("Enter g g c").screen(120, 40);
    assert!(screen.contains("event 1 of 4"), "the very first event counts: {screen}");
    let screen = world.keys("b Ctrl+U").text("text:nowhere").keys("Enter").screen(120, 40);
    assert!(screen.contains("there is no further event of this kind"), "{screen}");
}

#[test]
fn a_place_is_kept_found_again_and_forgotten() {
    let mut world = world();
    let screen = world.keys("g s Enter 5 t m").screen(80, 24);
    assert!(screen.contains("keep this place as: Replay of two-banks"), "{screen}");
    world.keys("Ctrl+U").text("here");
    world.press("Enter");
    let [(_, Query::Keep(label, link))] = world.asked.as_slice() else { panic!("{:?}", world.asked) };
    assert_eq!((label.as_str(), link.to_string().as_str()), ("here", "sim/sim-00000000/replay?tick=5"));
    world.settle();
    assert!(world.screen(80, 24).contains("kept: ' lists what is kept"));
    world.keys("' Enter");
    assert!(place(&mut world).starts_with("tick 7 of"), "{}", place(&mut world));
    let screen = world.keys("' j Enter").screen(80, 24);
    assert!(screen.contains("`galaxy/far` is no link"), "{screen}");
    let screen = world.keys("k x").screen(80, 24);
    assert!(screen.contains("Bookmarks (1)") && !screen.contains("runs dry"), "{screen}");
    let screen = world.keys("g s m Ctrl+U").text("full").keys("Enter").screen(80, 24);
    assert!(screen.contains("! the disk is full"), "{screen}");
}

#[test]
fn notes_are_written_about_what_is_selected_and_lead_back() {
    let mut world = world();
    world.keys("g s");
    world.press("a");
    assert!(world.screen(80, 24).contains("note: "), "the line is there before the answer");
    world.press("X");
    world.settle();
    let screen = world.screen(80, 24);
    assert!(screen.contains("note: look again #late X"), "what was written before: {screen}");
    world.keys("Backspace").text("at night");
    world.press("Enter");
    let [(_, Query::Annotate(link, text))] = world.asked.as_slice() else { panic!("{:?}", world.asked) };
    assert_eq!(
        (link.to_string().as_str(), text.as_str()),
        ("sim/sim-00000000/replay?tick=0", "look again #late at night")
    );
    world.settle();
    assert!(world.screen(80, 24).contains("noted: gn lists all notes"));
    world.keys("g s v j j a").text("an event");
    world.press("Enter");
    let [(_, Query::Annotate(link, _))] = world.asked.as_slice() else { panic!("{:?}", world.asked) };
    assert_eq!(link.to_string(), "sim/sim-00000000/events?from=2");
    world.settle();
    world.keys("g n Enter");
    assert!(world.screen(120, 40).contains("Events"), "{}", world.screen(120, 40));
    assert!(world.keys("g h a").screen(80, 24).contains("nothing is selected to write about"));
}

#[test]
fn filters_are_kept_under_a_name_and_put_into_force_again() {
    let mut world = world();
    let screen = world.keys("g s v S").screen(80, 24);
    assert!(screen.contains("there is no filter to keep"), "{screen}");
    world.keys("f").text("type:Arrival").keys("Enter S Ctrl+U").text("what came in");
    world.press("Enter");
    let [(_, Query::KeepFilter(_, name, typed))] = world.asked.as_slice() else {
        panic!("{:?}", world.asked)
    };
    assert_eq!((name.as_str(), typed.as_str()), ("what came in", "type:Arrival"));
    world.settle();
    let screen = world.keys("X g f Enter").screen(120, 40);
    assert!(screen.contains("filter: bank:BANK_A type:Arrival (X shows everything)"), "{screen}");
    let screen = world.keys("g s f").text("state:dead").screen(80, 24);
    assert!(screen.contains("`dead` is no state"), "{screen}");
    let screen = world.keys("Ctrl+U").text("state:failed").keys("Enter").screen(80, 24);
    assert!(screen.contains("state:failed"), "{screen}");
    let screen = world.keys("X g f Enter").screen(80, 24);
    assert!(screen.contains("state:failed"), "{screen}");
    let screen = world.keys("X s s").screen(80, 24);
    assert!(screen.contains("sort:-settled"), "{screen}");
    let screen = world.keys("s s s s s").screen(80, 24);
    assert!(!screen.contains("sort:"), "after the last column none: {screen}");
}

#[test]
fn rows_of_a_view_are_exported() {
    let mut world = world();
    let screen = world.keys("g s v f").text("type:Arrival").keys("Enter e").screen(120, 40);
    assert!(screen.contains("export to: sim-00000000-events.csv"), "{screen}");
    let screen = world.keys("Ctrl+U").text("arrivals.txt").keys("Enter").screen(120, 40);
    assert!(screen.contains("! end it in .csv, .jsonl or .parquet"), "{screen}");
    world.keys("Ctrl+U").text("arrivals.parquet");
    world.press("Enter");
    let [(_, Query::Export(Export::Events(simulation, filter), file))] = world.asked.as_slice() else {
        panic!("{:?}", world.asked)
    };
    assert_eq!((simulation.as_str(), filter.typed().as_str()), ("sim-00000000", "type:Arrival"));
    assert_eq!(file, "arrivals.parquet");
    world.settle();
    assert!(world.screen(120, 40).contains("48 rows written to arrivals.parquet"));
    assert!(world.keys("g h e").screen(120, 40).contains("this view has no rows to export"));
}
