#!/usr/bin/env python3
"""Uses a Debian package as a lab would, in a fresh root made by mmdebstrap: installs an older version, configures it, runs the
service's command until a simulated study is labelled, upgrades, removes and purges. Needs root and a Debian mirror; says
"skipped" and ends with 0 where it cannot run."""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = "/etc/echolabel/echolabel.toml"
DATABASE = "/var/lib/echolabel/echolabel.sqlite"
LIMIT_S = 300
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


class Root:
    """A fresh Debian root."""

    def __init__(self, folder):
        self.folder = Path(folder)
        subprocess.run(["mount", "-t", "proc", "proc", self.folder / "proc"], check=True)
        shutil.copy("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        self.run("apt-get", "update", "--quiet")

    def run(self, *command, user="root", check=True):
        as_user = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        done = subprocess.run(
            ["chroot", self.folder, *as_user, *command], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        if check and done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done

    def install(self, package):
        shutil.copy(package, self.folder / "tmp/echolabel.deb")
        self.run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "/tmp/echolabel.deb")

    def path(self, path):
        return self.folder / path.lstrip("/")


def older_version(package, folder):
    """Returns the package under a version that precedes it."""
    unpacked = Path(folder) / "older"
    subprocess.run(["dpkg-deb", "--raw-extract", package, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", r"Version: 0.0.1", control.read_text()))
    older = Path(folder) / "older.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", "-Znone", unpacked, older], check=True, stdout=subprocess.DEVNULL)
    return older


def run_service(root):
    """Runs the unit's command as the unit's user until nothing waits, then stops it as systemd does."""
    unit = root.path("/usr/lib/systemd/system/echolabel.service")
    unit = unit if unit.exists() else root.path("/lib/systemd/system/echolabel.service")
    command = re.search(r"(?m)^ExecStart=(.*)$", unit.read_text()).group(1).split()
    address = root.path("/run/echolabel-notify")
    messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    messages.bind(str(address))
    address.chmod(0o666)
    messages.settimeout(LIMIT_S)
    service = subprocess.Popen(
        ["chroot", root.folder, "setpriv", "--reuid=echolabel", "--regid=echolabel", "--init-groups", *command],
        env=ENVIRONMENT | {"NOTIFY_SOCKET": "/run/echolabel-notify"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    heard = set()

    def hear(word):
        start = time.monotonic()
        while word not in heard:
            if time.monotonic() - start > LIMIT_S or service.poll() is not None:
                sys.exit(f"the service does not say {word}: {service.communicate()[1]}")
            heard.update(messages.recv(4096).decode().splitlines())

    hear("READY=1")
    hear("WATCHDOG=1")
    start = time.monotonic()
    while " waiting" in status(root) or "labelled" not in status(root):
        if time.monotonic() - start > LIMIT_S:
            sys.exit(f"files wait for ever: {status(root)}")
        time.sleep(1)
    service.send_signal(signal.SIGTERM)
    hear("STOPPING=1")
    if service.wait(timeout=LIMIT_S) != 0:
        sys.exit(f"the service ended with {service.returncode}: {service.stderr.read()}")
    messages.close()
    address.unlink()


def status(root):
    return root.run("echolabel", "status", "--config", CONFIG).stdout


def expect(truth, what):
    if not truth:
        sys.exit(f"failed: {what}")
    print(f"ok: {what}")


def check(root, package, folder):
    root.install(older_version(package, folder))
    user = root.run("id", "echolabel").stdout
    expect("(echolabel)" in user, "the user is there")
    for path in (
        "/usr/share/man/man1/echolabel-watch.1.gz",
        "/usr/share/bash-completion/completions/echolabel",
        "/usr/share/zsh/vendor-completions/_echolabel",
        "/usr/share/fish/vendor_completions.d/echolabel.fish",
        "/usr/share/doc/echolabel/THIRD_PARTY_LICENSES.gz",
        "/usr/share/doc/echolabel/copyright",
        "/var/lib/echolabel/models",
    ):
        expect(root.path(path).exists(), path)
    expect(not list(root.path("/etc/systemd/system").glob("*/echolabel.service")), "the service is not enabled")
    unconfigured = root.run("echolabel", "watch", "--config", CONFIG, check=False)
    expect(unconfigured.returncode == 2, "without folders the service does not start, by exit code 2")

    config = root.path(CONFIG)
    config.write_text(config.read_text().replace("folders = []", 'folders = ["/srv/echo"]'))
    root.run("echolabel", "phantom", "--small", "--studies", "1", "--seed", "5", "--out", "/srv/echo")
    run_service(root)
    inventory = root.run("echolabel", "inventory", "--config", CONFIG, user="echolabel").stdout
    expect("study 1 " in inventory and "PLAX" in inventory, "the study is labelled")
    expect(root.path(DATABASE).stat().st_mode & 0o007 == 0, "the database is private to user and group")

    root.install(package)
    version = root.run("dpkg-query", "--show", "--showformat=${Version}", "echolabel").stdout
    expect(version != "0.0.1", f"upgraded to {version}")
    expect("/srv/echo" in config.read_text(), "the upgrade keeps the configuration")
    run_service(root)
    again = root.run("echolabel", "inventory", "--config", CONFIG, user="echolabel").stdout
    expect(again == inventory, "the upgraded program gives the same inventory")

    root.run("apt-get", "remove", "--yes", "--quiet", "echolabel")
    expect(not root.path("/usr/bin/echolabel").exists() and config.exists(), "removed, the configuration stays")
    root.run("apt-get", "purge", "--yes", "--quiet", "echolabel")
    expect(not config.exists() and root.path(DATABASE).exists(), "purged, the data stays")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("--suite", default="bookworm", help="Debian release of the root")
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.root:
        check(Root(options.root), options.package, options.root.parent)
        return
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        print("skipped: a fresh root needs root and mmdebstrap")
        return
    with tempfile.TemporaryDirectory(prefix="echolabel-root-") as folder:
        root = Path(folder) / "root"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=apt", options.suite, root], check=True)
        # What is mounted and started in namespaces of its own is gone with them, whatever happens.
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        inside = subprocess.run([*namespaces, sys.executable, __file__, "--root", root, options.package], check=False)
    sys.exit(inside.returncode)


if __name__ == "__main__":
    main()
