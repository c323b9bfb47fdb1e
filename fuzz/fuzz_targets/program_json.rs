//! `restage_tests::robust::program_json` on whatever the fuzzer thinks of.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| restage_tests::robust::program_json(data));
