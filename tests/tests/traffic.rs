//! Traffic for the programs of the library: most of it is parsed to the end and meets entries.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::entries_text;
use restage_tests::slow::{Queue, Slow};
use restage_tests::traffic::Traffic;

const PACKETS: u64 = 150;

#[test]
fn most_packets_are_accepted_and_meet_an_entry() {
    let mut poor = Vec::new();
    for item in restage_library::ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        let mut slow = Slow::new(&program);
        for write in &writes {
            slow.write(write).unwrap();
        }
        let traffic = Traffic::new(&program, &writes, 1).with_damage(0).with_repeats(0);
        let (mut accepted, mut met) = (0, 0);
        let count = |slow: &Slow, what| slow.tally().get(what).copied().unwrap_or(0);
        for (i, (port, bytes)) in traffic.take(PACKETS as usize).enumerate() {
            let before = (count(&slow, "parser accepts"), count(&slow, "hit"));
            slow.process(port, &bytes, i as u64 * 10, Queue::default());
            accepted += u64::from(count(&slow, "parser accepts") > before.0);
            met += u64::from(count(&slow, "hit") > before.1);
        }
        // Programs without entries are all state.
        let entries = slow_has_entries(&slow, &program);
        println!("{:<20} accepted {accepted:>4} met {met:>4} of {PACKETS}", item.name);
        if accepted * 100 < PACKETS * 70 || (entries && met * 100 < PACKETS * 50) {
            poor.push(format!("{}: {accepted} accepted, {met} met an entry", item.name));
        }
    }
    assert_eq!(poor, Vec::<String>::new());
}

fn slow_has_entries(slow: &Slow, program: &restage_program::Program) -> bool {
    program.tables.keys().any(|t| slow.entries(t).next().is_some())
}
