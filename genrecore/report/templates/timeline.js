"use strict";
// The playhead: where the song is, what is heard there, and how to go elsewhere.
(async () => {
  const { times, duration, flows, path, kind } = page.data;
  const audio = document.getElementById("audio");
  const now = document.getElementById("now");
  const STEP = 5; // seconds that an arrow key moves
  const REDRAW = 80; // milliseconds between two positions of the playhead
  let silent = false; // no sound: the playhead moves all the same
  let position = 0;
  let pointed = null; // the time under the pointer, which is told before that of the playhead
  let drawn = -Infinity;

  const content = document.getElementById("sound");
  if (content) {
    const bytes = Uint8Array.from(atob(content.textContent), (c) => c.charCodeAt(0));
    audio.src = URL.createObjectURL(new Blob([bytes], { type: kind || "application/octet-stream" }));
  }

  const flow = await page.draw("flow");
  await page.draw("genre-histogram");
  await page.draw("mood-histogram");
  const plane = await page.draw("path");

  function clock(seconds) {
    const whole = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  }

  // Index of the value nearest to a time, in an ascending list.
  function nearest(list, time) {
    let low = 0, high = list.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (list[middle] <= time) low = middle; else high = middle;
    }
    return time - list[low] <= list[high] - time ? low : high;
  }

  // Above the plot and not in it: to move it there costs a quarter of a second with a mix of two hours.
  const playhead = document.getElementById("playhead"), pointer = document.getElementById("pointer");
  const margin = flow.layout.margin;
  for (const line of [playhead, pointer]) {
    for (const [side, pixels] of Object.entries(margin)) line.style.setProperty(`--${side}`, `${pixels}px`);
  }

  // The strip of loudness comes first, then the genres, then the moods.
  const strip = flow.data.findIndex((trace) => trace.stackgroup);

  function say(time) {
    const k = nearest(times, time);
    const nodes = [Object.assign(document.createElement("span"), { className: "time", textContent: clock(time) })];
    for (const [task, count] of [["genre", 3], ["mood", 2]]) {
      const { labels, values } = flows[task];
      const ranked = labels.map((label, i) => [label, values[i][k], i]).filter((pair) => pair[1] !== null);
      ranked.sort((a, b) => b[1] - a[1]);
      const first = task === "genre" ? strip : strip + flows.genre.labels.length;
      for (const [label, value, i] of ranked.slice(0, count)) {
        const node = document.createElement("span");
        node.className = "part";
        node.textContent = `${label} ${Math.round(100 * value)} %`;
        node.style.setProperty("--colour", flow.data[first + i].fillcolor);
        nodes.push(node);
      }
    }
    if (nodes.length === 1) nodes.push(document.createTextNode("silence"));
    now.replaceChildren(...nodes);
  }

  function show(time, force) {
    position = time;
    const tick = performance.now();
    if (!force && tick - drawn < REDRAW) return;
    drawn = tick;
    if (pointed === null) say(time);
    flow.dataset.position = time.toFixed(2);
    flow.setAttribute("aria-valuenow", Math.round(time));
    flow.setAttribute("aria-valuetext", clock(time));
    playhead.style.setProperty("--share", time / duration);
    if (plane) {
      const k = nearest(path.time, time);
      Plotly.restyle(plane, { x: [[path.valence[k]]], y: [[path.arousal[k]]] }, [1]);
    }
  }

  function seek(time) {
    const place = Math.min(Math.max(0, time), duration);
    if (!silent) audio.currentTime = place;
    show(place, true);
  }

  function follow() {
    show(audio.currentTime, false);
    if (!audio.paused && !audio.ended) requestAnimationFrame(follow);
  }

  audio.addEventListener("play", () => requestAnimationFrame(follow));
  audio.addEventListener("seeked", () => show(audio.currentTime, true));
  audio.addEventListener("error", () => { silent = true; document.getElementById("trouble").hidden = false; });
  if (audio.error) audio.dispatchEvent(new Event("error"));

  // The time under a pointer; null beside the plot.
  function timeAt(event) {
    const box = flow.getBoundingClientRect();
    const share = (event.clientX - box.left - margin.l) / (box.width - margin.l - margin.r);
    return share < -0.02 || share > 1.02 ? null : Math.min(Math.max(0, share), 1) * duration;
  }

  function point(time) {
    pointed = time;
    pointer.hidden = time === null;
    now.classList.toggle("elsewhere", time !== null);
    if (time !== null) pointer.style.setProperty("--share", time / duration);
    say(time === null ? position : time);
  }

  flow.addEventListener("click", (event) => {
    const time = timeAt(event);
    if (time !== null) seek(time);
  });
  flow.addEventListener("pointermove", (event) => point(timeAt(event)));
  for (const name of ["pointerleave", "pointercancel"]) flow.addEventListener(name, () => point(null));
  if (plane) plane.on("plotly_click", (event) => seek(path.time[event.points[0].pointNumber]));
  document.querySelectorAll("[data-time]").forEach((button) => {
    button.addEventListener("click", () => {
      seek(Number(button.dataset.time));
      flow.focus({ preventScroll: true }); // so that space and the arrows go on from there
    });
  });

  document.addEventListener("keydown", (event) => {
    // The player and the buttons have keys of their own.
    if (event.ctrlKey || event.metaKey || event.altKey || ["AUDIO", "BUTTON", "INPUT"].includes(event.target.tagName)) return;
    const moves = { ArrowLeft: position - STEP, ArrowRight: position + STEP, Home: 0 };
    if (event.key in moves) seek(moves[event.key]);
    else if (event.key === " " && !silent) audio.paused ? audio.play() : audio.pause();
    else return;
    event.preventDefault();
  });

  const fit = () => {
    if (duration >= 10) Plotly.relayout(flow, { "xaxis3.nticks": page.narrow.matches ? 5 : 12 });
  };
  page.narrow.addEventListener("change", fit);
  fit();

  show(0, true);
  document.documentElement.dataset.ready = "yes";
})();
