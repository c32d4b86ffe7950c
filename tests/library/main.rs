//! The library, asked as a program that embeds it would: laws, tables, and real sockets in this process.

// A test may stop where a fact it relies on does not hold.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, unreachable_pub)]

#[path = "../harness/canary.rs"]
mod canary;
mod judging;
mod laws;
#[path = "laws/naive.rs"]
mod naive;
#[path = "laws/naive_lists.rs"]
mod naive_lists;
mod peer;

mod answer_ladder;
mod bounded_memory;
mod builtin_scenarios;
mod bundled;
mod cassette_deck;
mod cassette_roundtrip;
mod causal_matching;
mod client_files;
mod client_hygiene;
mod computed_lists;
mod creations;
mod customer_data;
mod elastic_polling;
mod embedded;
mod emulate;
mod evidence;
mod evidence_outranks;
mod fault_docs;
mod fault_laws;
mod faults_of_content;
mod fields_language;
mod fields_laws;
mod filter_language;
mod filter_laws;
mod gate;
mod greeted;
mod hostile_input;
mod house_rules;
mod json_view;
mod judge_covers;
mod judge_finds_defects;
mod judge_in_memory;
mod judge_lists;
mod judge_other_endpoints;
mod judge_repeats_findings;
mod judge_shrinks;
mod law_docs;
mod limits;
mod loose_matching;
mod manners;
mod match_rules;
mod moments;
mod pace_laws;
mod pace_on_the_wire;
mod proxy;
mod recorded_selectors;
mod recorder;
mod recording;
mod recording_connections;
mod recording_console_failures;
mod recording_files;
mod recording_journal;
mod recording_links;
mod recording_one_request;
mod recording_trust;
mod refused;
mod reports_elsewhere;
mod reports_from_a_ledger;
mod same_run_twice;
mod scenario_diagnostics;
mod scenario_laws;
mod schemas;
mod searches;
mod secret_forms;
mod secret_places;
mod settings_diagnostics;
mod settled;
mod sort_laws;
mod task_ends;
mod task_families;
mod timeline_laws;
mod tls;
mod unknown_endpoints;
mod whole_api;
mod wire;
