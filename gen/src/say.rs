//! Printing for programs whose output people cut off: `golden --trace | head` is no failure.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a text as it is. The program ends when nobody reads any more, or when the text cannot be
/// written.
pub fn say(text: impl Display) {
    let Err(e) = write!(io::stdout(), "{text}") else { return };
    if e.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("cannot write: {e}");
    std::process::exit(1);
}

/// Prints a line; see [`say`].
pub fn say_line(text: impl Display) {
    say(format_args!("{text}\n"));
}
