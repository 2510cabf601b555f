"use strict";
/* What all of the page stands on: elements, text as text, numbers, and the data.
   Nothing here or elsewhere writes markup: what a policy wrote becomes text nodes alone. */

function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.flat(Infinity).filter(Boolean));
  return node;
}

/* Control characters, marks that reorder what stands around them, and what has no width. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const MAX_MARKS = 300;

/* The text with what cannot be seen made visible: an array of strings and elements. */
function seen(text) {
  const parts = [];
  let last = 0, marks = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const code = "U+" + match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(text.slice(last, match.index));
    parts.push(marks++ < MAX_MARKS ? el("span", { class: "mark" }, code) : `[${code}]`);
    last = match.index + match[0].length;
  }
  parts.push(text.slice(last));
  return parts;
}

/* One line of untrusted text that moves nothing around it. */
function bdi(text, props) {
  return el("bdi", props, seen(String(text)));
}

function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return value.toFixed(digits);
}

function percent(value) {
  return value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`;
}

function fixed(value) {
  return value === null || value === undefined ? "–" : Math.abs(value) >= 1000 ? number(value) : value.toFixed(3);
}

function interval(pair) {
  return pair ? `${fixed(pair[0])} – ${fixed(pair[1])}` : "–";
}

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 3600) return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
  return value >= 100 ? `${Math.floor(value / 60)} min ${Math.round(value % 60)} s` : `${value.toFixed(1)} s`;
}

function bytesOf(base64) {
  const binary = atob(base64.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function unpacked(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/* The blocks come after the script: a rollout that is opened at once waits for the rest. */
const wholeFile = new Promise((resolve) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

const MAX_OPEN_BLOCKS = 12;
const openBlocks = new Map();

async function block(number) {
  let found = openBlocks.get(number);
  if (!found) {
    let element = document.getElementById(`b${number}`);
    if (!element || !element.nextSibling) {
      await wholeFile;
      element = document.getElementById(`b${number}`);
    }
    found = unpacked(element.textContent);
    openBlocks.set(number, found);
    if (openBlocks.size > MAX_OPEN_BLOCKS) openBlocks.delete(openBlocks.keys().next().value);
  }
  return found;
}

async function rolloutData(i) {
  return (await block(rows.block[i]))[rows.item[i]];
}

function picture(name, alt) {
  const element = document.getElementById(`p${name}`);
  if (!element) return el("span", { class: "quiet" }, "(no picture)");
  return el("img", { src: `data:${element.dataset.type};base64,${element.textContent}`, alt, loading: "lazy" });
}

/* Set by app.js once the index is read. */
let data = null;
let rows = null;
let count = 0;
let byId = new Map();

function setData(index) {
  data = index;
  rows = index.rows;
  count = rows.id.length;
  byId = new Map(rows.id.map((id, i) => [id, i]));
}

function section(i) {
  return data.runs[rows.run[i]].sections[rows.section[i]];
}

/* What the siblings of a rollout share. */
function groupKey(i) {
  return `${rows.run[i]}/${rows.section[i]}/${rows.group[i]}`;
}

function siblings(i) {
  const key = groupKey(i), found = [];
  for (let j = 0; j < count; j++) if (rows.group[j] === rows.group[i] && groupKey(j) === key) found.push(j);
  return found;
}

function taskLink(i, text) {
  return el("a", { href: `#rollout/${encodeURIComponent(rows.id[i])}` }, text === undefined ? bdi(rows.task[i]) : text);
}

function statusBadge(i) {
  const status = rows.status[i], right = rows.right[i];
  if (status !== "scored") return el("span", { class: "badge bad" }, status);
  if (right === 1) return el("span", { class: "badge good" }, "right");
  if (right === 0) return el("span", { class: "badge wrong" }, "wrong");
  return el("span", { class: "badge" }, "scored");
}

function kept(key, value) {
  try {
    if (value === undefined) return JSON.parse(localStorage.getItem(`inward.${key}`));
    localStorage.setItem(`inward.${key}`, JSON.stringify(value));
  } catch { /* a page from a file may have no storage */ }
  return null;
}
