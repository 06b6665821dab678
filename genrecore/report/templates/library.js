"use strict";
// The points of the plane say where their files are.
(async () => {
  for (const id of Object.keys(page.data.figures)) await page.draw(id);
  const plane = document.getElementById("plane"), chosen = document.getElementById("chosen");
  if (plane) {
    plane.on("plotly_click", (event) => {
      const place = event.points.find((point) => point.data.type === "scatter");
      if (!place) return;
      const { name, path } = page.data.points[place.pointNumber];
      const code = Object.assign(document.createElement("code"), { textContent: path });
      chosen.replaceChildren(Object.assign(document.createElement("bdi"), { textContent: name }), ": ", code);
    });
  }
  document.documentElement.dataset.ready = "yes";
})();
