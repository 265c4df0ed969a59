// What the URL of the screen says, and the question to the board that comes of it. Links of Alertmanager's page mean the same here.
import type { State } from "../../lib/api";
import { type Matcher, parseMatchers, printMatcher, printMatchers } from "../../lib/labels";
import { order } from "../../lib/prefs";

export const STATES: State[] = ["firing", "silenced", "inhibited"];

export interface AlertsState {
  matchers: Matcher[];
  bad: string | null; // a filter that cannot be read
  q: string;
  receiver: string;
  states: State[];
  severities: string[] | null;
  pending: boolean;
  lanes: string;
  alert: string;
}

export function readState(query: URLSearchParams): AlertsState {
  const filter = query.get("filter") ?? "";
  const parsed = filter.trim() ? parseMatchers(filter) : [];
  const only = query.get("state");
  const old: Record<State, string> = { firing: "active", silenced: "silenced", inhibited: "inhibited" };
  const states = only ? STATES.filter(s => only.split(",").includes(s)) : STATES.filter(s => query.get(old[s]) !== "false");
  return {
    matchers: parsed ?? [],
    bad: parsed ? null : filter,
    q: query.get("q") ?? "",
    receiver: query.get("receiver") ?? "",
    states: states.length ? states : STATES,
    severities: query.has("severity") ? (query.get("severity") ?? "").split(",") : null,
    pending: query.get("pending") === "1",
    lanes: query.get("by") ?? "",
    alert: query.get("alert") ?? "",
  };
}

/** The filters as the board reads them; they are also those of one group's window. */
export function filterQuery(s: AlertsState): string {
  const p = new URLSearchParams();
  for (const m of s.matchers) p.append("filter", printMatcher(m));
  if (s.q) p.set("q", s.q);
  if (s.receiver) p.set("receiver", s.receiver);
  if (s.states.length < STATES.length) p.set("state", s.states.join(","));
  if (s.severities) p.set("severity", s.severities.join(","));
  if (order.value.trim()) p.set("order", order.value.replace(/\s/g, ""));
  return p.toString();
}

export function boardQuery(s: AlertsState, limit: number, offset: number): string {
  const p = new URLSearchParams(filterQuery(s));
  if (s.lanes) p.set("by", s.lanes);
  if (offset) p.set("offset", String(offset));
  p.set("limit", String(limit));
  return p.toString();
}

export const filterText = (ms: Matcher[]): string | null => (ms.length ? printMatchers(ms) : null);
