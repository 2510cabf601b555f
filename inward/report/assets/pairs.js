/* Two runs or checkpoints on the same tasks. */
"use strict";

function sideName([run, place]) {
  const s = data.runs[run].sections[place];
  return [data.runs[run].name, s.label].filter(Boolean).join(", ");
}

function pairs() {
  const page = el("div", { class: "page" }, el("div", { class: "heading" }, el("h1", {}, "Compared")));
  for (const c of data.comparisons) page.append(comparison(c));
  if (!data.comparisons.length) page.append(el("p", {}, "No two runs or checkpoints share a task."));
  return page;
}

function comparison(c) {
  const [a, b] = [sideName(c.first), sideName(c.second)], main = c.primary;
  const bound = Math.max(Math.abs(main.difference), ...(main.interval || []).map(Math.abs), 1e-9) * 1.1;
  const differ = c.tasks.filter((t) => t.a !== t.b).sort((x, y) => Math.abs(y.b - y.a) - Math.abs(x.b - x.a));
  const [onlyA, onlyB] = [c.unpaired.only_a.length, c.unpaired.only_b.length];
  const places = [c.first, c.second].map(([run, place]) => {
    const found = new Map();
    for (let i = count - 1; i >= 0; i--) if (rows.run[i] === run && rows.section[i] === place) found.set(rows.task[i], i);
    return found;
  });
  const value = (side, task, v) => (places[side].has(task) ? taskLink(places[side].get(task), number(v)) : number(v));
  const list = el("tbody");
  const fill = (tasks) => list.replaceChildren(...tasks.map((t) => el("tr", { class: t.b > t.a ? "up" : "down" }, el("td", {}, bdi(t.task)),
    el("td", { class: "number" }, value(0, t.task, t.a)), el("td", { class: "number" }, value(1, t.task, t.b)), el("td", { class: "number" }, signed(t.b - t.a)))));
  fill(differ.slice(0, 100));
  const flips = c.flipped ? `+${number(c.flipped.to_right.length)} −${number(c.flipped.to_wrong.length)}` : null;
  return el("section", { class: "card scroll" },
    el("h2", {}, bdi(b), " less ", bdi(a), ": ", bdi(main.label)),
    el("div", { class: "tiles" }, tile(signed(main.difference), `[${interval(main.interval)}], paired by task`), tile(fixed(main.a), bdi(a)), tile(fixed(main.b), bdi(b)),
      flips ? tile(flips, "tasks turned right, wrong") : null, c.mcnemar ? tile(fixed(c.mcnemar.p), `McNemar, exact p${c.mcnemar.tasks_independent ? "" : " (tasks share clusters: the interval holds)"}`) : null),
    intervalBar(main.difference, main.interval, 0, -bound, bound),
    el("p", { class: "quiet" }, `95 % interval over ${number(main.tasks)} tasks in ${number(main.clusters)} clusters.${main.interval ? "" : " None: too few clusters, or no two values differ."}${onlyA || onlyB ? ` ${number(onlyA)} tasks are in the first alone, ${number(onlyB)} in the second alone.` : ""}`),
    c.warnings.length ? el("ul", {}, c.warnings.map((w) => el("li", {}, bdi(w)))) : null,
    el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "task"), el("th", {}, "first"), el("th", {}, "second"), el("th", {}, "difference"))), list),
    differ.length > 100 ? el("button", { onclick: (event) => { fill(differ); event.target.remove(); } }, `all ${number(differ.length)} tasks that differ`) : null,
    differ.length ? null : el("p", { class: "quiet" }, "No task differs."));
}
