"use strict";
// The player and the keys. Every page works without it, but for the pictures.

// Reads the frames of a loop: each is its length in four bytes and a JPEG file.
async function* readFrames(address, signal) {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`the frames cannot be read (${response.status})`);
  const reader = response.body.getReader();
  let buffer = new Uint8Array(0);
  for (;;) {
    while (buffer.length >= 4) {
      const length = new DataView(buffer.buffer, buffer.byteOffset).getUint32(0);
      if (buffer.length < 4 + length) break;
      yield buffer.slice(4, 4 + length);
      buffer = buffer.subarray(4 + length);
    }
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(buffer.length + value.length);
    joined.set(buffer);
    joined.set(value, buffer.length);
    buffer = joined;
  }
}

async function readJson(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the loop cannot be read (${response.status})`);
  return response.json();
}

class Player {
  constructor(root, image, isPreview) {
    this.root = root;
    this.image = image;
    this.isPreview = isPreview;
    this.name = root.dataset.loop;
    this.frames = [];
    this.shown = -1;
    this.timeMs = 0;
    this.speed = 1;
    this.playing = true;
    this.facts = null;
    this.dropped = 0;
  }

  async load() {
    const address = `/api/loops/${this.name}`;
    this.header = await readJson(`${address}/header`);
    this.parts = this.header.shown;
    this.image.width = this.header.columns;
    this.image.height = this.header.rows;
    let last = this.header.frames - 1;
    if (this.isPreview) last = Math.min(last, this.frameAt(1200));
    this.lastFrame = last;
    requestAnimationFrame((now) => this.tick(now));
    for await (const bytes of readFrames(`${address}/frames?to=${last}`)) {
      this.frames.push(bytes.length ? await createImageBitmap(new Blob([bytes], { type: "image/jpeg" })) : null);
      if (this.frames.length === 1) this.draw(0);
    }
    this.root.dataset.loaded = String(this.frames.length);
    if (this.isPreview) return;
    this.facts = await readJson(`${address}/facts`);
    this.parts = this.facts.shown;
    this.draw(this.shown);
    this.drawTimeline();
    this.root.dataset.ready = "true";
  }

  durationMs() {
    const times = this.header.times_ms;
    return this.lastFrame < times.length - 1 ? times[this.lastFrame + 1] : Math.max(this.header.duration_ms, times[times.length - 1] + 1);
  }

  frameAt(timeMs) {
    const times = this.header.times_ms;
    let low = 0, high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= timeMs) low = middle; else high = middle - 1;
    }
    return low;
  }

  // The frame follows from the time that has passed, so that a slow computer drops frames and keeps the pace.
  tick(now) {
    const passed = this.before === undefined ? 0 : now - this.before;
    this.before = now;
    if (this.playing && this.frames.length > 0) {
      this.timeMs = (this.timeMs + passed * this.speed) % this.durationMs();
      const frame = this.frameAt(this.timeMs);
      // What has not arrived is waited for.
      if (frame >= this.frames.length) this.timeMs = this.header.times_ms[this.frames.length - 1];
      else if (frame !== this.shown) this.draw(frame);
    }
    requestAnimationFrame((later) => this.tick(later));
  }

  draw(frame) {
    const bitmap = this.frames[frame];
    if (frame < 0) return;
    this.shown = frame;
    const context = this.image.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.image.width, this.image.height);
    if (bitmap) {
      context.save();
      if (this.parts) {
        const path = new Path2D();
        for (const part of this.parts) path.rect(part.x0, part.y0, part.x1 - part.x0 + 1, part.y1 - part.y0 + 1);
        context.clip(path);
      }
      context.drawImage(bitmap, 0, 0);
      context.restore();
    }
    this.root.dataset.frame = String(frame);
    if (!this.isPreview) {
      this.drawMarks();
      this.drawTimeline();
      this.status();
    }
  }

  status() {
    const total = this.header.frames;
    const speed = this.speed === 1 ? "" : `, ${this.speed} times the speed`;
    const rate = this.facts && this.facts.ecg.heart_rate_bpm ? `, ${Math.round(this.facts.ecg.heart_rate_bpm)} beats a minute` : "";
    const source = this.facts ? `, beat from ${this.facts.ecg.source.replaceAll("_", " ")}` : "";
    this.root.querySelector(".status").textContent =
      `frame ${this.shown + 1} of ${total}, ${Math.round(this.header.times_ms[this.shown])} ms${speed}${rate}${source}`;
  }

  sampled() {
    return this.facts ? this.facts.clips.flatMap((clip) => clip.frames) : [];
  }

  drawMarks() {
    const canvas = this.root.querySelector(".marks");
    canvas.width = this.image.width;
    canvas.height = this.image.height;
    const wanted = this.root.querySelector("[data-action=marks]").checked;
    if (!this.facts || !wanted) return;
    const context = canvas.getContext("2d");
    const box = (part, color) => {
      context.strokeStyle = color;
      context.lineWidth = Math.max(1, canvas.width / 500);
      context.strokeRect(part.x0, part.y0, part.x1 - part.x0, part.y1 - part.y0);
    };
    for (const region of this.facts.regions) box(region, "#e6a03c");
    if (this.facts.sector) box(this.facts.sector, "#50dc78");
    if (this.why) this.drawWhy(context);
    const here = this.sampled().find((frame) => frame.index === this.shown);
    if (here) {
      const phase = typeof here.phase === "string" ? here.phase.replaceAll("_", " ")
        : typeof here.phase === "number" ? `${Math.round(here.phase * 100)} % of the beat` : "";
      context.fillStyle = "#6ebeff";
      context.font = `${Math.round(canvas.height / 24)}px system-ui, sans-serif`;
      context.fillText(`sampled ${phase}`, 8, canvas.height - 10);
    }
  }

  // Tints the cells whose loss takes most from the answer.
  drawWhy(context) {
    const { input, grid, cells } = this.why;
    const largest = Math.max(...cells);
    if (!input || largest <= 0) return;
    const width = (input.x1 - input.x0 + 1) / grid, height = (input.y1 - input.y0 + 1) / grid;
    cells.forEach((fall, cell) => {
      if (fall <= 0) return;
      context.fillStyle = `rgb(255 40 20 / ${0.7 * fall / largest})`;
      context.fillRect(input.x0 + (cell % grid) * width, input.y0 + Math.floor(cell / grid) * height, width, height);
    });
  }

  async explain() {
    const words = document.querySelector(".why-words");
    words.textContent = "asking the model, some seconds";
    try {
      this.why = await readJson(`/api/loops/${this.name}/why`);
    } catch (error) {
      words.textContent = `The model could not be asked: ${error.message}`;
      return;
    }
    // What rounds to all is not all.
    const percent = (share) => share > 0.994 && share < 1 ? "> 99 %" : `${Math.round(100 * share)} %`;
    const { view, probability, without_motion, frames, input } = this.why;
    const motion = without_motion === null ? "The model sees single frames."
      : `Without motion ${percent(without_motion)} is left.`;
    words.textContent = `${view} ${percent(probability)} by the first clip. ${motion} ` +
      (input ? "Red parts of the picture matter most." : "The picture was turned, so its parts are not shown.");
    const table = document.querySelector(".why-frames");
    table.tBodies[0].replaceChildren(...frames.map(({ index, fall }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = `frame ${index + 1}`;
      const cell = document.createElement("td");
      cell.className = "number";
      cell.textContent = fall.toFixed(1);
      row.append(head, cell);
      return row;
    }));
    table.hidden = false;
    words.dataset.ready = "true";
    this.drawMarks();
  }

  drawTimeline() {
    const canvas = this.root.querySelector(".timeline");
    const context = canvas.getContext("2d");
    const width = canvas.width, height = canvas.height;
    const color = getComputedStyle(canvas).color;
    context.clearRect(0, 0, width, height);
    const times = this.header.times_ms, total = this.durationMs();
    const xOf = (frame) => {
      const low = Math.max(0, Math.min(times.length - 1, Math.floor(frame)));
      const next = low + 1 < times.length ? times[low + 1] : total;
      return ((times[low] + (frame - low) * (next - times[low])) / total) * width;
    };
    context.fillStyle = color;
    context.fillRect(0, height / 2, width, 1);
    if (this.facts) {
      context.fillStyle = "#d6402f";
      for (const peak of this.facts.ecg.r_peaks) context.fillRect(xOf(peak) - 1, 2, 2, height - 4);
      context.fillStyle = "#2f81f7";
      for (const frame of this.sampled()) context.fillRect(xOf(frame.index) - 1, height / 2 + 2, 3, height / 2 - 4);
    }
    context.fillStyle = color;
    context.fillRect(xOf(Math.max(0, this.shown)) - 1, 0, 2, height);
  }

  show(frame) {
    this.playing = false;
    const total = this.frames.length;
    if (total === 0) return;
    frame = ((frame % total) + total) % total;
    this.timeMs = this.header.times_ms[frame];
    this.draw(frame);
  }

  beat(direction) {
    const peaks = (this.facts ? this.facts.ecg.r_peaks : []).map(Math.round);
    const others = direction > 0 ? peaks.filter((peak) => peak > this.shown) : peaks.filter((peak) => peak < this.shown).reverse();
    if (others.length) this.show(others[0]);
  }

  act(action) {
    if (action === "play") this.playing = !this.playing;
    else if (action === "back") this.show(this.shown - 1);
    else if (action === "forward") this.show(this.shown + 1);
    else if (action === "beat-back") this.beat(-1);
    else if (action === "beat-forward") this.beat(1);
    else if (action === "slower") this.speed = Math.max(0.125, this.speed / 2);
    else if (action === "faster") this.speed = Math.min(8, this.speed * 2);
    else if (action === "marks") this.drawMarks();
    else return false;
    if (this.header && this.shown >= 0) this.status();
    return true;
  }
}

const KEYS = { " ": "play", ArrowLeft: "back", ArrowRight: "forward", ",": "beat-back", ".": "beat-forward", "-": "slower", "+": "faster" };

// Shows how far the work in the background is, and its result when it ends.
async function follow(line) {
  const { task } = await readJson("/api/learning");
  if (!task || task.end) location.reload();
  else {
    line.querySelector(".stage").textContent = task.all ? `${task.stage} ${task.done} of ${task.all}` : task.stage;
    setTimeout(() => follow(line).catch(() => {}), 1000);
  }
}

function start() {
  const running = document.querySelector("[data-learning=running]");
  if (running) follow(running).catch(() => {});
  const root = document.querySelector(".player");
  let player = null;
  if (root) {
    player = new Player(root, root.querySelector(".image"), false);
    player.load().catch((error) => { root.querySelector(".status").textContent = error.message; root.dataset.failed = "true"; });
    const why = document.querySelector("[data-why]");
    if (why) why.addEventListener("click", () => { why.disabled = true; player.explain().finally(() => { why.disabled = false; }); });
    for (const control of root.querySelectorAll("[data-action]")) {
      control.addEventListener("click", () => player.act(control.dataset.action));
    }
  }
  // Previews are loaded one by one as they come into sight, so that a study does not load all its loops.
  const previews = [...document.querySelectorAll("canvas[data-preview]")];
  let queue = Promise.resolve();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((entry) => entry.isIntersecting)) {
      seen.unobserve(entry.target);
      const preview = new Player(entry.target, entry.target, true);
      queue = queue.then(() => preview.load().catch(() => { entry.target.dataset.failed = "true"; }));
    }
  });
  previews.forEach((canvas) => seen.observe(canvas));

  // From the comment, Enter and Escape lead back to the keys of the views.
  const comment = document.querySelector("#comment");
  if (comment) comment.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    comment.blur();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input[type=text], input[type=search], input[type=password], select, textarea")) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) {
      event.preventDefault();
      button.click();
      return;
    }
    if (event.key === "m" && player) {
      const box = root.querySelector("[data-action=marks]");
      box.checked = !box.checked;
      player.drawMarks();
      return;
    }
    // The space bar on a button presses the button.
    if (event.key === " " && event.target.matches("button, a, summary")) return;
    if (player && KEYS[event.key] && player.act(KEYS[event.key])) event.preventDefault();
  });
}

start();
