//! The router: takes every PHV from where it comes out to where it goes next in its epoch.

use super::kit::{bits_for, both, held, is, out_of_turn, state, state_when};
use super::shape::{Shape, WORD_BITS};
use super::words::Words;
use crate::net::{Circuit, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::address::last;
use restage_manifest::address::shell::{FED, JOIN, POINT, route};
use restage_manifest::socket::RegionKind;
use restage_manifest::socket::{Socket, sockets};

/// An end of the router.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// The beginning of the names of its ports.
    pub name: String,
    /// Its number in a route.
    pub unit: u32,
    pub kind: Option<RegionKind>,
}

/// Where PHVs come from: the exit of the traffic point, parsers, stages.
pub(super) fn sources(config: &ShellConfig) -> Vec<End> {
    let all = sockets(config);
    let ends = all.iter().filter(|s| s.kind != RegionKind::Deparser).map(end);
    std::iter::once(point()).chain(ends).collect()
}

/// Where they go: the traffic point, stages, deparsers.
pub(super) fn destinations(config: &ShellConfig) -> Vec<End> {
    let all = sockets(config);
    let ends = all.iter().filter(|s| s.kind != RegionKind::Parser).map(end);
    std::iter::once(point()).chain(ends).collect()
}

fn point() -> End {
    End { name: "point".into(), unit: POINT, kind: None }
}

fn end(socket: &Socket) -> End {
    End { name: socket.name.clone(), unit: socket.unit, kind: Some(socket.kind) }
}

/// Whether something can go from one to the other.
fn joined(from: &End, to: &End) -> bool {
    let point_to_itself = from.kind.is_none() && to.kind.is_none();
    let past_the_point =
        from.kind == Some(RegionKind::Parser) && to.kind == Some(RegionKind::Deparser);
    !point_to_itself && !past_the_point && from.unit != to.unit
}

