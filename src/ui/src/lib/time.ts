// Times: one clock for all that counts, and how times are said.
import { signal } from "@preact/signals";
import { T } from "./i18n";
import { zone } from "./prefs";

export const now = signal(Date.now());
export const slowNow = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
  if (now.value - slowNow.value > 9_500) slowNow.value = now.value;
}, 1000);

/** "47 min", "3 h 12 min": of so many milliseconds, whatever the sign. */
export function span(ms: number): string {
  const t = T().units;
  const s = Math.round(Math.abs(ms) / 1000);
  const two = (a: number, ua: string, b: number, ub: string) => (b ? `${a} ${ua} ${b} ${ub}` : `${a} ${ua}`);
  if (s < 60) return `${s} ${t.s}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${t.min}`;
  if (s < 86400) return two(Math.floor(s / 3600), t.h, Math.floor((s % 3600) / 60), t.min);
  return two(Math.floor(s / 86400), t.d, Math.floor((s % 86400) / 3600), t.h);
}

/** A countdown: "2:11", "1:02:03". */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return h ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

const KINDS = {
  absolute: { dateStyle: "medium", timeStyle: "long" },
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  short: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { year: "numeric", month: "2-digit", day: "2-digit" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

const formats = new Map<string, Intl.DateTimeFormat>();

/** To make one takes longer than to use it a hundred times. */
function format(kind: keyof typeof KINDS, t: number): string {
  const key = `${kind} ${T().locale} ${zone.value}`;
  let f = formats.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat(T().locale, { ...KINDS[kind], ...(zone.value === "UTC" ? { timeZone: "UTC" } : {}) });
    formats.set(key, f);
  }
  return f.format(t);
}

export const absolute = (t: number): string => format("absolute", t);
export const minute = (t: number): string => format("minute", t);
export const clock = (t: number): string => format("clock", t);

/** A clock of today, else day and clock. */
export const short = (t: number): string => (format("day", t) === format("day", now.peek()) ? clock(t) : format("short", t));

/** As an <input type="datetime-local"> has it, and back. */
export const toInput = (t: number): string => {
  const offset = zone.value === "UTC" ? 0 : new Date(t).getTimezoneOffset() * 60_000;
  return new Date(t - offset).toISOString().slice(0, 16);
};
export const fromInput = (s: string): number => (zone.value === "UTC" ? Date.parse(`${s}Z`) : Date.parse(s));

/** "2h", "90m", "1d12h": milliseconds; NaN: it is none. */
export function parseSpan(s: string): number {
  const unit: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
  const text = s.replace(/\s+/g, "");
  if (!/^(\d+(\.\d+)?[smhdw])+$/.test(text)) return Number.NaN;
  let sum = 0;
  for (const m of text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g)) sum += Number(m[1]) * (unit[m[2] ?? ""] ?? 0);
  return sum;
}
