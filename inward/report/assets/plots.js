/* Plots as SVG: histogram, bars with intervals, dots, lines. */
"use strict";

const W = 460, H = 240, LEFT = 52, RIGHT = 12, TOP = 12, BOTTOM = 40;

function ticks(low, high, wanted = 5) {
  const span = high - low || 1;
  const raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) || raw;
  const found = [];
  for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + span * 1e-9; t += step) found.push(Math.abs(t) < step * 1e-6 ? 0 : t);
  return found;
}

function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)}k`;
  return String(+value.toPrecision(3));
}

function scale(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function label(x, y, text, anchor, extra) {
  const node = svg("text", { x, y, "text-anchor": anchor || "middle", class: "label", ...extra });
  node.textContent = text;
  return node;
}

function titled(node, text) {
  const title = svg("title");
  title.textContent = text;
  node.append(title);
  return node;
}

function frame(name, xLabel, yLabel, xs, ys, x, y, xText) {
  const root = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "plot", role: "img", "aria-label": name });
  for (const t of ys) {
    root.append(svg("line", { x1: LEFT, x2: W - RIGHT, y1: y(t), y2: y(t), class: "grid" }));
    root.append(label(LEFT - 6, y(t) + 4, short(t), "end"));
  }
  xs.forEach((t, i) => root.append(label(x(t), H - BOTTOM + 16, xText ? xText[i] : short(t))));
  root.append(label((LEFT + W - RIGHT) / 2, H - 6, xLabel));
  root.append(label(12, (TOP + H - BOTTOM) / 2, yLabel, "middle", { transform: `rotate(-90 12 ${(TOP + H - BOTTOM) / 2})` }));
  return root;
}

function legend(names) {
  return el("div", { class: "legend" }, names.map((name, i) => el("span", {}, el("i", { class: `key c${i}` }), bdi(name))));
}

function histogram(figure) {
  const { edges, series } = figure;
  const totals = edges.slice(1).map((_, b) => series.reduce((sum, s) => sum + s.counts[b], 0));
  const x = scale(edges[0], edges[edges.length - 1], LEFT, W - RIGHT);
  const y = scale(0, Math.max(1, ...totals), H - BOTTOM, TOP);
  const root = frame(figure.title, figure.x, "rollouts", ticks(edges[0], edges[edges.length - 1]), ticks(0, Math.max(1, ...totals), 4).filter(Number.isInteger), x, y);
  totals.forEach((_, b) => {
    let base = 0;
    series.forEach((s, i) => {
      const n = s.counts[b];
      if (!n) return;
      const bar = svg("rect", {
        x: x(edges[b]) + 0.5, width: Math.max(1, x(edges[b + 1]) - x(edges[b]) - 1),
        y: y(base + n), height: y(base) - y(base + n), class: `fill c${i}`,
      });
      root.append(titled(bar, `${short(edges[b])} to ${short(edges[b + 1])}: ${n} ${s.name}`));
      base += n;
    });
  });
  const names = series.map((s) => (s.mean === undefined || s.mean === null ? s.name : `${s.name}, mean ${number(s.mean, 0)}`));
  return [root, series.length > 1 ? legend(names) : null];
}

function bars(figure) {
  const list = figure.bars;
  const high = Math.max(1e-9, ...list.map((b) => (b.interval ? b.interval[1] : b.mean)), figure.chance || 0);
  const low = Math.min(0, ...list.map((b) => (b.interval ? b.interval[0] : b.mean)));
  const x = scale(-0.6, list.length - 0.4, LEFT, W - RIGHT), y = scale(low, high, H - BOTTOM, TOP);
  const root = frame(figure.title, figure.x, figure.y, list.map((_, i) => i), ticks(low, high, 4), x, y, list.map((b) => b.x));
  const width = Math.min(40, (x(1) - x(0)) * 0.6);
  list.forEach((b, i) => {
    const bar = svg("rect", { x: x(i) - width / 2, width, y: y(Math.max(b.mean, 0)), height: Math.abs(y(0) - y(b.mean)), class: "fill c0" });
    root.append(titled(bar, `${b.x}: ${number(b.mean)} [${interval(b.interval)}], ${b.count} rollouts`));
    if (b.interval) root.append(svg("line", { x1: x(i), x2: x(i), y1: y(b.interval[0]), y2: y(b.interval[1]), class: "whisker" }));
    root.append(label(x(i), TOP + 2, `n ${b.count}`));
  });
  if (figure.chance !== null && figure.chance !== undefined) {
    root.append(svg("line", { x1: LEFT, x2: W - RIGHT, y1: y(figure.chance), y2: y(figure.chance), class: "chance" }));
    root.append(label(W - RIGHT, y(figure.chance) - 4, "chance", "end"));
  }
  return [root];
}

function extent(values) {
  const low = Math.min(...values), high = Math.max(...values), pad = (high - low || Math.abs(high) || 1) * 0.05;
  return [low - pad, high + pad];
}

function dots(figure) {
  const [x0, x1] = extent(figure.dots.map((d) => d[0])), [y0, y1] = extent(figure.dots.map((d) => d[1]));
  const x = scale(x0, x1, LEFT, W - RIGHT), y = scale(y0, y1, H - BOTTOM, TOP);
  const root = frame(figure.title, figure.x, figure.y, ticks(x0, x1), ticks(y0, y1, 4), x, y);
  for (const [a, b, id, right] of figure.dots) {
    const dot = svg("circle", { cx: x(a), cy: y(b), r: 3, class: `dot c${right === 0 ? 1 : 0}` });
    if (byId.has(id)) dot.addEventListener("click", () => { location.hash = `#rollout/${encodeURIComponent(id)}`; });
    root.append(titled(dot, `${short(a)}, ${short(b)}`));
  }
  const told = figure.correlation === null ? "" : `correlation ${number(figure.correlation, 2)} over ${figure.of}`;
  const shown = figure.shown < figure.of ? `, ${figure.shown} of them shown` : "";
  const judged = figure.dots.some((d) => d[3] === 0) && figure.dots.some((d) => d[3] === 1);
  return [root, judged ? legend(["right", "wrong"]) : null, el("p", { class: "quiet" }, told + shown)];
}

