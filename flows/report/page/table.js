"use strict";
// All selected rows as a table. Only the rows in sight are elements: a hundred thousand scroll like a hundred.

(function () {
  const ROW_PX = 34, SPARE = 12;
  const WIDTHS = { text: 280, word: 130, number: 108 };
  const { element } = dip;
  let order = [], current = -1, onSort = () => {}, onOpen = () => {};

  const root = document.getElementById("table");
  const scroller = element("div", { className: "scroller", tabIndex: 0, role: "region", ariaLabel: "Table of images" });
  const head = element("tr", { ariaRowIndex: "1" });
  const body = element("tbody");
  const table = element("table", { className: "rows" }, element("thead", {}, head), body);
  const [above, below] = [element("tr", { className: "spacer", ariaHidden: "true" }), element("tr", { className: "spacer", ariaHidden: "true" })];
  scroller.append(table);
  root.append(scroller);

  function buildHead(sort) {
    const cells = dip.columns().map((column) => {
      const isSorted = sort.column === column.name;
      const button = element("button", { type: "button", title: column.help || "", onclick: () => onSort(column) }, column.title);
      const cell = element("th", { scope: "col", className: `${column.kind} ${column.name}` }, button);
      cell.style.width = `${WIDTHS[column.kind]}px`;
      cell.setAttribute("aria-sort", isSorted ? (sort.down ? "descending" : "ascending") : "none");
      return cell;
    });
    head.replaceChildren(cells[0], element("th", { scope: "col", className: "mark" }, "Decision"), ...cells.slice(1));
    table.style.width = `${110 + dip.columns().reduce((sum, { kind }) => sum + WIDTHS[kind], 0)}px`;
  }

  function cell(row, { name, kind }) {
    const text = dip.text(row, name);
    const inner = name === "image_id" ? element("a", { href: dip.linkTo(text) }, text) : text;
    const status = name === "status" ? text : "";
    return element("td", { className: `${kind} ${name} ${status}`, title: kind === "text" ? text : "" }, inner);
  }

  function rowElement(position) {
    const row = order[position];
    const name = dip.value(row, "image_id");
    const decision = dip.decisions.of(name);
    const made = element("tr", { ariaRowIndex: String(position + 2) });
    made.dataset.position = position;
    made.classList.toggle("current", position === current);
    const [first, ...others] = dip.columns().map((column) => cell(row, column));
    made.append(first, element("td", { className: "mark" }, element("span", { className: `badge ${decision}` }, decision)), ...others);
    return made;
  }

  function draw() {
    if (root.hidden) return;
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - SPARE);
    const last = Math.min(order.length, first + Math.ceil(scroller.clientHeight / ROW_PX) + 2 * SPARE);
    const rows = [];
    for (let position = first; position < last; position++) rows.push(rowElement(position));
    above.style.height = `${first * ROW_PX}px`;
    below.style.height = `${(order.length - last) * ROW_PX}px`;
    body.replaceChildren(above, ...rows, below);
  }

  let isAsked = false;
  function drawSoon() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => ((isAsked = false), draw()));
  }

  function keepInSight() {
    const top = current * ROW_PX, room = scroller.clientHeight - 2 * ROW_PX;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
  }

  scroller.addEventListener("scroll", drawSoon, { passive: true });
  new ResizeObserver(drawSoon).observe(scroller);
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-position]");
    if (row && !event.target.closest("a")) onOpen(Number(row.dataset.position));
  });
  dip.decisions.onChange(drawSoon);

  dip.table = {
    onSort: (action) => (onSort = action),
    onOpen: (action) => (onOpen = action),
    show(selected, sort, at) {
      [order, current] = [selected, at];
      table.setAttribute("aria-rowcount", order.length + 1);
      buildHead(sort);
      scroller.scrollTop = Math.min(scroller.scrollTop, order.length * ROW_PX);
      draw();
    },
    mark(position) {
      current = position;
      keepInSight();
      draw();
    },
  };
})();
