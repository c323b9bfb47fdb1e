//! The part's side of the image port: words in, and whether they are an image for the place that is loaded.

use super::PartOptions;
use crate::error::SimError;
use crate::model::{Library, Model, PortId};
use restage_image::{HEADER_BYTES, Header, ImageError, Place};
use restage_manifest::socket::Socket;

/// What a clock brought.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The first word for a unit came.
    pub erase: Option<u32>,
    /// The last word for a unit came, or what makes the rest superfluous.
    pub end: Option<Result<(u32, Vec<u8>), ImageError>>,
}

/// Takes words.
#[derive(Debug)]
pub(super) struct Loader {
    ports: Ports,
    part: String,
    shell: u32,
    sockets: Vec<Socket>,
    /// Clocks for so many words.
    rate: (u32, u32),
    /// Of `rate.0`, what there is for the next word.
    credit: u32,
    /// Whether a load is under way.
    active: bool,
    /// Whether it has been answered.
    answered: bool,
    bytes: Vec<u8>,
    /// Bytes of the image, once its header is there.
    length: Option<usize>,
    /// The number of the image that is loaded, and the largest one that was.
    number: u64,
    least: u64,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    active: PortId,
    unit: PortId,
    valid: PortId,
    word: PortId,
    last: PortId,
    ready: PortId,
    done: PortId,
    fail: PortId,
    code: PortId,
}

impl Loader {
    pub fn new(
        library: &Library,
        shell: u32,
        sockets: Vec<Socket>,
        options: &PartOptions,
    ) -> Result<Self, SimError> {
        let port = |name: &str| library.port(&format!("image_{name}"));
        let ports = Ports {
            active: port("active_o")?,
            unit: port("unit_o")?,
            valid: port("valid_o")?,
            word: port("word_o")?,
            last: port("last_o")?,
            ready: port("ready_i")?,
            done: port("done_i")?,
            fail: port("fail_i")?,
            code: port("code_i")?,
        };
        Ok(Loader {
            ports,
            part: options.name.clone(),
            shell,
            sockets,
            rate: (options.rate.0.max(1), options.rate.1),
            credit: 0,
            active: false,
            answered: false,
            bytes: Vec::new(),
            length: None,
            number: 0,
            least: 0,
        })
    }

    /// Before an edge: looks at the port and says whether a word is taken by it.
    pub fn step(&mut self, shell: &mut Model) -> Step {
        let mut step = Step::default();
        let ports = self.ports;
        let was = self.active;
        self.active = shell.get_u64(ports.active) == 1;
        if !was && !self.active {
            return step;
        }
        for port in [ports.done, ports.fail, ports.ready] {
            shell.set_u64(port, 0);
        }
        if !was || !self.active {
            (self.answered, self.length, self.credit) = (false, None, 0);
            self.bytes.clear();
        }
        if !self.active || self.answered {
            return step;
        }
        self.credit = (self.credit + self.rate.1).min(self.rate.0.max(self.rate.1));
        if self.credit < self.rate.0 || shell.get_u64(ports.valid) == 0 {
            return step;
        }
        self.credit -= self.rate.0;
        shell.set_u64(ports.ready, 1);
        let unit = shell.get_u64(ports.unit) as u32;
        if self.bytes.is_empty() {
            step.erase = Some(unit);
        }
        self.bytes.extend((shell.get_u64(ports.word) as u32).to_le_bytes());
        let last = shell.get_u64(ports.last) == 1;
        step.end = self.end(unit, last).transpose();
        step
    }

    /// What the words so far are: complete, or wrong.
    fn end(&mut self, unit: u32, last: bool) -> Result<Option<(u32, Vec<u8>)>, ImageError> {
        let at = self.bytes.len();
        if at == HEADER_BYTES {
            let header = Header::parse(&self.bytes)?;
            let kind = self.sockets.iter().find(|s| s.unit == unit).map(|s| s.kind);
            let (part, unit) = (self.part.as_str(), unit as u8);
            let place = Place {
                part,
                shell: self.shell,
                unit,
                kind: kind.unwrap_or(header.kind),
                least: self.least,
            };
            header.fits(&place)?;
            (self.length, self.number) = (Some(header.image_bytes()), header.number);
        }
        match (self.length, last) {
            (Some(wanted), true) if at == wanted => {
                Ok(Some((unit, std::mem::take(&mut self.bytes))))
            }
            (Some(wanted), false) if at == wanted => {
                Err(ImageError::TooLong { found: at + 4, wanted })
            }
            (wanted, true) => {
                Err(ImageError::Truncated { at, wanted: wanted.unwrap_or(HEADER_BYTES) })
            }
            (_, false) => Ok(None),
        }
    }

    /// Before the same edge: what has come of the image.
    pub fn answer(&mut self, shell: &mut Model, wrong: Option<&ImageError>) {
        self.answered = true;
        match wrong {
            None => {
                self.least = self.number;
                shell.set_u64(self.ports.done, 1);
            }
            Some(error) => {
                shell.set_u64(self.ports.fail, 1);
                shell.set_u64(self.ports.code, error.code() as u64);
            }
        }
    }
}
