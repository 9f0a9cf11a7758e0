// The list of groups. Only rows in view exist; they are fetched part by part from the server, which searches and sorts.
// The server has written the first rows already: they stay until the first answer is there, and nothing moves.

import { api, base, send } from "../common/api.js";
import { confirmDialog } from "../common/dialog.js";
import { element, labelSet, replace } from "../common/dom.js";
import { age, bytes, count, time } from "../common/format.js";

const partSize = 200;
const host = document.querySelector("#groups");
const body = host.querySelector(".groups-body");
const search = document.querySelector("#search");
const status = document.querySelector("#group-count");
const deleteShown = document.querySelector("#delete-shown");
const wipe = document.querySelector("#wipe");
const start = new URLSearchParams(location.search);
const view = {
  search: start.get("search") ?? "", sort: start.get("sort") ?? "labels", order: start.get("order") ?? "asc",
  total: 0, matched: 0, now: 0, parts: new Map(), asked: 0,
};
/** The rows that exist, by their place in the list. */
const rows = new Map();
const narrow = matchMedia("(max-width: 46rem)");

async function load(part) {
  if (view.parts.has(part)) return;
  view.parts.set(part, null);
  const mine = view.asked;
  try {
    const { data } = await api("groups", { search: view.search, sort: view.sort, order: view.order, offset: part * partSize, limit: partSize });
    if (mine !== view.asked) return;
    view.parts.set(part, data.groups);
    Object.assign(view, { total: data.total, matched: data.matched, now: data.now });
    draw();
    say();
  } catch (error) {
    if (mine !== view.asked) return;
    view.parts.delete(part);
    replace(status, element("span", { class: "badge bad" }, error.message));
  }
}

/** Asks again; rows that are there stay until the answer is. */
function reload() {
  view.asked++;
  view.parts.clear();
  load(Math.floor(range()[0] / partSize));
}

/** The places that are in view, with some more on both sides. */
function range() {
  const height = narrow.matches ? 68 : 44;
  const top = body.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(-top / height) - 10);
  return [Math.min(first, Math.max(0, view.matched - 1)), Math.min(view.matched, Math.ceil((innerHeight - top) / height) + 10), height];
}

function draw() {
  const [first, last, height] = range();
  if (!host.hasAttribute("data-live")) {
    host.setAttribute("data-live", "");
    document.querySelector("#paging")?.remove();
    replace(body);
  }
  body.style.height = view.matched ? `${view.matched * height}px` : "auto";
  host.setAttribute("aria-rowcount", view.matched + 1);
  body.querySelector(".empty")?.remove();
  for (const [index, row] of rows) {
    if ((index < first || index >= last) && !row.node.contains(document.activeElement)) {
      row.node.remove();
      rows.delete(index);
    }
  }
  for (let index = first; index < last; index++) place(index, height);
  if (!view.matched) emptyNote();
}

/** Puts the right row at a place, where another or none is. */
function place(index, height) {
  const part = Math.floor(index / partSize);
  const group = view.parts.get(part)?.[index % partSize];
  if (!group && !view.parts.has(part)) load(part);
  const old = rows.get(index);
  if (old && (old.group === group || !group)) {
    old.node.style.top = `${index * height}px`;
    return;
  }
  const node = group ? makeRow(group) : element("div", { class: "group-row faint", role: "row" }, element("span", { role: "cell" }, "…"));
  node.style.top = `${index * height}px`;
  node.setAttribute("aria-rowindex", index + 2);
  const focused = old?.node.contains(document.activeElement);
  if (old) old.node.replaceWith(node);
  else insert(index, node);
  rows.set(index, { node, group });
  if (focused) node.querySelector("a")?.focus({ preventScroll: true });
}

/** Rows stand in the document in their order, for keyboards and screen readers. */
function insert(index, node) {
  for (let next = index + 1; next <= index + 60; next++) {
    const after = rows.get(next);
    if (after) return after.node.before(node);
  }
  body.append(node);
}

function makeRow(group) {
  const cell = (content, kind) => element("span", { role: "cell", class: kind }, content);
  return element("div", { class: "group-row", role: "row" },
    cell(element("a", { href: `${base}/${group.page}` }, labelSet(jobFirst(group.labels)))),
    cell(moment(group.last_push)),
    cell([group.failed ? [element("span", { class: "badge bad" }, "failed"), " "] : null, moment(group.last_failure, "never failed")]),
    cell(count(group.families), "number"), cell(count(group.series), "number"), cell(bytes(group.bytes ?? 0), "number"));
}

