// Where we are: "#/alerts?filter=...". The URL holds a screen's whole state, so that it can be sent, kept and gone back to.
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  const hash = location.hash.slice(1);
  if (hash === "" && /\/graph$/.test(location.pathname)) {
    // a link of Prometheus' kind, as rules put into alerts
    const given = new URLSearchParams(location.search);
    return { path: "/query", query: new URLSearchParams({ expr: given.get("g0.expr") ?? "" }) };
  }
  const at = hash.indexOf("?");
  const path = (at < 0 ? hash : hash.slice(0, at)) || "/alerts";
  return { path: path.startsWith("/") ? path : `/${path}`, query: new URLSearchParams(at < 0 ? "" : hash.slice(at + 1)) };
}

export const place = signal<Place>(read());
addEventListener("hashchange", () => {
  place.value = read();
});

export type Params = Record<string, string | null | undefined>;

export function href(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [k, v] of Object.entries(params)) if (v !== null && v !== undefined && v !== "") query.set(k, v);
  const text = query.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

export function go(path: string, params: Params = {}, replace = false): void {
  const url = href(path, params);
  if (replace) {
    history.replaceState(null, "", url);
    place.value = read();
  } else if (location.hash !== url) {
    location.hash = url;
  }
}

/** The same screen with some parameters set, or taken away (null). */
export function update(params: Params, replace = false): void {
  const { path, query } = place.peek();
  go(path, { ...Object.fromEntries(query), ...params }, replace);
}
export function hrefWith(params: Params): string {
  const { path, query } = place.value;
  return href(path, { ...Object.fromEntries(query), ...params });
}
