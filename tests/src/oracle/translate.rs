//! Entries of one description for another one of the same program.
//!
//! Objects correspond by name: p4c puts the control's name in front (`Ing.route`), the library need not.
//! Keys and parameters correspond by name when all names agree, else by position.

use restage_program::entity::{Action, Counter, Meter, Profile, Register, Table, ValueSet};
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::names::NameError;
use restage_program::program::ActionCall;
use restage_program::{Bits, Program};

/// From one program to another.
#[derive(Clone, Copy, Debug)]
pub struct Translation<'a> {
    from: &'a Program,
    to: &'a Program,
}

impl<'a> Translation<'a> {
    /// Nothing is looked up before it is needed.
    pub fn new(from: &'a Program, to: &'a Program) -> Self {
        Translation { from, to }
    }

    /// A write in terms of the other program.
    pub fn write(&self, write: &Write) -> Result<Write, String> {
        Ok(match write {
            Write::Insert(table, entry) => {
                let entry = self.entry(*table, entry)?;
                Write::Insert(self.table(*table)?, entry)
            }
            Write::Modify(table, entry) => {
                let entry = self.entry(*table, entry)?;
                Write::Modify(self.table(*table)?, entry)
            }
            Write::Delete { table, keys, priority } => Write::Delete {
                table: self.table(*table)?,
                keys: self.keys(*table, keys)?,
                priority: *priority,
            },
            Write::SetDefault(table, call) => {
                let to = self.table(*table)?;
                let find = |name: &str| self.to.find_table_action(to, name);
                Write::SetDefault(to, call.as_ref().map(|c| self.call(c, find)).transpose()?)
            }
            Write::SetMember { profile, member, call } => {
                let to = self.profile(*profile)?;
                let find = |name: &str| self.to.find_profile_action(to, name);
                Write::SetMember { profile: to, member: *member, call: self.call(call, find)? }
            }
            Write::SetGroup { profile, group, members } => Write::SetGroup {
                profile: self.profile(*profile)?,
                group: *group,
                members: members.clone(),
            },
            Write::SetRegister(register, index, value) => {
                let to = self.register(*register)?;
                let ty = self.to.registers.get(to).ok_or("no such register")?.ty;
                Write::SetRegister(to, *index, fit(value, ty.width())?)
            }
            Write::SetMeter(meter, index, config) => {
                Write::SetMeter(self.meter(*meter)?, *index, *config)
            }
            Write::SetCounter(counter, index, value) => {
                Write::SetCounter(self.counter(*counter)?, *index, *value)
            }
            Write::SetValueSet(set, members) => {
                Write::SetValueSet(self.value_set(*set)?, members.clone())
            }
            Write::SetMulticast { .. } | Write::SetClone { .. } => write.clone(),
            other => return Err(format!("the oracle never says {other:?}")),
        })
    }

    /// The table of the same name.
    pub fn table(&self, table: Table) -> Result<Table, String> {
        let name = self.from.tables.get(table).map(|d| d.preamble.name.as_str());
        by_name(name, |n| self.to.find_table(n))
    }

    fn profile(&self, profile: Profile) -> Result<Profile, String> {
        let name = self.from.profiles.get(profile).map(|d| d.preamble.name.as_str());
        by_name(name, |n| self.to.find_profile(n))
    }

    fn register(&self, register: Register) -> Result<Register, String> {
        let name = self.from.registers.get(register).map(|d| d.preamble.name.as_str());
        by_name(name, |n| self.to.find_register(n))
    }

    fn meter(&self, meter: Meter) -> Result<Meter, String> {
        let name = self.from.meters.get(meter).map(|d| d.preamble.name.as_str());
        by_name(name, |n| self.to.find_meter(n))
    }

    fn counter(&self, counter: Counter) -> Result<Counter, String> {
        let name = self.from.counters.get(counter).map(|d| d.preamble.name.as_str());
        by_name(name, |n| self.to.find_counter(n))
    }

    fn value_set(&self, set: ValueSet) -> Result<ValueSet, String> {
        let name = self.from.value_sets.get(set).map(|d| d.preamble.name.as_str());
        by_name(name, |n| self.to.find_value_set(n))
    }

    fn entry(&self, table: Table, entry: &Entry) -> Result<Entry, String> {
        let to = self.table(table)?;
        let target = match &entry.target {
            EntryTarget::Action(call) => {
                EntryTarget::Action(self.call(call, |name| self.to.find_table_action(to, name))?)
            }
            other => other.clone(),
        };
        Ok(Entry { keys: self.keys(table, &entry.keys)?, target, ..*entry })
    }

