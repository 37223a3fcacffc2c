"use strict";
// The selected images as cards: input on the left half, restoration on the right; a pointer shows all of either.

(function () {
  const AT_ONCE = 60;
  const BEFORE = 1, AFTER = 2;
  const { element } = dip;
  const root = document.getElementById("gallery");
  const cards = element("ul", { className: "cards" });
  const more = element("button", { type: "button", className: "more", onclick: () => grow() }, "Show more");
  root.append(cards, more);
  let positions = [], order = [], drawn = 0;

  const NUMBERS = ["difference_psnr_db", "gain_db", "psnr_db", "changed", "difference_changed", "stop_iteration", "seconds"];

  function caption(row) {
    const why = dip.has("error_message") ? dip.text(row, "error_message") : "";
    if (why) return why;
    const numbers = dip.columns().filter(({ kind }) => kind === "number");
    const usual = NUMBERS.flatMap((name) => numbers.filter((column) => column.name === name));
    return (usual.length ? usual : numbers)
      .map(({ name, title }) => [title, dip.text(row, name)])
      .filter(([, value]) => value)
      .slice(0, 2)
      .map(([title, value]) => worded(title, value))
      .join(" · ");
  }

  // "Gain, dB" and 9.28 → "Gain 9.28 dB"
  function worded(title, value) {
    const [name, unit = ""] = title.split(/, (?=(?:dB|%|s)$)/);
    return `${name} ${value}${unit && "\u202f" + unit}`;
  }

  function picture(row) {
    const key = dip.value(row, "key"), there = dip.value(row, "pictures") || 0;
    const frame = element("div", { className: "frame" });
    const image = (kind) =>
      element("img", { src: `previews/${key.slice(0, 2)}/${key}.small-${kind}.webp`, alt: "", loading: "lazy", decoding: "async", className: kind });
    if (key && there & BEFORE) frame.append(image("before"));
    if (key && there & AFTER) frame.append(image("after"));
    frame.classList.toggle("both", there === (BEFORE | AFTER));
    if (!there) frame.append(element("span", { className: "nothing" }, dip.value(row, "status") === "restored" ? "no preview" : dip.value(row, "status")));
    return frame;
  }

  function card(position) {
    const row = order[position];
    const name = dip.value(row, "image_id"), status = dip.value(row, "status"), decision = dip.decisions.of(name);
    const link = element("a", { href: dip.linkTo(name), className: "card" }, picture(row));
    link.append(element("span", { className: "name", title: name }, name), element("span", { className: `caption ${status}` }, caption(row)));
    if (decision) link.append(element("span", { className: `badge ${decision}` }, decision));
    const made = element("li", {}, link);
    made.dataset.position = position;
    return made;
  }

  function grow() {
    const some = positions.slice(drawn, drawn + AT_ONCE);
    cards.append(...some.map(card));
    drawn += some.length;
    more.hidden = drawn >= positions.length;
  }

  new IntersectionObserver((seen) => {
    if (!root.hidden && !more.hidden && seen.some((each) => each.isIntersecting)) grow();
  }, { rootMargin: "600px" }).observe(more);

  function refresh() {
    for (const each of cards.children) {
      const row = order[each.dataset.position], link = each.firstElementChild;
      const decision = dip.decisions.of(dip.value(row, "image_id"));
      link.querySelector(".badge")?.remove();
      if (decision) link.append(element("span", { className: `badge ${decision}` }, decision));
    }
  }
  dip.decisions.onChange(refresh);

  dip.gallery = {
    show(selected) {
      order = selected;
      positions = [];
      selected.forEach((row, position) => {
        if (dip.value(row, "key")) positions.push(position);
      });
      drawn = 0;
      cards.replaceChildren();
      grow();
    },
    pictured: () => positions.length,
    positions: () => positions,
    focus(position) {
      const at = positions.indexOf(position);
      while (at >= drawn && drawn < positions.length) grow();
      cards.children[at]?.firstElementChild.focus();
    },
    // which card has the focus, as its place in the selection
    focused: () => Number(document.activeElement?.closest("#gallery li")?.dataset.position ?? NaN),
    columns: () => {
      const tops = [...cards.children].map((each) => each.offsetTop);
      return tops.filter((top) => top === tops[0]).length || 1;
    },
  };
})();
