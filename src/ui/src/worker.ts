// One stream for all tabs of a browser: a SharedWorker. Tabs with other credentials have a feed of their own.
import type { BoardChange, BoardPage } from "./lib/api";
import { Feed, type Health } from "./lib/feed";

export type ToWorker =
  | { kind: "hello"; base: string; headers: Record<string, string> }
  | { kind: "want"; window: string }
  | { kind: "leave"; window: string }
  | { kind: "refresh" }
  | { kind: "alive" };
export type FromWorker =
  | { kind: "page"; page: BoardPage }
  | { kind: "change"; change: BoardChange }
  | { kind: "health"; health: Health; at: number };

interface Tab {
  port: MessagePort;
  wants: Set<string>;
  shared: Shared | null;
  alive: number;
}
interface Shared {
  feed: Feed;
  tabs: Set<Tab>;
}

const feeds = new Map<string, Shared>();
const tabs = new Set<Tab>();

function feedOf(base: string, headers: Record<string, string>): Shared {
  const key = JSON.stringify([base, headers]);
  const known = feeds.get(key);
  if (known) return known;
  const members = new Set<Tab>();
  const tell = (m: FromWorker, window?: string) => {
    for (const t of members) if (window === undefined || t.wants.has(window)) t.port.postMessage(m);
  };
  const made: Shared = {
    tabs: members,
    feed: new Feed(base, headers, {
      page: page => tell({ kind: "page", page }, page.window),
      change: change => tell({ kind: "change", change }, change.window),
      health: (health, at) => tell({ kind: "health", health, at }),
    }),
  };
  feeds.set(key, made);
  return made;
}

function drop(t: Tab): void {
  for (const w of t.wants) t.shared?.feed.leave(w);
  t.wants.clear();
  t.shared?.tabs.delete(t);
  t.shared = null;
}

function take(t: Tab, m: ToWorker): void {
  t.alive = Date.now();
  if (m.kind === "hello") {
    drop(t);
    t.shared = feedOf(m.base, m.headers);
    t.shared.tabs.add(t);
  } else if (m.kind === "want" && !t.wants.has(m.window)) {
    t.wants.add(m.window);
    t.shared?.feed.want(m.window);
  } else if (m.kind === "leave" && t.wants.delete(m.window)) {
    t.shared?.feed.leave(m.window);
  } else if (m.kind === "refresh") {
    t.shared?.feed.refresh();
  }
}

// A tab that was closed says nothing: one that has not been heard for long is gone. Hidden tabs say so once a minute at least.
setInterval(() => {
  for (const t of tabs)
    if (Date.now() - t.alive > 150_000) {
      drop(t);
      tabs.delete(t);
    }
}, 30_000);

(globalThis as unknown as { onconnect: (e: MessageEvent) => void }).onconnect = e => {
  const port = e.ports[0];
  if (!port) return;
  const t: Tab = { port, wants: new Set(), shared: null, alive: Date.now() };
  tabs.add(t);
  port.onmessage = (m: MessageEvent<ToWorker>) => take(t, m.data);
};
