//! A PostgreSQL server of a test's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::record_skipped;

/// Makes a server in folder $1 with the programs of $2 and the settings that follow. It restarts the server, as a crash would,
/// at each line of its input, and at its end it ends the server and removes the folder: so nothing stays of a test that was
/// killed. The server refuses to run as root.
const SCRIPT: &str = r#"
set -e
dir=$1 bin=$2; shift 2
user=postgres; id $user >/dev/null 2>&1 || user=nobody
mkdir -m 700 "$dir"
as=""
if [ "$(id -u)" = 0 ]; then chown $user "$dir"; as="setpriv --reuid=$user --regid=$(id -g $user) --clear-groups"; fi
cd "$dir"
$as "$bin/initdb" -D "$dir/data" -U echolabel -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
options=""; for setting in "$@"; do options="$options -c $setting"; done
start() {
    rm -f "$dir/data/postmaster.pid"; : >"$dir/server.log"
    (exec $as "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=200 $options >>"$dir/server.log" 2>&1) &
    pid=$!
    until grep -q "ready to accept connections" "$dir/server.log"; do kill -0 $pid || { cat "$dir/server.log"; exit 1; }; sleep 0.05; done
    echo ready
}
start
while read -r _; do kill -QUIT $pid; wait $pid || true; start; done
kill -QUIT $pid; wait $pid || true
rm -rf "$dir"
"#;

/// A server in a folder of its own, reached by a socket in it. It ends with the program, however that ends.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    script: Mutex<Script>,
}

#[derive(Debug)]
struct Script {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl PostgresServer {
    /// Starts a server with settings such as `fsync=off`. Where none is installed the calling test is counted as skipped.
    pub fn start(settings: &[&str]) -> Option<Self> {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let Some(programs) = programs() else {
            record_skipped("no PostgreSQL server, which `make peers-postgres` installs");
            return None;
        };
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("echolabel-postgres-{}-{number}", std::process::id()));
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT, "postgres"])
            .args([&folder, &programs])
            .args(settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let server = Self { folder, script: Mutex::new(Script { process, input, output }) };
        server.wait();
        Some(server)
    }

    /// Returns the address of the database `postgres`, whose owner needs no password.
    pub fn address(&self) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://echolabel@{folder}/postgres")
    }

    /// Ends the server without a word to anybody, as a crash does, and starts it again.
    pub fn restart(&self) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.input.as_mut().expect("the script runs").write_all(b"restart\n").expect("the script reads");
        drop(script);
        self.wait();
    }

    fn wait(&self) {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let mut said = String::new();
        while !said.ends_with("ready\n") {
            let read = script.output.read_line(&mut said).expect("the script's words");
            assert!(read > 0, "the server does not start: {said}");
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let script = self.script.get_mut().unwrap_or_else(PoisonError::into_inner);
        script.input = None;
        let _ = script.process.wait();
    }
}

/// Returns the folder of the server's programs: `ECHOLABEL_POSTGRES_BIN`, else the newest of Debian's.
fn programs() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("ECHOLABEL_POSTGRES_BIN") {
        return Some(folder.into());
    }
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .max_by_key(|folder| version(folder))?
        .join("bin");
    newest.join("initdb").is_file().then_some(newest)
}