/// `restage_router`.
///
/// Contract:
/// * `S_next_valid_i`, `S_next_epoch_i` of a source S say a clock ahead that `S_ticket_i`, `S_phv_i`, `S_live_i`,
///   `S_tag_i` hold a packet of that epoch.
/// * `D_valid_o` and the others of a destination D: a packet of the source that D's route of the packet's epoch
///   names, a clock after it was there. Packets of both epochs must not come to a destination in one clock;
///   if they do, that of epoch 1 wins, and `collided_o` counts the other.
/// * `fed_o`: whether each parser gets packets, bits 0 and 1 for its epochs, two bits further for the next.
/// * `join_*_o`: for each deparser, in two bits likewise, whether what it gives counts.
/// * `disordered_o`: the packet that comes to the traffic point is not the one whose turn it is.
/// * `csr_*`: the routes, see [`route`].
pub fn router(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let mut module = Module::new("restage_router");
    let m = &mut module;
    let (sources, destinations) = (sources(config), destinations(config));

    m.section("ports");
    let inputs: Vec<Input> = sources.iter().map(|end| Input::new(m, shape, end)).collect();
    let csr = Words::new(m);
    let mut read = Vec::new();

    m.section("parsers: the window feeds them");
    let parsers: Vec<Socket> =
        sockets(config).into_iter().filter(|s| s.kind == RegionKind::Parser).collect();
    let mut fed = Vec::new();
    for parser in &parsers {
        for epoch in 0..2 {
            let (on, word) = csr.fed(m, &parser.name, epoch, parser.unit);
            fed.push(on);
            read.push(word);
        }
    }
    fed.reverse();
    let fed = m.concat(&fed);
    m.output("fed_o", fed);

    let bits = bits_for(sources.len() as u32 - 1);
    let mut collisions = Vec::new();
    for to in &destinations {
        m.section(format!("to {}", to.name));
        let name = |what: &str| format!("{}_{what}", to.name);
        let mut found = Vec::new();
        for epoch in 0..2 {
            let (on, from, word) = csr.route(m, &to.name, epoch, to.unit, bits);
            read.push(word);
            let arms: Vec<(u64, Net)> = inputs
                .iter()
                .filter(|input| joined(&input.end, to))
                .map(|input| (input.end.unit.into(), input.next[epoch as usize]))
                .collect();
            let no = m.lit(1, 0);
            let there = m.case(from, &arms, no);
            found.push((m.and(on, there), from));
        }
        let [(zero, from_zero), (one, from_one)] = [found[0], found[1]];
        collisions.push(both(m, &[zero, one]));
        let any = m.or(zero, one);
        let from = m.mux(one, from_one, from_zero);
        let choices: Vec<&Input> = inputs.iter().filter(|i| joined(&i.end, to)).collect();
        let tree = Tree::new(choices.len());
        let code = tree.code(m, from, &choices);
        let code = held(m, &name("from"), any, code);
        let there = state(m, &name("there"), any);
        let pick = |m: &mut Module, what: fn(&Input) -> Net| {
            tree.pick(m, code, choices.iter().map(|input| what(input)).collect())
        };
        let phv = pick(m, |i| i.phv);
        let ticket = pick(m, |i| i.ticket);
        let tag = pick(m, |i| i.tag);
        let live = pick(m, |i| i.live);
        let live = m.and(there, live);
        let live = state(m, &name("live_out"), live);
        m.output(&name("live_o"), live);
        let tag = held(m, &name("tag_out"), there, tag);
        m.output(&name("tag_o"), tag);
        for (what, net) in [("phv", phv), ("ticket", ticket)] {
            let net = held(m, &name(&format!("{what}_out")), there, net);
            m.output(&name(&format!("{what}_o")), net);
        }
        let valid = state(m, &name("valid_out"), there);
        m.output(&name("valid_o"), valid);
        if to.kind.is_none() {
            let wrong = out_of_turn(m, valid, tag);
            m.output("disordered_o", wrong);
        }
    }
    let collided = m.or_all(&collisions);
    let collided = state(m, "collided", collided);
    m.output("collided_o", collided);

    m.section("behind the deparsers");
    let deparser_bits = bits_for(last(config));
    for epoch in 0..2 {
        let (on, from, word) = csr.route(m, "join", epoch, JOIN, deparser_bits);
        read.push(word);
        let here: Vec<Net> = destinations
            .iter()
            .rev()
            .filter(|end| end.kind == Some(RegionKind::Deparser))
            .map(|end| {
                let chosen = is(m, from, end.unit.into());
                m.and(on, chosen)
            })
            .collect();
        let here = m.concat(&here);
        let here = m.delay(here, 1);
        m.output(&format!("join{epoch}_o"), here);
    }

    m.section("reading");
    let word = csr.read(m, &read);
    m.output("csr_rdata_o", word);
    module.finish()
}

/// How one of several wide signals is chosen: in layers of four to one, which is what one lookup table does, with as few
/// of them as can be. A plain choice by the number of the source takes half as many again.
struct Tree {
    /// Of each layer how many there are of which four are joined; what is left goes on as it is.
    layers: Vec<usize>,
    /// Of each source its place in each layer, if it is joined there with others, two bits a layer.
    codes: Vec<u64>,
}

impl Tree {
    fn new(sources: usize) -> Tree {
        let mut tree = Tree { layers: Vec::new(), codes: vec![0; sources] };
        // The place of each source among those that are left.
        let mut places: Vec<usize> = (0..sources).collect();
        let mut left = sources;
        while left > 1 {
            // Joining four leaves three less; the last four are joined to one.
            let groups = left.saturating_sub(4).div_ceil(3).min(left / 4);
            let groups = if groups == 0 { 1 } else { groups };
            let joined = (4 * groups).min(left);
            let shift = 2 * tree.layers.len();
            for (place, code) in places.iter_mut().zip(&mut tree.codes) {
                if *place < joined {
                    *code |= ((*place % 4) as u64) << shift;
                    *place /= 4;
                } else {
                    *place -= joined - groups;
                }
            }
            tree.layers.push(groups);
            left -= joined - groups;
        }
        tree
    }

    fn bits(&self) -> u32 {
        (2 * self.layers.len() as u32).max(1)
    }

    /// What chooses the source with a number.
    fn code(&self, m: &mut Module, from: Net, choices: &[&Input]) -> Net {
        let arms: Vec<(u64, Net)> = choices
            .iter()
            .zip(&self.codes)
            .map(|(input, code)| (input.end.unit.into(), m.lit(self.bits(), *code)))
            .collect();
        let other = m.lit(self.bits(), 0);
        m.case(from, &arms, other)
    }

