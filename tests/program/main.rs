//! The program, as a person or a CI job runs it: the real binary, its arguments, output, files and sockets.

// A test may stop where a fact it relies on does not hold.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/console.rs"]
mod raw;

use harness::canary;

mod book;
mod branching;
mod byte_for_byte;
mod certificates;
mod chaos;
mod check_adapter;
mod cli_basics;
mod cli_files;
mod cli_judge;
mod cli_listening;
mod cli_run;
mod cli_run_children;
mod demo;
mod deploy;
mod doctor;
mod every_property;
mod faults_in_a_line;
mod faults_on_the_wire;
mod findings_last;
mod greeted;
mod hostile_files;
mod init;
mod isolated;
mod judge_console;
mod judge_is_fair;
mod judge_other_endpoints;
mod known;
mod ledgers_that_flow;
mod lint_cassettes;
mod manners;
mod matrix;
mod mutants;
mod newcomer;
mod observed;
mod offline;
mod outside_api;
mod profiles;
mod progress;
mod proxied;
mod raw_targets;
mod recording;
mod recording_disk;
mod recording_kills;
mod refused;
mod replay_over_sockets;
mod reports;
mod right_clients;
mod same_run_over_sockets;
mod scenario_from_input;
mod searches;
mod secrets_stay_in;
mod settings;
mod shipped_cassette;
mod starts;
mod test_tools;
mod time_and_pieces;
mod undisturbed;
mod ways_in;
mod workers;
