//! Part files: what the regions of a card offer.

use restage_compile::place::Cost;
use serde::Deserialize;

/// A card.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The part as its vendor calls it.
    pub part: String,
    /// What one region offers.
    pub region: Cost,
}

/// The part for which is compiled when nothing else is said.
pub fn default_part() -> Result<Part, serde_json::Error> {
    serde_json::from_str(include_str!("../../../parts/alveo_u50.json"))
}
