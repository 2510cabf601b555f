/* One rollout, and the group it belongs to. */
"use strict";

const CUT = 5000;
const MAX_FORMULAS = 150;

function rollout(id) {
  const i = byId.get(id);
  if (i === undefined) return el("div", { class: "page" }, el("p", {}, "This file holds no rollout ", bdi(id), "."));
  const page = el("div", { class: "page wide" }, rolloutHead(i));
  const place = el("div", { class: "rollout" }, el("p", { class: "quiet" }, "opening …"));
  page.append(place);
  rolloutData(i).then((item) => place.replaceChildren(conversation(item), reasons(i, item)),
    (error) => place.replaceChildren(el("p", { class: "error" }, `This rollout cannot be read: ${error}`)));
  page.onKey = (event) => {
    if (event.key === "j" || event.key === "ArrowRight") return step(i, 1);
    if (event.key === "k" || event.key === "ArrowLeft") return step(i, -1);
    if (event.key === "g") { location.hash = `#group/${encodeURIComponent(id)}`; return true; }
    if (event.key === "e") { for (const d of page.querySelectorAll("details")) d.open = !d.open; return true; }
    return false;
  };
  return page;
}

function step(i, by) {
  const list = order || rows.id.map((_, n) => n);
  const next = list[list.indexOf(i) + by];
  if (next !== undefined) location.hash = `#rollout/${encodeURIComponent(rows.id[next])}`;
  return true;
}

function rolloutHead(i) {
  const s = section(i), members = siblings(i);
  const told = [s.label, `rollout ${rows.k[i]}`, ["right", "graded"].includes(rows.outcome[i]) ? "" : rows.outcome[i], rows.agent[i], rows.stop[i], ...rows.flags[i]].filter(Boolean);
  return el("div", { class: "heading" },
    el("h1", {}, bdi(rows.task[i])),
    el("p", { class: "facts" }, statusBadge(i), " ", rows.reward[i] === null ? "not scored" : `reward ${number(rows.reward[i])}`, el("span", { class: "quiet" }, " · ", bdi(told.join(" · ")))),
    el("p", { class: "steps" },
      el("button", { onclick: () => step(i, -1), title: "k or ←" }, "‹ previous"),
      el("button", { onclick: () => step(i, 1), title: "j or →" }, "next ›"),
      members.length > 1 ? el("a", { class: "button", href: `#group/${encodeURIComponent(rows.id[i])}` }, `group of ${members.length}`) : null,
      el("a", { class: "button", href: `#rollouts?q=${encodeURIComponent(rows.task[i])}` }, "same task")));
}

/* A long text begins short, and grows on demand. */
function longText(text, className) {
  const node = el("div", { class: `text ${className || ""}`, dir: "auto" });
  let upto = CUT;
  const draw = () => {
    const over = text.length > upto;
    node.replaceChildren(...withFormulas(over ? text.slice(0, upto) : text));
    if (over) node.append(el("button", { class: "more", onclick: () => { upto = Math.max(upto * 8, 40000); draw(); } }, `show more of ${number(text.length)} characters`));
  };
  draw();
  return node;
}

/* $…$, $$…$$, \(…\) and \[…\] as MathML, where KaTeX reads them; else as they are. */
const FORMULA = /\$\$([^$]{1,3000}?)\$\$|\$(?!\s)([^$\n]{1,800}?)(?<![\s\\])\$(?!\d)|\\\(([^]{1,800}?)\\\)|\\\[([^]{1,3000}?)\\\]/g;

