//! The simulated FPGA: the shell's model, a model in each region, and the port through which regions are loaded.
//!
//! A load is what it is on a card. The image comes word by word, no faster than the part takes words. From its first word on
//! nothing is in the region and what stands on its outputs is random; only when the image is complete, whole and for this
//! place there is new logic, with random bits in what it does not reset. A bad image leaves the region blank. How long Verilator takes
//! to build a model does not count: it takes no clock.
//!
//! Without a port (a shell that is one model with its regions) nothing can be loaded.

mod loader;

use crate::cache::Cache;
use crate::compile::Build;
use crate::error::SimError;
use crate::fabric::{Fabric, PartId};
use crate::model::{Library, Model, PortId};
use loader::Loader;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_image::{Image, ImageError, SIMULATED, VerifyingKey, verilog};
use restage_manifest::ShellConfig;
use restage_manifest::socket::{Direction, Socket, ports, sockets};

/// What a part is like.
#[derive(Clone, Debug)]
pub struct PartOptions {
    /// Its name: images must be for it.
    pub name: String,
    /// Clocks for so many words of an image: `(2, 1)` is a word in two clocks, about what ICAPE3 takes.
    pub rate: (u32, u32),
    /// What images must be signed with; if there is none, signatures are not looked at.
    pub key: Option<VerifyingKey>,
    /// Of random bits: registers, memories, and what stands on the outputs of a region that is being loaded.
    pub seed: u64,
    /// Where built models are kept.
    pub cache: Cache,
}

impl Default for PartOptions {
    fn default() -> Self {
        PartOptions {
            name: SIMULATED.into(),
            rate: (2, 1),
            key: None,
            seed: 1,
            cache: Cache::standard(),
        }
    }
}

/// A region's place.
#[derive(Debug)]
struct Place {
    socket: Socket,
    /// The model that is, or was, there.
    part: Option<PartId>,
    /// The shell's inputs that the region drives.
    driven: Vec<(PortId, u32)>,
    clock: PortId,
    /// Whether what stands on its outputs is random.
    noisy: bool,
    /// Loads so far.
    loads: u64,
}

/// A part with a shell and regions.
#[derive(Debug)]
pub struct Fpga {
    fabric: Fabric,
    shell: PartId,
    places: Vec<Place>,
    loader: Option<Loader>,
    rng: SmallRng,
    options: PartOptions,
    refused: Option<ImageError>,
}

impl Fpga {
    /// Models that stay as they are.
    pub fn fixed(fabric: Fabric, shell: PartId) -> Self {
        let options = PartOptions::default();
        let rng = SmallRng::seed_from_u64(options.seed);
        Fpga { fabric, shell, places: Vec::new(), loader: None, rng, options, refused: None }
    }

    /// A shell whose regions are blank.
    pub fn new(shell: Model, config: &ShellConfig, options: PartOptions) -> Result<Self, SimError> {
        let library = shell.library().clone();
        let mut fabric = Fabric::new();
        let shell = fabric.add(shell)?;
        let mut places = Vec::new();
        for socket in sockets(config) {
            let mut driven = Vec::new();
            for port in ports(socket.kind, config) {
                if port.direction == Direction::Output {
                    driven.push((library.port(&socket.port(port.name))?, port.width));
                }
            }
            let clock = library.port(&socket.clock_enable())?;
            places.push(Place { socket, part: None, driven, clock, noisy: false, loads: 0 });
        }
        let loader = Some(Loader::new(&library, config.fingerprint(), sockets(config), &options)?);
        let rng = SmallRng::seed_from_u64(options.seed);
        Ok(Fpga { fabric, shell, places, loader, rng, options, refused: None })
    }

    /// Puts a variant in a region as the part's first configuration does: before the first clock.
    pub fn configure(&mut self, unit: u32, variant: &Library) -> Result<PartId, SimError> {
        let Some(at) = self.places.iter().position(|p| p.socket.unit == unit) else {
            return Err(SimError::NoUnit(unit));
        };
        self.put(at, variant)
    }

    /// The model in a region; none if it is blank.
    pub fn variant(&self, unit: u32) -> Option<&Model> {
        let place = self.places.iter().find(|p| p.socket.unit == unit && !p.noisy)?;
        place.part.map(|part| self.fabric.model(part))
    }

    /// Why the last image was refused.
    pub fn refused(&self) -> Option<&ImageError> {
        self.refused.as_ref()
    }

    /// The shell's place.
    pub fn shell(&self) -> PartId {
        self.shell
    }

    /// All models.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// All models.
    pub fn fabric_mut(&mut self) -> &mut Fabric {
        &mut self.fabric
    }

