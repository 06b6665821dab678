"use strict";
// What both pages share: the data, the plots, their look in light and dark.
const page = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const printing = matchMedia("print");
  const narrow = matchMedia("(max-width: 640px)");
  const plots = [];

  // The colours of everything that is no data.
  function look(div) {
    const ink = style("--ink"), line = style("--line"), soft = style("--soft");
    const change = { "font.color": ink, "hoverlabel.bgcolor": style("--hover"), "hoverlabel.font.color": ink, "hoverlabel.bordercolor": line };
    for (const key of Object.keys(div.layout)) {
      if (/^[xy]axis\d*$/.test(key)) {
        change[`${key}.gridcolor`] = line;
        change[`${key}.zerolinecolor`] = line;
        change[`${key}.linecolor`] = change[`${key}.tickcolor`] = line;
        change[`${key}.tickfont.color`] = soft;
        change[`${key}.title.font.color`] = soft;
        change[`${key}.spikecolor`] = soft;
      }
    }
    (div.layout.annotations || []).forEach((_, k) => { change[`annotations[${k}].font.color`] = soft; });
    const texts = div.data.flatMap((trace, k) => (trace.texttemplate ? [k] : []));
    if (texts.length) Plotly.restyle(div, { "textfont.color": ink }, texts);
    const rings = div.data.flatMap((trace, k) => (trace.meta === "ring" ? [k] : []));
    if (rings.length) Plotly.restyle(div, { "marker.line.color": ink }, rings);
    return Plotly.relayout(div, change);
  }

  async function draw(id) {
    const div = document.getElementById(id), figure = data.figures[id];
    if (!div || !figure) return null;
    await Plotly.newPlot(div, figure.data, figure.layout, {
      responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: false, locale: "en",
    });
    plots.push(div);
    await look(div);
    return div;
  }

  const all = (change) => () => plots.forEach(change);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all(look));
  printing.addEventListener("change", all((div) => { look(div); Plotly.Plots.resize(div); }));

  return { data, draw, narrow, style };
})();
