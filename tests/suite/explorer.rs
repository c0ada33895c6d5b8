//! The explorer as its user meets it: the real program in a pseudo-terminal.

use std::path::Path;
use std::process::{Command, Stdio};

use payment_sim::persistence::{Access, Database, SimulationFilter, SimulationRow, Status};
use rustix::process::Signal;

use crate::support::program::{Program as Outside, said, send, wait_for_bytes};
use crate::support::terminal::Program;

/// The explorer on a database file, in 80 columns and 24 rows.
pub fn explorer(database: &Path) -> Program {
    let binary = env!("CARGO_BIN_EXE_payment-sim");
    Program::start(&[binary, "--db", &database.to_string_lossy()], (80, 24))
}

fn simulations(database: &Path) -> Vec<SimulationRow> {
    let database = Database::open(database, Access::Read).expect("the database");
    let reader = database.reader().expect("a reader");
    reader.simulations(&SimulationFilter::default()).expect("simulations").rows
}

/// Launches a simulation that does not end by itself while the test looks.
pub fn launch_long(program: &mut Program) {
    program.wait("Library").press("L").wait("Type a path").press("library:large-day\r").wait("[ Start ]");
    // Back to the last setting, the ticks.
    program
        .press("\u{1b}[Z")
        .press("\u{15}")
        .press("900000\r")
        .wait("900,000 ticks")
        .press("\r")
        .wait("running");
}

#[test]
fn from_the_start_to_the_replay_of_an_experiment_and_out_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("explorer.duckdb");
    let mut program = explorer(&file);
    program.wait("Library");
    assert!(program.is_taken(), "raw mode and the alternate screen");
    // Two keys launch the first experiment of the library.
    program.press("\r").wait("[ Start ]").press("\r").wait("completed");
    program.press("\r").wait("saved)").press("\r").wait("two-period-day");
    program.press("\r").wait("tick 0 of 1");
    program.press(".").wait("tick 1 of 1").press(",").wait("tick 0 of 1");
    program.press("<").wait("event 6 of 7").press(">").wait("event 7 of 7");
    program.press(">").wait("tick 1 of 1").press("0t").wait("go to tick:").press("\u{1b}");
    program.resize(120, 40).wait("5 Balances");
    program.resize(50, 10).wait("needs at least");
    program.resize(80, 24).wait("1 Banks");
    program
        .press("v")
        .wait("Events (")
        .press("f")
        .wait("filter:")
        .press("type:Arrival\r")
        .wait("type:Arrival");
    program.press("?").wait("half a page down").press("q");
    program.press("gh").wait("Library").press("q");
    assert_eq!(program.exit_status(), 0);
    assert!(program.is_given_back(), "the terminal is as it was");
    assert!(!simulations(&file).is_empty());
    assert!(simulations(&file).iter().all(|row| row.status == Status::Completed));
}

#[test]
fn a_key_typed_while_the_window_changes_its_size_is_not_held_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = explorer(&folder.path().join("explorer.duckdb"));
    program.wait("Library").press("L").wait("Type a path");
    let mut typed = String::new();
    for (key, columns) in ('a'..='z').zip([100, 90].into_iter().cycle()) {
        typed.push(key);
        program.resize(columns, 30).press(&key.to_string()).wait(&typed);
    }
    for columns in [100, 90].into_iter().cycle().take(26) {
        typed.pop();
        program.press("\u{7f}").resize(columns, 30).wait(&format!("{typed} "));
    }
}

#[test]
fn what_the_user_keeps_and_exports_is_there_afterwards() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("explorer.duckdb");
    let rows = folder.path().join("rows.csv");
    let mut program = explorer(&file);
    program.wait("Library").press("\r").wait("[ Start ]").press("\r").wait("completed");
    program
        .press("gs")
        .wait("Simulations (6)")
        .press("m")
        .wait("keep this place as")
        .press("\r")
        .wait("kept");
    program.press("a").wait("note:").press("look again #late\r").wait("noted");
    program.press("f").wait("filter:").press("purpose:eval\r").wait("purpose:eval ┓");
    program.press("S").wait("keep the filter as").press("\u{15}judged\r").wait("kept as `judged`");
    program.press("e").wait("export to").press(&format!("\u{15}{}\r", rows.display())).wait("written to");
    program.press("'").wait("Bookmarks (1)").press("gn").wait("look again #late");
    program.press("\u{1b}").wait("Bookmarks (1)").press("\u{1b}").wait("Simulations (");
    program.press("X").press("gf").wait("judged").press("\r").wait("purpose:eval ┓");
    program.press("\u{3}\u{3}");
    program.exit_status();
    let text = std::fs::read_to_string(&rows).expect("the exported rows");
    assert!(text.lines().count() > 1, "{text}");
    let reader = Database::open(&file, Access::Read).expect("the database").reader().expect("a reader");
    assert_eq!(reader.notes().expect("notes")[0].tags, ["late"]);
    assert_eq!(reader.bookmarks().expect("bookmarks").len(), 1);
}

