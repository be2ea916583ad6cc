//! Times an encoder of the registry with untrained weights on this machine, as `ECHOLABEL_KERNELS` says.
//!
//! `serve_encoder NAME SIDE [FRAMES]` answers each line `BATCH THREADS RUNS` on stdin with the seconds of each run, so that
//! another program can take turns with it (`tools/peers/pytorch.py`). Encoders of whole clips need the clip's FRAMES.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use candle_core::{Device, Tensor};
use zoo::weights::{DeterministicInit, Weights};
use zoo::{AnyEncoderName, Encoder, VideoEncoder};

type Forward = Box<dyn Fn(&Tensor) -> zoo::Result<Tensor>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, side, frames @ ..] = arguments.as_slice() else { return Err("serve_encoder NAME SIDE [FRAMES]".into()) };
    let (side, frames) = (side.parse()?, frames.first().map(|frames| frames.parse::<usize>()).transpose()?);
    let name = AnyEncoderName::all().find(|known| known.name() == name).ok_or("no such encoder in the registry")?;
    let source = DeterministicInit { seed: "encoders".to_owned(), gain: 1.0, stem_gain: 1.0, stem: None };
    let read = |weights: &Weights<'_>| -> zoo::Result<Forward> {
        Ok(match name {
            AnyEncoderName::Frames(name) => {
                let encoder = Encoder::read(name, weights)?;
                Box::new(move |frames| encoder.forward(frames))
            }
            AnyEncoderName::Clips(name) => {
                let encoder = VideoEncoder::read(name, weights)?;
                Box::new(move |clips| encoder.forward(clips))
            }
        })
    };
    let forward = Weights::read_all(&source, &Device::Cpu, '.', read)?;
    println!("ready");
    let mut pool = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let numbers: Vec<usize> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [batch, threads, runs] = numbers[..] else { return Err("a line is BATCH THREADS RUNS".into()) };
        if *pool.get_or_insert(threads) != threads {
            return Err("a process keeps the number of threads that it began with".into());
        }
        nn::limit_threads(u16::try_from(threads)?);
        let shape = [&[batch][..], frames.as_slice(), &[3, side, side]].concat();
        let input = Tensor::rand(0f32, 1.0, shape, &Device::Cpu)?;
        forward(&input)?;
        for _ in 0..runs {
            let start = Instant::now();
            let vectors = forward(&input)?;
            print!("{} ", start.elapsed().as_secs_f64());
            if !vectors.sum_all()?.to_scalar::<f32>()?.is_finite() {
                return Err("a result is not a finite number".into());
            }
        }
        println!();
        io::stdout().flush()?;
    }
    Ok(())
}
