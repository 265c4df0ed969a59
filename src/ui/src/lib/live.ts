// The board as signals: who shows a window follows it, as long as it is shown.
import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { FromWorker, ToWorker } from "../worker";
import { authHeaders, type BoardPage, base, mustLogIn } from "./api";
import { apply, Feed, type Health } from "./feed";
import { credentials } from "./prefs";

export const health = signal<Health>("connecting");
export const heardAt = signal(0);

declare const __BUILD__: string; // another version has another worker

const pages = new Map<string, Signal<BoardPage | null>>();

function take(m: FromWorker): void {
  if (m.kind === "page") {
    const s = pages.get(m.page.window);
    if (s) s.value = m.page;
    return;
  }
  if (m.kind === "change") {
    const s = pages.get(m.change.window);
    if (s?.value) s.value = apply(s.value, m.change);
    return;
  }
  health.value = m.health;
  if (m.at) heardAt.value = m.at;
  if (m.health === "unauthorized") mustLogIn.value = true;
}

const absoluteBase = new URL(base, location.href).href;

/** What tells the feed, in a worker or here. */
const tell: (m: ToWorker) => void = (() => {
  if (typeof SharedWorker === "function") {
    try {
      const port = new SharedWorker(`${base}ui/worker.js?${__BUILD__}`, `tocsin ${__BUILD__}`).port;
      port.onmessage = (e: MessageEvent<FromWorker>) => take(e.data);
      setInterval(() => port.postMessage({ kind: "alive" } satisfies ToWorker), 20_000);
      return (m: ToWorker) => port.postMessage(m);
    } catch {
      /* it is not allowed here */
    }
  }
  let feed: Feed | null = null;
  return (m: ToWorker) => {
    if (m.kind === "hello") {
      feed?.stop();
      feed = new Feed(m.base, m.headers, {
        page: page => take({ kind: "page", page }),
        change: change => take({ kind: "change", change }),
        health: (h, at) => take({ kind: "health", health: h, at }),
      });
    } else if (m.kind === "want") feed?.want(m.window);
    else if (m.kind === "leave") feed?.leave(m.window);
    else if (m.kind === "refresh") feed?.refresh();
  };
})();

effect(() => {
  credentials.value;
  tell({ kind: "hello", base: absoluteBase, headers: authHeaders() });
  for (const window of pages.keys()) tell({ kind: "want", window });
});
addEventListener("pagehide", () => {
  for (const window of pages.keys()) tell({ kind: "leave", window });
});
addEventListener("pageshow", e => {
  if (e.persisted) for (const window of pages.keys()) tell({ kind: "want", window });
});

const followers = new Map<string, number>();

function follow(window: string): Signal<BoardPage | null> {
  let s = pages.get(window);
  if (!s) {
    s = signal<BoardPage | null>(null);
    pages.set(window, s);
    tell({ kind: "want", window });
  }
  followers.set(window, (followers.get(window) ?? 0) + 1);
  return s;
}

function unfollow(window: string): void {
  const n = (followers.get(window) ?? 1) - 1;
  followers.set(window, n);
  // who comes back at once finds it
  if (n === 0)
    setTimeout(() => {
      if (followers.get(window) !== 0) return;
      followers.delete(window);
      pages.delete(window);
      tell({ kind: "leave", window });
    }, 2000);
}

/** The window's page, null until it is there. */
export function useBoard(window: string): ReadonlySignal<BoardPage | null> {
  const s = useMemo(() => {
    const found = follow(window);
    unfollow(window); // the effect below holds it
    return found;
  }, [window]);
  useEffect(() => {
    follow(window);
    return () => unfollow(window);
  }, [window]);
  return pages.get(window) ?? s;
}

export const refreshBoard = (): void => tell({ kind: "refresh" });
