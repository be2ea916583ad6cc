//! Throughput of intake and bookkeeping without labelling. Prints figures; run it with
//! `cargo test --release -p daemon --test throughput -- --ignored --nocapture`.

mod common;

use std::time::Instant;

use common::Lab;

#[test]
#[ignore = "measures, decides nothing"]
fn intake_and_bookkeeping() {
    const FILES: u32 = 5000;
    let lab = Lab::new();
    for number in 0..FILES {
        lab.put_loop(&format!("{}/{number}.dcm", number / 50), &format!("1.2.{number}"), "PLAX");
    }
    let start = Instant::now();
    let summary = lab.once();
    let first = start.elapsed();
    assert_eq!(summary.labelled, u64::from(FILES));
    println!("{FILES} files taken and recorded: {:.0} files/s", f64::from(FILES) / first.as_secs_f64());
    let start = Instant::now();
    assert_eq!(lab.once().taken, 0);
    println!("{FILES} known files looked over at a restart: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
}