function lines(figure, onPoint) {
  const points = figure.lines.flatMap((l) => l.points);
  const [y0, y1] = extent(points.map((p) => p[1])), xs = points.map((p) => p[0]);
  const x0 = Math.min(...xs), x1 = Math.max(...xs);
  const x = scale(x0, x1 === x0 ? x0 + 1 : x1, LEFT, W - RIGHT), y = scale(y0, y1, H - BOTTOM, TOP);
  const root = frame(figure.title, figure.x, figure.y, ticks(x0, x1 === x0 ? x0 + 1 : x1), ticks(y0, y1, 4), x, y);
  figure.lines.forEach((l, i) => {
    root.append(svg("polyline", { points: l.points.map((p) => `${x(p[0])},${y(p[1])}`).join(" "), class: `line c${i}` }));
    if (l.points.length > 200) return;
    for (const p of l.points) {
      const dot = svg("circle", { cx: x(p[0]), cy: y(p[1]), r: 3.5, class: `dot c${i}` });
      if (onPoint) dot.addEventListener("click", () => onPoint(p[0]));
      root.append(titled(dot, `${l.name}: ${figure.x} ${short(p[0])}, ${short(p[1])}`));
    }
  });
  if (onPoint) {
    root.classList.add("clickable");
    root.addEventListener("click", (event) => {
      const box = root.getBoundingClientRect(), at = ((event.clientX - box.left) / box.width) * W;
      let best = null;
      for (const p of points) if (best === null || Math.abs(x(p[0]) - at) < Math.abs(x(best) - at)) best = p[0];
      onPoint(best);
    });
  }
  return [root, figure.lines.length > 1 ? legend(figure.lines.map((l) => l.name)) : null];
}

const PLOTS = { histogram, bars, dots, lines };

function plot(figure, onPoint) {
  return el("figure", { class: "card" }, el("figcaption", {}, bdi(figure.title)), PLOTS[figure.kind](figure, onPoint));
}

/* A mean in its interval, on one line from low to high. */
function intervalBar(mean, pair, chance, low, high) {
  const width = 160, x = scale(low, high, 4, width - 4);
  const root = svg("svg", { viewBox: `0 0 ${width} 16`, class: "interval", role: "img", "aria-label": "interval" });
  root.append(svg("line", { x1: 4, x2: width - 4, y1: 8, y2: 8, class: "grid" }));
  if (chance !== null && chance !== undefined) root.append(titled(svg("line", { x1: x(chance), x2: x(chance), y1: 1, y2: 15, class: "chance" }), `chance ${number(chance)}`));
  if (pair) root.append(svg("line", { x1: x(pair[0]), x2: x(pair[1]), y1: 8, y2: 8, class: "whisker" }));
  root.append(svg("circle", { cx: x(mean), cy: 8, r: 4, class: "dot c0" }));
  return root;
}

/* Bars of a strip of token values. */
function strip(values) {
  const high = Math.max(...values, 1e-9), width = 600, w = width / values.length;
  const root = svg("svg", { viewBox: `0 0 ${width} 40`, class: "strip", preserveAspectRatio: "none", role: "img", "aria-label": "token values" });
  values.forEach((v, i) => root.append(titled(svg("rect", { x: i * w, width: Math.max(0.5, w - 0.2), y: 40 - (40 * v) / high, height: (40 * v) / high, class: "fill c0" }), number(v))));
  return root;
}
