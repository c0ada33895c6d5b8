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

#[test]
fn the_commands_that_the_readme_lists_exist() {
    let readme = include_str!("../../README.md");
    let table = readme.split("## Commands").nth(1).expect("a section about commands");
    let help = Program::new().out("--help");
    for command in ["run", "replay", "experiment", "db", "library", "scenario", "policy", "explore"] {
        assert!(
            table.contains(&format!("`{command}")) || table.contains(&format!(" {command}`")),
            "{command}"
        );
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in the help");
    }
}
