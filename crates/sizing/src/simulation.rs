//! The simulation: loops on their way through the resources, event by event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::installation::{Archive, Forecast, Installation, LoopTime, ResourceUse};
use crate::resource::{Nanoseconds, Resource};

/// Loops that are simulated one by one; of larger archives several go together.
const MAX_UNITS: u64 = 100_000;

/// Steps of a loop, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Store,
    Line,
    Prepare,
    Model,
    Database,
    Done,
}

impl Step {
    const fn next(self) -> Self {
        match self {
            Self::Store => Self::Line,
            Self::Line => Self::Prepare,
            Self::Prepare => Self::Model,
            Self::Model => Self::Database,
            Self::Database | Self::Done => Self::Done,
        }
    }
}

/// Resources of one computer.
struct Computer {
    line: Resource,
    cores: Resource,
    /// `None` where the model runs on the cores.
    devices: Option<Resource>,
}

/// A unit of loops that arrives at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Nanoseconds,
    /// Units are served in their order where they arrive at one moment.
    unit: u64,
    step: Step,
    computer: usize,
}

pub(crate) fn run(sample: &[LoopTime], installation: &Installation, archive: &Archive) -> Forecast {
    let loops_per_unit = archive.loops.div_ceil(MAX_UNITS).max(1);
    let units = archive.loops.div_ceil(loops_per_unit);
    let size = archive.loops as f64 / units.max(1) as f64;
    let nanoseconds = |seconds: f64| (seconds * size * 1e9) as Nanoseconds;
    let time_of = |unit: u64| sample[(unit % sample.len() as u64) as usize];

    let mut store = Resource::new(1);
    let mut database = Resource::new(1);
    let mut computers: Vec<Computer> = (0..installation.computers)
        .map(|_| Computer {
            line: Resource::new(1),
            cores: Resource::new(installation.cores),
            devices: (installation.devices > 0).then(|| Resource::new(installation.devices)),
        })
        .collect();

    let mut arrivals = BinaryHeap::new();
    let mut next_unit = 0;
    // Workers of all computers begin in turns, so that a small archive is spread over them.
    for _ in 0..installation.workers {
        for computer in 0..computers.len() {
            if next_unit < units {
                arrivals.push(Reverse(Arrival { at: 0, unit: next_unit, step: Step::Store, computer }));
                next_unit += 1;
            }
        }
    }
    let mut end = 0;
    while let Some(Reverse(Arrival { at, unit, step, computer })) = arrivals.pop() {
        let LoopTime { core_ms, model_ms } = time_of(unit);
        let Some(of_computer) = computers.get_mut(computer) else { continue };
        let done = match step {
            Step::Store => store.serve(at, nanoseconds(archive.megabytes_per_loop / installation.store_mb_per_s)),
            Step::Line => {
                of_computer.line.serve(at, nanoseconds(archive.megabytes_per_loop / installation.line_mb_per_s))
            }
            Step::Prepare => of_computer.cores.serve(at, nanoseconds(core_ms / 1e3)),
            Step::Model => {
                let resource = of_computer.devices.as_mut().unwrap_or(&mut of_computer.cores);
                resource.serve(at, nanoseconds(model_ms / 1e3))
            }
            Step::Database => database.serve(at, nanoseconds(1.0 / installation.labels_per_s)),
            Step::Done => {
                end = end.max(at);
                if next_unit < units {
                    arrivals.push(Reverse(Arrival { at, unit: next_unit, step: Step::Store, computer }));
                    next_unit += 1;
                }
                continue;
            }
        };
        arrivals.push(Reverse(Arrival { at: done, unit, step: step.next(), computer }));
    }
    summary(archive.loops, end, (&store, &computers, &database))
}

fn summary(
    loops: u64,
    end: Nanoseconds,
    (store, computers, database): (&Resource, &[Computer], &Resource),
) -> Forecast {
    let mean = |share: &dyn Fn(&Computer) -> f64| computers.iter().map(share).sum::<f64>() / computers.len() as f64;
    let mut resources = vec![
        ResourceUse { name: "store", busy: store.busy_share(end) },
        ResourceUse { name: "lines", busy: mean(&|computer| computer.line.busy_share(end)) },
        ResourceUse { name: "cores", busy: mean(&|computer| computer.cores.busy_share(end)) },
    ];
    if computers.iter().any(|computer| computer.devices.is_some()) {
        let devices = |computer: &Computer| computer.devices.as_ref().map_or(0.0, |devices| devices.busy_share(end));
        resources.push(ResourceUse { name: "devices", busy: mean(&devices) });
    }
    resources.push(ResourceUse { name: "database", busy: database.busy_share(end) });
    let busiest = resources.iter().max_by(|a, b| a.busy.total_cmp(&b.busy));
    let bottleneck = busiest.map_or("none", |resource| resource.name);
    Forecast { loops, seconds: end as f64 / 1e9, bottleneck, resources }
}
