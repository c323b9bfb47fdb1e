//! The words of the shell and of a region, said for those who read and write them.

use restage_manifest::ShellConfig;
use restage_manifest::address::{region, shell};

/// A word.
pub(super) struct Word {
    pub name: String,
    pub word: u32,
    /// `ro`, `wo` or `rw`.
    pub access: &'static str,
    /// What it holds after a reset, if that is always the same.
    pub reset: &'static str,
    pub what: &'static str,
}

impl Word {
    fn new(
        name: &str,
        word: u32,
        access: &'static str,
        reset: &'static str,
        what: &'static str,
    ) -> Self {
        Word { name: name.to_string(), word, access, reset, what }
    }
}

/// The words of the shell that a configuration has.
pub(super) fn shell_words(config: &ShellConfig) -> Vec<Word> {
    let mut words = vec![
        Word::new("MAGIC", shell::MAGIC, "ro", "0x52535453", "`RSTS` in ASCII"),
        Word::new("HASH", shell::HASH, "ro", "", "hash of the shell's configuration"),
        Word::new(
            "GATE",
            shell::GATE,
            "rw",
            "0",
            "bit 0: packets are let in; bit 1: their source cannot wait, what finds no room is dropped",
        ),
        Word::new(
            "STATUS",
            shell::STATUS,
            "ro",
            "",
            "bit 0: memories have been cleared; bit 1: no packet is inside",
        ),
    ];
    let what = "bit 0: the epoch that new packets get";
    words.push(Word::new("EPOCH", shell::EPOCH, "rw", "0", what));
    let what =
        "clocks free between a packet of epoch 1 and one of epoch 0; the next word: of epoch 1";
    words.push(Word::new("BUBBLE_INGRESS", shell::BUBBLE_INGRESS, "rw", "0", what));
    let what = "as BUBBLE_INGRESS, at the exit of the traffic point";
    words.push(Word::new("BUBBLE_EGRESS", shell::BUBBLE_EGRESS, "rw", "0", what));
    let what = "packets of epoch 0 inside; the next word: of epoch 1";
    words.push(Word::new("IN_FLIGHT", shell::IN_FLIGHT, "ro", "0", what));
    let what = "packets received before the first of the present epoch; two words";
    words.push(Word::new("FLIPPED_AT", shell::FLIPPED_AT, "ro", "", what));
    let what = "begins a load of the unit in bits 7 to 0 (bit 8), or aborts one (bit 9)";
    words.push(Word::new("IMAGE_CONTROL", shell::IMAGE_CONTROL, "wo", "", what));
    let what = "words of the image that is to be loaded";
    words.push(Word::new("IMAGE_WORDS", shell::IMAGE_WORDS, "rw", "0", what));
    let what = "the image's next word; answered when the part has taken it";
    words.push(Word::new("IMAGE_DATA", shell::IMAGE_DATA, "wo", "", what));
    let what = "words that the part has taken";
    words.push(Word::new("IMAGE_PROGRESS", shell::IMAGE_PROGRESS, "ro", "0", what));
    let what = "bits 3 to 0: 0 idle, 1 loading, 2 done, 3 failed; 15 to 8: why; 23 to 16: the unit";
    words.push(Word::new("IMAGE_STATUS", shell::IMAGE_STATUS, "ro", "0", what));
    let what = "by unit: bit 8: it is fed in epoch 0, bits 4 to 0: by which unit; 0 is the traffic point, \
         unit 31 what is behind the deparsers; epoch 1 is 32 words on";
    words.push(Word::new("ROUTES", shell::ROUTES, "rw", "0", what));
    let clones = config.ingress_clones || config.egress_clones;
    if config.recirculate {
        let what = "beats by which a packet may grow on its way through the loop port";
        words.push(Word::new("LOOP_GROWTH", shell::LOOP_GROWTH, "rw", "the most", what));
    }
    if config.multicast {
        let what = "the group that GROUP_DATA is for; counts up";
        words.push(Word::new("GROUP_ROW", shell::GROUP_ROW, "wo", "", what));
        let what = "sets a group: its first replica in the upper half, their number in the lower";
        words.push(Word::new("GROUP_DATA", shell::GROUP_DATA, "wo", "", what));
    }
    if clones {
        let what = "the clone session that SESSION_DATA is for; counts up";
        words.push(Word::new("SESSION_ROW", shell::SESSION_ROW, "wo", "", what));
        let what = "bit 31: the session exists; bits 13 to 0: most bytes of its copies, all ones for no limit";
        words.push(Word::new("SESSION_HOLD", shell::SESSION_HOLD, "wo", "", what));
        let what = "sets a session, with what SESSION_HOLD says: its first replica in the upper half, their number in the lower";
        words.push(Word::new("SESSION_DATA", shell::SESSION_DATA, "wo", "", what));
    }
    if config.multicast || clones {
        let what = "the replica that REPLICA_DATA is for; counts up";
        words.push(Word::new("REPLICA_ROW", shell::REPLICA_ROW, "wo", "", what));
        let what = "sets a replica: its id in the upper half, its port in the lower";
        words.push(Word::new("REPLICA_DATA", shell::REPLICA_DATA, "wo", "", what));
    }
    if config.digest_bits > 0 {
        let what = "messages that wait to be read";
        words.push(Word::new("DIGEST_COUNT", shell::DIGEST_COUNT, "ro", "0", what));
        let what = "the first message's number and one";
        words.push(Word::new("DIGEST_NUMBER", shell::DIGEST_NUMBER, "ro", "0", what));
        let what = "any write removes the first message";
        words.push(Word::new("DIGEST_POP", shell::DIGEST_POP, "wo", "", what));
        let what = "the first message's bits, least significant word first";
        words.push(Word::new("DIGEST_DATA", shell::DIGEST_DATA, "ro", "", what));
    }
    words.extend(shell::Count::ALL.map(|count| {
        let name = format!("COUNT_{}", upper(&format!("{count:?}")));
        Word::new(&name, count.word(), "ro", "0", counted(count))
    }));
    words.sort_by_key(|w| w.word);
    words
}

