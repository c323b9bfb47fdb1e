//! What was found, as tables for people.

use super::Row;

/// Estimated less found, in percent of what was found; nothing where there is no estimate.
pub fn off(row: &Row) -> Option<i64> {
    let (found, estimate) = (row.cost.luts as i64, row.estimated_luts? as i64);
    Some((estimate - found) * 100 / found.max(1))
}

/// A program, or a folder.
pub fn print(title: &str, rows: &[&Row], paths: bool) {
    let width = rows.iter().map(|r| r.cost.module.len()).max().unwrap_or(0).max(6);
    println!(
        "{:width$} {:>7} {:>8} {:>5} {:>7} {:>7} {:>9} {:>6} {:>8} {:>4} {:>6} {:>6} {:>6} {:>6}",
        title,
        "LUT",
        "estimate",
        "off%",
        "as RAM",
        "as SRL",
        "registers",
        "RAM36",
        "estimate",
        "DSP",
        "levels",
        "+MUXF",
        "+carry",
        "chain"
    );
    let number = |n: Option<String>| n.unwrap_or_else(|| "-".to_string());
    let halves = |n: u64| (n as f64 / 2.0).to_string();
    for row in rows {
        let cost = &row.cost;
        println!(
            "{:width$} {:>7} {:>8} {:>5} {:>7} {:>7} {:>9} {:>6} {:>8} {:>4} {:>6} {:>6} {:>6} {:>6}",
            cost.module,
            cost.luts,
            number(row.estimated_luts.map(|n| n.to_string())),
            number(off(row).map(|n| n.to_string())),
            cost.ram_luts,
            cost.shift_luts,
            cost.registers,
            halves(cost.half_rams),
            number(row.estimated_half_rams.map(halves)),
            cost.dsps,
            cost.worst.luts,
            cost.worst.muxf,
            cost.worst.carry,
            cost.longest_carry,
        );
        if paths {
            println!("    {}", cost.worst.through.join(" -> "));
        }
    }
}

/// All of them in a few lines.
pub fn summary(rows: &[Row]) {
    let levels = |estimated: bool| {
        let of = rows.iter().filter(|r| r.estimated_luts.is_some() == estimated);
        of.map(|r| r.cost.worst.luts).max().unwrap_or(0)
    };
    let known = rows.iter().filter(|r| r.estimated_luts.is_some());
    let errors: Vec<i64> = known.clone().filter_map(off).collect();
    let range = (errors.iter().min(), errors.iter().max());
    let rams = known.filter(|r| r.estimated_half_rams == Some(r.cost.half_rams)).count();
    println!(
        "{} modules; at most {} levels in regions, {} elsewhere",
        rows.len(),
        levels(true),
        levels(false)
    );
    if let (Some(least), Some(most)) = range {
        println!(
            "estimate of LUTs: {least} to {most} % off; block RAM exact in {rams} of {}",
            errors.len()
        );
    }
}
