//! Images of a program's region variants for the simulated part.
//!
//! Each is for the region that the variant was placed in, of that shell, and is all that is needed to load it.

use crate::hardware::Hardware;
use restage_image::{Header, Image, ImageError, verilog};
use restage_manifest::{Manifest, Region, ShellConfig};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The image of one of a program's variants, by its place in the manifest, for a part. `number` never goes back.
pub fn image(
    hardware: &Hardware,
    index: usize,
    part: &str,
    number: u64,
) -> Result<Image, ImageError> {
    image_at(&hardware.manifest, hardware, index, part, number)
}

/// As [`image`], for the region where another manifest of the same program has the variant.
pub fn image_at(
    manifest: &Manifest,
    hardware: &Hardware,
    index: usize,
    part: &str,
    number: u64,
) -> Result<Image, ImageError> {
    let (Some(region), Some(circuit)) = (manifest.regions.get(index), hardware.variants.get(index))
    else {
        return Err(ImageError::Circuit(format!("there is no variant {index}")));
    };
    let header = header(&manifest.config, region, part, number);
    Image::new(header, verilog::pack(circuit.name(), &circuit.verilog()))
}

/// What an image of a variant says of itself, but for its payload.
pub fn header(config: &ShellConfig, region: &Region, part: &str, number: u64) -> Header {
    Header {
        part: part.to_string(),
        shell: config.fingerprint(),
        kind: region.kind,
        unit: region.unit as u8,
        latency: region.latency as u16,
        variant: region.hash,
        schema: 0,
        number,
        payload: 0,
        payload_crc: 0,
        signature: [0; 64],
    }
}

/// Writes the images of all variants into a folder, `MODULE_UNIT.rsti` each, and removes those of others. Paths and bytes.
pub fn write(hardware: &Hardware, part: &str, folder: &Path) -> io::Result<Vec<(PathBuf, usize)>> {
    let mut made = Vec::new();
    fs::create_dir_all(folder)?;
    for (index, region) in hardware.manifest.regions.iter().enumerate() {
        let image = image(hardware, index, part, 0).and_then(|image| image.bytes());
        let bytes = image.map_err(io::Error::other)?;
        let path = folder.join(format!("{}_{}.rsti", region.module, region.unit));
        fs::write(&path, &bytes)?;
        made.push((path, bytes.len()));
    }
    for old in fs::read_dir(folder)? {
        let path = old?.path();
        if path.extension().is_some_and(|e| e == "rsti") && !made.iter().any(|m| m.0 == path) {
            fs::remove_file(path)?;
        }
    }
    Ok(made)
}
