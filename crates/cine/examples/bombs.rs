//! Writes files that cost a decoder much time or memory into a folder: `cargo run -p cine --example bombs -- OUT`.

#[path = "../tests/common/bombs.rs"]
mod bombs;
#[path = "../tests/common/odd.rs"]
#[allow(dead_code)]
mod odd;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(std::path::PathBuf::from) else {
        eprintln!("usage: bombs OUT");
        std::process::exit(2);
    };
    std::fs::create_dir_all(&folder)?;
    for (name, make) in bombs::ALL {
        std::fs::write(folder.join(format!("{name}.dcm")), make())?;
    }
    Ok(())
}
