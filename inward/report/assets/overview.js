/* The first page: what a run came to. */
"use strict";

function overview(query) {
  const run = Math.min(Number(query.get("run")) || 0, data.runs.length - 1);
  const shown = data.runs[run];
  const last = Math.max(0, shown.sections.length - 1);
  const chosen = query.has("section") ? Math.min(Number(query.get("section")) || 0, last) : last;
  const found = shown.sections[chosen];
  const page = el("div", { class: "page" });
  page.append(heading(run, shown, chosen));
  if (Object.keys(shown.curves).length || shown.sections.filter((s) => s.step !== null).length > 1) page.append(curve(run, shown));
  if (!found || !(found.rollouts.scored + found.rollouts.failed)) {
    page.append(el("p", {}, "No rollout was read."));
    page.append(notes(shown, found));
    return page;
  }
  page.append(tiles(run, chosen, found), scoreTable(found));
  page.append(el("div", { class: "columns" }, found.trainability ? trainability(found.trainability, found.maj_at) : null, counts(found), notes(shown, found)));
  page.append(el("div", { class: "figures" }, found.figures.map((f) => plot(f))));
  return page;
}

function go(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  location.hash = `#${path}${[...query].length ? "?" + query : ""}`;
}

function choice(name, options, value, change) {
  return el("label", { class: "choice" }, el("span", {}, name),
    el("select", { onchange: (event) => change(event.target.value) }, options.map(([v, text]) => el("option", { value: v, selected: String(v) === String(value) }, text))));
}

function sectionName(s) {
  return [s.label, s.environment].filter(Boolean).join(" · ") || "all";
}

function heading(run, shown, chosen) {
  const found = shown.sections[chosen];
  const head = el("div", { class: "heading" }, el("h1", {}, bdi(shown.name)));
  if (found && (found.environment || found.model)) head.append(el("p", { class: "quiet" }, bdi([found.environment, found.model].filter(Boolean).join(" · "))));
  if (data.runs.length > 1) head.append(choice("run", data.runs.map((r, i) => [i, r.name]), run, (v) => go("overview", { run: v })));
  if (shown.sections.length > 1) head.append(choice("rollouts of", shown.sections.map((s, i) => [i, sectionName(s)]), chosen, (v) => go("overview", { run, section: v })));
  return head;
}

/* What a trainer logged, and the mean reward of the rollouts it played; a click opens the step. */
function curve(run, shown) {
  const own = new Map();
  shown.sections.forEach((s) => {
    if (s.step === null || s.mean_reward === null) return;
    const name = `mean reward, ${s.kind}, ${s.environment}`;
    own.set(name, [...(own.get(name) || []), [s.step, s.mean_reward]]);
  });
  const all = { ...Object.fromEntries(own), ...shown.curves };
  const names = Object.keys(all);
  const place = el("div");
  const draw = (name) => place.replaceChildren(plot({ kind: "lines", title: name, x: "step", y: "", lines: [{ name, points: all[name] }] }, open));
  function open(step) {
    const places = shown.sections.map((s, i) => [s, i]).filter(([s]) => s.step !== null);
    if (!places.length) return;
    places.sort((a, b) => Math.abs(a[0].step - step) - Math.abs(b[0].step - step));
    go("overview", { run, section: places[0][1] });
  }
  const wanted = el("input", { type: "search", placeholder: `find one of ${number(names.length)} curves`, "aria-label": "find a curve" });
  const select = el("select", { "aria-label": "curve", onchange: () => draw(select.value) });
  const fill = () => {
    const words = wanted.value.trim().toLowerCase().split(/\s+/);
    const fitting = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
    select.replaceChildren(...fitting.map((name) => el("option", { value: name }, name)));
    if (fitting.length) draw(fitting[0]);
  };
  wanted.addEventListener("input", fill);
  fill();
  return el("div", { class: "curve" }, el("div", { class: "bar" }, select, names.length > 8 ? wanted : null), place,
    el("p", { class: "quiet" }, `A click on a point shows the rollouts of the nearest step that has some.${shown.curves_left_out ? ` ${number(shown.curves_left_out)} more names of the log are left out.` : ""}`));
}

function tile(value, text, href) {
  const inside = [el("b", {}, value), el("span", {}, text)];
  return href ? el("a", { class: "tile", href }, inside) : el("div", { class: "tile" }, inside);
}

function tiles(run, chosen, s) {
  const score = s.scores[0], played = s.rollouts.scored + s.rollouts.failed;
  const here = { run, section: chosen };
  const link = (view) => `#rollouts?${new URLSearchParams({ ...here, ...(view ? { view } : {}) })}`;
  const rate = s.rollouts_per_s ? `${s.rollouts_per_s < 1 ? number(s.rollouts_per_s, 2) : number(s.rollouts_per_s, 1)} rollouts/s` : "";
  return el("div", { class: "tiles" },
    score && score.mean !== null ? tile(fixed(score.mean), el("span", {}, bdi(score.label), ` [${interval(score.interval)}]`)) : null,
    score && score.chance !== null ? tile(fixed(score.chance), "chance") : null,
    s.mean_reward !== null && (!score || score.mean !== s.mean_reward) ? tile(fixed(s.mean_reward), `mean reward [${interval(s.reward_interval)}]`) : null,
    tile(number(s.rollouts.scored), `of ${number(played)} rollouts scored`, link("")),
    s.rollouts.failed ? tile(number(s.rollouts.failed), "failed", link("errored")) : null,
    s.flags.truncated ? tile(percent(s.flags.truncated / played), "truncated", link("truncated")) : null,
    s.tokens ? tile(short(s.tokens.output), `tokens out, ${short(s.tokens.input)} in`) : null,
    tile(seconds(s.wall_s), rate || "first start to last end"));
}

