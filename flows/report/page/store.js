"use strict";
// The rows of the report, column by column, and which of them are selected, in which order.

const dip = {};

(function () {
  const columns = new Map(); // name → {spec, values, words}
  let loaded = 0;

  // ---- scripts: the one way in for data; a page on a disk may not fetch

  const OWN = /^(rows\/rows-\d+|previews\/[0-9a-f]{2}\/[0-9a-f]{32})\.js$/;
  const own = {
    createScriptURL(name) {
      if (!OWN.test(name)) throw new TypeError(`not a script of this report: ${name}`);
      return name;
    },
  };
  const policy = window.trustedTypes ? trustedTypes.createPolicy("dip-scripts", own) : own;

  dip.load = (name) =>
    new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = policy.createScriptURL(name);
      script.onload = () => (script.remove(), done());
      script.onerror = () => (script.remove(), fail(new Error(`${name} cannot be read`)));
      document.head.append(script);
    });

  // ---- what the scripts of the report call

  dip.page = (told) => {
    dip.told = told;
    for (const spec of told.columns) {
      const numbers = spec.kind === "number" ? Float64Array : spec.kind === "word" ? Uint16Array : Array;
      columns.set(spec.name, { spec, values: new numbers(told.rows), words: [""], codes: new Map([["", 0]]) });
    }
  };

  dip.rows = (index, told) => {
    let count = 0;
    for (const [name, column] of columns) count = fill(column, told[name], loaded);
    loaded += count;
  };

  function fill(column, told, start) {
    if (column.spec.kind === "word") {
      const codes = told.words.map((word) => codeOf(column, word));
      told.at.forEach((at, i) => (column.values[start + i] = at === null ? 0 : codes[at]));
      return told.at.length;
    }
    const missing = column.spec.kind === "number" ? NaN : "";
    told.forEach((value, i) => (column.values[start + i] = value === null ? missing : value));
    return told.length;
  }

  function codeOf(column, word) {
    if (!column.codes.has(word)) column.codes.set(word, column.words.push(word) - 1);
    return column.codes.get(word);
  }

  dip.loadRows = async (tell) => {
    for (let i = 0; i < dip.told.scripts; i++) {
      await dip.load(`rows/rows-${String(i).padStart(3, "0")}.js`);
      tell(loaded);
    }
  };

  // ---- values

  dip.loaded = () => loaded;
  dip.has = (name) => columns.has(name);
  dip.columns = () => dip.told.columns.filter((spec) => spec.title);

  dip.value = (row, name) => {
    const { spec, values, words } = columns.get(name);
    return spec.kind === "word" ? words[values[row]] : values[row];
  };

  dip.text = (row, name) => {
    const value = dip.value(row, name);
    if (typeof value !== "number") return value;
    if (Number.isNaN(value)) return "";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const text = value.toFixed(columns.get(name).spec.digits);
    return text.startsWith("-") ? "−" + text.slice(1) : text;
  };

  // ---- selection

  // asked: {search, group (number or null), decision, where: {column, side, value}, sort: {column, down}}
  dip.select = (asked) => {
    const tests = testsOf(asked);
    const found = [];
    for (let row = 0; row < loaded; row++) if (tests.every((test) => test(row))) found.push(row);
    return sorted(found, asked.sort);
  };

  function testsOf({ search, group, decision, where }) {
    const tests = [];
    const groups = columns.get("groups").values;
    if (group !== null) tests.push((row) => groups[row] & (1 << group));
    if (decision) tests.push((row) => dip.decisions.of(dip.value(row, "image_id")) === decision);
    if (where.column && Number.isFinite(where.value)) {
      const { values } = columns.get(where.column);
      tests.push((row) => where.side * values[row] >= where.side * where.value);
    }
    if (search) tests.push(searching(search.toLowerCase()));
    return tests;
  }

  function searching(words) {
    const texts = ["image_id", "error_message", "noted"].filter(dip.has).map((name) => columns.get(name).values);
    return (row) => texts.some((values) => values[row].toLowerCase().includes(words));
  }

  function sorted(found, { column, down }) {
    if (!column) return found;
    const { spec, values, words } = columns.get(column);
    const sign = down ? -1 : 1;
    if (spec.kind !== "number") {
      const text = spec.kind === "word" ? (row) => words[values[row]] : (row) => values[row];
      const { compare } = new Intl.Collator("en", { numeric: true });
      return found.sort((a, b) => sign * compare(text(a), text(b)));
    }
    const known = found.filter((row) => !Number.isNaN(values[row]));
    const missing = found.filter((row) => Number.isNaN(values[row]));
    return known.sort((a, b) => sign * (values[a] - values[b]) || a - b).concat(missing);
  }

  // ---- elements: text goes in as text

  dip.element = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in made && name !== "list") made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };
})();
