// Versions, what names them, and the two ways to change that.

import { ask } from "./api.js";
import { $, el, moment } from "./dom.js";

let decided = null;

export function start(guard) {
  $("back").addEventListener("click", () => choose({ title: "Roll production back?", said: "Production goes back to what it named before.", button: "Roll back", alias: false, force: false },
    (told) => ask("/v1/models/production/rollback", { why: told.why }), guard));
  $("move-dialog").querySelector("form").addEventListener("submit", (event) => {
    if (event.submitter?.value !== "do") return;
    event.preventDefault();
    const told = { alias: $("alias").value, why: $("why").value, force: $("force").checked };
    if (told.force && !told.why) {
      $("move-error").textContent = "Past the gate needs a reason: say why.";
      $("why").focus();
      return;
    }
    $("move-do").disabled = true;
    decided(told).then(() => { $("move-dialog").close(); return guard(open); }, (error) => { $("move-error").textContent = error.message; }).finally(() => { $("move-do").disabled = false; });
  });
  $("alias").addEventListener("change", () => { $("force-field").hidden = $("alias").value !== "production"; });
}

function choose({ title, said, button, alias, force }, action) {
  $("move-title").textContent = title;
  $("move-said").textContent = said;
  $("move-do").textContent = button;
  $("move-error").textContent = $("why").value = "";
  $("alias").value = "production";
  $("force").checked = false;
  $("alias-field").hidden = !alias;
  $("force-field").hidden = !force;
  decided = action;
  $("move-dialog").showModal();
}

export async function open() {
  const { serving, versions, aliases, moves } = await ask("/v1/models");
  $("serving").textContent = serving;
  $("back").disabled = !aliases.production;
  $("versions").replaceChildren(...versions.map(card));
  if (!versions.length) $("versions").replaceChildren(el("p", { class: "hint" }, "There is no version yet: the ranking is that of cosine until enough feedback came in."));
  $("moves").replaceChildren(...moves.map((m) => el("li", {},
    el("div", {}, `${m.alias}: ${m.before ? `v${m.before}` : "none"} → ${m.after ? `v${m.after}` : "none"}`, " ", el("span", { class: "badge" }, m.forced ? `${m.action}, forced` : m.action)),
    el("div", { class: "dim" }, `${moment(m.created_at)}, by ${m.who}${m.why ? `: ${m.why}` : ""}`))));
}

function card(v) {
  const named = v.aliases.map((alias) => el("span", { class: "badge good" }, alias));
  const facts = [moment(v.created_at), v.traces ? `${v.traces} traces` : null, v.parent ? `from v${v.parent}` : null, `${(v.bytes / 2 ** 20).toFixed(2)} MiB`];
  return el("div", { class: "card" },
    el("div", { class: "chips" }, el("strong", {}, `v${v.version}`), named),
    el("button", { type: "button", disabled: v.aliases.includes("production"), "aria-label": `Promote v${v.version}`, onclick: () => choose(
      { title: `Promote v${v.version}?`, said: "Into production only what is better than cosine on held-out traces, and no worse than what serves.", button: "Promote", alias: true, force: true },
      (told) => ask(`/v1/models/${v.version}/promote`, told)) }, "Promote"),
    el("p", { class: "dim" }, facts.filter(Boolean).join(" · ")), el("span"),
    el("p", { class: "dim" }, v.reason ?? ""));
}
