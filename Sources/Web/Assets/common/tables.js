// Tables of status pages: search as you type, sort by a column. The rows are already in the page.

for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  table.querySelectorAll("th").forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    cell.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = cell.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th").forEach((other) => other.setAttribute("aria-sort", "none"));
      cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = (row) => row.cells[column]?.dataset.value ?? row.cells[column]?.textContent ?? "";
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const numeric = x !== "" && y !== "" && !Number.isNaN(Number(x)) && !Number.isNaN(Number(y));
        return (numeric ? Number(x) - Number(y) : x.localeCompare(y)) * (up ? 1 : -1);
      });
      body.append(...rows);
    });
  });
}

for (const search of document.querySelectorAll("input[data-filters]")) {
  const parts = document.querySelectorAll(search.dataset.filters);
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const part of parts) part.hidden = wanted !== "" && !part.textContent.toLowerCase().includes(wanted);
    for (const section of document.querySelectorAll("section")) section.hidden = wanted !== "" && !section.querySelector("tbody tr:not([hidden])");
  });
}