fn counted(count: shell::Count) -> &'static str {
    use shell::Count;
    match count {
        Count::Received => "packets let in from outside",
        Count::Sent => "packets sent",
        Count::DroppedIngress => "packets that ingress dropped",
        Count::DroppedEgress => "packets that egress dropped",
        Count::NoGroup => "packets to a multicast group that does not exist or is empty",
        Count::NoSession => "clones not made because their session does not exist",
        Count::MaxPasses => {
            "packets dropped because they had been processed as often as is allowed"
        }
        Count::Looped => "packets that entered again through the loop port",
        Count::LoopFull => "copies dropped because the loop port was full",
        Count::DigestsLost => "messages dropped because nobody read the ones before",
        Count::WrongSize => "packets whose length was not what tuser said",
        Count::Lost => "packets lost for want of room, which must not happen",
        Count::Collided => "packets of both epochs that met, which must not happen",
        Count::Disordered => "packets that overtook others, which must not happen",
        Count::HeldIngress => "clocks in which the gate waited only because of the other epoch",
        Count::HeldEgress => "the same at the exit of the traffic point",
        Count::Shed => "packets from outside that found no room and could not wait",
    }
}

/// The words that every region has.
pub(super) fn region_words() -> Vec<Word> {
    vec![
        Word::new("MAGIC", region::MAGIC, "ro", "0x52535447", "`RSTG` in ASCII"),
        Word::new(
            "SHELL_HASH",
            region::SHELL_HASH,
            "ro",
            "",
            "the shell's HASH for which it was made",
        ),
        Word::new("KIND", region::KIND, "ro", "", "0 parser, 1 stage, 2 deparser"),
        Word::new(
            "VARIANT",
            region::VARIANT,
            "ro",
            "",
            "lower half of the variant's hash; the upper half follows",
        ),
        Word::new("LATENCY", region::LATENCY, "ro", "", "clocks from input to output"),
        Word::new(
            "SCHEMA",
            region::SCHEMA,
            "ro",
            "",
            "lower half of the hash of its state's shape; the upper half follows",
        ),
        Word::new("READY", region::READY, "ro", "0", "1 when all memories have been cleared"),
        Word::new("MEM", region::MEM, "rw", "0", "the memory that CMD is for"),
        Word::new(
            "ROW",
            region::ROW,
            "rw",
            "0",
            "the row that CMD is for; counts up after a write",
        ),
        Word::new(
            "CMD",
            region::CMD,
            "wo",
            "",
            "1 writes the held row, 2 reads a row; others as a cell says",
        ),
        Word::new(
            "STATUS",
            region::STATUS,
            "ro",
            "0",
            "bit 0: a command is under way; bit 1: the last one was refused",
        ),
        Word::new(
            "HOLD",
            region::HOLD,
            "rw",
            "",
            "the row that is written or was read, least significant word first",
        ),
    ]
}

/// A C macro's name: words with underscores between.
pub(super) fn upper(text: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && lower_before {
            out.push('_');
        }
        lower_before = c.is_ascii_lowercase();
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    out
}
