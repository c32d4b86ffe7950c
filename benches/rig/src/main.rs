//! Measures faultdeck against floors: `scripts/bench` and `scripts/soak` build and run it.
//!
//! - `replay_floor` and `record_floor` are the least that a server of hyper's can cost
//! - `process` starts servers and reads what they have cost, `load` asks them
//! - `rows` says what is measured and what the goal is; `replaying`, `recording`, `judging`, `wide`, `paced` measure it; `table` prints it
//! - `soak` asks for minutes and looks at the memory

mod cassette;
mod judging;
mod load;
mod paced;
mod process;
mod record_floor;
mod recording;
mod replay_floor;
mod replaying;
mod rows;
mod soak;
mod table;
mod wide;

use std::process::ExitCode;

use process::Arguments;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let verb = words.next().unwrap_or_default();
    let arguments = Arguments(words.collect());
    let done = match verb.as_str() {
        "replay-floor" => replay_floor::main(&arguments).map(|()| true),
        "paced-floor" => paced::floor(&arguments).map(|()| true),
        "record-floor" => record_floor::main(&arguments).map(|()| true),
        "bench" => rows::main(&arguments),
        "soak" => soak::main(&arguments),
        _ => Err("use scripts/bench or scripts/soak".to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The runtime of the floors: the same as faultdeck's.
fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())
}
