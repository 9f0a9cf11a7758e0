// Builds elements. Text always goes in as text, never as markup, so nothing that was pushed can become part of a page.

/** Makes an element: element("a", { href: "/", class: "x", onclick: f }, "text", child, …). */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
}

/** Puts children in the place of what a node held. */
export function replace(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** A label set as {name="value", …}, names coloured. */
export function labelSet(labels, { without = [] } = {}) {
  const names = Object.keys(labels).filter((name) => name !== "__name__" && !without.includes(name));
  const parts = names.flatMap((name, index) => [
    index ? ", " : "",
    element("span", { class: "name" }, element("bdi", {}, quoteName(name))),
    "=",
    element("bdi", {}, `"${escapeValue(labels[name])}"`),
  ]);
  const metric = labels.__name__ ?? "";
  return element("span", { class: "labels" }, metric ? element("bdi", {}, metric) : null, names.length || !metric ? ["{", parts, "}"] : null);
}

/** The same as plain text, as PromQL writes it. */
export function labelText(labels) {
  const metric = labels.__name__ ?? "";
  const pairs = Object.entries(labels)
    .filter(([name]) => name !== "__name__")
    .map(([name, value]) => `${quoteName(name)}="${escapeValue(value)}"`);
  if (metric && !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(metric)) return `{${[`"${escapeValue(metric)}"`, ...pairs].join(", ")}}`;
  return pairs.length || !metric ? `${metric}{${pairs.join(", ")}}` : metric;
}

function quoteName(name) {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : `"${escapeValue(name)}"`;
}

export function escapeValue(value) {
  return String(value).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n");
}

/** Copies text and says so on the button. */
export function copyButton(text, title = "Copy") {
  const button = element("button", {
    type: "button", class: "copy",
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(typeof text === "function" ? await text() : text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Could not copy";
      }
      setTimeout(() => (button.textContent = title), 1500);
    },
  }, title);
  return button;
}
