//! Runs a law on generated cases, the same cases on every machine: the environment has no say (`PROPTEST_*`).

use proptest::strategy::Strategy;
use proptest::string::{RegexGeneratorStrategy, string_regex};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestCaseError, TestRng, TestRunner};

/// Runs `law` on `cases` values of `strategy`; a case that breaks it is shrunk and shown.
pub(crate) fn holds<S: Strategy>(
    cases: u32,
    strategy: S,
    law: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        max_local_rejects: 0,
        max_global_rejects: 0,
        max_flat_map_regens: 1_000_000,
        failure_persistence: None,
        source_file: None,
        test_name: None,
        max_shrink_time: 0,
        max_shrink_iters: 100_000,
        max_default_size_range: 100,
        result_cache: proptest::test_runner::noop_result_cache,
        verbose: 0,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(0),
        _non_exhaustive: (),
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, b"faultdeck holds its laws, always");
    let result = TestRunner::new_with_rng(config, rng).run(&strategy, law);
    assert!(result.is_ok(), "{}", result.err().map_or_else(String::new, |broken| broken.to_string()));
}

/// Texts that match a pattern. A pattern that stands by itself as a strategy is parsed anew for each case.
pub(crate) fn text(pattern: &str) -> RegexGeneratorStrategy<String> {
    string_regex(pattern).expect(pattern)
}
