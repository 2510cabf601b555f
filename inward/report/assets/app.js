/* Which page is shown: the hash says so, and every state of the page has one. */
"use strict";

const main = el("main", { id: "main" });
const nav = el("nav", { "aria-label": "pages" });
let current = null;
let drawn = "";  // the address that `current` was drawn for

const HELP = [
  ["o, r, c", "overview, rollouts, compared"], ["/", "search"], ["j k ↑ ↓", "move in the table"], ["Enter", "open"],
  ["j k ← →", "next and previous rollout"], ["g", "the group"], ["e", "fold or unfold all"], ["Esc", "back"], ["?", "this"],
];

function route() {
  const [path, query] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
  const [name, ...rest] = path.split("/");
  const id = rest.length ? decodeURIComponent(rest.join("/")) : "";
  return { name: name || "overview", id, query: new URLSearchParams(query || "") };
}

function render() {
  drawn = location.href;
  const { name, id, query } = route();
  searching++;
  const pages = { overview: () => overview(query), rollouts: () => table(query), rollout: () => rollout(id), group: () => group(id), compared: () => pairs() };
  let page;
  try {
    page = (pages[name] || pages.overview)();
  } catch (error) {
    page = el("div", { class: "page" }, el("p", { class: "error" }, `This page cannot be shown: ${error}`));
  }
  current = page;
  main.replaceChildren(page);
  scrollTo(0, 0);
  for (const link of nav.querySelectorAll("a")) link.classList.toggle("on", link.dataset.page === name || (link.dataset.page === "rollouts" && ["rollout", "group"].includes(name)));
  if (page.onShown) page.onShown();
}

function follow() {
  if (drawn !== location.href) render();
}

function theme(next) {
  const dark = next || kept("theme");
  if (dark) document.documentElement.dataset.theme = dark;
  return dark;
}

function toggleTheme() {
  const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const next = now === "dark" ? "light" : "dark";
  kept("theme", next);
  theme(next);
}

function help() {
  const dialog = el("dialog", { onclick: () => dialog.close(), onclose: () => dialog.remove() }, el("h2", {}, "Keys"), el("dl", {}, HELP.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])));
  document.body.append(dialog);
  dialog.showModal();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  follow();  // a key may come before the news of the address that the last one set
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "Enter" && /^(A|BUTTON|SUMMARY)$/.test(event.target.tagName)) return;
  if (current && current.onKey && current.onKey(event)) { event.preventDefault(); return; }
  if (event.key === "o") location.hash = "#overview";
  else if (event.key === "r") location.hash = "#rollouts";
  else if (event.key === "c" && data.comparisons.length) location.hash = "#compared";
  else if (event.key === "/") { location.hash = "#rollouts"; follow(); document.getElementById("search").focus(); event.preventDefault(); }
  else if (event.key === "?") help();
  else if (event.key === "Escape") history.back();
}

async function start() {
  theme();
  document.body.append(el("header", {}, nav, el("button", { title: "light or dark", "aria-label": "light or dark", onclick: toggleTheme }, "◐"), el("button", { title: "keys", "aria-label": "keys", onclick: help }, "?")), main);
  if (typeof DecompressionStream === "undefined") {
    main.append(el("p", { class: "error" }, "This browser is too old to read the report: it lacks DecompressionStream (any of 2023 or newer has it)."));
    return;
  }
  setData(await unpacked(document.getElementById("index").textContent));
  const pages = [["overview", "Overview"], ["rollouts", "Rollouts"], ...(data.comparisons.length ? [["compared", "Compared"]] : [])];
  nav.append(...pages.map(([page, text]) => el("a", { href: `#${page}`, "data-page": page }, text)));
  addEventListener("hashchange", follow);
  addEventListener("keydown", onKey);
  addEventListener("resize", () => { if (current && current.onResize) current.onResize(); });
  render();
}

start();
