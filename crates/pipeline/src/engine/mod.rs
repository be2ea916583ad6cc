//! One thread per device that runs the model on frames gathered from several loops.

mod batch;
mod fallback;

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::{Precision, Sha256};
use preprocess::PreparedClips;
use zoo::{Model, ZooError};

use crate::{LabelError, PipelineError};
use batch::Batches;
use fallback::{Answering, OrElse};

/// The output of the model for a request.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineAnswer {
    /// The logits of each clip, in the order of the request; its vector where the model has no classes.
    pub outputs: Vec<Vec<f32>>,
    /// The precision of the encoder: that of the pipeline, or f32 once the CPU has taken over from a GPU.
    pub precision: Precision,
    /// This request's share of the encoder's time, in milliseconds.
    pub encode_ms: f64,
    /// This request's share of the time of head, fusion and classifier, in milliseconds.
    pub head_ms: f64,
}

struct Order {
    request: PreparedClips,
    reply: Sender<Result<EngineAnswer, LabelError>>,
}

/// A model on its own thread; clones share it.
#[derive(Clone)]
pub struct Engine {
    orders: Sender<Order>,
    weights_sha256: Sha256,
    _thread: Arc<JoinHandle<()>>,
}

/// Reads a model once more, ready for the engine.
pub(crate) type ReadModel = Box<dyn FnOnce() -> Result<Model, ZooError> + Send>;

/// Requests that may wait; more callers block, which holds decoding back.
const WAITING_REQUESTS: usize = 4;

impl Engine {
    /// Moves the model to a thread of its own; `on_cpu` reads the same model for the CPU, in case that its own device
    /// runs out of memory.
    ///
    /// # Errors
    /// The thread cannot be started, or the weights have no digest.
    pub fn start(model: Model, on_cpu: Option<ReadModel>) -> Result<Self, PipelineError> {
        // Every thread has its own queue of work on a CUDA device, and this one's must be done before the engine's
        // begins.
        model.device().synchronize().map_err(nn::NnError::from)?;
        let (orders, incoming) = bounded(WAITING_REQUESTS);
        let weights_sha256 = model.weights_sha256().parse()?;
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || serve(model, on_cpu, &incoming))
            .map_err(PipelineError::Thread)?;
        Ok(Self { orders, weights_sha256, _thread: Arc::new(thread) })
    }

    /// Runs the model on the clips of one loop, all of the same length; blocks until the answer is there.
    ///
    /// # Errors
    /// The model fails on these clips, or the engine has ended.
    pub fn run(&self, request: PreparedClips) -> Result<EngineAnswer, LabelError> {
        let (reply, answer) = bounded(1);
        self.orders.send(Order { request, reply }).map_err(|_| LabelError::EngineStopped)?;
        answer.recv().map_err(|_| LabelError::EngineStopped)?
    }

    /// The digest of the weights.
    pub fn weights_sha256(&self) -> Sha256 {
        self.weights_sha256
    }
}

/// Answers requests until every [`Engine`] is gone; requests that wait at the same time share a batch.
fn serve(model: Model, on_cpu: Option<ReadModel>, incoming: &Receiver<Order>) {
    let on_cpu = on_cpu.map(|read| move || read().map(Batches::of));
    let mut worker = OrElse { answering: Batches::of(model), on_cpu };
    while let Ok(first) = incoming.recv() {
        let mut frames = first.request.frames;
        let mut orders = vec![first];
        while frames < worker.answering.batch_size() {
            let Ok(next) = incoming.try_recv() else { break };
            frames += next.request.frames;
            orders.push(next);
        }
        let requests: Vec<&PreparedClips> = orders.iter().map(|order| &order.request).collect();
        let answers = worker.answer(&requests);
        for (order, answer) in orders.iter().zip(answers) {
            // A caller that has gone away needs no answer.
            let _gone = order.reply.send(answer);
        }
    }
}
