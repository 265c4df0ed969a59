// The stream of the board, whoever runs it: a SharedWorker for all tabs of a browser, or the tab itself where there is none. It follows the
// windows that somebody wants, asks by polling where nothing of the stream comes through, and says how fresh all of it is.
import type { BoardChange, BoardPage } from "./api";

export type Health = "connecting" | "live" | "polling" | "lost" | "unauthorized";

export interface FeedEvents {
  page(page: BoardPage): void;
  /** What has changed of a page that was told before. */
  change(change: BoardChange): void;
  health(health: Health, at: number): void;
}

/** What a page becomes by a change. Groups that are not on it any more are forgotten. */
export function apply(page: BoardPage, change: BoardChange): BoardPage {
  const order = change.order ?? page.order;
  const groups: BoardPage["groups"] = {};
  for (const key of order) {
    const group = change.groups[key] ?? page.groups[key];
    if (group) groups[key] = group;
  }
  return { ...page, revision: change.revision, at: change.at, totals: change.totals ?? page.totals, order, groups };
}

export interface SseEvent {
  id: string;
  event: string;
  data: string;
}

/** Takes text as it comes; returns the events that are whole. */
export class SseReader {
  private rest = "";

  take(text: string): SseEvent[] {
    const blocks = (this.rest + text).split("\n\n");
    this.rest = blocks.pop() ?? "";
    const events: SseEvent[] = [];
    for (const block of blocks) {
      const e: SseEvent = { id: "", event: "message", data: "" };
      for (const line of block.split("\n")) {
        const colon = line.indexOf(": ");
        const name = line.slice(0, colon);
        if (name === "id" || name === "event" || name === "data") e[name] = line.slice(colon + 2);
      }
      if (e.data) events.push(e);
    }
    return events;
  }
}

const SILENT_AFTER = 25_000; // the server says something each 15 s
const FIRST_WITHIN = 6_000; // or a proxy keeps it to itself
const POLL_EACH = 5_000;
const TRY_STREAM_EACH = 5 * 60_000;
const FOLLOWED_MAX = 32; // windows of one stream; those beyond are asked for

interface Watched {
  wanted: number;
  page: BoardPage | null;
  tag: string | null;
}

export class Feed {
  private windows = new Map<string, Watched>();
  private extra: ReturnType<typeof setTimeout> | undefined;
  private abort: AbortController | null = null;
  private restart: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private last = "";
  private followed = "";
  private failures = 0;
  private heard = 0;
  private health: Health = "connecting";
  private pollsSince = 0;

  constructor(
    private base: string,
    private headers: Record<string, string>,
    private events: FeedEvents,
  ) {}

  want(window: string): void {
    const w = this.windows.get(window);
    if (w) {
      w.wanted++;
      if (w.page) this.events.page(w.page);
      this.say(this.health);
      return;
    }
    this.windows.set(window, { wanted: 1, page: null, tag: null });
    this.again(30);
  }

  leave(window: string): void {
    const w = this.windows.get(window);
    if (!w || --w.wanted > 0) return;
    this.windows.delete(window);
    if (this.windows.size === 0) this.stop();
    else this.again(500);
  }

  /** What somebody knows better: the page is asked for anew. */
  refresh(): void {
    if (this.health === "polling" || this.health === "lost") this.again(0);
  }

  stop(): void {
    clearTimeout(this.restart);
    clearTimeout(this.watchdog);
    clearTimeout(this.extra);
    this.abort?.abort();
    this.abort = null;
    this.followed = "";
  }

  private say(health: Health): void {
    this.health = health;
    this.events.health(health, this.heard);
  }

  private again(ms: number): void {
    clearTimeout(this.restart);
    this.restart = setTimeout(() => void this.run(), ms);
  }