    fn pick(&self, m: &mut Module, code: Net, mut nets: Vec<Net>) -> Net {
        for (layer, groups) in (0..).zip(&self.layers) {
            let place = m.slice(code, 2 * layer + 1, 2 * layer);
            let rest = nets.split_off((4 * groups).min(nets.len()));
            let joined = nets.chunks(4).map(|four| {
                let (last, arms) = (four[four.len() - 1], &four[..four.len() - 1]);
                let arms: Vec<(u64, Net)> = (0..).zip(arms.iter().copied()).collect();
                m.case(place, &arms, last)
            });
            nets = joined.collect();
            nets.extend(rest);
        }
        match nets.first() {
            Some(net) => *net,
            None => m.lit(1, 0),
        }
    }
}

/// A source's ports.
struct Input {
    end: End,
    /// Whether a packet of each epoch comes.
    next: [Net; 2],
    live: Net,
    tag: Net,
    ticket: Net,
    phv: Net,
}

impl Input {
    fn new(m: &mut Module, shape: Shape<'_>, end: &End) -> Input {
        let mut port = |what: &str, width| m.input(&format!("{}_{what}_i", end.name), width);
        let valid = port("next_valid", 1);
        let epoch = port("next_epoch", 1);
        let (live, tag) = (port("live", 1), port("tag", shape.tag()));
        let ticket = port("ticket", shape.ticket().width());
        let phv = port("phv", shape.config.phv_bits);
        let other = m.not(epoch);
        let next = [m.and(valid, other), m.and(valid, epoch)];
        Input { end: end.clone(), next, live, tag, ticket, phv }
    }
}

/// The routes on the shell's bus.
impl Words {
    /// Whether a unit is fed; that, and the word to be read.
    fn fed(&self, m: &mut Module, name: &str, epoch: u32, unit: u32) -> (Net, (u32, Net)) {
        let word = route(epoch, unit);
        let set = self.at(m, word);
        let on = m.bit(self.data, FED.trailing_zeros());
        let on = state_when(m, &format!("{name}_fed{epoch}"), set, on);
        let zeros = m.lit(FED.trailing_zeros(), 0);
        let shown = m.concat(&[on, zeros]);
        (on, (word, m.zext(shown, WORD_BITS)))
    }

    /// Whether a unit is fed, from where, and the word to be read.
    fn route(
        &self,
        m: &mut Module,
        name: &str,
        epoch: u32,
        unit: u32,
        bits: u32,
    ) -> (Net, Net, (u32, Net)) {
        let (on, (word, _)) = self.fed(m, name, epoch, unit);
        let set = self.at(m, word);
        let from = m.slice(self.data, bits - 1, 0);
        let from = state_when(m, &format!("{name}_from{epoch}"), set, from);
        let low = m.zext(from, FED.trailing_zeros());
        let shown = m.concat(&[on, low]);
        (on, from, (word, m.zext(shown, WORD_BITS)))
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn every_source_has_a_way_through_as_few_choices_as_can_be() {
        for sources in 1..40_usize {
            let tree = Tree::new(sources);
            let mut codes = tree.codes.clone();
            let picked: Vec<usize> = codes
                .iter()
                .map(|code| {
                    let mut nets: Vec<usize> = (0..sources).collect();
                    for (layer, groups) in tree.layers.iter().enumerate() {
                        let place = (code >> (2 * layer)) as usize & 3;
                        let rest = nets.split_off((4 * groups).min(nets.len()));
                        nets = nets.chunks(4).map(|four| four[place.min(four.len() - 1)]).collect();
                        nets.extend(rest);
                    }
                    assert_eq!(nets.len(), 1, "{sources}");
                    nets[0]
                })
                .collect();
            assert_eq!(picked, (0..sources).collect::<Vec<_>>());
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), sources);
            let choices: usize = tree.layers.iter().sum();
            assert_eq!(choices, (sources - 1).div_ceil(3), "{sources}: {:?}", tree.layers);
        }
    }
}