#[test]
fn a_library_entry_is_edited_in_the_users_editor_and_comes_back_into_the_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let (binary, file) = (env!("CARGO_BIN_EXE_payment-sim"), folder.path().join("explorer.duckdb"));
    let data = format!("XDG_DATA_HOME={}", folder.path().display());
    let editor = "EDITOR=sed -i 's/rng_seed: .*/rng_seed: 777/'";
    let command = ["env", "-u", "VISUAL", &data, editor, binary, "--db", &file.to_string_lossy()];
    let mut program = Program::start(&command, (100, 30));
    program.wait("Library").press("L").wait("Type a path").press("library:two-banks").wait("[ Start ]");
    program.press("\u{f}").wait("777").until("taken again", Program::is_taken);
    program.wait("two-banks-1").press("\u{1b}[Z").press("\u{1b}[Z").press("\u{1b}[Z");
    program.press("\u{1b}").wait("Library").press("q");
    assert_eq!(program.exit_status(), 0);
    let copy = folder.path().join("payment-sim/drafts/two-banks-1/scenarios/two-banks.yaml");
    let text = std::fs::read_to_string(copy).expect("the copy");
    assert!(text.contains("rng_seed: 777"), "{text}");
}

#[test]
fn an_editor_that_fails_says_so_and_the_screen_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (binary, file) = (env!("CARGO_BIN_EXE_payment-sim"), folder.path().join("explorer.duckdb"));
    let data = format!("XDG_DATA_HOME={}", folder.path().display());
    let command = ["env", "-u", "VISUAL", &data, "EDITOR=false", binary, "--db", &file.to_string_lossy()];
    let mut program = Program::start(&command, (120, 30));
    program.wait("Library").press("\r").wait("[ Start ]").press("\u{f}");
    program.wait("the editor `false` ended with status 1").press("\u{1b}").wait("Library").press("q");
    assert_eq!(program.exit_status(), 0);
}

#[test]
fn a_signal_cancels_the_jobs_gives_the_terminal_back_and_keeps_whole_ticks() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("explorer.duckdb");
    let mut program = explorer(&file);
    launch_long(&mut program);
    // Ticks have been committed.
    wait_for_bytes(&folder.path().join("explorer.duckdb.wal"), 200_000);
    send(program.pid(), Signal::TERM);
    assert_eq!(program.exit_status(), 143);
    assert!(program.is_given_back());
    let rows = simulations(&file);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].status, Status::Cancelled, "{:?}", rows[0].error);
    assert!(rows[0].last_tick.is_some());
}

#[test]
fn suspended_it_gives_the_terminal_back_and_continued_it_takes_it_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = explorer(&folder.path().join("explorer.duckdb"));
    program.wait("Library").press("\u{1a}");
    program.until("stopped", |program| program.is_stopped() && program.is_given_back());
    send(program.pid(), Signal::CONT);
    program.until("continued", Program::is_taken);
    program.wait("Library").press("q");
    assert_eq!(program.exit_status(), 0);
    assert!(program.is_given_back());
}

#[test]
fn quitting_with_a_running_job_asks_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("explorer.duckdb");
    let mut program = explorer(&file);
    launch_long(&mut program);
    program.press("\u{3}").wait("1 job is still running").press("n").wait("running");
    program.press("\u{3}").wait("1 job is still running").press("y");
    assert_eq!(program.exit_status(), 0);
    assert!(program.is_given_back());
    assert_eq!(simulations(&file).first().map(|row| row.status), Some(Status::Cancelled));
}

#[test]
fn without_a_terminal_it_says_which_commands_need_none() {
    let output = Command::new(env!("CARGO_BIN_EXE_payment-sim"))
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the explorer needs a terminal") && said.contains("`experiment`"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn keys_and_theme_are_set_in_the_settings_and_wrong_ones_are_refused() {
    let program = Outside::new();
    let play = |settings: &str, script: &str| {
        std::fs::write(program.path("config.toml"), settings).expect("the settings");
        std::fs::write(program.path("keys"), script).expect("the script");
        let mut command = program.command();
        command.args(["explore", "--config", "config.toml", "--db", "t.duckdb", "--keys", "keys"]);
        said(command.output().expect("the program runs"))
    };
    let settings = "[explorer]\ntheme = \"colour-blind\"\n[explorer.keys]\ngo-runs = [\"Ctrl+T\"]\n";
    let played = play(settings, "Ctrl+T\nwait Runs of experiments\n?\nframe\n");
    assert_eq!(played.status, 0, "{}", played.err);
    assert!(played.out.contains("Help"), "{}", played.out);
    for (settings, message) in [
        ("[explorer]\ntheme = \"pink\"\n", "error: there is no theme `pink`"),
        ("[explorer.keys]\ngo-run = [\"x\"]\n", "error: nothing is called `go-run`; did you mean `go-runs`?"),
        ("[explorer.keys]\ngo-runs = [\"j\"]\n", "are in each other's way"),
    ] {
        let played = play(settings, "q\n");
        assert_eq!(played.status, 1, "{}", played.err);
        assert!(played.err.contains(message) && played.err.contains("hint: "), "{}", played.err);
    }
}

