//! The README's tour works as written.

use std::process::Command;

use crate::support::program::{Program, said};

/// The commands of the blocks that a reader is asked to type.
fn commands() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_tour_works_as_written() {
    let program = Program::new();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_payment-sim"));
    let folder = binary.parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let commands = commands();
    assert!(commands.len() >= 10, "the tour has {} commands", commands.len());
    for line in commands {
        assert!(line.starts_with("payment-sim "), "{line}");
        let mut shell = Command::new("sh");
        let prepared = shell.args(["-c", &line]).current_dir(program.folder.path()).env("PATH", &path);
        let said = said(prepared.env("HOME", program.folder.path()).output().expect("a shell"));
        assert_eq!(said.status, 0, "{line}\n{}", said.err);
        assert!(!said.out.trim().is_empty() || !said.err.trim().is_empty(), "{line} says nothing");
    }
}

/// What stands in backticks.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The words that name a command, without its arguments and options.
fn command_words(code: &str) -> Vec<&str> {
    let is_name = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    let words = code.split_whitespace().filter(|word| *word != "payment-sim");
    words.take_while(|word| is_name(word) && !word.starts_with('-')).collect()
}

#[test]
fn the_commands_and_options_that_the_readme_lists_exist() {
    let readme = include_str!("../../README.md");
    let section = readme.split("## Commands").nth(1).expect("a section about commands");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    let program = Program::new();
    for row in rows {
        let commands = code(row.split('|').nth(1).expect("a first column"));
        // What follows the first command of a row belongs to the same group.
        let mut group = command_words(commands[0]);
        group.pop();
        let mut helps = String::new();
        for command in &commands {
            let mut words = command_words(command);
            if !words.starts_with(&group) {
                words.splice(0..0, group.iter().copied());
            }
            let line = format!("{} --help", words.join(" "));
            let help = program.run(&line);
            assert_eq!(help.status, 0, "{line}: {}", help.err);
            helps.push_str(&help.out);
        }
        for option in
            code(row).into_iter().flat_map(str::split_whitespace).filter(|word| word.starts_with("--"))
        {
            assert!(helps.contains(option), "{option} of {commands:?} is missing in the help");
        }
    }
}