function withFormulas(text) {
  if (typeof katex === "undefined" || !/[$]|\\[([]/.test(text)) return seen(text);
  const parts = [];
  let last = 0, made = 0;
  for (const match of text.matchAll(FORMULA)) {
    if (made++ >= MAX_FORMULAS) break;
    const tex = match[1] || match[2] || match[3] || match[4];
    const node = formula(tex, Boolean(match[1] || match[4]), match[0]);
    if (!node) continue;
    parts.push(...seen(text.slice(last, match.index)), node);
    last = match.index + match[0].length;
  }
  return [...parts, ...seen(text.slice(last))];
}

function formula(tex, display, source) {
  const node = el("span", { class: display ? "formula display" : "formula", title: source });
  HIDDEN.lastIndex = 0;
  if (HIDDEN.test(tex)) return null;
  try {
    katex.render(tex, node, { output: "mathml", displayMode: display, throwOnError: true, strict: "ignore", trust: false, maxExpand: 200, maxSize: 10 });
  } catch { return null; }
  return node;
}

function folded(summary, inside, open) {
  return el("details", { open }, el("summary", {}, summary), inside);
}

function conversation(item) {
  const out = el("div", { class: "conversation" });
  const names = new Map();
  item.messages.forEach((m, n) => {
    if (item.left_out && n === item.messages.length / 2) out.append(el("p", { class: "quiet" }, `(${number(item.left_out)} messages are left out)`));
    for (const c of m.calls || []) names.set(c.id, c.name);
    out.append(message(m, names, n === item.messages.length - 1));
  });
  for (const error of item.errors) {
    out.append(el("section", { class: "message error" }, el("h3", {}, bdi(error.type)), longText(error.message),
      error.traceback ? folded("traceback", longText(error.traceback, "code")) : null));
  }
  if (!out.childNodes.length) out.append(el("p", { class: "quiet" }, "No message was recorded."));
  return out;
}

const THINKING = /^\s*<think(?:ing)?>([^]*?)<\/think(?:ing)?>/;

function message(m, names, last) {
  const node = el("section", { class: `message ${["system", "user", "assistant", "tool"].includes(m.role) ? m.role : ""}${last && m.sampled ? " answer" : ""}` });
  const title = m.role === "tool" ? `result${names.get(m.call) ? ` of ${names.get(m.call)}` : ""}` : m.role;
  if (m.role === "tool" || (m.role === "system" && m.text.length > 300)) {
    const first = m.text.slice(0, 110).split("\n")[0];
    node.append(folded([el("b", {}, bdi(title)), " ", bdi(first, { class: "quiet" }), el("span", { class: "quiet" }, ` (${number(m.text.length)} characters)`)], longText(m.text, "code")));
  } else {
    node.append(el("h3", {}, bdi(title), m.role === "assistant" && !m.sampled ? el("span", { class: "quiet" }, " (of the prompt)") : null));
    const inline = m.role === "assistant" && !m.reasoning ? THINKING.exec(m.text) : null;
    const reasoning = inline ? inline[1].trim() : m.reasoning, text = inline ? m.text.slice(inline[0].length).trim() : m.text;
    if (reasoning) node.append(folded([el("b", {}, "reasoning"), el("span", { class: "quiet" }, ` ${number(reasoning.length)} characters${inline ? " in think tags" : ""}`)], longText(reasoning, "reasoning")));
    if (text) node.append(longText(text));
  }
  for (const c of m.calls || []) node.append(folded([el("b", {}, bdi(c.name)), " ", bdi(c.arguments.slice(0, 160), { class: "quiet code" })], longText(c.arguments, "code")));
  for (const p of m.pictures || []) node.append(picture(p, "picture of the message"));
  for (const o of m.other || []) node.append(el("p", { class: "quiet" }, bdi(o)));
  if (m.strip) {
    node.append(el("div", { class: "tokens" }, strip(m.strip.bars),
      el("p", { class: "quiet" }, `${m.strip.kind} of ${number(m.strip.tokens)} tokens, mean ${number(m.strip.mean)} nats, highest bar ${number(Math.max(...m.strip.bars))}${m.strip.bars.length < m.strip.tokens ? "; a bar is the mean of several" : ""}`)));
  }
  return node;
}

function listed(title, list) {
  return list && list.length ? el("section", { class: "card" }, el("h2", {}, title), el("ul", { class: "plain" }, list.map((line) => el("li", {}, bdi(line))))) : null;
}

function reasons(i, item) {
  const side = el("aside", { class: "why" });
  const first = item.messages.flatMap((m) => m.pictures || [])[0];
  if (item.drawn !== undefined && item.drawn !== null) {
    side.append(el("section", { class: "card" }, el("h2", {}, "Original, and what the reply draws"),
      el("div", { class: "pair" }, first ? picture(first, "original") : null, item.drawn ? picture(item.drawn, "drawn") : el("p", { class: "quiet" }, "nothing is drawn"))));
  }
  side.append(listed("Why this reward", item.why.rewards) || "");
  for (const p of item.panels) side.append(p.kind === "spans" ? spans(p) : gridPanel(p));
  if (item.layers) side.append(plot({ kind: "lines", title: "Matrix entropy by layer", x: "layer", y: "entropy", lines: [{ name: "this rollout", points: item.layers[0].map((l, n) => [l, item.layers[1][n]]) }] }));
  side.append(listed("Task", item.why.task) || "", listed("Scoring", item.why.scoring) || "", listed("Metrics", item.why.metrics) || "");
  return side;
}

/* Parts of something long: where they lie, and what they are. */
function spans(p) {
  const width = 400, x = scale(0, p.length || 1, 0, width);
  const bar = svg("svg", { viewBox: `0 0 ${width} 26`, class: "spans", role: "img", "aria-label": p.title });
  bar.append(svg("rect", { x: 0, y: 5, width, height: 16, class: "track" }));
  p.spans.forEach(([a, b, text]) => bar.append(titled(svg("rect", { x: x(a), y: 5, width: Math.max(2, x(b) - x(a)), height: 16, class: "fill c0 touched" }), text)));
  return el("section", { class: "card" }, el("h2", {}, bdi(p.title)), bar, el("p", { class: "quiet" }, bdi(`0 to ${number(p.length)} ${p.unit}`)),
    folded(`${p.spans.length} parts`, el("ul", { class: "plain" }, p.spans.map((s) => el("li", {}, bdi(s[2]))))));
}

const GRID_ROWS = 40;

function gridPanel(p) {
  const part = (start, end) => el("table", {},
    el("thead", {}, el("tr", {}, p.head.map((h) => el("th", {}, bdi(h))))),
    el("tbody", {}, p.rows.slice(start, end).map((r, n) => el("tr", { class: p.marked.includes(start + n) ? "marked" : "" }, r.map((c) => el("td", {}, bdi(c)))))));
  const more = p.rows.length - GRID_ROWS;
  return el("section", { class: "card scroll" }, el("h2", {}, bdi(p.title)), part(0, GRID_ROWS), more > 0 ? folded(`${more} more rows`, part(GRID_ROWS)) : null);
}

function group(id) {
  const i = byId.get(id);
  if (i === undefined) return el("div", { class: "page" }, el("p", {}, "This file holds no rollout ", bdi(id), "."));
  const members = siblings(i), rewards = members.map((j) => rows.reward[j]).filter((v) => v !== null);
  const mean = rewards.length ? rewards.reduce((a, b) => a + b, 0) / rewards.length : null;
  const deviation = rewards.length > 1 ? Math.sqrt(rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (rewards.length - 1)) : 0;
  const names = Object.keys(rows.values).filter((name) => !["turns", "reward"].includes(name) && members.some((j) => rows.values[name][j] !== null));
  const known = [
    ["", (j) => statusBadge(j)],
    ["reward", (j) => number(rows.reward[j])],
    ["advantage", (j) => (rows.reward[j] === null ? "–" : signed(rows.reward[j] - mean))],
    ...(members.some((j) => rows.advantage[j] !== null) ? [["trainer's advantage", (j) => (rows.advantage[j] === null ? "–" : signed(rows.advantage[j]))]] : []),
    ["/ deviation", (j) => (rows.reward[j] === null || !(deviation > 1e-9) ? "–" : signed((rows.reward[j] - mean) / deviation))],
    ["turns", (j) => number(rows.turns[j])], ["calls", (j) => number(rows.calls[j])], ["tokens", (j) => number(rows.tokens_out[j])],
    ...names.map((name) => [name, (j) => number(rows.values[name][j])]),
    ["stop", (j) => bdi(rows.stop[j])],
  ];
  const head = el("tr", {}, el("th", {}), members.map((j, n) => el("th", { class: "number" }, el("a", { href: `#rollout/${encodeURIComponent(rows.id[j])}` }, `sibling ${n}${j === i ? " ·" : ""}`))));
  const page = el("div", { class: "page wide" }, el("div", { class: "heading" }, el("h1", {}, "Group of ", bdi(rows.task[i])),
    el("p", { class: "quiet" }, `${members.length} siblings${data.shown < data.total ? " in this file" : ""} · mean reward ${number(mean)} · deviation ${number(deviation)} · advantage: reward less the mean of the group`)));
  page.append(el("div", { class: "card scroll" }, el("table", { class: "group" }, el("thead", {}, head), el("tbody", {}, known.map(([name, cell]) => el("tr", {}, el("th", {}, bdi(name)), members.map((j) => el("td", { class: j === i ? "number marked" : "number" }, cell(j)))))))));
  const replies = el("div", { class: "side-by-side" });
  members.slice(0, 32).forEach((j, n) => {
    const card = el("section", { class: "card" }, el("h2", {}, el("a", { href: `#rollout/${encodeURIComponent(rows.id[j])}` }, `sibling ${n}`), " ", statusBadge(j), ` ${number(rows.reward[j])}`), el("p", { class: "quiet" }, "opening …"));
    rolloutData(j).then((item) => {
      const own = item.messages.filter((m) => m.sampled), reply = own.length ? own[own.length - 1] : null;
      card.lastChild.replaceWith(reply ? longText(reply.text || "(no text)") : el("p", { class: "quiet" }, bdi(rows.cause[j] || "no reply")));
    });
    replies.append(card);
  });
  page.append(replies);
  return page;
}

function signed(value) {
  return (value > 0 ? "+" : "") + number(value);
}