/// The database that the pictures of the README show.
fn pictured() -> Outside {
    let program = Outside::new();
    program.out("run library:gridlock-ring --db p.duckdb --simulation-id gridlock-1 --quiet");
    program.out("experiment run library:two-period --db p.duckdb --run-id two-period-1 --quiet");
    program
}

/// The pictures are what the program shows. `UPDATE_PICTURES=1` takes over what it shows now.
#[test]
fn the_pictures_of_the_readme_are_of_this_program() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
    let program = pictured();
    let script = assets.join("pictures.keys");
    program.with_out(&["explore", "--db", "p.duckdb", "--keys", &script.to_string_lossy()]);
    let readme = std::fs::read_to_string(assets.join("../../README.md")).expect("the README");
    for picture in ["home", "iterations", "replay", "events"].map(|name| format!("{name}.svg")) {
        let drawn = std::fs::read_to_string(program.path(&picture)).expect("a picture");
        assert!(readme.contains(&format!("assets/pictures/{picture}")), "{picture} is in the README");
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::write(assets.join(&picture), &drawn).expect("the picture is written");
        }
        let stored = std::fs::read_to_string(assets.join(&picture)).expect("a picture");
        assert!(stored == drawn, "{picture} is out of date: run this test with UPDATE_PICTURES=1");
    }
}

#[test]
fn a_key_script_launches_browses_and_steps_without_a_terminal() {
    let program = Outside::new();
    let keys = "size 90x26\nwait Library\nEnter\nwait [ Start ]\nEnter\nwait completed\nEnter\n\
                wait Iterations (\nwait BANK_B\nEnter\nwait Simulations (\nEnter\nwait tick 0 of 1\n.\n\
                wait tick 1 of 1\nframe\n,\nwait tick 0 of 1\nframe small.txt\n";
    program.write("tour.keys", keys);
    let shown = program.out("explore --db k.duckdb --keys tour.keys");
    assert!(shown.contains("tick 1 of 1") && shown.lines().count() == 26, "{shown}");
    let small = std::fs::read_to_string(program.path("small.txt")).expect("a frame");
    assert!(small.contains("tick 0 of 1") && small.lines().all(|line| line.chars().count() <= 90));
}

#[test]
fn a_key_script_ends_at_the_step_that_fails() {
    let program = Outside::new();
    program.write("left.keys", "wait Library\nq\nframe\n");
    let left = program.run("explore --db k.duckdb --keys left.keys");
    assert!(left.status == 1 && left.err.contains("line 3 of the key script"), "{}", left.err);
    program.write("wrong.keys", "j\nhop\n");
    let wrong = program.run("explore --db new.duckdb --keys wrong.keys");
    assert!(
        wrong.status == 1 && wrong.err.contains("line 2") && wrong.err.contains("`hop`"),
        "{}",
        wrong.err
    );
    assert!(!program.has("new.duckdb"), "nothing is opened for a script that cannot be read");
}

#[test]
fn a_link_opens_its_place() {
    let program = pictured();
    let shown = |link: &str, text: &str| {
        program.write("look.keys", format!("wait {text}\nframe\n"));
        program.with_out(&["explore", "--db", "p.duckdb", "--keys", "look.keys", "--open", link])
    };
    let frame = shown("sim/gridlock-1/replay?tick=5&event=3", "event 3 of");
    assert!(frame.contains("Home › Simulations › Replay of gridlock-1"), "{frame}");
    assert!(shown("run/two-period-1/iteration/0", "completed").contains("Iteration 1"));
    assert!(shown("run/two-period-1", "BANK_B").contains("Iterations (6)"));
    assert!(shown("sim/gridlock-1/events?from=30", "gridlock-1").contains("30"));
    let refused = program.with(&["explore", "--db", "p.duckdb", "--keys", "look.keys", "--open", "x/y"]);
    assert!(refused.status == 2 && refused.err.contains("`run/ID`"), "{}", refused.err);
}
