"use strict";
// The playhead: where the song is, what is heard there, and how to go elsewhere.
(async () => {
  const { times, duration, flows, path, sound } = page.data;
  const audio = document.getElementById("audio");
  const now = document.getElementById("now");
  const STEP = 5; // seconds that an arrow key moves
  const REDRAW = 80; // milliseconds between two positions of the playhead
  let silent = false; // no sound: the playhead moves all the same
  let position = 0;
  let drawn = -Infinity;

  const content = document.getElementById("sound");
  if (content) {
    const bytes = Uint8Array.from(atob(content.textContent), (c) => c.charCodeAt(0));
    audio.src = URL.createObjectURL(new Blob([bytes], { type: sound.kind || "application/octet-stream" }));
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
  const playhead = document.getElementById("playhead");
  for (const [side, pixels] of Object.entries(flow.layout.margin)) playhead.style.setProperty(`--${side}`, `${pixels}px`);

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
    say(time);
    flow.dataset.position = time.toFixed(2);
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

  flow.on("plotly_click", (event) => seek(times[event.points[0].pointNumber]));
  flow.on("plotly_hover", (event) => say(times[event.points[0].pointNumber]));
  flow.on("plotly_unhover", () => say(position));
  if (plane) plane.on("plotly_click", (event) => seek(path.time[event.points[0].pointNumber]));
  document.querySelectorAll("[data-time]").forEach((button) => {
    button.addEventListener("click", () => seek(Number(button.dataset.time)));
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

  // The box of numbers beside the pointer would cover a small screen: there they stand above the plot only.
  const boxes = flow.data.map((trace) => trace.hovertemplate);
  const fit = () => {
    const small = page.narrow.matches;
    Plotly.restyle(flow, { hoverinfo: flow.data.map((_, k) => (small || !boxes[k] ? "none" : "all")), hovertemplate: small ? null : boxes });
    Plotly.relayout(flow, { "xaxis3.nticks": small ? 5 : 12 });
  };
  page.narrow.addEventListener("change", fit);
  fit();

  show(0, true);
  document.documentElement.dataset.ready = "yes";
})();
