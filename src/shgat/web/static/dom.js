// Small things that make elements. Texts are set as texts, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

export const el = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);
export const svg = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);

export function bar(share, minus = false) {
  const inner = el("i", { class: minus && "minus" });
  inner.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return el("span", { class: "track", "aria-hidden": "true" }, inner);
}

export function bars(rows) {
  const most = Math.max(1e-9, ...rows.map(([, value]) => Math.abs(value)));
  return el("div", { class: "bars" }, rows.map(([name, value]) => [el("span", {}, name), bar(Math.abs(value) / most, value < 0), el("b", {}, value.toFixed(3))]));
}

export const tile = (name, value) => el("div", { class: "tile" }, el("b", {}, value), el("span", {}, name));
export const percent = (value) => (value == null ? "–" : `${(100 * value).toFixed(1)} %`);
export const time = (seconds) => new Date(1000 * seconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const moment = (seconds) => new Date(1000 * seconds).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
export const duration = (s) => (s < 90 ? `${Math.round(s)} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`);
