import { ask, parsed, swap, toast } from "./asking.js";
import * as attaching from "./attaching.js";
import * as composer from "./composer.js";
import { wipe } from "./drafts.js";
import "./keys.js";
import * as lists from "./lists.js";
import { listen } from "./live.js";
import "./mails.js";
import * as presence from "./presence.js";
import * as thread from "./thread.js";
import { show } from "./times.js";

const part = (name) => document.getElementById(name);

function opened(id) {
  const path = `/desk/c/${id}`;
  if (location.pathname !== path) history.pushState(null, "", path);
  // Its own may not come: then nobody else's stays beside it.
  part("customer").replaceChildren();
  presence.enter(id);
}

// Whatever htmx brought in; `htmx:load` also comes for the whole page.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  show(elt.parentElement ?? elt);
  if (part("lists")) lists.mark();
  thread.mount();
  composer.attach(opened);
});
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => toast(xhr.responseText));
document.addEventListener("htmx:sendError", () => toast(part("line").dataset.lost));
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id === "head" && document.activeElement === document.body) part("talk-title")?.focus();
  if (target.id === "view") part("found").replaceChildren();
});
addEventListener("popstate", () => {
  const id = location.pathname.split("/c/")[1];
  if (id) htmx.ajax("GET", `/desk/conversations/${id}`, { target: "#view", swap: "innerHTML" });
  else location.reload();
});

async function headIsNow(position) {
  const { id } = part("head").dataset;
  const html = await (await ask(`/desk/conversations/${id}/head?min_position=${position}`)).text();
  const head = part("head");
  const { dataset } = parsed(html).querySelector("#head");
  if (head?.dataset.id === id && Number(head.dataset.position) <= Number(dataset.position)) swap(head, html, "outerHTML");
}

const quietly = (doing) => doing.catch(({ message }) => toast(message));

const HEARD = {
  row(frame) {
    lists.place(frame.html);
    if (frame.id !== part("head")?.dataset.id) return;
    if (frame.position > Number(part("head").dataset.position)) quietly(headIsNow(frame.position));
    thread.renew(frame.position);
  },
  addresses({ ids, position }) {
    if (ids.includes(part("thread")?.dataset.address)) thread.renew(position);
  },
  late: ({ ids, position }) => lists.late(ids, position),
  presence: presence.hear,
  resync() {
    quietly(lists.reload());
    if (!part("head")) return;
    quietly(headIsNow(0));
    thread.renew(0);
  },
};

// What was asked for when the connection broke.
function bringCustomer() {
  const { id } = part("head")?.dataset ?? {};
  if (!id || part("customer").firstElementChild) return;
  htmx.ajax("GET", `/desk/conversations/${id}/customer`, { source: "#customer", target: "#customer", swap: "innerHTML" });
}

function connected(state) {
  const line = part("line");
  if (state === "live" && line.classList.contains("lost")) bringCustomer();
  line.className = `line ${state}`;
  if (line.dataset[state]) line.textContent = line.dataset[state];
}

listen((frame) => HEARD[frame.kind]?.(frame), connected);

part("queue").addEventListener("focusout", () => setTimeout(lists.settle, 0));
part("composer").addEventListener("input", () => {
  composer.input();
  presence.writes();
});
part("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  composer.send();
});
attaching.mount(composer.input);
part("undo-now").addEventListener("click", composer.undo);
part("no-override").addEventListener("click", () => composer.pick(""));
part("way").addEventListener("click", ({ target }) => {
  const { via } = target.closest("[data-via]")?.dataset ?? {};
  if (via) composer.pick(via);
});
part("show-keys").addEventListener("click", () => part("keys").showModal());
part("sign-out").addEventListener("submit", wipe);
part("switch-theme").addEventListener("click", (event) => {
  event.preventDefault();
  const isDark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = isDark ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  ask("/desk/look", { theme }).catch(({ message }) => toast(message));
});
document.addEventListener("click", ({ target }) => {
  if (!target.closest(".finder")) part("found").replaceChildren();
});