  private watch(ms: number): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.abort?.abort("silent"), ms);
  }

  private async run(): Promise<void> {
    if (this.windows.size === 0) return;
    if (this.pollsSince && Date.now() - this.pollsSince < TRY_STREAM_EACH) {
      await this.poll();
      return;
    }
    this.pollsSince = 0;
    this.pollRest();
    this.abort?.abort();
    const mine = new AbortController();
    this.abort = mine;
    let events = 0;
    try {
      events = await this.follow(mine, n => {
        events = n;
      });
    } catch (e) {
      if (e instanceof Unauthorized) {
        this.say("unauthorized");
        return;
      }
    }
    clearTimeout(this.watchdog);
    if (this.abort !== mine) return; // another one has begun
    this.abort = null;
    if (mine.signal.aborted && mine.signal.reason === "silent" && events === 0) {
      this.pollsSince = Date.now();
      await this.poll();
      return;
    }
    this.failures = events > 0 ? 0 : this.failures + 1;
    if (this.failures > 0) this.say("lost");
    this.again(events > 0 ? 200 + Math.random() * 800 : Math.min(10_000, 1000 * this.failures));
  }

  private async follow(mine: AbortController, count: (n: number) => void): Promise<number> {
    const names = [...this.windows.keys()].slice(0, FOLLOWED_MAX).sort();
    const url = `${this.base}api/tocsin/stream?${names.map(w => `window=${encodeURIComponent(w)}`).join("&")}`;
    const headers = { ...this.headers };
    if (this.last && this.followed === url) headers["Last-Event-ID"] = this.last;
    this.followed = url;
    this.watch(FIRST_WITHIN);
    const r = await fetch(url, { headers, signal: mine.signal, cache: "no-store" });
    if (r.status === 401 || r.status === 403) throw new Unauthorized();
    if (r.status === 503) {
      this.pollsSince = Date.now(); // too many follow
      await this.poll();
      return 1;
    }
    if (!r.ok || !r.body) throw new Error(String(r.status));
    const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
    const sse = new SseReader();
    let n = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return n;
      this.heard = Date.now();
      this.watch(SILENT_AFTER);
      for (const e of sse.take(value)) this.take(e);
      count(++n);
      this.say("live");
    }
  }

  private take(e: SseEvent): void {
    const data = JSON.parse(e.data) as BoardPage | BoardChange;
    const w = this.windows.get(data.window);
    this.last = e.id;
    if (!w) return;
    if (e.event === "page") {
      w.page = data as BoardPage;
      this.events.page(w.page);
    } else if (w.page) {
      w.page = apply(w.page, data as BoardChange);
      this.events.change(data as BoardChange);
    }
  }

  /** Those that one stream has no room for. */
  private pollRest(): void {
    const rest = [...this.windows].slice(FOLLOWED_MAX);
    clearTimeout(this.extra);
    if (rest.length === 0) return;
    this.ask(rest).catch(() => {
      /* the stream says that the server is gone */
    });
    this.extra = setTimeout(() => this.pollRest(), POLL_EACH);
  }

  private async ask(windows: [string, Watched][]): Promise<void> {
    for (const [name, w] of windows) {
      const headers = { ...this.headers, ...(w.tag ? { "If-None-Match": w.tag } : {}) };
      const r = await fetch(`${this.base}api/tocsin/board?${name}`, { headers, cache: "no-store" });
      if (r.status === 401 || r.status === 403) throw new Unauthorized();
      if (r.status === 200) {
        w.page = { ...((await r.json()) as BoardPage), window: name };
        w.tag = r.headers.get("ETag");
        this.events.page(w.page);
      } else if (r.status !== 304) {
        throw new Error(String(r.status));
      }
    }
  }

  private async poll(): Promise<void> {
    try {
      await this.ask([...this.windows]);
      this.heard = Date.now();
      this.say("polling");
    } catch (e) {
      if (e instanceof Unauthorized) {
        this.say("unauthorized");
        return;
      }
      this.say("lost");
    }
    this.again(POLL_EACH);
  }
}

class Unauthorized extends Error {}
