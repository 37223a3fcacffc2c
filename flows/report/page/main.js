"use strict";
// What the reader asks for: search, groups, filter, sorting, views, keys, and the address of an image.

(function () {
  const $ = (id) => document.getElementById(id);
  const { element, decisions, gallery, table, viewer } = dip;
  const asked = { search: "", group: null, decision: "", where: { column: "", side: 1, value: NaN }, sort: { column: "", down: false } };
  let order = [], current = -1, view = "gallery", isLoaded = false;

  dip.say = (text) => ($("state").textContent = text);
  dip.linkTo = (name) => `#image=${encodeURIComponent(name)}`;

  // ---- the selection and its views

  function select() {
    const row = order[current];
    order = dip.select(asked);
    current = order.indexOf(row);
    show();
  }

  function show() {
    const isTable = view === "table";
    $("table").hidden = !isTable;
    $("gallery").hidden = isTable;
    if (isTable) table.show(order, asked.sort, current);
    else gallery.show(order);
    tell();
  }

  function tell() {
    const count = (number) => number.toLocaleString("en");
    if (!isLoaded) return dip.say(`Loading rows: ${count(dip.loaded())} of ${count(dip.told.rows)} …`);
    const images = `${count(order.length)} of ${count(dip.told.rows)} images`;
    const pictured = gallery.pictured();
    const others = view === "gallery" && pictured < order.length ? `; ${count(pictured)} of them have pictures, the table has all` : "";
    dip.say(order.length ? images + others : "No image is like that.");
  }

  function chip(title, count, isOn, action, kind = "") {
    const made = element("button", { type: "button", className: `chip ${kind}`, onclick: action }, title);
    made.setAttribute("aria-pressed", isOn);
    if (count !== null) made.append(" ", element("span", { className: "count" }, count.toLocaleString("en")));
    return made;
  }

  function drawChips() {
    const { group, decision } = asked;
    const choose = (changes) => () => {
      Object.assign(asked, { group: null, decision: "" }, changes);
      drawChips();
      select();
    };
    const counts = decisions.counts();
    $("chips").replaceChildren(
      chip("All", dip.told.rows, group === null && !decision, choose({})),
      ...dip.told.groups.flatMap(({ title, total, name }, i) =>
        total < dip.told.rows || group === i ? [chip(title, total, group === i, choose({ group: i }), name)] : []),
      ...decisions.kinds.flatMap((kind, i) =>
        counts[i] || decision === kind ? [chip(kind, counts[i], decision === kind, choose({ decision: kind }), kind)] : []),
    );
    $("decided").value = decisions.size();
    $("tally").textContent = decisions.kinds.map((kind, i) => `${counts[i]} ${kind}`).join(", ");
  }

  // ---- the tools

  function fillTools() {
    const numbers = dip.columns().filter(({ kind }) => kind === "number");
    $("where-column").append(...numbers.map(({ name, title }) => element("option", { value: name }, title)));
    const orders = dip.columns().flatMap(({ name, title, kind }) =>
      kind === "number"
        ? [[`-${name}`, `${title}, largest first`], [`+${name}`, `${title}, smallest first`]]
        : [[`+${name}`, title]]);
    $("sort").append(element("option", { value: "" }, "as in the output"), ...orders.map(([value, title]) => element("option", { value }, title)));
  }

  function sortBy(column, down) {
    asked.sort = { column, down };
    $("sort").value = column ? (down ? "-" : "+") + column : "";
    select();
  }

  let pause = 0;
  $("search").oninput = () => {
    clearTimeout(pause);
    pause = setTimeout(() => ((asked.search = $("search").value.trim()), select()), 120);
  };
  $("tools").onsubmit = (event) => event.preventDefault();
  for (const name of ["column", "side", "value"]) {
    $(`where-${name}`).oninput = () => {
      const text = $("where-value").value;
      asked.where = { column: $("where-column").value, side: Number($("where-side").value), value: text === "" ? NaN : Number(text) };
      select();
    };
  }
  $("sort").onchange = () => sortBy($("sort").value.slice(1), $("sort").value.startsWith("-"));
  table.onSort(({ name, kind }) => {
    const isSame = asked.sort.column === name;
    sortBy(name, isSame ? !asked.sort.down : kind === "number");
  });

  function switchTo(name) {
    view = name;
    document.querySelector(`input[name=view][value=${name}]`).checked = true;
    show();
  }
  for (const input of document.querySelectorAll("input[name=view]")) input.onchange = () => switchTo(input.value);

  $("save").onclick = () => decisions.save();
  $("save-list").onclick = () =>
    decisions.saveList(asked.decision || "images", order.map((row) => dip.value(row, "image_id")));
  $("load").onchange = async () => {
    try {
      dip.say(`${decisions.load(await $("load").files[0].text())} decisions loaded.`);
    } catch (error) {
      dip.say(`Expected a file that this page has saved; ${error.message}.`);
    }
    $("load").value = "";
  };
  $("help-button").onclick = () => $("help").showModal();
  for (const button of document.querySelectorAll(".copy")) {
    button.onclick = () => copy(button.previousElementSibling, button);
  }

  async function copy(code, button) {
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected"; // a page on a disk may not write there: Ctrl-C does
    }
  }
  decisions.onChange(drawChips);

  // ---- one image: its address is the page's, so that Back works and an image can be linked to

  function openAt(position) {
    if (order[position] !== undefined) location.hash = dip.linkTo(dip.value(order[position], "image_id"));
  }

  function follow() {
    const name = /^#image=(.*)$/.exec(location.hash)?.[1];
    if (name === undefined) return viewer.isOpen() ? viewer.close() : undefined;
    const wanted = decodeURIComponent(name);
    current = order.findIndex((row) => dip.value(row, "image_id") === wanted);
    if (current < 0) return dip.say(`There is no image ${wanted} here.`);
    return viewer.open(order[current], current, order.length);
  }
  window.addEventListener("hashchange", follow);

  function walk(step) {
    const position = current + step;
    if (position >= 0 && position < order.length) history.replaceState(null, "", dip.linkTo(dip.value(order[position], "image_id"))), follow();
  }
  viewer.onWalk(walk);
  viewer.onClose = () => {
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    if (view === "table") table.mark(current);
    else gallery.focus(current);
  };
  table.onOpen(openAt);

  // ---- keys

  const DECISIONS = { a: "accepted", r: "rejected", d: "again", u: "" };

  function decide(kind) {
    const at = viewer.isOpen() || view === "table" ? current : gallery.focused();
    const row = order[at];
    if (row !== undefined && dip.told.decides) decisions.decide(dip.value(row, "image_id"), kind);
  }

  function step(key) {
    if (viewer.isOpen()) return key === "ArrowLeft" ? walk(-1) : key === "ArrowRight" ? walk(1) : null;
    if (view === "table") return stepTable({ ArrowUp: -1, ArrowDown: 1 }[key] || 0);
    const places = gallery.positions(), at = places.indexOf(gallery.focused());
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -gallery.columns(), ArrowDown: gallery.columns() }[key];
    return gallery.focus(places[Math.min(places.length - 1, Math.max(0, at + by))]);
  }

  function stepTable(by) {
    current = Math.min(order.length - 1, Math.max(0, current + by));
    table.mark(current);
  }

  const KEYS = {
    Escape: () => viewer.isOpen() && viewer.close(),
    Enter: () => !viewer.isOpen() && view === "table" && openAt(current),
    "/": () => $("search").focus(),
    g: () => !viewer.isOpen() && switchTo("gallery"),
    t: () => !viewer.isOpen() && switchTo("table"),
    "?": () => $("help").showModal(),
  };

  function isTyping({ target, key }) {
    if (target.matches("input:not([type=range], [type=radio], [type=file]), textarea")) return key !== "Escape";
    if (target.matches("input[type=range]")) return key.startsWith("Arrow");
    if (target.matches("select, input[type=radio]")) return key !== "Escape";
    if (target.matches("button, summary, a")) return key === " " || key === "Enter";
    return false;
  }

  document.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || isTyping(event)) return;
    if (key === "Escape" && event.target.matches("input")) return event.target.blur();
    const action = key in DECISIONS ? () => decide(DECISIONS[key])
      : key.startsWith("Arrow") ? () => step(key)
      : KEYS[key] || (viewer.isOpen() && viewer.keys[key]);
    if (!action) return;
    if (key !== "Enter" || view === "table") event.preventDefault();
    action();
  });

  // ---- the start

  (async () => {
    document.body.classList.toggle("undecided", !dip.told.decides);
    fillTools();
    drawChips();
    let isFirst = true;
    try {
      await dip.loadRows(() => {
        if (isFirst) select();
        else tell();
        isFirst = false;
      });
    } catch (error) {
      return dip.say(`${error.message}: it should lie beside the page. Make the report again.`);
    }
    isLoaded = true;
    select();
    follow();
  })();
})();
