//! Tests of the command line's definition, and of `docs/cli.md`, which is generated from it.

use clap::{Command, CommandFactory as _};

use super::Arguments;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");

const HEADER: &str = "# Command line\n\n\
    Generated from the program's own help (`UPDATE_DOCS=1 cargo test -p echolabel --bin echolabel reference`).\n\n\
    stdout carries results, stderr logs and progress. Exit codes: 0 done; 1 some inputs failed, each named with its reason; \
    2 usage or configuration.\n";

/// Columns of the page, whatever terminal the test runs in.
const WIDTH: usize = 100;

#[test]
fn the_command_line_is_well_formed() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_shows_an_example() {
    for (name, command) in commands(&root()) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(command.has_subcommands() || help.contains("Example"), "`{name}` has no example in its help");
    }
}

#[test]
fn the_reference_page_is_up_to_date() {
    let page: String = commands(&root()).into_iter().fold(HEADER.to_owned(), |page, (name, mut command)| {
        let help: Vec<String> =
            command.render_help().to_string().lines().map(|line| line.trim_end().to_owned()).collect();
        format!("{page}\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim())
    });
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, &page).expect("docs/cli.md can be written");
    }
    let written = std::fs::read_to_string(PAGE).expect("docs/cli.md is there");
    assert!(written == page, "docs/cli.md is out of date: run this test with UPDATE_DOCS=1");
}

fn root() -> Command {
    let mut root = Arguments::command().term_width(WIDTH);
    // Propagates the common flags and the full names to the subcommands.
    root.build();
    root
}

/// The command and those below it that the help lists, in its order, with their full names.
fn commands(command: &Command) -> Vec<(String, Command)> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let below =
        command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()).flat_map(commands);
    std::iter::once((name, command.clone())).chain(below).collect()
}
