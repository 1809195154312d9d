// Line charts as SVG: few lines, with their last values in words for whoever cannot see them.

import { el, svg, time } from "./dom.js";

const HEIGHT = 180, LEFT = 56, BOTTOM = 22, TOP = 10, RIGHT = 8;

export function lines(into, names, points, { top = null, format = (v) => v.toFixed(1), marks = [], empty = "Nothing yet." } = {}) {
  const known = points.filter(([, ...values]) => values.some((v) => v != null));
  if (known.length < 2) {
    into.replaceChildren(el("p", { class: "hint" }, empty));
    return;
  }
  const width = Math.max(280, Math.round(into.clientWidth || 600));
  const from = known[0][0], to = known[known.length - 1][0];
  const most = top ?? Math.max(1e-9, ...known.flatMap(([, ...values]) => values.filter((v) => v != null))) * 1.1;
  const x = (at) => LEFT + ((at - from) / Math.max(1e-9, to - from)) * (width - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const last = names.map((name, i) => {
    const value = [...known].reverse().map((p) => p[i + 1]).find((v) => v != null);
    return [name, value == null ? "–" : format(value)];
  });
  const grid = [0, 0.5, 1].map((share) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(share * most), y2: y(share * most) }),
    svg("text", { x: LEFT - 6, y: y(share * most) + 4, "text-anchor": "end" }, format(share * most)),
  ]);
  const ends = [[from, "start"], [to, "end"]].map(([at, anchor]) => svg("text", { x: x(at), y: HEIGHT - 5, "text-anchor": anchor }, time(at)));
  const drawn = names.map((_, i) => {
    const there = known.filter((p) => p[i + 1] != null);
    return svg("path", { class: `series s${i}`, d: there.map((p, j) => `${j ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(Math.min(most, p[i + 1])).toFixed(1)}`).join("") });
  });
  const marked = marks.filter(([at]) => at >= from && at <= to).map(([at, name]) => [
    svg("line", { class: "mark", x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - BOTTOM }),
    svg("text", { x: Math.min(x(at) + 3, width - 30), y: TOP + 9 }, name),
  ]);
  into.replaceChildren(
    svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": last.map(([n, v]) => `${n}: ${v} now`).join("; ") }, grid, marked, ends, drawn),
    el("div", { class: "legend" }, last.map(([name, value], i) => el("span", {}, el("i", { class: `s${i}` }), `${name}: ${value}`))),
  );
}
