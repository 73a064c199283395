// Times as the reader's own clock and calendar have them.
const language = document.documentElement.lang;
const own = navigator.languages?.find((one) => one.startsWith(language));
const locale = language === "fa" ? "fa-IR" : own ?? "en-GB";
const formats = {
  time: { hour: "2-digit", minute: "2-digit" },
  day: { year: "numeric", month: "short", day: "numeric" },
  near: { month: "short", day: "numeric" },
  full: { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  heading: { weekday: "long", month: "long", day: "numeric" },
};
const made = Object.fromEntries(Object.entries(formats).map(([name, given]) => [name, new Intl.DateTimeFormat(locale, given)]));
const whole = new Intl.NumberFormat(locale, { useGrouping: false });
const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const since = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const LONG_SECONDS = 3600;

export const number = (value) => whole.format(value);

function unit(value, name) {
  return new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
}

function age(at) {
  const seconds = Math.max(0, (Date.now() - at) / 1000);
  const found = units.find(([, length]) => seconds >= length);
  return found ? unit(Math.floor(seconds / found[1]), found[0]) : since.format(0, "second");
}

function written(time, at) {
  const form = time.dataset.form;
  if (form === "age") {
    const waits = time.closest(".row")?.dataset.state === "waiting";
    time.classList.toggle("long", waits && Date.now() - at > LONG_SECONDS * 1000);
    return age(at);
  }
  if (form === "short") return made[at.toDateString() === new Date().toDateString() ? "time" : "near"].format(at);
  return made[form].format(at);
}

export function show(root) {
  for (const time of root.querySelectorAll("time[data-form]")) {
    const at = new Date(time.dateTime);
    time.textContent = written(time, at);
    time.title = made.full.format(at);
  }
  for (const said of root.querySelectorAll("[data-language]")) {
    said.textContent = new Intl.DisplayNames(locale, { type: "language" }).of(said.dataset.language);
  }
}

export function headDays(thread) {
  let before = "";
  for (const entry of thread.querySelectorAll(".entry")) {
    const at = new Date(entry.dataset.at);
    const day = at.toDateString();
    if (day === before) delete entry.dataset.day;
    else entry.dataset.day = made.heading.format(at);
    before = day;
  }
}

setInterval(() => {
  for (const time of document.querySelectorAll('time[data-form="age"]')) time.textContent = written(time, new Date(time.dateTime));
}, 15_000);