function scoreTable(s) {
  const known = s.scores.filter((x) => x.mean !== null);
  if (!known.length) return null;
  return el("div", { class: "card scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ["", "mean", "95 % interval", "", "tasks", "clusters"].map((t) => el("th", { class: t ? "number" : "" }, t)))),
    el("tbody", {}, known.map((x) => [scoreRow(x, ""), x === s.scores[0] ? beside(s, x) : []]))));
}

function scoreRow(x, kind) {
  const inUnit = [x.mean, ...(x.interval || [])].every((v) => v >= 0 && v <= 1);
  const size = (n) => el("td", { class: "number" }, n ? number(n) : "");
  return el("tr", { class: kind ? "beside" : "" }, el("td", {}, kind ? el("span", { class: "quiet" }, `${kind}: `) : null, bdi(x.label)), el("td", { class: "number" }, fixed(x.mean)), el("td", { class: "number" }, interval(x.interval)),
    el("td", {}, inUnit ? intervalBar(x.mean, x.interval, x.chance, 0, 1) : null), size(x.questions), size(x.clusters));
}

/* What the main figure is to be read beside: chance, floors measured on these very tasks, and what baselines earned elsewhere. */
function beside(s, main) {
  const found = [];
  if (main.chance !== null) found.push(scoreRow({ label: "guessing", mean: main.chance, interval: null, chance: null }, "chance"));
  for (const floor of s.floors || []) if (floor.mean !== null) found.push(scoreRow(floor, "floor"));
  for (const [label, mean] of Object.entries(s.published)) found.push(scoreRow({ label, mean, interval: null, chance: null }, "published"));
  if (s.noise_floor !== null) found.push(scoreRow({ label: "largest difference by the measurement alone", mean: s.noise_floor, interval: null, chance: null }, "noise"));
  return found;
}

function facts(title, pairs) {
  const kept = pairs.filter((p) => p && p[1] !== "–");
  return el("section", { class: "card" }, el("h2", {}, title), el("dl", {}, kept.map(([name, value]) => [el("dt", {}, bdi(name)), el("dd", {}, value)])));
}

function trainability(c, majority) {
  const solved = c.share_solved_20_80 !== null;
  const best = Object.entries(c.pass_at).map(([k, v]) => `${k}: ${fixed(v)}`).join(" · ");
  const card = facts(`Trainability: ${c.groups} groups, ${c.rollouts} rollouts`, [
    ["groups without spread", `${percent(c.share_without_spread)}${c.all_right === null ? "" : ` (all right ${c.all_right}, all wrong ${c.all_wrong})`}`],
    [solved ? "pass@k" : "best of k", best || "–"],
    majority ? ["maj@k", Object.entries(majority).map(([k, v]) => `${k}: ${fixed(v)}`).join(" · ") || "–"] : null,
    ["solved in 20 to 80 % of rollouts", percent(c.share_solved_20_80)],
    ["variance within tasks", number(c.variance_within, 4)],
    ["variance between tasks", number(c.variance_between, 4)],
    ["noise floor of the reward", number(c.noise_floor, 4)],
    ["truncated", percent(c.share_truncated)],
    [solved ? "tokens, right" : "tokens, better half", number(c.tokens_right, 0)],
    [solved ? "tokens, wrong" : "tokens, worse half", number(c.tokens_wrong, 0)],
  ]);
  card.append(el("p", {}, bdi(c.verdict)));
  return card;
}

function counts(s) {
  const card = facts("How rollouts ended", [
    ...Object.entries(s.stops).map(([name, n]) => [name, number(n)]),
    ...Object.entries(s.flags).map(([name, n]) => [name, number(n)]),
  ]);
  if (s.outcomes.some((o) => o.kind !== "graded")) card.prepend(...facts("What became of them", s.outcomes.map((o) => [o.kind, number(o.count)])).childNodes);
  if (s.failures.length) card.append(el("h2", {}, "Failures by cause"), el("ul", {}, s.failures.map((f) => el("li", {}, `${f.count}: `, bdi(f.cause)))));
  return card;
}

function notes(shown, s) {
  const list = [...((s && s.notes) || []), ...data.notes];
  if (data.shown < data.total) list.unshift(`This file holds ${number(data.shown)} of ${number(data.total)} rollouts: ${data.rule}. The figures are over all.`);
  if (shown.unreadable.count) {
    const named = shown.unreadable.lines.join(", ") + (shown.unreadable.lines.length < shown.unreadable.count ? ", …" : "");
    list.push(`${number(shown.unreadable.count)} unreadable lines, such as a write that was cut short: ${named}.`);
  }
  if (!list.length) return null;
  return el("section", { class: "card" }, el("h2", {}, "Notes"), el("ul", {}, list.map((line) => el("li", {}, bdi(line)))));
}
