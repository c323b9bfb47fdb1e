//! The modules of programs, each different one once.

use anyhow::{Context, Result, bail};
use restage_gen::hardware::{self, Hardware};
use restage_gen::source;
use restage_rtl::net::{Circuit, Resources};
use restage_tests::tools::Design;
use restage_tests::tools::synth::Luts;

/// Most LUTs on a path of a region's circuit.
pub const REGION_LEVELS: u32 = 6;
/// Most LUTs on any path.
pub const LEVELS: u32 = 8;

/// A module to be synthesized or checked.
#[derive(Debug)]
pub struct Task {
    /// The module and what is below it.
    pub design: Design,
    /// Which LUTs there are.
    pub luts: Luts,
    /// Most LUTs on a path.
    pub levels: u32,
    /// What the compiler thinks that it costs.
    pub estimate: Option<Resources>,
}

/// What is taken besides a program's regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// Nothing.
    Nothing,
    /// The static part.
    Fabric,
    /// That and the whole, with black boxes in it: of use for checks, not for costs.
    Top,
}

/// A program, and which of the tasks are its own.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Positions of its modules.
    pub tasks: Vec<usize>,
}

/// Programs' modules.
#[derive(Debug, Default)]
pub struct Work {
    /// Every different module.
    pub tasks: Vec<Task>,
    /// The programs.
    pub groups: Vec<Group>,
    /// Programs that are no hardware, and why.
    pub refused: Vec<(String, String)>,
    /// All modules that there are.
    pub known: Vec<String>,
}

impl Work {
    /// Builds the circuits of a program.
    pub fn add(&mut self, name: &str, wanted: &[String], around: Around) -> Result<()> {
        let loaded = source::load(name, None)?;
        let built = match hardware::build(&loaded.program) {
            Ok(built) => built,
            Err(error) => {
                self.refused.push((name.to_string(), error.to_string()));
                return Ok(());
            }
        };
        let Hardware { variants, fabric, top, .. } = built;
        let file = |c: &Circuit| (format!("{}.v", c.name()), c.verilog());
        let stub = |c: &Circuit| (format!("{}.v", c.name()), c.interface().stub());
        let mut tasks: Vec<Task> = variants
            .iter()
            .map(|circuit| Task {
                design: Design { top: circuit.name().into(), files: vec![file(circuit)] },
                luts: Luts::Plain,
                levels: REGION_LEVELS,
                estimate: Some(circuit.resources()),
            })
            .collect();
        let mut fixed = |top: &str, files: Vec<(String, String)>| {
            let design = Design { top: top.into(), files };
            tasks.push(Task { design, luts: Luts::Wide, levels: LEVELS, estimate: None });
        };
        let files: Vec<(String, String)> = fabric.circuits().map(file).collect();
        if around != Around::Nothing {
            fixed(fabric.fabric.name(), files.clone());
        }
        for part in fabric.parts.iter().filter(|p| wanted.iter().any(|w| w == p.name())) {
            fixed(part.name(), files.clone());
        }
        if around == Around::Top {
            let below = variants.iter().chain([&fabric.fabric]).map(stub);
            fixed(top.name(), below.chain([file(&top)]).collect());
        }
        let names = tasks.iter().map(|t| t.design.top.clone());
        self.known.extend(names.chain(fabric.parts.iter().map(|p| p.name().to_string())));
        tasks.retain(|t| wanted.is_empty() || wanted.contains(&t.design.top));
        let own = tasks.into_iter().map(|task| self.position(task)).collect();
        self.groups.push(Group { name: name.to_string(), tasks: own });
        Ok(())
    }

    /// Programs with equal shells have one.
    fn position(&mut self, task: Task) -> usize {
        let same =
            |t: &Task| t.design.top == task.design.top && t.design.files == task.design.files;
        self.tasks.iter().position(same).unwrap_or_else(|| {
            self.tasks.push(task);
            self.tasks.len() - 1
        })
    }

    /// An error if something is wanted that is nowhere.
    pub fn check(&mut self, wanted: &[String]) -> Result<()> {
        self.known.sort();
        self.known.dedup();
        check_wanted(wanted, &self.known)
    }
}

/// All programs of the library, or those that are named.
pub fn of_programs(programs: &[String], wanted: &[String], around: Around) -> Result<Work> {
    let mut work = Work::default();
    let all = restage_library::ALL.iter().map(|item| item.name.to_string());
    let names: Vec<String> = match programs {
        [all_of_them] if all_of_them == "all" => all.collect(),
        names => names.to_vec(),
    };
    for name in &names {
        work.add(name, wanted, around).with_context(|| name.clone())?;
    }
    work.check(wanted)?;
    Ok(work)
}

pub fn check_wanted(wanted: &[String], known: &[String]) -> Result<()> {
    match wanted.iter().find(|w| !known.contains(w)) {
        Some(unknown) => bail!("there is no module `{unknown}`; there are {}", known.join(", ")),
        None => Ok(()),
    }
}