function jobFirst({ job, ...rest }) {
  return job === undefined ? rest : { job, ...rest };
}

function moment(seconds, otherwise = "never") {
  if (!seconds) return element("span", { class: "faint" }, otherwise);
  const date = new Date(seconds * 1000);
  return element("time", { datetime: date.toISOString() }, age(view.now - seconds), " ", element("small", {}, time(seconds * 1000)));
}

function emptyNote() {
  for (const row of rows.values()) row.node.remove();
  rows.clear();
  replace(body, view.search
    ? element("p", { class: "empty" }, `No group has "${view.search}" in a label or a family name.`)
    : element("div", { class: "empty" }, element("p", {}, "Nothing has been pushed yet. Try:"),
        element("pre", {}, `echo 'my_metric 42' | curl --data-binary @- ${location.origin}${base}/metrics/job/my_job`)));
}

function say() {
  const text = view.search ? `${count(view.matched)} of ${count(view.total)} groups` : `${count(view.total)} ${view.total === 1 ? "group" : "groups"}`;
  if (status.textContent !== text) replace(status, text);
  deleteShown.hidden = !view.search || !view.matched;
  if (wipe) wipe.hidden = !view.total;
}

function remember() {
  const parameters = new URLSearchParams();
  if (view.search) parameters.set("search", view.search);
  if (view.sort !== "labels" || view.order !== "asc") {
    parameters.set("sort", view.sort);
    parameters.set("order", view.order);
  }
  history.replaceState(null, "", parameters.size ? `?${parameters}` : location.pathname);
}

function sortBy(link) {
  const same = view.sort === link.dataset.sort;
  view.order = same ? (view.order === "asc" ? "desc" : "asc") : link.dataset.sort === "labels" ? "asc" : "desc";
  view.sort = link.dataset.sort;
  for (const other of host.querySelectorAll("[data-sort]")) {
    other.parentNode.setAttribute("aria-sort", other !== link ? "none" : view.order === "asc" ? "ascending" : "descending");
  }
  remember();
  reload();
}

function confirmDeletion() {
  const [wanted, matched] = [view.search, view.matched];
  const text = `${matched === 1 ? "The group that matches" : `All ${count(matched)} groups that match`} "${wanted}" will be deleted. This cannot be undone.`;
  confirmDialog({
    title: "Delete what the search shows?", text, action: `Delete ${count(matched)} ${matched === 1 ? "group" : "groups"}`,
    go: async (progress) => {
      try {
        await deleteMatching(wanted, progress);
      } finally {
        reload();
      }
    },
  });
}

async function deleteMatching(wanted, progress) {
  let done = 0;
  for (;;) {
    const { data } = await api("groups", { search: wanted, limit: 1000 });
    if (!data.groups.length) return;
    const waiting = [...data.groups];
    const work = async () => {
      for (let group = waiting.pop(); group; group = waiting.pop()) {
        await send("DELETE", group.push);
        progress(`${count(++done)} deleted`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
  }
}

let pause = 0;
search.value = view.search;
search.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => {
    view.search = search.value.trim();
    remember();
    reload();
  }, 120);
});
search.form.addEventListener("submit", (event) => {
  event.preventDefault();
  reload();
});
host.querySelector(".groups-head").addEventListener("click", (event) => {
  const link = event.target.closest("[data-sort]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  sortBy(link);
});
let drawn = false;
const later = () => {
  if (drawn || !host.hasAttribute("data-live")) return;
  drawn = true;
  requestAnimationFrame(() => { drawn = false; draw(); });
};
addEventListener("scroll", later, { passive: true });
addEventListener("resize", later, { passive: true });
deleteShown.addEventListener("click", confirmDeletion);
wipe?.addEventListener("click", () => confirmDialog({
  title: "Delete everything?", text: `All ${count(view.total)} groups will be deleted. This cannot be undone.`, action: "Delete everything",
  go: async () => { await send("PUT", "api/v1/admin/wipe"); reload(); },
}));
load(0);
