// The capability graph, around one item: what contains it on the left, what it contains on the right; on a narrow screen below each other.

import { ask } from "./api.js";
import { $, el, percent, svg } from "./dom.js";

const BOX = { width: 270, height: 42, gap: 10 };
const path = [];
let now = null;

export function start(guard) {
  $("find").addEventListener("submit", (event) => { event.preventDefault(); guard(() => show($("sought").value.trim(), guard)); });
  $("top-level").addEventListener("click", () => guard(() => show("", guard)));
  $("picture").addEventListener("keydown", (event) => key(event, guard));
}

export const open = (guard) => (now === null ? show("", guard) : undefined);

export async function show(id, guard, keepPath = false, take = false) {
  const found = await ask(`/v1/graph?focus=${encodeURIComponent(id)}`);
  if (!keepPath && now !== null && now !== id) path.push(now);
  now = id;
  const columns = [found.parents, [found.focus ?? { id: "", kind: "root", text: "Everything that nothing contains" }], found.members];
  draw(columns, guard);
  describe(found);
  if (take) $("picture").querySelector(".focus")?.focus();
}

function draw(columns, guard) {
  const narrow = $("picture").clientWidth < 640;
  const height = BOX.height + BOX.gap;
  const tallest = Math.max(...columns.map((c) => c.length), 1);
  const drawnColumns = columns.map((c, i) => (c.length ? i : -1)).filter((i) => i >= 0);
  const width = narrow ? Math.max(280, $("picture").clientWidth - 20) : drawnColumns.length * (BOX.width + 65) - 57;
  const boxes = [], edges = [];
  let below = 6;
  columns.forEach((nodes, column) => {
    const start = narrow ? below : 6 + ((tallest - nodes.length) * height) / 2;
    nodes.forEach((node, row) => {
      const indent = narrow ? column * 18 : 0;
      boxes.push({ node, column, row, x: narrow ? 4 + indent : 4 + drawnColumns.indexOf(column) * (BOX.width + 65), y: start + row * height, width: narrow ? width - 8 - indent : BOX.width });
    });
    below += nodes.length * height + (nodes.length ? 8 : 0);
  });
  const middle = boxes.find((b) => b.column === 1);
  for (const box of boxes) {
    if (box.column === 1) continue;
    const [a, b] = box.column === 0 ? [box, middle] : [middle, box];
    if (narrow) edges.push(`M${b.x - 8} ${a.y + BOX.height}V${b.y + BOX.height / 2}H${b.x}`);
    else {
      const [x1, y1, x2, y2] = [a.x + a.width, a.y + BOX.height / 2, b.x, b.y + BOX.height / 2];
      edges.push(`M${x1} ${y1}C${x1 + 32} ${y1} ${x2 - 32} ${y2} ${x2} ${y2}`);
    }
  }
  const total = narrow ? below + 6 : tallest * height + 12;
  const picture = svg("svg", { viewBox: `0 0 ${width} ${total}`, role: "group", "aria-label": "The graph around one item" },
    edges.map((d) => svg("path", { d })), boxes.map((box) => drawn(box, guard)));
  picture.style.width = `${width}px`;
  picture.style.maxWidth = narrow ? "100%" : "none";
  picture.style.margin = "0 auto";
  $("picture").replaceChildren(picture);
}

const NAMES = ["contained in", "shown", "contains"];

function drawn({ node, column, row, x, y, width }, guard) {
  const cut = (text, letter) => {
    const most = Math.floor((width - 24) / letter);
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  };
  const kind = node.kind === "tool" ? `tool · ${node.server || "no server"}` : node.kind === "root" ? "" : `capability · level ${node.level} · ${node.size} members`;
  const title = node.kind === "root" ? node.text : node.id;
  return svg("g", { class: `${node.kind} ${column === 1 ? "focus" : ""}`, tabindex: column === 1 ? 0 : -1, role: "button", "data-column": column, "data-row": row, "data-id": node.id,
    "aria-label": `${NAMES[column]}: ${title}, ${kind}`, onclick: () => column !== 1 && guard(() => show(node.id, guard, false, true)) },
    svg("title", {}, `${title}\n${node.text}`), svg("rect", { x, y, width, height: BOX.height, rx: 9 }),
    svg("text", { x: x + 12, y: y + 18, class: "id" }, cut(title, 7.9)), svg("text", { x: x + 12, y: y + 33, class: "small" }, cut(kind, 5.8)));
}

function key(event, guard) {
  const here = event.target.closest("g[data-column]");
  if (!here) return;
  const [column, row] = [Number(here.dataset.column), Number(here.dataset.row)];
  const at = (c, r) => $("picture").querySelector(`g[data-column="${c}"][data-row="${r}"]`);
  const near = (c) => { for (let r = row; r >= 0; r--) if (at(c, r)) return at(c, r); return null; };
  const next = { ArrowUp: at(column, row - 1), ArrowDown: at(column, row + 1), ArrowLeft: near(column - 1), ArrowRight: near(column + 1) }[event.key];
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    if (next) { next.focus(); next.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  } else if ((event.key === "Enter" || event.key === " ") && column !== 1) {
    event.preventDefault();
    guard(() => show(here.dataset.id, guard, false, true));
  } else if (event.key === "Backspace" && path.length) {
    event.preventDefault();
    guard(() => show(path.pop(), guard, true, true));
  }
}

function describe({ focus, parents, members, more }) {
  const facts = focus === null ? [`${members.length} capabilities that no other one contains.`] : [
    `In ${parents.length || "no"} ${parents.length === 1 ? "capability" : "capabilities"}` + (focus.kind === "capability" ? `, with ${members.length} members.` : "."),
    focus.success_rate == null ? null : `${percent(focus.success_rate)} of ${focus.uses} executions worked.`,
    more ? `${more} more are not drawn.` : null,
  ];
  $("node").replaceChildren(el("h2", { class: focus && "id" }, focus?.id ?? "From the top"), el("p", {}, focus?.text ?? ""), el("p", { class: "dim" }, facts.filter(Boolean).join(" ")));
}
