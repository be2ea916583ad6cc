//! Times encoders with random weights on this machine.
//!
//! `encoders [NAME...]` prints milliseconds per frame at batch 1, 6 and 16 on two threads, and on one.
//! `encoders --int8 [NAME...]` does so with int8 products, calibrated on random frames.
//! `encoders --layers NAME [FRAMES [THREADS]]` prints the least milliseconds of each layer for one frame, or for up to four
//! at once; `encoders --layers --int8 NAME FRAMES` with int8 products.
//! `encoders --serve NAME [--int8]` answers each line `BATCH THREADS RUNS` on stdin with the seconds of each run, so that
//! another program can take turns with it.

mod convnext;
mod densenet;
mod efficientnet;
mod layers;
mod resnet;
mod xception;

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use runtime::{InstructionSet, Map, Network, NetworkBuilder};

const NAMES: [&str; 7] = [
    "efficientnet_b2",
    "xception",
    "resnet50",
    "densenet121",
    "convnext_tiny",
    "efficientnet_v2_s",
    "efficientnet_tiny",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--serve", name] => serve(&build(name)?),
        ["--serve", name, "--int8"] => serve(&build_quantized(name)?),
        ["--layers", "--int8", name, frames] => layer_times(&build_quantized(name)?, frames.parse()?, 1),
        ["--layers", name] => layer_times(&build(name)?, 1, 1),
        ["--layers", name, frames] => layer_times(&build(name)?, frames.parse()?, 1),
        ["--layers", name, frames, threads] => layer_times(&build(name)?, frames.parse()?, threads.parse()?),
        ["--int8"] => NAMES[..2].iter().try_for_each(|name| table(name, &build_quantized(name)?)),
        ["--int8", names @ ..] => names.iter().try_for_each(|name| table(name, &build_quantized(name)?)),
        [] => NAMES[..2].iter().try_for_each(|name| table(name, &build(name)?)),
        names => names.iter().try_for_each(|name| table(name, &build(name)?)),
    }
}

fn build(name: &str) -> Result<Network, Box<dyn Error>> {
    let (builder, output) = graph(name)?;
    Ok(builder.finish(output, InstructionSet::detect()?)?)
}

/// Builds the network in int8, calibrated on as many random frames as the peers are.
fn build_quantized(name: &str) -> Result<Network, Box<dyn Error>> {
    const FRAMES: usize = 8;
    let set = InstructionSet::detect()?;
    let (builder, output) = graph(name)?;
    let mut observer = builder.observe(output, set)?;
    observer.run(&layers::Layers::new(2).numbers(FRAMES * observer.frame_shape().numbers(), 1.0))?;
    let (mut builder, output) = graph(name)?;
    builder.quantize(&observer.ranges())?;
    Ok(builder.finish(output, set)?)
}

fn graph(name: &str) -> Result<(NetworkBuilder, Map), Box<dyn Error>> {
    Ok(match name {
        "efficientnet_b2" => efficientnet::b2(288)?,
        "efficientnet_v2_s" => efficientnet::v2_s(288)?,
        "efficientnet_tiny" => efficientnet::tiny(64)?,
        "xception" => xception::xception(224)?,
        "resnet50" => resnet::resnet50(224)?,
        "densenet121" => densenet::densenet121(224)?,
        "convnext_tiny" => convnext::tiny(224)?,
        other => return Err(format!("unknown encoder {other}: {}", NAMES.join(", ")).into()),
    })
}

fn table(name: &str, network: &Network) -> Result<(), Box<dyn Error>> {
    println!("{name}, {}", network.instruction_set().name());
    for (batch, threads) in [(1, 1), (1, 2), (6, 2), (16, 2)] {
        let mut seconds = Vec::new();
        let start = Instant::now();
        let mut batch_of_frames = Batch::new(network, batch);
        batch_of_frames.run(network, threads)?;
        while seconds.is_empty() || start.elapsed() < Duration::from_secs(3) {
            seconds.push(batch_of_frames.run(network, threads)?);
        }
        seconds.sort_by(f64::total_cmp);
        let per_frame = |seconds: f64| seconds * 1e3 / batch as f64;
        let (median, least) = (per_frame(seconds[seconds.len() / 2]), per_frame(seconds[0]));
        println!("  batch {batch:2}, {threads} threads: median {median:6.2} ms per frame, best {least:6.2}");
    }
    Ok(())
}

/// Prints the least milliseconds of each layer over many runs, and billions of floating-point operations a second.
fn layer_times(network: &Network, frames: usize, threads: usize) -> Result<(), Box<dyn Error>> {
    let batch = Batch::new(network, frames);
    let mut least = network.time_layers(&batch.frames, frames, threads)?;
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(4) {
        let run = network.time_layers(&batch.frames, frames, threads)?;
        for (least, layer) in least.iter_mut().zip(run) {
            least.seconds = least.seconds.min(layer.seconds);
        }
    }
    let print = |layer: &str, seconds: f64, multiply_adds: u64| {
        let (milliseconds, speed) = (seconds * 1e3, multiply_adds as f64 * 2e-9 / seconds);
        println!("{milliseconds:8.3} ms {speed:6.1} GFLOP/s  {layer}");
    };
    least.iter().for_each(|layer| print(&layer.layer, layer.seconds, layer.multiply_adds));
    print("all", least.iter().map(|layer| layer.seconds).sum(), least.iter().map(|layer| layer.multiply_adds).sum());
    Ok(())
}

fn serve(network: &Network) -> Result<(), Box<dyn Error>> {
    println!("instruction set {}", network.instruction_set().name());
    println!("ready");
    for line in io::stdin().lock().lines() {
        let line = line?;
        let numbers: Vec<usize> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [batch, threads, runs] = numbers[..] else { return Err("a line is BATCH THREADS RUNS".into()) };
        let mut batch = Batch::new(network, batch);
        batch.run(network, threads)?;
        for _ in 0..runs {
            print!("{} ", batch.run(network, threads)?);
        }
        println!();
        io::stdout().flush()?;
    }
    Ok(())
}

/// Frames and a buffer for their results.
struct Batch {
    frames: Vec<f32>,
    count: usize,
    output: Vec<f32>,
}

impl Batch {
    fn new(network: &Network, count: usize) -> Self {
        let frames = layers::Layers::new(1).numbers(count * network.frame_shape().numbers(), 1.0);
        Self { frames, count, output: vec![0.0; count * network.output_shape().numbers()] }
    }

    /// Runs once and gives the seconds that it took.
    fn run(&mut self, network: &Network, threads: usize) -> Result<f64, Box<dyn Error>> {
        let start = Instant::now();
        network.run(&self.frames, self.count, &mut self.output, threads)?;
        let seconds = start.elapsed().as_secs_f64();
        if !self.output.iter().all(|number| number.is_finite()) {
            return Err("a result is not a finite number".into());
        }
        Ok(seconds)
    }
}
