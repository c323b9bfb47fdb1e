//! The experiment as a picture: each packet's latency over time, dropped ones below, steps as bands.

use super::{CLOCKS, Flow, Outcome, STEPS};
use std::fmt::Write;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 130.0;
const TOP: f64 = 40.0;
/// Columns of the picture into which packets are gathered.
const COLUMNS: usize = 500;

/// Nanoseconds of so many clocks.
pub fn nanos(clocks: u64) -> u64 {
    clocks * (1_000_000_000 / CLOCKS)
}

/// The picture of an outcome, as SVG.
pub fn svg(outcome: &Outcome, title: &str) -> String {
    let first = outcome.packets.first().map_or(0, |p| p.at);
    let last = outcome.packets.last().map_or(1, |p| p.at).max(first + 1);
    let most = outcome.packets.iter().filter_map(|p| p.latency).max().unwrap_or(1);
    let x = |at: u64| LEFT + WIDTH * (at.saturating_sub(first)) as f64 / (last - first) as f64;
    let y = |latency: u64| TOP + HEIGHT * (1.0 - latency as f64 / (most as f64 * 1.15));
    let mut text = String::new();
    let mut line = |part: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{part}");
    };
    let (width, height) = (WIDTH + LEFT + 20.0, HEIGHT + TOP + 90.0);
    line(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">"#
    ));
    line(format_args!(r#"<rect width="{width}" height="{height}" fill="white"/>"#));
    line(format_args!(r#"<text x="{LEFT}" y="18" font-size="15">{title}</text>"#));
    for (row, (step, (name, _))) in outcome.steps.iter().zip(STEPS).enumerate() {
        let (begun, flipped) = (x(step.begun), x(step.flipped));
        let wide = (flipped - begun).max(1.0);
        line(format_args!(
            r##"<rect x="{begun:.1}" y="{TOP}" width="{wide:.1}" height="{HEIGHT}" fill="#eeeeee"/>"##
        ));
        line(format_args!(
            r##"<line x1="{flipped:.1}" x2="{flipped:.1}" y1="{TOP}" y2="{:.1}" stroke="#888888"/>"##,
            TOP + HEIGHT + 40.0
        ));
        line(format_args!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{name}</text>"#,
            flipped - 4.0,
            TOP + HEIGHT * 0.5 + 18.0 * row as f64
        ));
    }
    for part in 0..=4 {
        let latency = most * part / 4;
        let at = y(latency);
        line(format_args!(
            r##"<line x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}" stroke="#dddddd"/>"##,
            LEFT + WIDTH
        ));
        line(format_args!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{} ns</text>"#,
            LEFT - 6.0,
            at + 4.0,
            nanos(latency)
        ));
    }
    let rows = [(Flow::Known, "#1f77b4", 14.0), (Flow::Unknown, "#d62728", 30.0)];
    for (flow, colour, below) in rows {
        let mut ends = vec![None::<(u64, u64)>; COLUMNS];
        let mut dropped = vec![false; COLUMNS];
        for packet in outcome.packets.iter().filter(|p| p.flow == flow) {
            let column = (packet.at - first) as usize * (COLUMNS - 1) / (last - first) as usize;
            match packet.latency {
                Some(latency) => {
                    let (low, high) = ends[column].unwrap_or((latency, latency));
                    ends[column] = Some((low.min(latency), high.max(latency)));
                }
                None => dropped[column] = true,
            }
        }
        let at = |column: usize| LEFT + WIDTH * (column as f64 + 0.5) / COLUMNS as f64;
        for (column, ends) in ends.iter().enumerate() {
            if let Some((low, high)) = ends {
                let (x, top, bottom) = (at(column), y(*high) - 1.5, y(*low) + 1.5);
                line(format_args!(
                    r#"<line x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}" stroke="{colour}" stroke-width="2.5"/>"#
                ));
            }
        }
        let row = TOP + HEIGHT + below;
        for (column, _) in dropped.iter().enumerate().filter(|(_, dropped)| **dropped) {
            let x = at(column);
            line(format_args!(r#"<circle cx="{x:.1}" cy="{row:.1}" r="1.6" fill="{colour}"/>"#));
        }
        let name = if flow == Flow::Known { "known" } else { "unknown" };
        line(format_args!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="end" fill="{colour}">{name}, dropped</text>"#,
            LEFT - 6.0,
            row + 4.0
        ));
    }
    let seconds = (last - first) as f64 / CLOCKS as f64;
    line(format_args!(
        r#"<text x="{:.1}" y="{:.1}" text-anchor="end">time, {:.3} ms in all; latency from the first beat in to the first beat out; grey: a step is prepared</text>"#,
        LEFT + WIDTH,
        TOP + HEIGHT + 66.0,
        1e3 * seconds
    ));
    line(format_args!("</svg>"));
    text
}
