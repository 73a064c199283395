// Everything by keyboard. Letters are those of the key where the layout has none of ours (Persian).
import * as lists from "./lists.js";

const TWICE_MS = 1200;
let after = 0;

const part = (name) => document.getElementById(name);
const press = (name) => () => part(name)?.click();
const KEYS = {
  j: () => lists.go(1),
  k: () => lists.go(-1),
  r: () => part("composer").hidden || part("answer").focus(),
  t: press("do-take"),
  x: press("do-release"),
  e: press("do-close"),
  o: press("do-reopen"),
  v: () => part("ways") && (part("ways").open = !part("ways").open),
  "/": () => part("search").focus(),
  "?": () => part("keys").showModal(),
  g: () => (after = Date.now()),
};
const GO = {
  w: () => lists.show_list("waiting"),
  m: () => lists.show_list("waiting", "mine"),
  a: () => lists.show_list("answered"),
  c: () => lists.show_list("closed"),
};

function name(event) {
  if (event.key === "؟") return "?";
  if (/^[ -~]$/.test(event.key)) return event.key.toLowerCase();
  return event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.code === "Slash" ? "/" : event.key;
}

function leave(field) {
  if (field.id === "search") {
    field.value = "";
    part("found").replaceChildren();
  }
  (document.querySelector(".row.open a") ?? document.querySelector("#lists .row a") ?? part("lists")).focus();
}

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("input, textarea");
  if (event.key === "Escape" && field) return leave(field);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest?.("#composer")) {
    event.preventDefault();
    return part("composer").requestSubmit();
  }
  if (field?.id === "search" && event.key === "ArrowDown") return document.querySelector("#found .row a")?.focus();
  if (field || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const pressed = name(event);
  const action = Date.now() - after < TWICE_MS ? GO[pressed] ?? KEYS[pressed] : KEYS[pressed];
  if (pressed !== "g") after = 0;
  if (!action) return;
  event.preventDefault();
  action();
});
