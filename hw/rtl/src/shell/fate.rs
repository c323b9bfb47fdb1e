//! What becomes of a packet behind ingress.

use super::kit::{but_not, field, is, later, replace, state};
use super::lists::{LOOKUP_CLOCKS, List, Lists};
use super::shape::{PASS_BITS, Shape};
use crate::net::{Module, Net};
use restage_manifest::ShellField as F;
use restage_program::Bits;
use restage_program::standard::{DROP_PORT, instance};

/// A packet behind ingress whose fate is known.
pub(super) struct Arrival {
    pub valid: Net,
    pub ticket: Net,
    pub phv: Net,
    /// It goes on in some way.
    pub push: Net,
    /// A copy of it as it came goes to the loop port.
    pub clone: Net,
    /// It goes on besides that clone.
    pub main: Net,
    pub resubmit: Net,
    pub listed: Net,
    pub list: List,
}

impl Arrival {
    pub fn new(
        m: &mut Module,
        shape: Shape<'_>,
        lists: Option<&Lists>,
        valid: Net,
        ticket: Net,
        phv: Net,
    ) -> Arrival {
        let config = shape.config;
        let tickets = shape.ticket();
        let no = m.lit(1, 0);
        m.section("groups and sessions");
        // A clone made in either half passed ingress as one. Stages saw one made in ingress, with `run` 0.
        let skip = if shape.clones() {
            let kind = tickets.get(m, ticket, "kind");
            let of_ingress = is(m, kind, instance::INGRESS_CLONE.into());
            let of_egress = is(m, kind, instance::EGRESS_CLONE.into());
            m.or(of_ingress, of_egress)
        } else {
            no
        };
        let session = match lists {
            Some(lists) if shape.clones() => {
                let own = tickets.get(m, ticket, "session");
                let asked = field(m, config, phv, F::CloneSession);
                let number = m.mux(skip, own, asked);
                Some(lists.session(m, number))
            }
            _ => None,
        };
        let group = lists.filter(|_| config.multicast).map(|lists| {
            let number = field(m, config, phv, F::McastGrp);
            lists.group(m, number)
        });
        let clocks = if lists.is_some() { LOOKUP_CLOCKS } else { 0 };
        let valid = later(m, "arrived", valid, clocks);
        let ticket = m.delay(ticket, clocks);
        let phv = m.delay(phv, clocks);
        let skip = m.delay(skip, clocks);

        m.section("fate");
        let live = but_not(m, valid, skip);
        let live = m.named("lives", live);
        let pass = tickets.get(m, ticket, "pass");
        let mut clone = no;
        let mut no_session = no;
        let mut returned = no;
        if let Some(session) = session {
            let returns = m.and(valid, skip);
            let mut wants = returns;
            if config.ingress_clones {
                let asked = field(m, config, phv, F::Clone);
                let asked = m.and(live, asked);
                clone = m.and(asked, session.exists);
                wants = m.or(wants, asked);
            }
            no_session = but_not(m, wants, session.exists);
            returned = m.and(returns, session.exists);
        }
        let (mut resubmit, mut too_often) = (no, no);
        if config.resubmit {
            let asked = field(m, config, phv, F::Loop);
            let asked = m.and(live, asked);
            let most = m.lit(PASS_BITS, config.max_passes.into());
            let often = m.le(most, pass);
            resubmit = but_not(m, asked, often);
            too_often = m.and(asked, often);
        }
        let again = m.or(resubmit, too_often);
        let mut multi = no;
        let number = field(m, config, phv, F::McastGrp);
        let grouped = m.any(number);
        let grouped = m.and(live, grouped);
        let grouped = but_not(m, grouped, again);
        if let Some(group) = group {
            let some = m.any(group.count);
            multi = m.and(grouped, some);
        }
        let mut no_group = but_not(m, grouped, multi);
        let spec = field(m, config, phv, F::EgressSpec);
        let spec = is(m, spec, DROP_PORT.into());
        let plain = but_not(m, live, again);
        let plain = but_not(m, plain, grouped);
        let dropped = m.and(plain, spec);
        let unicast = but_not(m, plain, spec);
        let mut listed = multi;
        let mut list = group;
        if let Some(session) = session {
            let some = m.any(session.list.count);
            let copies = m.and(returned, some);
            let empty = but_not(m, returned, some);
            no_group = m.or(no_group, empty);
            listed = m.or(listed, copies);
            list = Some(match list {
                Some(group) => List {
                    start: m.mux(skip, session.list.start, group.start),
                    count: m.mux(skip, session.list.count, group.count),
                },
                None => session.list,
            });
        }
        let list = list.unwrap_or(List { start: no, count: no });
        let main = m.or_all(&[resubmit, listed, unicast]);
        let push = m.or(main, clone);
        let push = m.named("push", push);

        m.section("events");
        let events = [
            ("dropped", dropped),
            ("no_group", no_group),
            ("no_session", no_session),
            ("too_often", too_often),
        ];
        for (name, net) in events {
            let net = state(m, name, net);
            m.output(&format!("{name}_o"), net);
        }
        if shape.reserves() {
            let copy = tickets.get(m, ticket, "copy");
            let original = but_not(m, live, copy);
            let stays = m.or(resubmit, unicast);
            let release = but_not(m, original, stays);
            let release = state(m, "release_valid", release);
            m.output("release_valid_o", release);
            let amount = tickets.get(m, ticket, "reserve");
            let amount = m.delay(amount, 1);
            m.output("release_o", amount);
        }
        if let Some(at) = F::Digest.at(config) {
            let number = m.slice(phv, at.high(), at.low);
            let some = m.any(number);
            let some = m.and(live, some);
            let some = state(m, "digest_valid", some);
            m.output("digest_valid_o", some);
            let low = F::bits(config) + config.keep_bits;
            let bits = m.slice(phv, low + config.digest_bits - 1, low);
            let message = m.concat(&[bits, number]);
            let message = m.delay(message, 1);
            m.output("digest_o", message);
        }

        m.section("what egress sees of its fate");
        let usual = m.lit(3, instance::NORMAL.into());
        let replicated = m.lit(3, instance::REPLICATED.into());
        let kind = m.mux(multi, replicated, usual);
        let own = field(m, config, phv, F::Instance);
        let kind = m.mux(skip, own, kind);
        let limit = field(m, config, phv, F::Truncate);
        let none = m.bits(&Bits::ones(F::Truncate.width()));
        let limit = m.mux(multi, none, limit);
        let limit = match session {
            Some(session) => m.mux(skip, session.truncate, limit),
            None => limit,
        };
        let phv = replace(m, config, phv, &[(F::Instance, kind), (F::Truncate, limit)]);
        Arrival { valid, ticket, phv, push, clone, main, resubmit, listed, list }
    }
}
