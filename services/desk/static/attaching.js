// Files that go with an answer: held by this page, per conversation, until it is sent. A page that is loaded anew
// knows their names only, and asks for them again.
import { number } from "./times.js";

const held = new Map();
const part = (name) => document.getElementById(name);
let of = "";
let missing = [];
let tell = () => {};

export const files = (id = of) => held.get(id) ?? [];

// As a draft keeps them.
export const names = () => (files().length ? files().map(({ name }) => name) : missing);

// Two selections of the same files are one.
export const signature = () => files().map(({ name, size, lastModified }) => `${name}/${size}/${lastModified}`).join("|");

export function size(bytes) {
  if (bytes < 1024) return `${number(bytes)} B`;
  return bytes < 1024 * 1024 ? `${number(Math.round(bytes / 1024))} kB` : `${number(Math.round(bytes / 104_857.6) / 10)} MB`;
}

export function open(id, kept) {
  of = id;
  missing = files().length ? [] : kept ?? [];
  paint("");
}

export function put(id, some) {
  if (some.length) held.set(id, some);
  else held.delete(id);
  if (id !== of) return;
  missing = [];
  paint("");
}

export function form(id, given) {
  const made = new FormData();
  for (const [name, value] of Object.entries(given)) made.append(name, value);
  for (const file of files(id)) made.append("attachments", file, file.name);
  return made;
}

function add(some) {
  if (!some.length || part("composer").hidden) return;
  const { most, mostFiles, tooLarge, tooMany } = part("files").dataset;
  const wanted = [...files(), ...some];
  if (wanted.length > Number(mostFiles)) return paint(tooMany);
  if (wanted.reduce((sum, one) => sum + one.size, 0) > Number(most)) return paint(tooLarge);
  put(of, wanted);
  tell();
}

function remove(file) {
  const at = files().indexOf(file);
  put(of, files().filter((one) => one !== file));
  tell();
  (part("files").querySelectorAll("button")[at] ?? part("attach")).focus();
}

function chip(file) {
  const made = part("file-chip").content.cloneNode(true);
  made.querySelector("bdi").textContent = file.name;
  made.querySelector(".soft").textContent = size(file.size);
  const button = made.querySelector("button");
  button.setAttribute("aria-label", part("files").dataset.remove.replace("%", () => file.name));
  button.addEventListener("click", () => remove(file));
  return made;
}

function paint(wrong) {
  part("files").replaceChildren(...files().map(chip));
  part("files").hidden = !files().length;
  const again = missing.length ? part("files").dataset.again.replace("%", () => missing.join(", ")) : "";
  part("files-note").textContent = wrong || again;
  part("files-note").hidden = !(wrong || again);
}

const carries = ({ types }) => types.includes("Files");

// `changed` is called whenever there are others than before.
export function mount(changed) {
  tell = changed;
  const picker = part("pick-files");
  part("attach").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    add([...picker.files]);
    picker.value = "";
  });
  const box = part("composer");
  box.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    add([...event.clipboardData.files]);
  });
  box.addEventListener("dragover", (event) => {
    if (!carries(event.dataTransfer)) return;
    event.preventDefault();
    box.classList.add("takes");
  });
  box.addEventListener("dragleave", () => box.classList.remove("takes"));
  box.addEventListener("drop", (event) => {
    box.classList.remove("takes");
    if (!carries(event.dataTransfer)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}
