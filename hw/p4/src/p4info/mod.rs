//! What a P4Info adds to the BMv2 configuration: ids, annotations, sizes, names of keys and columns,
//! which objects the control plane can see, optional keys, units.

mod text;

use crate::error::Result;
use restage_program::program::{ActionScope, FieldDecl, Preamble, Unit};
use restage_program::{Loc, Type};
use std::collections::HashMap;
use text::Message;

/// A P4Info, or the lack of one.
#[derive(Debug, Default)]
pub(crate) struct Info {
    message: Message,
    /// Per section of the P4Info: objects by name.
    sections: HashMap<&'static str, HashMap<String, usize>>,
    given: bool,
}

/// Kinds of objects, as the P4Info names its lists of them.
const SECTIONS: [&str; 10] = [
    "tables",
    "actions",
    "action_profiles",
    "counters",
    "direct_counters",
    "meters",
    "direct_meters",
    "registers",
    "value_sets",
    "digests",
];

/// An object of a P4Info.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a>(&'a Message);

impl Info {
    /// Reads a P4Info; no text is no P4Info.
    pub fn read(text: Option<&str>) -> Result<Info> {
        let Some(text) = text else { return Ok(Info::default()) };
        let message = Message::parse(text)?;
        let mut sections = HashMap::new();
        for section in SECTIONS {
            let names = message.messages(section).enumerate().map(|(i, object)| {
                let name = object.message("preamble").map_or("", |p| p.word("name"));
                (name.to_string(), i)
            });
            sections.insert(section, names.collect());
        }
        Ok(Info { message, sections, given: true })
    }

    /// Whether there is one.
    pub fn given(&self) -> bool {
        self.given
    }

    /// The object of a section with this name.
    pub fn find(&self, section: &'static str, name: &str) -> Option<Object<'_>> {
        let at = *self.sections.get(section)?.get(name)?;
        self.message.messages(section).nth(at).map(Object)
    }

    /// The preamble of an object; its name alone when the P4Info does not have it.
    pub fn preamble(&self, section: &'static str, name: &str, loc: Loc) -> Preamble {
        let found = self.find(section, name).and_then(|o| o.0.message("preamble"));
        Preamble {
            name: crate::names::dotted(name),
            id: found.map_or(0, |p| p.number("id")),
            annotations: found
                .map_or(Vec::new(), |p| p.words("annotations").map(str::to_string).collect()),
            loc,
        }
    }

    /// Annotations of the header type that these fields are, if packets with it go to the controller.
    pub fn header_annotations(&self, fields: &[FieldDecl]) -> Vec<String> {
        let same = |m: &Message| {
            let named: Vec<_> =
                m.messages("metadata").map(|f| (f.word("name"), f.number("bitwidth"))).collect();
            !named.is_empty()
                && named.len() == fields.len()
                && named.iter().zip(fields).all(|(n, f)| n.0 == f.name && n.1 == f.ty.width())
        };
        let found = self.message.messages("controller_packet_metadata").find(|m| same(m));
        let preamble = found.and_then(|m| m.message("preamble"));
        preamble.map_or(Vec::new(), |p| p.words("annotations").map(str::to_string).collect())
    }

    /// Names of the members of a struct.
    fn members(&self, name: &str) -> Vec<String> {
        let Some(types) = self.message.message("type_info") else { return Vec::new() };
        let entry = types.messages("structs").find(|s| s.word("key") == name);
        let members = entry.and_then(|s| s.message("value"));
        members.map_or(Vec::new(), |v| {
            v.messages("members").map(|m| m.word("name").to_string()).collect()
        })
    }

    /// Names of the fields of a digest.
    pub fn digest_fields(&self, name: &str) -> Vec<String> {
        let spec = self.find("digests", name).and_then(|d| d.0.message("type_spec"));
        spec.and_then(|s| s.message("struct")).map_or(Vec::new(), |s| self.members(s.word("name")))
    }

    /// The action with this id.
    pub fn action_name(&self, id: u32) -> Option<&str> {
        let preambles = self.message.messages("actions").filter_map(|a| a.message("preamble"));
        preambles.into_iter().find(|p| p.number("id") == id).map(|p| p.word("name"))
    }
}

impl<'a> Object<'a> {
    /// The size, if the P4Info says one.
    pub fn size(&self) -> Option<u32> {
        Some(self.0.number("size")).filter(|s| *s > 0)
    }

    /// Most members of a selector's group; 0 if unlimited.
    pub fn max_group_size(&self) -> u32 {
        self.0.number("max_group_size")
    }

    /// Names and whether they are optional, of a table's keys.
    pub fn keys(&self) -> Vec<(&'a str, bool)> {
        let fields = self.0.messages("match_fields");
        fields.map(|f| (f.word("name"), f.word("match_type") == "OPTIONAL")).collect()
    }

    /// Names and widths of a value set's columns.
    pub fn columns(&self) -> Vec<FieldDecl> {
        let fields = self.0.messages("match");
        fields
            .map(|f| FieldDecl {
                name: f.word("name").to_string(),
                ty: Type::Bit(f.number("bitwidth")),
            })
            .collect()
    }

    /// Ids of a table's actions, and as what it may run them.
    pub fn action_refs(&self) -> Vec<(u32, ActionScope)> {
        let refs = self.0.messages("action_refs");
        refs.map(|r| {
            let scope = match r.word("scope") {
                "TABLE_ONLY" => ActionScope::TableOnly,
                "DEFAULT_ONLY" => ActionScope::DefaultOnly,
                _ => ActionScope::TableAndDefault,
            };
            (r.number("id"), scope)
        })
        .collect()
    }

    /// Id of the table's default action, 0 if the P4Info does not say.
    pub fn default_action(&self) -> u32 {
        let initial = self.0.message("initial_default_action").map_or(0, |d| d.number("action_id"));
        if initial == 0 { self.0.number("const_default_action_id") } else { initial }
    }

    /// Whether the entries that come with a table are all it ever has.
    pub fn is_const(&self) -> bool {
        self.0.word("is_const_table") == "true"
    }

    /// What is counted or measured.
    pub fn unit(&self) -> Option<Unit> {
        match self.0.message("spec")?.word("unit") {
            "BYTES" => Some(Unit::Bytes),
            "PACKETS" => Some(Unit::Packets),
            "BOTH" => Some(Unit::Both),
            _ => None,
        }
    }

    /// Whether a register holds signed numbers.
    pub fn is_signed(&self) -> bool {
        let bits = self.0.message("type_spec").and_then(|s| s.message("bitstring"));
        bits.is_some_and(|b| b.message("int").is_some())
    }
}
