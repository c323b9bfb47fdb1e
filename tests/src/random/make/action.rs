//! Actions, tables and profiles.

use super::stmt::ALGORITHMS;
use super::{Half, Maker, Site, SiteKind, field, preamble};
use crate::random::entries;
use restage_program::entity::{Action, Profile, Table};
use restage_program::entry::{Entry, EntryTarget};
use restage_program::expr::Expr;
use restage_program::program::{
    ActionCall, ActionDecl, ActionRef, ActionScope, DirectCounter, DirectMeter, Key, MatchKind,
    ProfileDecl, SelectorDecl, TableDecl, Unit,
};
use restage_program::types::bit;
use restage_program::{Bits, Type};

impl Maker {
    pub(super) fn action(&mut self, half: Half, name: String) -> Action {
        let mut site = Site::new(SiteKind::Action(half));
        for i in 0..self.rng.below(3) {
            let ty = match self.rng.below(4) {
                0 => bit(9),
                1 => bit([8, 16, 32][self.rng.below(3)]),
                2 if self.rng.chance(20) => Type::Bool,
                _ => self.known_number(),
            };
            site.params.push(field(format!("p{i}"), ty));
        }
        let count = self.rng.between(1, 5);
        let mut body = self.block(&site, count, 2);
        // Action data should be seen in what comes out.
        for (i, param) in site.params.clone().iter().enumerate() {
            if let Some(dst) = self.target(&site, param.ty) {
                let src = Expr::Param(i as u32);
                body.push(restage_program::stmt::StmtKind::Assign { dst, src }.into());
            }
        }
        let decl = ActionDecl { preamble: preamble(name), params: site.params, body };
        let action = self.program.actions.push(decl);
        self.actions[half as usize].push(action);
        action
    }

    /// A call with any data.
    fn call(&mut self, action: Action) -> ActionCall {
        let params = self.program.actions[action].params.clone();
        ActionCall { action, args: params.iter().map(|p| self.rng.value(p.ty)).collect() }
    }

    pub(super) fn table(&mut self, half: Half, name: String) -> Table {
        let site = Site::new(SiteKind::Body(half));
        let mut pool = self.actions[half as usize].clone();
        self.rng.shuffle(&mut pool);
        pool.truncate(self.rng.between(1, 4) as usize);
        let mut actions: Vec<ActionRef> = pool
            .iter()
            .map(|a| ActionRef { action: *a, scope: ActionScope::TableAndDefault })
            .collect();
        if actions.len() > 2 {
            actions[0].scope = ActionScope::TableOnly;
            if self.rng.chance(50) {
                actions[1].scope = ActionScope::DefaultOnly;
            }
        }
        let defaults: Vec<Action> = actions
            .iter()
            .filter(|a| a.scope != ActionScope::TableOnly)
            .map(|a| a.action)
            .collect();
        let default = defaults[self.rng.below(defaults.len())];
        let default = self.call(default);
        let keys = self.keys(&site);
        let profile = (!keys.is_empty() && self.rng.chance(25)).then(|| self.profile(&name));
        let counter = self.rng.chance(35).then(|| DirectCounter {
            preamble: preamble(format!("{name}_hits")),
            unit: [Unit::Packets, Unit::Bytes, Unit::Both][self.rng.below(3)],
        });
        let colour = if self.rng.chance(20) { self.target(&site, bit(2)) } else { None };
        let meter = colour.map(|dst| DirectMeter {
            preamble: preamble(format!("{name}_meter")),
            unit: [Unit::Packets, Unit::Bytes][self.rng.below(2)],
            dst,
        });
        let mut table = TableDecl {
            preamble: preamble(name),
            keys,
            actions,
            default,
            const_default: self.rng.chance(30),
            entries: Vec::new(),
            const_entries: false,
            size: 64,
            profile,
            counter,
            meter,
            idle_timeout: self.rng.chance(10),
        };
        if profile.is_none() && !table.keys.is_empty() && self.rng.chance(35) {
            table.entries = self.own_entries(&table);
            table.const_entries = self.rng.chance(50) && !table.entries.is_empty();
        }
        let table = self.program.tables.push(table);
        self.tables[half as usize].push(table);
        table
    }

    /// Entries that come with a table.
    fn own_entries(&mut self, table: &TableDecl) -> Vec<Entry> {
        let mut out: Vec<Entry> = Vec::new();
        for i in 0..self.rng.between(1, 5) {
            let usable: Vec<Action> = table
                .actions
                .iter()
                .filter(|a| a.scope != ActionScope::DefaultOnly)
                .map(|a| a.action)
                .collect();
            let action = usable[self.rng.below(usable.len())];
            let call = self.call(action);
            let keys = entries::keys(&self.program, table, &mut self.rng);
            if out.iter().any(|e| e.keys == keys) {
                continue;
            }
            let priority = if entries::has_priority(table) { 100 - i } else { 0 };
            let target = EntryTarget::Action(call);
            out.push(Entry { keys, priority, target, idle_timeout_us: 0 });
        }
        out
    }

    fn profile(&mut self, table: &str) -> Profile {
        let site = Site::new(SiteKind::Outside);
        let selector = self.rng.chance(65).then(|| SelectorDecl {
            algorithm: ALGORITHMS[self.rng.below(ALGORITHMS.len())],
            items: self.items(&site, self.program.stacks.is_empty()),
            max_group_size: 0,
        });
        let preamble = preamble(format!("{table}_profile"));
        let profile = self.program.profiles.push(ProfileDecl { preamble, size: 32, selector });
        self.profiles.push(profile);
        profile
    }

    fn keys(&mut self, site: &Site) -> Vec<Key> {
        let count = [0, 1, 1, 1, 2, 2, 3][self.rng.below(7)];
        let mut keys = Vec::new();
        let mut prefix = false;
        for i in 0..count {
            let ty = match self.rng.below(10) {
                0 | 1 => Type::Bool,
                _ => self.known_number(),
            };
            let value = match self.rng.below(10) {
                _ if ty == Type::Bool && self.rng.chance(60) => Expr::Valid(self.header(site)),
                0..8 => match self.place(site, ty) {
                    Some(place) => Expr::Read(place),
                    None => self.expr(site, ty, 1),
                },
                _ => self.expr(site, ty, 2),
            };
            let kind = match (self.rng.below(8), ty) {
                (0 | 1, Type::Bit(_)) if !prefix => MatchKind::Lpm,
                (2 | 3, Type::Bit(_) | Type::Bool) => MatchKind::Ternary,
                (4, Type::Bit(_) | Type::Int(_)) => MatchKind::Range,
                (5, _) => MatchKind::Optional,
                _ => MatchKind::Exact,
            };
            prefix |= kind == MatchKind::Lpm;
            keys.push(Key { name: format!("k{i}"), value, kind });
        }
        keys
    }

    /// A constant of a width, for calls.
    pub(super) fn any_bits(&mut self, ty: Type) -> Bits {
        self.rng.value(ty)
    }
}
