// What this browser remembers: settings by localStorage, which may be forbidden, and the login by sessionStorage, kept for the tab.
import { effect, type Signal, signal } from "@preact/signals";

function read(store: Storage | undefined, key: string): string | null {
  try {
    return store?.getItem(`tocsin.${key}`) ?? null;
  } catch {
    return null;
  }
}

function write(store: Storage | undefined, key: string, value: string | null): void {
  try {
    if (value === null) store?.removeItem(`tocsin.${key}`);
    else store?.setItem(`tocsin.${key}`, value);
  } catch {
    /* it is not remembered */
  }
}

const storage = (name: "localStorage" | "sessionStorage"): Storage | undefined => {
  try {
    return globalThis[name];
  } catch {
    return undefined;
  }
};
const local = storage("localStorage");
const tab = storage("sessionStorage");

function kept<T>(key: string, initial: T): Signal<T> {
  const text = read(local, key);
  let value = initial;
  try {
    if (text !== null) value = JSON.parse(text) as T;
  } catch {
    /* of an older version */
  }
  const s = signal(value);
  effect(() => write(local, key, JSON.stringify(s.value)));
  return s;
}

export type Theme = "auto" | "light" | "dark" | "contrast";
export type Lang = "auto" | "en" | "zh";
export type Zone = "local" | "UTC";

export interface View {
  name: string;
  query: string;
}

export const theme = kept<Theme>("theme", "auto");
export const language = kept<Lang>("language", "auto");
export const zone = kept<Zone>("zone", "local");
export const order = kept<string>("order", "");
export const creator = kept<string>("creator", "");
export const views = kept<View[]>("views", []);
export const defaultView = kept<string>("defaultView", "");
export const queries = kept<string[]>("queries", []);

/** The value of the header Authorization; null: none is sent. */
export const credentials = signal<string | null>(read(tab, "credentials"));
effect(() => write(tab, "credentials", credentials.value));
