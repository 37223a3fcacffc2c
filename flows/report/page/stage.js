"use strict";
// The stage: two pictures of one image on each other, with a divider, side by side, or as their difference.

(function () {
  const MOST = 64, NEAR_PX = 24;

  dip.stage = (element, told) => {
    const state = { scale: 1, x: 0, y: 0, width: 1, height: 1, divider: 0.5, mode: "slider", gain: 4, mask: false };
    const make = (name) => dip.element("div", { className: name });
    const panes = [make("pane left"), make("pane right")];
    const worlds = panes.map(() => make("world"));
    const tags = ["left", "right"].map((side) => dip.element("span", { className: `tag ${side}` }));
    const handle = make("divider");
    panes.forEach((pane, i) => pane.append(worlds[i], tags[i]));
    element.replaceChildren(...panes, handle);

    const paneWidth = () => element.clientWidth / (state.mode === "sides" ? 2 : 1);
    const fitting = () => Math.min(paneWidth() / state.width, element.clientHeight / state.height);

    function draw() {
      const at = state.divider * 100;
      element.dataset.mode = state.mode;
      element.classList.toggle("pixels", state.scale >= 2);
      element.classList.toggle("masked", state.mask);
      panes[0].style.clipPath = state.mode === "slider" ? `inset(0 ${100 - at}% 0 0)` : "";
      panes[1].style.clipPath = state.mode === "slider" ? `inset(0 0 0 ${at}%)` : "";
      handle.style.left = `${at}%`;
      for (const world of worlds) {
        world.style.width = `${state.width}px`;
        world.style.height = `${state.height}px`;
        world.style.transform = `translate(${state.x}px, ${state.y}px) scale(${state.scale})`;
      }
      worlds[0].style.filter = state.mode === "difference" ? `brightness(${state.gain})` : "";
      told({ ...state, fits: Math.abs(state.scale / fitting() - 1) < 0.01 });
    }

    function center() {
      state.x = (paneWidth() - state.width * state.scale) / 2;
      state.y = (element.clientHeight - state.height * state.scale) / 2;
    }

    function fit() {
      state.scale = fitting();
      center();
      draw();
    }

    function zoom(factor, x = paneWidth() / 2, y = element.clientHeight / 2) {
      const scale = Math.min(MOST, Math.max(Math.min(1, fitting() / 2), state.scale * factor));
      state.x = x - ((x - state.x) * scale) / state.scale;
      state.y = y - ((y - state.y) * scale) / state.scale;
      state.scale = scale;
      draw();
    }

    // ---- the pointer: the divider where it is near or nothing can be moved, else the picture

    let drag = null;
    const shareAt = (event) => {
      const box = element.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };

    element.addEventListener("pointerdown", (event) => {
      const isNear = Math.abs(shareAt(event) - state.divider) * element.clientWidth < NEAR_PX;
      const fits = state.scale <= fitting() * 1.01;
      const isDivider = state.mode === "slider" && (isNear || fits);
      drag = isDivider ? { divider: true } : { x: event.clientX - state.x, y: event.clientY - state.y };
      element.setPointerCapture(event.pointerId);
      move(event);
    });
    element.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => (drag = null));

    function move(event) {
      if (!drag) return;
      if (drag.divider) state.divider = shareAt(event);
      else [state.x, state.y] = [event.clientX - drag.x, event.clientY - drag.y];
      draw();
    }

    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), (event.clientX - box.left) % paneWidth(), event.clientY - box.top);
    }, { passive: false });

    new ResizeObserver(() => element.clientWidth && fit()).observe(element);

    return {
      fit,
      zoom,
      pixels() {
        zoom(1 / state.scale);
        center();
        draw();
      },
      set(changes) {
        const refits = "mode" in changes && (changes.mode === "sides" || state.mode === "sides");
        Object.assign(state, changes);
        refits ? fit() : draw();
      },
      flip() {
        if (state.mode !== "slider") state.mode = "slider";
        state.divider = state.divider > 0.5 ? 0 : 1;
        draw();
      },
      state: () => state,
      // pictures: {left, right, mask} of {source, title, width, height}, each but the right one optional
      show({ left, right, mask }) {
        const main = right || left;
        [state.width, state.height] = [main.width, main.height];
        const image = (picture, kind) =>
          picture ? [dip.element("img", { src: picture.source, alt: picture.title, className: kind, draggable: false })] : [];
        worlds[0].replaceChildren(...image(left || right, "base"), ...image(right, "over"), ...image(mask, "mask"));
        worlds[1].replaceChildren(...image(right || left, "base"), ...image(mask, "mask"));
        tags[0].textContent = (left || right).title;
        tags[1].textContent = (right || left).title;
        fit();
      },
      clear: () => worlds.forEach((world) => world.replaceChildren()),
    };
  };
})();
