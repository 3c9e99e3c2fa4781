"use strict";
// Sorting and searching. The page says everything without it.

function valueOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value ?? cell.textContent.trim();
}

function compare(a, b) {
  const empty = (text) => text === "" || text === "–";
  if (empty(a) || empty(b)) return empty(a) - empty(b);
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference) ? a.localeCompare(b, undefined, { numeric: true }) : difference;
}

function sortTable(head) {
  const table = head.closest("table");
  const body = table.tBodies[0];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = Array.from(body.rows, (row) => [valueOf(row, head.cellIndex), row]);
  keyed.sort(([a], [b]) => {
    const blank = (text) => text === "" || text === "–";
    return down && !blank(a) && !blank(b) ? compare(b, a) : compare(a, b);
  });
  body.append(...keyed.map(([, row]) => row));
}

for (const head of document.querySelectorAll("table.sortable thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.addEventListener("click", () => sortTable(head)); // the button brings keys, the whole heading is clicked
  head.append(button);
}

for (const box of document.querySelectorAll("[data-search]")) {
  const items = Array.from(document.querySelectorAll(box.dataset.search));
  const texts = items.map((item) => (item.dataset.text ?? item.textContent).toLowerCase());
  const input = document.createElement("input");
  const found = document.createElement("span");
  input.type = "search";
  input.placeholder = box.dataset.label;
  input.setAttribute("aria-label", box.dataset.label);
  found.setAttribute("role", "status");
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((item, index) => {
      item.hidden = !words.every((word) => texts[index].includes(word));
      shown += !item.hidden;
    });
    found.textContent = words.length ? `${shown} of ${items.length} shown` : "";
  });
  box.append(input, found);
}