    fn call(
        &self,
        call: &ActionCall,
        find: impl Fn(&str) -> Result<Action, NameError>,
    ) -> Result<ActionCall, String> {
        let from = self.from.actions.get(call.action).ok_or("no such action")?;
        let action = by_name(Some(&from.preamble.name), find)?;
        let to = self.to.actions.get(action).ok_or("no such action")?;
        let names = |params: &'a [restage_program::program::FieldDecl]| {
            params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>()
        };
        let order = order(&to.preamble.name, &names(&from.params), &names(&to.params))?;
        let args = order.into_iter().zip(&to.params).map(|(at, param)| {
            let arg = call.args.get(at).ok_or("an argument is missing")?;
            fit(arg, param.ty.width()).map_err(|e| format!("{}: {e}", to.preamble.name))
        });
        Ok(ActionCall { action, args: args.collect::<Result<_, _>>()? })
    }

    fn keys(&self, table: Table, keys: &[KeyMatch]) -> Result<Vec<KeyMatch>, String> {
        let from = self.from.tables.get(table).ok_or("no such table")?;
        let to = self.to.tables.get(self.table(table)?).ok_or("no such table")?;
        let names = |keys: &'a [restage_program::program::Key]| {
            keys.iter().map(|k| k.name.as_str()).collect::<Vec<_>>()
        };
        let order = order(&to.preamble.name, &names(&from.keys), &names(&to.keys))?;
        let keys = order.into_iter().zip(&to.keys).map(|(at, key)| {
            let given = keys.get(at).ok_or("a key is missing")?;
            let ty = self.to.type_of(&key.value, &[]).map_err(|e| e.to_string())?;
            if from.keys.get(at).map(|k| k.kind) != Some(key.kind) || width(given, ty.width()) {
                let name = &to.preamble.name;
                return Err(format!("table {name}: key {} is a {:?} of {ty}", key.name, key.kind));
            }
            Ok(given.clone())
        });
        keys.collect()
    }
}

/// Finds what has the name, or the longest suffix of it at a dot that is somebody's.
pub fn by_name<K>(
    name: Option<&str>,
    find: impl Fn(&str) -> Result<K, NameError>,
) -> Result<K, String> {
    let name = name.ok_or("no such object")?;
    let mut suffix = name;
    loop {
        match (find(suffix), suffix.split_once('.')) {
            (Ok(found), _) => return Ok(found),
            (Err(_), Some((_, rest))) => suffix = rest,
            (Err(e), None) => return Err(format!("{name}: {e}; {}", e.help())),
        }
    }
}

/// For each thing of the second list its position in the first.
fn order(of: &str, from: &[&str], to: &[&str]) -> Result<Vec<usize>, String> {
    if from.len() != to.len() {
        return Err(format!("{of} has {}, not {}", to.join(", "), from.join(", ")));
    }
    let named: Option<Vec<usize>> =
        to.iter().map(|name| from.iter().position(|f| f == name)).collect();
    Ok(named.unwrap_or_else(|| (0..to.len()).collect()))
}

fn fit(value: &Bits, width: u32) -> Result<Bits, String> {
    if value.significant() > width {
        return Err(format!("{value:?} does not fit in {width} bits"));
    }
    Ok(value.resize(width))
}

/// Whether a match is of another width.
fn width(key: &KeyMatch, width: u32) -> bool {
    match key {
        KeyMatch::Any => false,
        KeyMatch::Exact(v) => v.width() != width,
        KeyMatch::Lpm { value, .. } | KeyMatch::Masked { value, .. } => value.width() != width,
        KeyMatch::Range { low, .. } => low.width() != width,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use restage_program::entries_text;
    use restage_program::prelude::*;

    fn program(prefix: &str, key: &str, params: [&str; 2]) -> Program {
        build("p", |p| {
            let (a, b) = (p.meta("a", bit(8)), p.meta("b", bit(8)));
            let params = [(params[0], bit(8)), (params[1], bit(8))];
            let to = p.action(&format!("{prefix}to"), params, |_, [_, _]| {});
            p.table(&format!("{prefix}t"), |t| {
                t.exact(a).named(key).ternary(b).named("b").actions([to]).size(4);
            });
            p.register(&format!("{prefix}r"), bit(8), 4);
        })
    }

    fn translated(to: &Program) -> String {
        let from = program("Ing.", "h.a", ["x", "y"]);
        let text = "table_add t to 1 2&&&3 => 4 5 6\nregister_write r 1 2\n";
        let writes = entries_text::parse(&from, text).unwrap();
        let translation = Translation::new(&from, to);
        let writes: Vec<Write> = writes.iter().map(|w| translation.write(w).unwrap()).collect();
        entries_text::print(to, &writes)
    }

    #[test]
    fn names_without_the_control_and_positions() {
        let want = "table_add t to 1 2&&&3 => 4 5 6\nregister_write r 1 2\n";
        assert_eq!(translated(&program("", "a", ["x", "y"])), want);
        assert_eq!(translated(&program("", "a", ["port", "mac"])), want);
    }

    #[test]
    fn equal_names_count_more_than_positions() {
        let want = "table_add Ing.t Ing.to 1 2&&&3 => 5 4 6\nregister_write Ing.r 1 2\n";
        assert_eq!(translated(&program("Ing.", "h.a", ["y", "x"])), want);
    }

    #[test]
    fn what_does_not_correspond_is_refused() {
        let from = program("Ing.", "h.a", ["x", "y"]);
        let writes = entries_text::parse(&from, "table_add t to 1 2&&&3 => 4 5 6").unwrap();
        for (to, part) in [
            (build("none", |_| {}), "Ing.t: there is no table `t`"),
            (
                build("keys", |p| {
                    let a = p.meta("a", bit(8));
                    let to = p.action("to", [("x", bit(8)), ("y", bit(8))], |_, [_, _]| {});
                    p.table("t", |t| {
                        t.exact(a).actions([to]);
                    });
                }),
                "t has",
            ),
        ] {
            let error = Translation::new(&from, &to).write(&writes[0]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
