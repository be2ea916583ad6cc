#!/usr/bin/env python3
"""What a release is made of, from Cargo's own lists: `licenses` prints the license texts of every crate in the program,
`sbom` prints a CycloneDX 1.5 bill of materials. The same lock file gives the same bytes."""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARGO = os.environ.get("CARGO", "cargo")
FILE_NAMES = ("license", "licence", "copying", "unlicense", "notice", "copyright")


def packages_of_program(target, features):
    """Returns the packages that the program is linked from, by id, and their direct dependencies."""
    command = [CARGO, "metadata", "--format-version", "1", "--locked", "--filter-platform", target, *features]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    edges = {
        node_id: sorted(d["pkg"] for d in node["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"]))
        for node_id, node in nodes.items()
    }
    reached, waiting = set(), [metadata["resolve"]["root"]]
    while waiting:
        package = waiting.pop()
        if package not in reached:
            reached.add(package)
            waiting.extend(edges[package])
    packages = {package["id"]: package for package in metadata["packages"] if package["id"] in reached}
    return packages, edges, metadata["resolve"]["root"]


def license_files(package):
    """Returns the license texts that lie in a package, and in the folders of C sources that it brings."""
    folder = Path(package["manifest_path"]).parent
    names = [file for file in folder.rglob("*") if file.stem.lower().startswith(FILE_NAMES)]
    texts = [file for file in names if file.is_file() and file.suffix.lower() in ("", ".md", ".txt", ".apache", ".mit")]
    if package["license_file"]:
        texts.append(folder / package["license_file"])
    return sorted(set(texts))


def print_licenses(packages):
    """Prints each text once, with the crates that bear it."""
    texts, without = {}, []
    for package in packages:
        if not package["license"] and not package["license_file"]:
            sys.exit(f"{package['name']} {package['version']} names no license")
        name = f"{package['name']} {package['version']} ({package['license'] or 'see its text'})"
        files = license_files(package)
        if not files:
            without.append(f"{name}, by {', '.join(package['authors']) or 'its authors'}: {package['repository']}")
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            key = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
            texts.setdefault(key, (text, []))[1].append(name)
    print("Licenses of the crates that echolabel is linked from.\n")
    for text, names in sorted(texts.values(), key=lambda entry: entry[1]):
        print("=" * 80, *sorted(set(names)), "-" * 80, text, "", sep="\n")
    if without:
        print("=" * 80)
        print("Without a text in their package; https://spdx.org/licenses/ has those of their licenses:", *without, sep="\n")


def print_sbom(packages, edges, root):
    """Prints a CycloneDX bill of materials."""
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in locked}
    reference = {package["id"]: f"pkg:cargo/{package['name']}@{package['version']}" for package in packages}

    def component(package):
        entry = {
            "type": "application" if package["id"] == root else "library",
            "bom-ref": reference[package["id"]],
            "name": package["name"],
            "version": package["version"],
            "purl": reference[package["id"]],
        }
        if package["license"]:
            # Crates of before 2020 write a slash for "OR".
            entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        checksum = checksums.get((package["name"], package["version"]))
        if checksum:
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return entry

    components = [component(package) for package in packages]
    print(
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.5",
                "version": 1,
                "metadata": {"component": next(c for c in components if c["type"] == "application")},
                "components": [c for c in components if c["type"] == "library"],
                "dependencies": [
                    {
                        "ref": reference[package["id"]],
                        "dependsOn": sorted({reference[other] for other in edges[package["id"]]}),
                    }
                    for package in packages
                ],
            },
            indent=1,
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["licenses", "sbom"])
    parser.add_argument("--target", default=f"{os.uname().machine}-unknown-linux-gnu")
    parser.add_argument("--features", help="features of the program beside the default ones")
    options = parser.parse_args()
    features = ["--features", options.features] if options.features else []
    by_id, edges, root = packages_of_program(options.target, features)
    packages = sorted(by_id.values(), key=lambda package: (package["name"], package["version"]))
    if options.what == "licenses":
        print_licenses([package for package in packages if package["source"]])
    else:
        print_sbom(packages, edges, root)


if __name__ == "__main__":
    main()
