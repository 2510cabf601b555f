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
  const [a, b] = [sideName(c.first), sideName(c.second)];
  const bound = Math.max(Math.abs(c.difference), ...(c.interval || []).map(Math.abs), 1e-9) * 1.1;
  const flips = c.by_task.filter((t) => t.first !== t.second);
  const more = (c.only_first || c.only_second) ? ` ${number(c.only_first)} tasks are in the first alone, ${number(c.only_second)} in the second alone.` : "";
  const list = el("tbody");
  const fill = (tasks) => list.replaceChildren(...tasks.map((t) => el("tr", { class: t.second > t.first ? "up" : "down" }, el("td", {}, bdi(t.task)),
    el("td", { class: "number" }, byId.has(t.ids[0]) ? taskLink(byId.get(t.ids[0]), number(t.first)) : number(t.first)),
    el("td", { class: "number" }, byId.has(t.ids[1]) ? taskLink(byId.get(t.ids[1]), number(t.second)) : number(t.second)),
    el("td", { class: "number" }, signed(t.second - t.first)))));
  fill(flips.slice(0, 100));
  return el("section", { class: "card scroll" },
    el("h2", {}, bdi(b), " less ", bdi(a), ": ", bdi(c.metric)),
    el("div", { class: "tiles" }, tile(signed(c.difference), `[${interval(c.interval)}], paired by task`), tile(number(c.means[0]), bdi(a)), tile(number(c.means[1]), bdi(b)),
      tile(`+${number(c.better)} −${number(c.worse)}`, `of ${number(c.tasks)} tasks better, worse`), c.mcnemar === null ? null : tile(number(c.mcnemar), "McNemar, exact p")),
    intervalBar(c.difference, c.interval, 0, -bound, bound),
    el("p", { class: "quiet" }, `95 % interval over ${number(c.clusters)} clusters.${c.interval ? "" : " None: too few clusters, or no two values differ."}${more}`),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "task"), el("th", {}, "first"), el("th", {}, "second"), el("th", {}, "difference"))), list),
    flips.length > 100 ? el("button", { onclick: (event) => { fill(flips); event.target.remove(); } }, `all ${number(flips.length)} tasks that differ`) : null,
    flips.length ? null : el("p", { class: "quiet" }, "No task differs."));
}
