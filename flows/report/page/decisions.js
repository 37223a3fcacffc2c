"use strict";
// What the reader decides: kept in the browser, saved as decisions.csv, loaded from one.

(function () {
  const PREFIX = `dip-report ${location.pathname} `;
  const HEAD = ["image_id", "decision", "note", "decided_at"];
  const KINDS = ["accepted", "rejected", "again"];
  const kept = new Map(); // image_id → {decision, note, decided_at}
  const listeners = [];

  for (let i = 0; i < localStorage.length; i++) {
    const key = localStorage.key(i);
    if (key.startsWith(PREFIX)) kept.set(key.slice(PREFIX.length), JSON.parse(localStorage.getItem(key)));
  }

  function put(name, entry) {
    const key = PREFIX + name;
    if (entry.decision || entry.note) {
      kept.set(name, entry);
      try {
        localStorage.setItem(key, JSON.stringify(entry));
      } catch (error) {
        dip.say(`This browser keeps no more decisions (${error.name}). Save decisions.csv now.`);
      }
    } else {
      kept.delete(name);
      localStorage.removeItem(key);
    }
  }

  function told() {
    for (const listener of listeners) listener();
  }

  function change(name, changed) {
    const before = kept.get(name) || { decision: "", note: "" };
    put(name, { ...before, ...changed, decided_at: new Date().toISOString() });
    told();
  }

  // ---- CSV as RFC 4180 has it

  const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const csv = (rows) => rows.map((row) => row.map(quoted).join(",") + "\r\n").join("");

  function parsed(text) {
    const rows = [[]];
    const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
    field.lastIndex = text.startsWith("\ufeff") ? 1 : 0;
    while (field.lastIndex < text.length) {
      const found = field.exec(text);
      if (!found) throw new Error("it is no CSV");
      rows.at(-1).push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"'));
      if (found[3] !== ",") rows.push([]);
    }
    return rows.filter((row) => row.length);
  }

  function download(name, text) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    const link = dip.element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  dip.decisions = {
    kinds: KINDS,
    of: (name) => kept.get(name)?.decision || "",
    note: (name) => kept.get(name)?.note || "",
    decide: (name, decision) => change(name, { decision }),
    annotate: (name, note) => change(name, { note }),
    onChange: (listener) => listeners.push(listener),
    counts: () => KINDS.map((kind) => [...kept.values()].filter((entry) => entry.decision === kind).length),
    size: () => kept.size,
    save() {
      const rows = [...kept].sort().map(([name, entry]) => [name, entry.decision, entry.note, entry.decided_at]);
      download("decisions.csv", csv([HEAD, ...rows]));
    },
    saveList: (title, names) => download(`${title}.csv`, csv([["image_id"], ...names.map((name) => [name])])),
    load(text) {
      const [head, ...rows] = parsed(text);
      if (head.join() !== HEAD.join()) throw new Error(`its columns are not ${HEAD.join(", ")}`);
      for (const [name, decision, note, at] of rows) {
        put(name, { decision: KINDS.includes(decision) ? decision : "", note, decided_at: at });
      }
      told();
      return rows.length;
    },
  };
})();