    /// One clock of the whole.
    pub fn tick(&mut self) -> Result<(), SimError> {
        if let Some(loader) = &mut self.loader {
            let step = loader.step(self.fabric.model_mut(self.shell));
            if let Some(unit) = step.erase {
                self.erase(unit)?;
            }
            match step.end {
                None => {}
                Some(Ok((unit, bytes))) => {
                    let done = self.load(unit, &bytes)?;
                    self.answer(done);
                }
                Some(Err(error)) => self.answer(Err(error)),
            }
            self.boundaries();
        }
        self.fabric.tick()
    }

    /// Clocks of regions, and what stands on the outputs of those that are being loaded.
    fn boundaries(&mut self) {
        for place in &self.places {
            if let Some(part) = place.part {
                let runs = self.fabric.model(self.shell).get_u64(place.clock) == 1;
                self.fabric.set_clock(part, runs && !place.noisy);
            }
            if place.noisy {
                let shell = self.fabric.model_mut(self.shell);
                for (port, width) in &place.driven {
                    let limbs: Vec<u64> =
                        (0..width.div_ceil(64)).map(|_| self.rng.random()).collect();
                    shell.set_limbs(*port, &limbs);
                }
            }
        }
    }

    /// The first word of an image is there: what was in the region is no more.
    fn erase(&mut self, unit: u32) -> Result<(), SimError> {
        if let Some(place) = self.places.iter_mut().find(|p| p.socket.unit == unit) {
            place.noisy = true;
            if let Some(part) = place.part {
                self.fabric.disconnect(part)?;
            }
        }
        Ok(())
    }

    /// An image is complete. The outer error is one of the simulation, the inner one of the image.
    fn load(&mut self, unit: u32, bytes: &[u8]) -> Result<Result<(), ImageError>, SimError> {
        let signed = |image: Image| match &self.options.key {
            Some(key) => image.verify(key).map(|()| image),
            None => Ok(image),
        };
        let image = match Image::parse(bytes).and_then(signed) {
            Ok(image) => image,
            Err(error) => return Ok(Err(error)),
        };
        let Some(at) = self.places.iter().position(|p| p.socket.unit == unit) else {
            return Err(SimError::NoUnit(unit));
        };
        let library = match library(&image, &self.options.cache) {
            Ok(library) => library,
            Err(SimError::Image(error)) => return Ok(Err(error)),
            Err(SimError::Tool { text, .. }) => return Ok(Err(ImageError::Circuit(text))),
            Err(error) => return Err(error),
        };
        if let Some(wrong) = self.unlike(at, &library) {
            return Ok(Err(ImageError::Circuit(wrong)));
        }
        self.put(at, &library)?;
        Ok(Ok(()))
    }

    /// How a circuit differs from what fits a place.
    fn unlike(&self, at: usize, variant: &Library) -> Option<String> {
        let shell = self.fabric.model(self.shell).library();
        variant.ports().iter().find_map(|port| {
            if port.is_input("clk_i") || port.is_input("rst_ni") {
                return None;
            }
            let outside = self.places[at].socket.port(&port.name);
            let fits = shell
                .ports()
                .iter()
                .any(|p| p.name == outside && p.width == port.width && p.output != port.output);
            (!fits).then(|| format!("its port `{}` fits nothing of the region's", port.name))
        })
    }

    fn put(&mut self, at: usize, variant: &Library) -> Result<PartId, SimError> {
        let place = &mut self.places[at];
        place.loads += 1;
        let seed = self.options.seed.wrapping_add(place.loads << 32 | u64::from(place.socket.unit));
        let model = variant.instance(seed)?;
        let part = match place.part {
            Some(part) => {
                self.fabric.disconnect(part)?;
                self.fabric.replace(part, model)?;
                part
            }
            None => self.fabric.add(model)?,
        };
        place.part = Some(part);
        place.noisy = false;
        for port in variant.ports() {
            match port.name.as_str() {
                "clk_i" => {}
                "rst_ni" => {
                    self.fabric.connect(self.shell, &place.socket.reset(), part, "rst_ni")?;
                }
                name if port.output => {
                    self.fabric.connect(part, name, self.shell, &place.socket.port(name))?;
                }
                name => self.fabric.connect(self.shell, &place.socket.port(name), part, name)?,
            }
        }
        Ok(part)
    }

    fn answer(&mut self, done: Result<(), ImageError>) {
        self.refused = done.err();
        if let Some(loader) = &mut self.loader {
            loader.answer(self.fabric.model_mut(self.shell), self.refused.as_ref());
        }
    }
}

/// The circuit in an image, built if the cache does not have it.
pub fn library(image: &Image, cache: &Cache) -> Result<Library, SimError> {
    let (module, text) = verilog::unpack(image.payload())?;
    Build::new(&module).source(format!("{module}.v"), text).build(cache)
}
