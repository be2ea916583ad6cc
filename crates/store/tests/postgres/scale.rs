//! A backfill with everything that goes wrong in one: each label once, no job left.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use postgres::{Client, NoTls};
use store::{Job, LabelStore as _, PostgresAddress, Queue as _, Store, StoreError};
use test_support::PostgresServer;

use crate::suite::common::{digest, facts, prediction};

const WORKERS: u64 = 8;
const LOOPS_A_STUDY: u64 = 4;
const SITES: u64 = 40;
const BATCH: u32 = 50;
const LEASE: SignedDuration = SignedDuration::from_secs(5);

/// A worker sleeps so long that others have its jobs when it wakes.
const PAUSE: Duration = Duration::from_secs(8);

/// A mishap of a worker with a batch in hand.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It is killed: nobody says so to the database.
    Death,
    /// It sleeps beyond its lease, then goes on.
    Pause,
    /// The answer to each commit is lost, so it does everything again.
    LostAnswers,
}

impl Fault {
    /// Draws from a schedule that is the same in each run.
    fn draw(worker: u64, batch: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (worker, batch).hash(&mut hasher);
        match hasher.finish() % 300 {
            0 | 1 => Self::Death,
            2 => Self::Pause,
            3 | 4 => Self::LostAnswers,
            _ => Self::None,
        }
    }
}

