import { afterEach, describe, expect, it, vi } from "vitest";
import type { BoardGroup, BoardPage } from "../src/lib/api";
import { apply, Feed, type Health, SseReader } from "../src/lib/feed";

const group = (key: string, n: number) => ({ key, counts: { firing: n } }) as unknown as BoardGroup;
const page: BoardPage = {
  window: "w",
  revision: 1,
  at: "t",
  totals: { alerts: 2 } as BoardPage["totals"],
  order: ["a", "b"],
  offset: 0,
  groups: { a: group("a", 1), b: group("b", 1) },
};

describe("a change", () => {
  it("takes what is new, keeps what is not, and forgets what has left the page", () => {
    const next = apply(page, { window: "w", revision: 2, at: "u", order: ["c", "a"], groups: { c: group("c", 3) } });
    expect(Object.keys(next.groups)).toEqual(["c", "a"]);
    expect(next.groups.a).toBe(page.groups.a);
    expect(next.totals).toBe(page.totals);
    expect(next.revision).toBe(2);
  });
  it("keeps the order when it names none", () => {
    const next = apply(page, { window: "w", revision: 2, at: "u", groups: { b: group("b", 9) } });
    expect(next.order).toEqual(["a", "b"]);
    expect(next.groups.b?.counts.firing).toBe(9);
  });
});

describe("events", () => {
  it("come whole, however they are cut", () => {
    const text = `retry: 2000\n\nid: x-1\nevent: page\ndata: {"a":"b: c"}\n\n: still here\n\nid: x-2\nevent: change\ndata: {}\n\n`;
    for (let cut = 1; cut < text.length; cut++) {
      const r = new SseReader();
      const all = [...r.take(text.slice(0, cut)), ...r.take(text.slice(cut))];
      expect(all).toEqual([
        { id: "x-1", event: "page", data: '{"a":"b: c"}' },
        { id: "x-2", event: "change", data: "{}" },
      ]);
    }
  });
});

describe("the feed", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const bodyOf = (text: string, signal: AbortSignal) =>
    new ReadableStream<Uint8Array>({
      start(c) {
        c.enqueue(new TextEncoder().encode(text));
        signal.addEventListener("abort", () => c.error(new Error("aborted")));
      },
    });

  it("comes back with what it has seen, and polls where nothing comes through", async () => {
    vi.useFakeTimers();
    const asked: { url: string; last: string | undefined }[] = [];
    let answer: (url: string, signal: AbortSignal) => Promise<Response> = async (_url, signal) =>
      new Response(bodyOf(`id: L-7\nevent: page\ndata: ${JSON.stringify(page)}\n\n`, signal));
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      asked.push({ url, last: (init.headers as Record<string, string>)["Last-Event-ID"] });
      return answer(url, init.signal as AbortSignal);
    });
    const pages: BoardPage[] = [];
    const said: Health[] = [];
    const feed = new Feed("http://x/", {}, { page: p => pages.push(p), change: () => {}, health: h => said.push(h) });
    feed.want("w");
    await vi.advanceTimersByTimeAsync(100);
    expect(asked[0]?.url).toBe("http://x/api/tocsin/stream?window=w");
    expect(pages.at(-1)?.order).toEqual(["a", "b"]);
    expect(said.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked.length).toBe(1); // a quiet server is there all the same
    // silence for too long: it asks again, from where it was
    answer = (_url, signal) => new Promise((_, no) => signal.addEventListener("abort", () => no(new Error("aborted"))));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.at(-1)?.last).toBe("L-7");
    // and nothing comes at all: a proxy keeps it
    answer = async (url, signal) =>
      url.includes("stream")
        ? new Promise((_, no) => signal?.addEventListener("abort", () => no(new Error("aborted"))))
        : new Response(JSON.stringify({ ...page, revision: 9 }), { headers: { ETag: "e" } });
    await vi.advanceTimersByTimeAsync(40_000);
    expect(said.at(-1)).toBe("polling");
    expect(pages.at(-1)?.revision).toBe(9);
    answer = async () => new Response("", { status: 401 });
    await vi.advanceTimersByTimeAsync(6_000);
    expect(said.at(-1)).toBe("unauthorized");
    feed.stop();
  });

  it("asks for what one stream has no room for", async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      asked.push(url);
      return url.includes("/stream?")
        ? new Response(bodyOf(": here\n\n", init.signal as AbortSignal))
        : new Response(JSON.stringify(page), { headers: { ETag: "e" } });
    });
    const pages: string[] = [];
    const feed = new Feed("/", {}, { page: p => pages.push(p.window), change: () => {}, health: () => {} });
    for (let i = 0; i < 40; i++) feed.want(`q=${i}`);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked.filter(u => u.includes("/stream?")).map(u => u.split("window=").length - 1)).toEqual([32]);
    expect(pages).toEqual([...Array(8).keys()].map(i => `q=${32 + i}`));
    feed.stop();
  });
});
