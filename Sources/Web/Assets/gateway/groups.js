// The list of groups. Only rows in view exist; they are fetched page by page from the server, which searches and sorts.

import { api, base } from "../common/api.js";
import { element, labelSet, replace } from "../common/dom.js";
import { age, count } from "../common/format.js";

const pageSize = 200;
const host = document.querySelector("#groups");
const head = host.querySelector(".groups-head");
const body = host.querySelector(".groups-body");
const search = document.querySelector("#search");
const status = document.querySelector("#group-count");
const view = { search: new URLSearchParams(location.search).get("search") ?? "", sort: "labels", order: "asc", total: 0, matched: 0, now: 0, pages: new Map(), wanted: 0 };

function rowHeight() {
  return matchMedia("(max-width: 46rem)").matches ? 68 : 44;
}

async function load(page) {
  if (view.pages.has(page)) return;
  view.pages.set(page, null);
  const wanted = view.wanted;
  try {
    const { data } = await api("groups", { search: view.search, sort: view.sort, order: view.order, offset: page * pageSize, limit: pageSize });
    if (wanted !== view.wanted) return;
    view.pages.set(page, data.groups);
    Object.assign(view, { total: data.total, matched: data.matched, now: data.now });
    draw();
  } catch (error) {
    view.pages.delete(page);
    if (wanted === view.wanted) replace(status, element("span", { class: "badge bad" }, error.message));
  }
}

function reload() {
  view.wanted++;
  view.pages.clear();
  load(0);
}

function draw() {
  const height = rowHeight();
  body.style.height = `${view.matched * height}px`;
  const top = body.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(-top / height) - 10);
  const last = Math.min(view.matched, Math.ceil((innerHeight - top) / height) + 10);
  const rows = [];
  for (let index = first; index < last; index++) {
    const page = Math.floor(index / pageSize);
    const group = view.pages.get(page)?.[index % pageSize];
    if (!view.pages.has(page)) load(page);
    rows.push(group ? row(group, index * height) : element("div", { class: "group-row faint", style: { top: `${index * height}px` } }, "…"));
  }
  replace(body, rows.length ? rows : emptyNote());
  if (!rows.length) body.style.height = "auto";
  replace(status, view.search ? `${count(view.matched)} of ${count(view.total)} groups` : `${count(view.total)} ${view.total === 1 ? "group" : "groups"}`);
  document.querySelector("#delete-shown").hidden = !view.search || !view.matched;
}

function row(group, top) {
  const failed = group.failed;
  return element("a", { class: "group-row", href: `${base}/${group.page}`, style: { top: `${top}px` } },
    labelSet(group.labels),
    element("span", { title: group.last_push ? new Date(group.last_push * 1000).toISOString() : "" }, age(view.now - group.last_push)),
    element("span", { class: failed ? "failed" : "faint" }, group.last_failure ? (failed ? `failed ${age(view.now - group.last_failure)}` : age(view.now - group.last_failure)) : "never failed"),
    element("span", { class: "number" }, count(group.families)),
    element("span", { class: "number" }, count(group.series)));
}

function emptyNote() {
  return view.search
    ? element("p", { class: "empty" }, `No group has "${view.search}" in a label or a family name.`)
    : element("div", { class: "empty" }, element("p", {}, "Nothing has been pushed yet. Try:"),
        element("pre", {}, `echo 'my_metric 42' | curl --data-binary @- ${location.origin}${base}/metrics/job/my_job`));
}

function heads() {
  for (const button of head.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const same = view.sort === button.dataset.sort;
      view.order = same ? (view.order === "asc" ? "desc" : "asc") : button.dataset.sort === "labels" ? "asc" : "desc";
      view.sort = button.dataset.sort;
      for (const other of head.querySelectorAll("button")) other.textContent = other.textContent.replace(/ [↑↓]$/, "");
      button.textContent += view.order === "asc" ? " ↑" : " ↓";
      reload();
    });
  }
}

let pause = 0;
search.value = view.search;
search.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => {
    view.search = search.value.trim();
    history.replaceState(null, "", view.search ? `?search=${encodeURIComponent(view.search)}` : location.pathname);
    reload();
  }, 120);
});
search.form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
addEventListener("resize", () => requestAnimationFrame(draw), { passive: true });
document.querySelector("#reload").addEventListener("click", reload);
document.querySelector("#delete-shown").addEventListener("click", confirmDeletion);
heads();
load(0);

function confirmDeletion() {
  const go = element("button", { type: "button", class: "danger" }, `Delete ${count(view.matched)} groups`);
  const note = element("p", {}, `All ${count(view.matched)} groups that match "${view.search}" will be deleted. This cannot be undone.`);
  const dialog = element("dialog", { "aria-label": "Delete groups" }, element("h2", {}, "Delete what the search shows?"), note,
    element("div", { class: "bar" }, go, element("button", { type: "button", onclick: () => dialog.close() }, "Keep them")));
  go.addEventListener("click", async () => {
    go.disabled = true;
    let done = 0;
    try {
      for (;;) {
        const { data } = await api("groups", { search: view.search, limit: 500 });
        if (!data.groups.length) break;
        for (const group of data.groups) {
          const answer = await fetch(`${base}/${group.push}`, { method: "DELETE", headers: { "X-Narthex-Page": "1" } });
          if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
          replace(note, `${count(++done)} deleted`);
        }
      }
      dialog.close();
    } catch (error) {
      replace(note, element("span", { class: "badge bad" }, "Stopped"), ` after ${count(done)}: ${error.message}`);
      go.disabled = false;
    }
    reload();
  });
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
