// Labels and matchers: read from text, printed as the server prints them, and asked of a label set.

export type Labels = Record<string, string>;

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual: boolean;
}

export type Op = "=" | "!=" | "=~" | "!~";

export const opOf = (m: Matcher): Op => (m.isEqual ? (m.isRegex ? "=~" : "=") : m.isRegex ? "!~" : "!=");

export const matcher = (name: string, op: Op, value: string): Matcher => ({
  name,
  value,
  isRegex: op.endsWith("~"),
  isEqual: op.startsWith("="),
});

const quote = (s: string) => `"${s.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;
const printName = (n: string) => (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(n) ? n : quote(n));

export const printMatcher = (m: Matcher): string => printName(m.name) + opOf(m) + quote(m.value);
export const printMatchers = (ms: Matcher[]): string => `{${ms.map(printMatcher).join(", ")}}`;

const unquote = (s: string): string => s.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|([^\s=!~,{}"]+))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^,"{}\s]*))\s*(?:,|$|\n)/y;

/** The matchers of a text: with or without braces, by commas or lines. Null: it cannot be read. */
export function parseMatchers(text: string): Matcher[] | null {
  let s = text.trim();
  if (s.startsWith("{") && s.endsWith("}")) s = s.slice(1, -1).trim();
  const found: Matcher[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < s.length) {
    const m = TOKEN.exec(s);
    if (!m) return null;
    const name = m[1] !== undefined ? unquote(m[1]) : (m[2] ?? "");
    const value = m[4] !== undefined ? unquote(m[4]) : (m[5] ?? "");
    found.push(matcher(name, m[3] as Op, value));
  }
  return found;
}

export function matchesOne(m: Matcher, labels: Labels): boolean {
  const value = labels[m.name] ?? "";
  if (!m.isRegex) return (value === m.value) === m.isEqual;
  try {
    return new RegExp(`^(?:${m.value})$`, "su").test(value) === m.isEqual;
  } catch {
    return false;
  }
}

export const matches = (ms: Matcher[], labels: Labels): boolean => ms.every(m => matchesOne(m, labels));

export const sameMatcher = (a: Matcher, b: Matcher): boolean =>
  a.name === b.name && a.value === b.value && a.isRegex === b.isRegex && a.isEqual === b.isEqual;

/** Labels that say which one it is, not what: off when an alert is silenced. */
const VOLATILE = /^(uuid|gpu_?uuid|pod(_name|_uid)?|uid|container_id|driver_version|pci_bus_id|id|exported_pod|trace_id)$/i;
export const isVolatile = (name: string): boolean => VOLATILE.test(name);

const LINK = /^https?:\/\/[^\s<>"]+$/i;
export const isLink = (s: string): boolean => LINK.test(s);
