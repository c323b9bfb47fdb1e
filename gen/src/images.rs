//! Images of a program's region variants for the simulated part.
//!
//! Each is for the region that the variant was placed in, of that shell, and is all that is needed to load it.

use crate::hardware::Hardware;
use restage_image::{Header, Image, ImageError, verilog};
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
    let (Some(region), Some(circuit)) =
        (hardware.manifest.regions.get(index), hardware.variants.get(index))
    else {
        return Err(ImageError::Circuit(format!("there is no variant {index}")));
    };
    let header = Header {
        part: part.to_string(),
        shell: hardware.manifest.config.fingerprint(),
        kind: region.kind,
        unit: region.unit as u8,
        latency: region.latency as u16,
        variant: region.hash,
        schema: 0,
        number,
        payload: 0,
        payload_crc: 0,
        signature: [0; 64],
    };
    Image::new(header, verilog::pack(circuit.name(), &circuit.verilog()))
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
