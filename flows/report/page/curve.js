"use strict";
// The curve of a fit as a drawing: loss on a logarithmic scale, PSNR where there is a reference, and the stop.

(function () {
  const WIDTH = 360, HEIGHT = 190, LEFT = 40, RIGHT = 40, TOP = 14, BOTTOM = 28;

  function drawn(tag, attributes, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    return made;
  }

  function scaled(values, from, to) {
    const known = values.filter(Number.isFinite);
    const least = Math.min(...known), span = Math.max(...known) - least || 1;
    const at = (value) => from + ((value - least) / span) * (to - from);
    return { at, least, most: least + span };
  }

  function line(xs, ys, kind) {
    const points = xs.map((x, i) => [x, ys[i]]).filter(([, y]) => Number.isFinite(y));
    return drawn("polyline", { class: kind, points: points.map((p) => p.map((v) => v.toFixed(1)).join()).join(" ") });
  }

  dip.curve = ({ title, iteration, loss, psnr_db: psnr, stop, rule, reason }) => {
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img" });
    const x = scaled([0, ...iteration], LEFT, WIDTH - RIGHT);
    const logs = loss.map((value) => Math.log10(Math.max(value, 1e-12)));
    const y = scaled(logs, HEIGHT - BOTTOM, TOP);
    const xs = iteration.map(x.at);
    const words = `stopped at ${stop} by ${rule} (${reason})`;
    svg.setAttribute("aria-label", `${title ? title + ": " : ""}loss against iteration, ${words}`);
    svg.append(drawn("path", { class: "axis", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }));
    svg.append(line(xs, logs.map(y.at), "loss"));
    const label = (x, y, text, anchor, kind = "") =>
      svg.append(drawn("text", { x, y, "text-anchor": anchor, class: kind }, text));
    label(LEFT - 4, TOP + 4, (10 ** y.most).toExponential(0), "end", "loss");
    label(LEFT - 4, HEIGHT - BOTTOM, (10 ** y.least).toExponential(0), "end", "loss");
    label(LEFT, HEIGHT - 12, "0", "middle");
    const isNearEnd = stop && x.at(stop) > WIDTH - RIGHT - 50;
    if (!isNearEnd) label(WIDTH - RIGHT, HEIGHT - 12, x.most, "middle");
    if (psnr.some(Number.isFinite)) {
      const right = scaled(psnr, HEIGHT - BOTTOM, TOP);
      svg.append(line(xs, psnr.map((value) => (value === null ? NaN : right.at(value))), "psnr"));
      label(WIDTH - RIGHT + 4, TOP + 4, right.most.toFixed(1), "start", "psnr");
      label(WIDTH - RIGHT + 4, HEIGHT - BOTTOM, right.least.toFixed(1), "start", "psnr");
    }
    if (stop) {
      const at = x.at(stop);
      svg.append(drawn("path", { class: "stop", d: `M${at} ${TOP}V${HEIGHT - BOTTOM}` }));
      label(at, HEIGHT - 12, stop, "middle", "stop");
    }
    const legend = dip.element("p", { className: "legend" }, title ? `${title}: ` : "");
    legend.append(dip.element("span", { className: "loss" }, "loss"));
    if (psnr.some(Number.isFinite)) legend.append(" · ", dip.element("span", { className: "psnr" }, "PSNR, dB"));
    legend.append(` · ${words}`);
    return dip.element("figure", { className: "fit" }, svg, legend);
  };
})();
