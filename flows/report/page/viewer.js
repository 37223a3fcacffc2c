"use strict";
// One image: its pictures on the stage, what is known of it, and the reader's decision.

(function () {
  const items = new Map(); // key → what its script told
  const KEPT = 60;
  const GAINS = [1, 2, 4, 8, 16, 32];
  const WORDS = { accepted: "Accept", rejected: "Reject", again: "Do again" };
  const { element } = dip;
  let shown = null; // {row, name, key, view, left, right}
  let walk = () => {};

  dip.item = (key, content) => {
    items.set(key, content);
    if (items.size > KEPT) items.delete(items.keys().next().value);
  };

  // ---- the parts, made once

  const root = document.getElementById("viewer");
  const button = (text, action, properties = {}) =>
    element("button", { type: "button", onclick: action, ...properties }, text);

  const name = element("h2", { id: "viewer-name" });
  const place = element("p", { className: "place" });
  const bar = element(
    "header", {},
    button("← All images", () => dip.viewer.close(), { className: "back" }),
    element("div", { className: "names" }, name, place),
    button("‹", () => walk(-1), { title: "Previous image (←)", ariaLabel: "Previous image" }),
    button("›", () => walk(1), { title: "Next image (→)", ariaLabel: "Next image" }),
  );
  const stageElement = element("div", { className: "stage", tabIndex: 0, role: "img" });
  const absent = element("p", { className: "absent" });
  const slider = element("input", { type: "range", min: 0, max: 1000, ariaLabel: "Divider", className: "slider" });
  const scale = element("output", { className: "scale", title: "Screen pixels for one of the picture" });
  const stage = dip.stage(stageElement, follow);
  slider.oninput = () => stage.set({ divider: slider.value / 1000, mode: "slider" });

  const picks = { left: element("select", { ariaLabel: "Left picture" }), right: element("select", { ariaLabel: "Right picture" }) };
  for (const [side, pick] of Object.entries(picks)) {
    pick.onchange = () => {
      shown[side] = pick.value;
      project();
    };
  }
  const pair = element("span", { className: "pair" }, picks.left, slider, picks.right);
  const MODES = { slider: "Slider", sides: "Side by side", difference: "Difference" };
  const modeButtons = Object.entries(MODES).map(([mode, title]) =>
    button(title, () => stage.set({ mode }), { value: mode }),
  );
  const gain = element("select", { ariaLabel: "Difference times" });
  gain.append(...GAINS.map((times) => element("option", { value: times }, `×${times}`)));
  gain.value = 4;
  gain.onchange = () => stage.set({ gain: Number(gain.value), mode: "difference" });
  const modes = element("span", { className: "modes", role: "group", ariaLabel: "How the two are shown" }, ...modeButtons, gain);
  const maskButton = button("Mask", () => toggleMask(), { ariaPressed: "false" });
  const viewPick = element("select", { ariaLabel: "Part" });
  viewPick.onchange = () => {
    shown.view = viewPick.value;
    project();
  };
  const tools = element(
    "div", { className: "stage-tools" },
    pair,
    modes,
    maskButton,
    viewPick,
    element(
      "span", { className: "zooms", role: "group", ariaLabel: "Zoom" },
      button("−", () => stage.zoom(1 / 1.5), { ariaLabel: "Zoom out" }),
      scale,
      button("+", () => stage.zoom(1.5), { ariaLabel: "Zoom in" }),
      button("Fit", () => stage.fit(), { title: "Whole image (0)" }),
      button("1:1", () => stage.pixels(), { title: "One pixel for one (1)" }),
    ),
  );

  const decideButtons = dip.decisions.kinds.map((kind) =>
    button(WORDS[kind], () => decide(kind), { value: kind, className: kind, ariaPressed: "false" }),
  );
  const note = element("input", { type: "text", placeholder: "Note ( n )", ariaLabel: "Note", className: "note" });
  note.onchange = () => dip.decisions.annotate(shown.name, note.value);
  const decision = element("div", { className: "decision", role: "group", ariaLabel: "Decision" }, ...decideButtons, note);
  const told = element("div", { className: "told" });
  const side = element("aside", { ariaLabel: "What is known of the image" }, decision, told);
  root.append(bar, element("div", { className: "bench" }, stageElement, absent, tools), side);

  // ---- the stage's state in its controls

  function follow(state) {
    slider.value = Math.round(state.divider * 1000);
    scale.value = `${state.scale < 1 ? state.scale.toFixed(2) : state.scale.toFixed(1)}×`;
    for (const each of modeButtons) each.setAttribute("aria-pressed", each.value === state.mode);
    maskButton.setAttribute("aria-pressed", state.mask);
    gain.hidden = state.mode !== "difference";
  }

  function toggleMask() {
    if (!maskButton.hidden) stage.set({ mask: !stage.state().mask });
  }

  // ---- an image

  const pictureOf = (item, key, picture) => ({
    ...picture,
    source: `previews/${key.slice(0, 2)}/${key}.${picture.name}.webp`,
  });

  function named(item, layer) {
    const full = shown.view === "detail" ? `detail-${layer}` : layer;
    const picture = item.pictures.find((each) => each.name === full);
    return picture && pictureOf(item, shown.key, picture);
  }

  function project() {
    const item = items.get(shown.key);
    const pictures = { left: named(item, shown.left), right: named(item, shown.right), mask: named(item, "mask") };
    const isEmpty = !pictures.left && !pictures.right;
    const isSingle = shown.left === shown.right;
    stageElement.hidden = tools.hidden = isEmpty;
    absent.hidden = !isEmpty;
    if (isEmpty) return;
    maskButton.hidden = !pictures.mask;
    modes.hidden = slider.hidden = isSingle;
    pair.hidden = picks.left.options.length < 2;
    stageElement.classList.toggle("single", isSingle);
    if (isSingle) stage.set({ mode: "slider" });
    stage.show(pictures);
    stageElement.setAttribute("aria-label", `${shown.name}: ${picks.left.selectedOptions[0]?.text} and ${picks.right.selectedOptions[0]?.text}`);
  }

  function choose(item) {
    const layers = item.pictures.filter(({ name }) => !/^(small|detail|mask)/.test(name));
    for (const [side, pick] of Object.entries(picks)) {
      pick.replaceChildren(...layers.map(({ name, title }) => element("option", { value: name }, title)));
      const wanted = layers.some((layer) => layer.name === shown[side]) ? shown[side] : layers.at(-1)?.name;
      shown[side] = pick.value = wanted || "";
    }
    const hasDetail = item.pictures.some(({ name }) => name.startsWith("detail-"));
    viewPick.hidden = !hasDetail;
    viewPick.replaceChildren(
      element("option", { value: "whole" }, "Whole, reduced"),
      element("option", { value: "detail" }, "Where most changed, every pixel"),
    );
    shown.view = viewPick.value = hasDetail ? shown.view : "whole";
  }

  function tell(item) {
    const sections = item.sections.map(({ title, facts }) =>
      element(
        "section", {},
        element("h3", {}, title),
        element("dl", { className: "facts" }, ...facts.map(([what, value]) =>
          element("div", {}, element("dt", {}, what), element("dd", {}, value)))),
      ),
    );
    told.replaceChildren(...item.curves.map(dip.curve), ...sections);
  }

  function fromTable(row) {
    const facts = dip.columns().map(({ name, title }) => [title, dip.text(row, name)]).filter(([, value]) => value);
    return { pictures: [], curves: [], sections: [{ title: "Numbers", facts }], left: "", right: "" };
  }

  async function open(row, position, total) {
    const key = dip.value(row, "key");
    const before = shown;
    shown = { row, key, name: dip.value(row, "image_id"), view: before?.view || "whole" };
    const { row: asked } = shown;
    name.textContent = shown.name;
    place.textContent = `${(position + 1).toLocaleString("en")} of ${total.toLocaleString("en")} · ${dip.value(row, "status")}`;
    reveal();
    decided();
    if (key && !items.has(key)) {
      try {
        await dip.load(`previews/${key.slice(0, 2)}/${key}.js`);
      } catch (error) {
        dip.say(`${error.message}. Make the report again.`);
      }
      if (shown?.row !== asked) return; // the reader has gone on
    }
    const item = items.get(key) || fromTable(row);
    if (!items.has(key)) items.set(key, item);
    shown.left = before?.left || item.left;
    shown.right = before?.right || item.right;
    choose(item);
    absent.textContent = key
      ? "There is no picture of this image."
      : "No pictures were made of this image. Make the report again with --sample all to have them of all images.";
    project();
    tell(item);
  }

  function reveal() {
    if (!root.hidden) return;
    root.hidden = false;
    for (const other of document.querySelectorAll("body > :not(#viewer, dialog, script)")) other.inert = true;
    document.body.classList.add("viewing");
    stageElement.focus();
  }

  // ---- the decision

  function decide(kind) {
    dip.decisions.decide(shown.name, dip.decisions.of(shown.name) === kind ? "" : kind);
  }

  function decided() {
    if (!shown) return;
    const now = dip.decisions.of(shown.name);
    for (const each of decideButtons) each.setAttribute("aria-pressed", each.value === now);
    note.value = dip.decisions.note(shown.name);
  }
  dip.decisions.onChange(decided);

  dip.viewer = {
    open,
    isOpen: () => !root.hidden,
    onWalk: (action) => (walk = action),
    close() {
      root.hidden = true;
      shown = null;
      stage.clear();
      document.body.classList.remove("viewing");
      for (const other of document.querySelectorAll("[inert]")) other.inert = false;
      dip.viewer.onClose();
    },
    onClose: () => {},
    keys: {
      " ": () => stage.flip(),
      s: () => stage.set({ mode: stage.state().mode === "sides" ? "slider" : "sides" }),
      x: () => stage.set({ mode: stage.state().mode === "difference" ? "slider" : "difference" }),
      m: toggleMask,
      "+": () => stage.zoom(1.5),
      "=": () => stage.zoom(1.5),
      "-": () => stage.zoom(1 / 1.5),
      0: () => stage.fit(),
      1: () => stage.pixels(),
      n: () => note.focus(),
    },
  };
})();
