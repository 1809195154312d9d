// The playground: rank, look why, say how it went, and ask why a tool is missing.

import { ask } from "./api.js";
import { $, bar, bars, el, percent } from "./dom.js";

let asked = null;

const listed = (id) => $(id).value.split(",").map((s) => s.trim()).filter(Boolean);

export function start(guard, showInGraph) {
  $("ask").addEventListener("submit", (event) => { event.preventDefault(); guard(() => rank(guard, showInGraph)); });
  $("intent").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); $("ask").requestSubmit(); }
  });
  $("whynot").addEventListener("submit", (event) => { event.preventDefault(); guard(whyNot); });
}

export async function open() {
  if (!$("known").children.length) {
    const { items } = await ask("/v1/tools?limit=500");
    $("known").replaceChildren(...items.map((tool) => el("option", { value: tool.id })));
  }
}

async function rank(guard, showInGraph) {
  const kind = $("kind").value;
  const body = { text: $("intent").value, kind, top_k: Number($("top").value) || 5, context_tools: listed("context"), explain: true };
  if ($("server").value.trim()) body.servers = listed("server");
  const answer = await ask("/v1/rank", body);
  $("serving").textContent = answer.model_version;
  asked = { text: body.text, context_tools: body.context_tools };
  const scale = answer.calibrated ? "scores are probabilities" : "scores rise with similarity, and are no probabilities yet";
  const tellable = kind === "tools";
  $("about").replaceChildren(
    el("p", { class: "dim" }, `${answer.items.length} of the best by ${answer.model_version} (${answer.ranked_by}) in ${answer.latency_ms.toFixed(2)} ms; ${scale}.`),
    ...answer.degraded.map((why) => el("p", { class: "dim" }, `Note: ${why}.`)),
  );
  $("results").replaceChildren(...answer.items.map((item, i) => result(item, i, tellable && answer.decision_id, guard, showInGraph)));
  if (!answer.items.length) $("results").replaceChildren(el("li", {}, el("p", { class: "hint" }, "Nothing fits.")));
}

function result(item, place, decision, guard, showInGraph) {
  const inside = el("div", { class: "inside" });
  const details = el("details", {},
    el("summary", {}, el("span", { class: "place" }, `${place + 1}.`), el("span", { class: "id" }, item.id), el("span", { class: "score" }, percent(item.score)), bar(item.score)),
    inside,
  );
  details.addEventListener("toggle", () => {
    if (details.open && !inside.children.length) guard(() => explain(inside, item, decision, guard, showInGraph));
  });
  return el("li", {}, details);
}

async function explain(inside, item, decision, guard, showInGraph) {
  const { focus } = await ask(`/v1/graph?focus=${encodeURIComponent(item.id)}`);
  const why = item.explanation;
  inside.append(el("p", {}, focus.text || "It has no description."));
  if (item.tools) inside.append(el("p", { class: "dim" }, "It needs all of:"), chips(item.tools, showInGraph));
  if (why) {
    const parts = Object.entries(why.weights).map(([name, weight]) => [name, name === "bonus" ? weight : weight * (why.channels[name] ?? 0)]);
    inside.append(el("p", { class: "dim" }, `Cosine ${why.cosine.toFixed(3)}.` + (parts.length ? " What adds up to its place:" : " Nothing else speaks for or against it yet.")));
    if (parts.length) inside.append(bars(parts.filter(([, value]) => value !== 0)));
    const carried = why.carried_by.filter(({ weight }) => weight >= 0.005).slice(0, 5);
    if (carried.length) inside.append(el("p", { class: "dim" }, "Carried by:"), chips(carried.map((c) => c.id), showInGraph));
  }
  const said = el("span", { class: "dim", role: "status" });
  const buttons = [["It worked", 1], ["It failed", 0]].map(([name, outcome]) => el("button", { type: "button", onclick: () => guard(async () => {
    const { counted } = await ask("/v1/feedback", { decision_id: decision, tools: [item.id], outcome });
    for (const button of buttons) button.disabled = true;
    said.textContent = counted ? "Thank you: it counts from the next answer on." : "This answer has its feedback already.";
  }) }, name));
  inside.append(el("div", { class: "chips" }, decision ? buttons : [], el("button", { type: "button", onclick: () => showInGraph(item.id) }, "In the graph"), said));
}

const chips = (ids, go) => el("div", { class: "chips" }, ids.map((id) => el("button", { type: "button", class: "id", onclick: () => go(id) }, id)));

async function whyNot() {
  const text = asked?.text || $("intent").value;
  if (!text) { $("because").replaceChildren(el("p", { class: "hint" }, "Ask for something first.")); return; }
  const said = await ask("/v1/why-not", { text, context_tools: asked?.context_tools ?? [], tool: $("missing").value.trim() });
  const gaps = Object.entries(said.gaps).filter(([, gap]) => Math.abs(gap) > 1e-4);
  $("because").replaceChildren(
    el("ul", {}, said.sentences.map((sentence) => el("li", {}, sentence))),
    ...(gaps.length ? [el("p", { class: "dim" }, "Behind the first, by channel:"), bars(gaps)] : []),
  );
}