/// Counts of all workers.
#[derive(Default)]
struct Tally {
    recorded: AtomicU64,
    deaths: AtomicU64,
    pauses: AtomicU64,
    refused: AtomicU64,
    interrupted: AtomicU64,
    /// Jobs recorded before each claim, and the time that it took.
    claims: Mutex<Vec<(u64, Duration)>>,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Makes a call again while the server is away, as the daemon does.
fn persist<T>(tally: &Tally, call: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    loop {
        match call() {
            Err(error) if error.is_temporary() => {
                add(&tally.interrupted, 1);
                thread::sleep(Duration::from_millis(100));
            }
            answer => return answer,
        }
    }
}

fn enqueue(address: &str, studies: u64) {
    Store::open(address.parse::<PostgresAddress>().map(store::DatabaseLocation::Postgres).unwrap()).unwrap();
    let sql = format!(
        "INSERT INTO study (study_instance_uid, first_seen, last_activity)
             SELECT '1.' || study % {SITES} || '.' || study, now(), now() FROM generate_series(0, {studies} - 1) AS study;
         INSERT INTO job (path, size_bytes, modified_unix_ns, state, sop_instance_uid, study_instance_uid, enqueued_at)
             SELECT convert_to('/' || study || '/' || item, 'UTF8'), 1000, 0, 'pending',
                 '1.' || study % {SITES} || '.' || study || '.' || item, '1.' || study % {SITES} || '.' || study, now()
             FROM generate_series(0, {studies} - 1) AS study, generate_series(1, {LOOPS_A_STUDY}) AS item;
         ANALYZE"
    );
    Client::connect(address, NoTls).unwrap().batch_execute(&sql).unwrap();
}

fn record(store: &Store, job: &Job, tally: &Tally) -> Result<(), StoreError> {
    let identity = job.identity.as_ref().unwrap();
    let (study, sop) = (identity.study_instance_uid.as_str(), identity.sop_instance_uid.as_str());
    let said = prediction("w1", Some("PLAX"), 0.9);
    persist(tally, || store.record_labelled(job, &facts(study, sop), digest(sop), &said, Timestamp::now())).map(drop)
}

fn work(store: &Store, worker: u64, tally: &Tally) {
    for batch in 0.. {
        let name = format!("worker {worker}, batch {batch}");
        let before = Instant::now();
        let jobs = persist(tally, || store.claim_batch(&name, LEASE, BATCH, Timestamp::now())).unwrap();
        tally.claims.lock().unwrap().push((tally.recorded.load(Ordering::Relaxed), before.elapsed()));
        if jobs.is_empty() {
            let counts = persist(tally, || store.counts()).unwrap();
            if counts.unfinished() == 0 {
                return;
            }
            thread::sleep(Duration::from_millis(200));
            continue;
        }
        let fault = Fault::draw(worker, batch);
        match fault {
            Fault::Death => {
                add(&tally.deaths, 1);
                continue;
            }
            Fault::Pause => {
                add(&tally.pauses, 1);
                thread::sleep(PAUSE);
            }
            Fault::LostAnswers | Fault::None => {}
        }
        for job in &jobs {
            for _ in 0..if fault == Fault::LostAnswers { 2 } else { 1 } {
                match record(store, job, tally) {
                    Ok(()) => add(&tally.recorded, 1),
                    // Somebody else has it, or the first answer was lost: nothing was written.
                    Err(StoreError::LeaseLost { .. }) => add(&tally.refused, 1),
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}

fn median_ms(claims: &mut [Duration]) -> f64 {
    claims.sort_unstable();
    claims.get(claims.len() / 2).map_or(0.0, |claim| claim.as_secs_f64() * 1e3)
}

#[test]
#[ignore = "minutes: `make scale`"]
fn a_backfill_labels_each_loop_once() {
    let studies: u64 = std::env::var("ECHOLABEL_SCALE_STUDIES").map_or(25_000, |text| text.parse().unwrap());
    let Some(server) = PostgresServer::start(&["shared_buffers=256MB", "max_wal_size=4GB"]) else { return };
    let (address, loops) = (server.address(), studies * LOOPS_A_STUDY);
    let start = Instant::now();
    enqueue(&address, studies);
    println!("{loops} jobs of {studies} studies queued in {:.1} s", start.elapsed().as_secs_f64());
    let open =
        || Store::open(address.parse::<PostgresAddress>().map(store::DatabaseLocation::Postgres).unwrap()).unwrap();
    let (tally, start) = (Tally::default(), Instant::now());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn({
                    let (store, tally) = (open(), &tally);
                    move || work(&store, worker, tally)
                })
            })
            .collect();
        let (recoverer, tally, server) = (open(), &tally, &server);
        let mut restarts = [loops / 3, 2 * loops / 3].into_iter().peekable();
        while !workers.iter().all(|worker| worker.is_finished()) {
            persist(tally, || recoverer.recover(false, Timestamp::now())).unwrap();
            if restarts.next_if(|due| tally.recorded.load(Ordering::Relaxed) >= *due).is_some() {
                server.restart();
            }
            thread::sleep(Duration::from_millis(300));
        }
        assert!(restarts.peek().is_none(), "the server was restarted twice");
    });
    let seconds = start.elapsed().as_secs_f64();
    let claims = tally.claims.into_inner().unwrap();
    let tenth = |from: u64| {
        let of_tenth = claims.iter().filter(|(done, _)| (from * loops / 10..(from + 1) * loops / 10).contains(done));
        median_ms(&mut of_tenth.map(|(_, time)| *time).collect::<Vec<_>>())
    };
    println!("{loops} labels in {seconds:.1} s, {:.0} a second", loops as f64 / seconds);
    println!("median claim: first tenth {:.1} ms, last tenth {:.1} ms", tenth(0), tenth(9));
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "{} deaths, {} pauses, {} late or repeated ends refused, {} calls made again",
        count(&tally.deaths),
        count(&tally.pauses),
        count(&tally.refused),
        count(&tally.interrupted)
    );
    let row = Client::connect(&address, NoTls)
        .unwrap()
        .query_one(
            "SELECT (SELECT count(*) FROM job WHERE state = 'done' AND NOT duplicate), (SELECT count(*) FROM loop),
                 (SELECT count(*) FROM prediction), (SELECT count(DISTINCT loop_id) FROM prediction),
                 (SELECT max(attempts) FROM job), pg_size_pretty(pg_database_size(current_database()))",
            &[],
        )
        .unwrap();
    println!("most attempts at a job: {}; the database has {}", row.get::<_, i64>(4), row.get::<_, String>(5));
    assert_eq!([0, 1, 2, 3].map(|place| row.get::<_, i64>(place) as u64), [loops; 4]);
    assert!(row.get::<_, i64>(4) <= 20);
}
