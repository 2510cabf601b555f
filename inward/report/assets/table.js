/* All rollouts: a table of which only the rows in sight are in the page. */
"use strict";

const ROW = 34;
const EDGE = 8;

const VIEWS = [
  ["", "all", () => true],
  ["right", "right", (i) => rows.right[i] === 1],
  ["wrong", "wrong", (i) => rows.right[i] === 0],
  ["errored", "errored", (i) => rows.status[i] !== "scored"],
  ["trained", "trained on", (i) => rows.flags[i].includes("trained on")],
  ["not-trained", "not trained on", (i) => rows.flags[i].includes("not trained on")],
  ["truncated", "truncated", (i) => rows.flags[i].includes("truncated")],
  ["no-call", "never called the tool", (i) => rows.flags[i].includes("no call")],
  ["right-no-search", "right without a search", (i) => rows.right[i] === 1 && rows.flags[i].includes("no call")],
  ["wrong-no-evidence", "wrong, evidence not found", (i) => rows.outcome[i] === "evidence not found"],
  ["no-answer", "no answer in the format", (i) => rows.flags[i].includes("no answer")],
  ["wrong-evidence", "wrong with the evidence found", (i) => rows.right[i] === 0 && rows.outcome[i] === "evidence found and not used"],
];

function columns() {
  const narrow = innerWidth < 640;
  const found = [
    { name: "task", width: narrow ? "minmax(7em, 1fr)" : "minmax(10em, 2fr)", value: (i) => rows.task[i], cell: (i) => bdi(rows.task[i]), text: true },
    { name: "", key: "status", width: "6.2em", value: (i) => (rows.status[i] === "scored" ? rows.right[i] : -1), cell: statusBadge },
    { name: "reward", width: "5em", value: (i) => rows.reward[i] },
  ];
  if (data.runs.length > 1) found.unshift({ name: "run", width: "minmax(5em, 1fr)", value: (i) => data.runs[rows.run[i]].name, cell: (i) => bdi(data.runs[rows.run[i]].name), text: true });
  if (data.runs.some((r) => r.training)) found.unshift({ name: "step", width: "4em", value: (i) => section(i).step });
  if (!narrow) found.unshift({ name: "#", key: "k", width: "4em", value: (i) => rows.k[i] });
  if (!narrow) found.push({ name: "advantage", width: "6em", value: (i) => rows.advantage[i] });
  found.push({ name: "calls", width: "4em", value: (i) => rows.calls[i] });
  found.push({ name: "tokens", width: "5em", value: (i) => rows.tokens_out[i] });
  if (narrow) return found.filter((c) => !["calls", "run"].includes(c.name) && (c.name !== "tokens" || rows.tokens_out.some((v) => v !== null)));
  found.push({ name: "s", width: "4em", value: (i) => rows.seconds[i], digits: 1 });
  const telling = Object.keys(rows.values).filter((name) => rows.values[name].some((v, i) => v !== rows.reward[i] && v !== rows.values[name][0]));
  for (const name of telling.slice(0, innerWidth < 1200 ? 2 : 4)) found.push({ name, width: "6em", value: (i) => rows.values[name][i] });
  found.push({ name: "reply", width: "minmax(12em, 3fr)", value: (i) => rows.reply[i] || rows.cause[i], cell: (i) => bdi(rows.status[i] === "scored" ? rows.reply[i] : rows.cause[i], { class: "quiet" }), text: true });
  return found.filter((c) => c.text || c.cell || rows.id.some((_, i) => c.value(i) !== null && c.value(i) !== undefined));
}

/* The order that the rollout pages step through: what the table showed last. */
let order = null;
let searching = 0;

function compare(column, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const x = column.value(a), y = column.value(b);
    const noX = x === null || x === undefined, noY = y === null || y === undefined;
    if (noX || noY) return noX === noY ? a - b : noX ? 1 : -1;
    if (typeof x === "string") return sign * x.localeCompare(y) || a - b;
    return sign * (x - y) || a - b;
  };
}

function condition(text) {
  const match = /^\s*(.+?)\s*(<=|>=|=|<|>)\s*(-?[\d.]+(?:e-?\d+)?)\s*$/i.exec(text || "");
  if (!match) return null;
  const [, name, sign, limit] = match;
  const own = { reward: rows.reward, right: rows.right, advantage: rows.advantage, turns: rows.turns, calls: rows.calls, tokens: rows.tokens_out, s: rows.seconds, ...rows.values }[name];
  if (!own) return null;
  const test = { "<": (v, l) => v < l, ">": (v, l) => v > l, "<=": (v, l) => v <= l, ">=": (v, l) => v >= l, "=": (v, l) => v === l }[sign];
  return (i) => own[i] !== null && own[i] !== undefined && test(own[i], Number(limit));
}

function inColumns(i, words) {
  return [rows.task[i], rows.reply[i], rows.cause[i], rows.stop[i], rows.agent[i], rows.id[i]].some((text) => text && text.toLowerCase().includes(words));
}

/* Rollouts whose texts hold the words: block by block, told as they are found. */
async function searchTexts(words, token, found, progress) {
  const byBlock = new Map();
  for (let i = 0; i < count; i++) byBlock.set(rows.block[i], [...(byBlock.get(rows.block[i]) || []), i]);
  let done = 0;
  for (const [b, members] of byBlock) {
    if (token !== searching) return;
    const items = await block(b);
    for (const i of members) {
      const item = items[rows.item[i]];
      if (texts(item).some((t) => t.toLowerCase().includes(words))) found.add(i);
    }
    progress(++done / byBlock.size);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function texts(item) {
  const found = item.errors.map((e) => e.message);
  for (const m of item.messages) found.push(m.text, m.reasoning || "", ...(m.calls || []).map((c) => `${c.name} ${c.arguments}`));
  return found;
}

function table(query) {
  const state = {
    view: query.get("view") || "", q: query.get("q") || "", where: query.get("where") || "",
    sort: query.get("sort") || "", run: query.get("run"), section: query.get("section"),
  };
  const page = el("div", { class: "page wide" });
  const bar = el("div", { class: "bar" });
  const said = el("p", { class: "quiet", role: "status" });
  const grid = el("div", { class: "grid-head" }), body = el("div", { class: "grid-body" });
  const scroll = el("div", { class: "grid-scroll", tabIndex: 0, role: "grid", "aria-label": "rollouts" }, grid, body);
  let shown = [], at = 0, found = new Set(), cols = columns();

  function save() {
    const hash = `#rollouts?${new URLSearchParams(Object.entries(state).filter(([, v]) => v))}`.replace(/\?$/, "");
    history.replaceState(null, "", hash);
    drawn = location.href;
  }

  function refresh() {
    const view = (VIEWS.find((v) => v[0] === state.view) || VIEWS[0])[2];
    const test = condition(state.where), words = state.q.trim().toLowerCase();
    shown = [];
    for (let i = 0; i < count; i++) {
      if (state.run && rows.run[i] !== Number(state.run)) continue;
      if (state.section && rows.section[i] !== Number(state.section)) continue;
      if (!view(i) || (test && !test(i))) continue;
      if (words && !inColumns(i, words) && !found.has(i)) continue;
      shown.push(i);
    }
    const [name, descending] = [state.sort.replace(/^-/, ""), state.sort.startsWith("-")];
    const column = cols.find((c) => (c.key || c.name) === name);
    if (column) shown.sort(compare(column, descending));
    order = shown;
    at = Math.min(at, Math.max(0, shown.length - 1));
    body.style.height = `${shown.length * ROW}px`;
    const bad = state.where && !test ? ` · no condition: ${state.where} (such as reward >= 0.5)` : "";
    said.textContent = `${number(shown.length)} of ${number(count)} rollouts${data.shown < data.total ? ` in this file, of ${number(data.total)} played` : ""}${bad}`;
    drawHead();
    draw();
    save();
  }

  function drawHead() {
    grid.style.gridTemplateColumns = cols.map((c) => c.width).join(" ");
    grid.replaceChildren(...cols.map((c) => {
      const key = c.key || c.name, now = state.sort.replace(/^-/, "") === key;
      const arrow = now ? (state.sort.startsWith("-") ? " ▾" : " ▴") : "";
      return el("button", { class: c.text || c.cell ? "head" : "head number", title: `sort by ${key}`, onclick: () => { state.sort = now && !state.sort.startsWith("-") ? `-${key}` : now ? "" : key; refresh(); } }, bdi(c.name || "status"), arrow);
    }));
  }

  function draw() {
    const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - EDGE);
    const last = Math.min(shown.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + EDGE);
    const nodes = [];
    for (let n = first; n < last; n++) {
      const i = shown[n];
      const row = el("a", { class: n === at ? "row at" : "row", href: `#rollout/${encodeURIComponent(rows.id[i])}`, role: "row", "aria-rowindex": n + 1, tabIndex: -1 },
        cols.map((c) => el("span", { class: c.text || c.cell ? "cell" : "cell number", role: "gridcell" }, c.cell ? c.cell(i) : number(c.value(i), c.digits))));
      row.style.transform = `translateY(${n * ROW}px)`;
      row.style.gridTemplateColumns = grid.style.gridTemplateColumns;
      nodes.push(row);
    }
    body.replaceChildren(...nodes);
  }

  let timer = 0;
  function search() {
    clearTimeout(timer);
    found = new Set();
    const token = ++searching, words = state.q.trim().toLowerCase();
    refresh();
    let base = said.textContent;
    if (words.length < 2) return;
    timer = setTimeout(() => searchTexts(words, token, found, (share) => {
      if (token !== searching || !page.isConnected) return;
      if (share === 1 || Math.random() < 0.1) { refresh(); base = said.textContent; }
      if (share < 1) said.textContent = `${base} · searching texts: ${percent(share)}`;
    }), 250);
  }

  const box = el("input", { type: "search", id: "search", placeholder: "search all texts  ( / )", value: state.q, "aria-label": "search", oninput: (event) => { state.q = event.target.value; search(); } });
  const where = el("input", { type: "text", id: "where", placeholder: "where, such as reward >= 0.5", value: state.where, "aria-label": "condition", oninput: (event) => { state.where = event.target.value; refresh(); } });
  const views = VIEWS.filter((v) => !v[0] || rows.id.some((_, i) => v[2](i)));
  const saved = kept("views") || [];
  bar.append(box, where,
    el("div", { class: "views" }, views.map(([key, text]) => el("button", { class: key === state.view ? "view on" : "view", "data-view": key, onclick: (event) => { state.view = key; for (const b of bar.querySelectorAll(".view")) b.classList.toggle("on", b === event.target); refresh(); } }, text)),
      saved.map(([text, hash]) => el("button", { class: "view", onclick: () => { location.hash = hash; } }, bdi(text))),
      el("button", { class: "view", title: "keep this view in this browser", onclick: () => { save(); const name = prompt("Name of this view"); if (name) { kept("views", [...saved, [name, location.hash]]); render(); } } }, "+ save view")));
  if (data.runs.length > 1) bar.append(choice("run", [["", "all"], ...data.runs.map((r, i) => [i, r.name])], state.run || "", (v) => { state.run = v; state.section = ""; refresh(); }));
  const sections = data.runs[Number(state.run) || 0].sections;
  if (sections.length > 1 && (state.run || data.runs.length === 1)) bar.append(choice("rollouts of", [["", "all"], ...sections.map((s, i) => [i, sectionName(s)])], state.section || "", (v) => { state.section = v; state.run = state.run || "0"; refresh(); }));
  page.append(bar, said, scroll);

  scroll.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  page.onResize = () => { cols = columns(); refresh(); };
  page.onKey = (event) => {
    const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -1e9, End: 1e9 };
    if (event.key in steps) {
      at = Math.max(0, Math.min(shown.length - 1, at + steps[event.key]));
      const top = at * ROW, height = scroll.clientHeight - 2 * ROW;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      if (top > scroll.scrollTop + height) scroll.scrollTop = top - height;
      draw();
      return true;
    }
    if (event.key === "Enter" && shown.length) { location.hash = `#rollout/${encodeURIComponent(rows.id[shown[at]])}`; return true; }
    if (event.key === "/") { box.focus(); return true; }
    return false;
  };
  page.onShown = () => { refresh(); if (state.q) search(); };
  return page;
}
