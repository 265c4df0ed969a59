// The one client of the server's interface: its types, and a function a question. Paths are relative, so that a route prefix and a
// proxy with a path need nothing.
import { signal } from "@preact/signals";
import { type Labels, type Matcher, printMatcher } from "./labels";
import { credentials } from "./prefs";

export const base = location.pathname.replace(/[^/]*$/, "");

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Set when the server asks who we are. */
export const mustLogIn = signal(false);

export const authHeaders = (): Record<string, string> => ({
  "X-Tocsin-Page": "1",
  ...(credentials.value ? { Authorization: credentials.value } : {}),
});

function reason(text: string, fallback: string): string {
  try {
    const j = JSON.parse(text) as unknown;
    if (typeof j === "string") return j;
    if (j && typeof j === "object") {
      const o = j as Record<string, unknown>;
      for (const k of ["message", "error"]) if (typeof o[k] === "string") return o[k];
    }
  } catch {
    /* it is text */
  }
  return text.trim() || fallback;
}

async function call(path: string, init: RequestInit = {}): Promise<string> {
  let r: Response;
  try {
    r = await fetch(base + path, { ...init, headers: { ...authHeaders(), ...(init.headers as Record<string, string> | undefined) } });
  } catch (e) {
    throw new ApiError(0, e instanceof Error ? e.message : String(e));
  }
  const text = await r.text();
  if (r.status === 401) mustLogIn.value = true;
  if (!r.ok) throw new ApiError(r.status, reason(text, `${r.status} ${r.statusText}`));
  return text;
}

const get = async <T>(path: string, signal?: AbortSignal): Promise<T> => JSON.parse(await call(path, signal ? { signal } : {})) as T;

async function send<T>(method: string, path: string, body: unknown): Promise<T> {
  const text = await call(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return (text ? JSON.parse(text) : null) as T;
}

interface PromAnswer<T> {
  status: "success" | "error";
  data: T;
  error?: string;
  warnings?: string[];
  infos?: string[];
}
const prom = async <T>(path: string, signal?: AbortSignal): Promise<PromAnswer<T>> => get<PromAnswer<T>>(path, signal);

const q = encodeURIComponent;
export const filterParams = (ms: Matcher[]): string => ms.map(m => `filter=${q(printMatcher(m))}`).join("&");

// -- who am I --

export interface Who {
  name: string;
  scope: string;
  groups: string;
  may: { silence: boolean; change: boolean };
  hasTokens: boolean;
  version: string;
  instance: string;
  startedAt: string;
}
export const whoami = (): Promise<Who> => get("api/tocsin/whoami");

// -- the board --

export type State = "firing" | "silenced" | "inhibited";

export interface BoardAlert {
  fingerprint: string;
  state: State;
  rank: number;
  labels: Labels;
  annotations: Labels;
  since: string;
  value?: string;
  generatorURL?: string;
  silencedBy?: { id: string; createdBy: string; comment: string; endsAt: string }[];
  inhibitedBy?: { fingerprint: string; alertname: string }[];
}

export interface BoardGroup {
  key: string;
  receiver: string;
  groupKey: string;
  labels: Labels;
  nextFlush: string | null;
  mutedBy?: string[];
  told?: { integration: string; index: number; at: string | null; attempts?: number }[];
  severity: string;
  rank: number;
  state: State;
  counts: Record<State, number>;
  newest: string;
  strip?: string;
  shared: Labels;
  sharedAnnotations: Labels;
  alerts: BoardAlert[];
}

export interface Totals {
  alerts: number;
  groups: number;
  states: Record<State | "pending", number>;
  severities: { severity: string; rank: number; alerts: number }[];
  by?: { label: string; values: { value: string; alerts: number }[] };
  failingReceivers: { receiver: string; why: string; since: string }[];
}

export interface BoardPage {
  window: string;
  revision: number;
  at: string;
  totals: Totals;
  order: string[];
  offset: number;
  groups: Record<string, BoardGroup>;
}

export interface BoardChange {
  window: string;
  revision: number;
  at: string;
  totals?: Totals;
  order?: string[];
  groups: Record<string, BoardGroup>;
}

export const board = (query: string, signal?: AbortSignal): Promise<BoardPage> => get(`api/tocsin/board?${query}`, signal);
export const labelNames = (begins: string): Promise<{ name: string; alerts: number }[]> =>
  get(`api/tocsin/labels?limit=30&begins=${q(begins)}`);
export const labelValues = (name: string, begins: string): Promise<{ value: string; alerts: number }[]> =>
  get(`api/tocsin/labels/${q(name)}?limit=30&begins=${q(begins)}`);

// -- one alert --

export interface ExplainIntegration {
  integration: string;
  index: number;
  verdict: string;
  text: string;
  lastSentAt: string | null;
  nextAt: string | null;
  nextReason?: string;
  attempts?: number;
  /** What a message that is decided waits for. */
  waitsFor?: "attempt" | "pace" | "asked" | "place";
  waitsUntil?: string | null;
}
export interface ExplainRoute {
  receiver: string;
  route: string;
  groupKey: string;
  groupLabels: Labels;
  groupWait: string;
  groupInterval: string;
  repeatInterval: string;
  nextFlush: string | null;
  outsideActive: string[];
  mutedBy: string[];
  integrations: ExplainIntegration[];
}
export interface ExplainPath {
  depth: number;
  matchers: string;
  receiver: string;
  continue: boolean;
  verdict: "passes" | "takes" | "fails" | "not tried";
  failed?: string;
}
export interface Told {
  at: string;
  verdict: string;
  receiver: string;
  integration?: string;
  index?: number;
  groupKey: string;
  fingerprint?: string;
  reason?: string;
  why?: string;
  by?: string[];
  until?: string;
  firing?: number;
  resolved?: number;
  attempt?: number;
  status?: number;
  seconds?: number;
  alerts?: { fingerprint: string; labels: Labels | null }[];
}
export interface Explanation {
  labels: Labels;
  fingerprint: string;
  state: "firing" | "resolved" | "unknown";
  startsAt?: string;
  endsAt?: string;
  updatedAt?: string;
  silencedBy: { id: string; state: string; matchers: string; createdBy: string; comment: string; startsAt: string; endsAt: string }[];
  inhibitedBy: { fingerprint: string; rule: string; labels: Labels }[];
  routes: ExplainRoute[];
  path: ExplainPath[];
  history?: Told[];
}

export const explain = async (fingerprint: string): Promise<Explanation | null> =>
  (await get<{ alerts: Explanation[] }>(`api/v2/explain?limit=50&fingerprint=${q(fingerprint)}`)).alerts[0] ?? null;
export const explainLabels = async (labels: Labels): Promise<Explanation | null> =>
  (
    await get<{ alerts: Explanation[] }>(
      `api/v2/explain?limit=0&${Object.entries(labels)
        .map(([n, v]) => `label=${q(`${n}=${v}`)}`)
        .join("&")}`,
    )
  ).alerts[0] ?? null;

export interface V2Alert {
  labels: Labels;
  annotations: Labels;
  fingerprint: string;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  generatorURL?: string;
  status: { state: "active" | "suppressed"; silencedBy: string[]; inhibitedBy: string[]; mutedBy: string[] };
}
export const alerts = (ms: Matcher[]): Promise<V2Alert[]> => get(`api/v2/alerts?${filterParams(ms)}`);

// -- silences --

export interface Silence {
  id: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  createdBy: string;
  comment: string;
  annotations?: Labels;
  status: { state: "pending" | "active" | "expired" };
}
export interface SilenceDraft {
  id?: string;
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}
export const silences = (): Promise<Silence[]> => get("api/v2/silences");
export const silence = (id: string): Promise<Silence> => get(`api/v2/silence/${q(id)}`);
export const putSilence = async (s: SilenceDraft): Promise<string> =>
  (await send<{ silenceID: string }>("POST", "api/v2/silences", s)).silenceID;
export const expireSilence = (id: string): Promise<string> => call(`api/v2/silence/${q(id)}`, { method: "DELETE" });
export const readMatchers = (text: string): Promise<Matcher[]> => get(`api/tocsin/matchers?text=${q(text)}`);

// -- status, receivers, what was told, targets --

export interface Status {
  config: { original: string };
  uptime: string;
  versionInfo: { version: string; revision: string };
}
export const status = (): Promise<Status> => get("api/v2/status");

export interface Loop {
  longestTurnSeconds: number;
  longestLagSeconds: number;
  longestWork: string;
  longestWorkSeconds: number;
}
export const loop = async (): Promise<Loop | null> => (await get<{ loop: Loop | null }>("api/tocsin/overview?loop=true")).loop;
export const flags = async (): Promise<Record<string, string>> => (await prom<Record<string, string>>("api/v1/status/flags")).data;
export const runtimeInfo = async (): Promise<Record<string, string | number | boolean>> =>
  (await prom<Record<string, string | number | boolean>>("api/v1/status/runtimeinfo")).data;
export const reload = (dryRun: boolean): Promise<string> => call(`-/reload${dryRun ? "?dry_run=true" : ""}`, { method: "POST" });

export interface ReceiverHealth {
  receiver: string;
  lastSuccess: string | null;
  lastFailure: string | null;
  lastError: string;
  advice?: Record<string, string> | null;
  failing: string;
  failingSince: string | null;
  queued: number;
  inFlight: number;
}
export const receivers = (): Promise<{ name: string; labels: Labels }[]> => get("api/v2/receivers");
export const receiverHealth = (name: string): Promise<ReceiverHealth> => get(`api/v2/explain?limit=0&of_receiver=${q(name)}`);
export interface TrialResult {
  receiver: string;
  integration: string;
  index: number;
  told: string;
  verdict: string;
  status: number;
  error: string;
  advice?: Record<string, string> | null;
}
export const testReceiver = (name: string, confirm: boolean): Promise<{ results: TrialResult[] }> =>
  send("POST", `api/v2/receivers/${q(name)}/test`, { confirm });

export interface ToldPage {
  notifications: Told[];
  next: string | null;
}
export const told = (params: Record<string, string>): Promise<ToldPage> => get(`api/tocsin/notifications?${new URLSearchParams(params)}`);

export interface Target {
  labels: Labels;
  scrapePool: string;
  scrapeUrl: string;
  lastError: string;
  lastScrape: string;
  lastScrapeDuration: number;
  health: "up" | "down" | "unknown";
}
export interface TargetList {
  scrapePool: string;
  kind: string;
  subject: string;
  lastError: string;
  lastFound: string | null;
  targets: number;
}
export const targets = async (): Promise<{ activeTargets: Target[]; droppedTargets: unknown[]; targetLists: TargetList[] }> => {
  const [active, lists] = await Promise.all([
    prom<{ activeTargets: Target[]; droppedTargets: unknown[] }>("api/v1/targets?state=active"),
    prom<{ targetLists: TargetList[] }>("api/v1/targets?state=lists"),
  ]);
  return { ...active.data, targetLists: lists.data.targetLists ?? [] };
};

// -- rules, routes, queries --

export interface RuleAlert {
  labels: Labels;
  annotations: Labels;
  state: "pending" | "firing";
  activeAt: string;
  value: string;
}
export interface Rule {
  type: "alerting" | "recording";
  name: string;
  query: string;
  state?: "inactive" | "pending" | "firing";
  duration?: number;
  keepFiringFor?: number;
  labels: Labels;
  annotations?: Labels;
  alerts?: RuleAlert[];
  health: "ok" | "err" | "unknown";
  lastError?: string;
  lastEvaluation: string;
  evaluationTime: number;
  lastSamples?: number;
  evaluations?: number;
  evaluationFailures?: number;
  warnings?: string[];
  infos?: string[];
  heldSince?: string;
  heldBecause?: string;
}
export interface RuleGroup {
  name: string;
  file: string;
  interval: number;
  lastEvaluation: string;
  evaluationTime: number;
  rules: Rule[];
}
export const rules = async (): Promise<RuleGroup[]> => (await prom<{ groups: RuleGroup[] }>("api/v1/rules")).data.groups;

export type RuleCondition = "ok" | "unknown" | "never_matched" | "empty" | "dead" | "always_firing" | "slow" | "failing";
export interface RuleHealth {
  name: string;
  group: string;
  file: string;
  condition: RuleCondition;
  since: string | null;
}
export const rulesHealth = async (): Promise<RuleHealth[]> => (await get<{ rules: RuleHealth[] }>("api/tocsin/rules_health")).rules;

/** Why a rule fires or does not: its parts with the series that each has, and where they become none. */
export interface RuleWhy {
  name: string;
  group: string;
  file: string;
  expr: string;
  error: string;
  watched: boolean;
  parts: { depth: number; part: string; series: number }[];
  causes: { part: string; text: string }[];
  /** Of an alert; its basis: over what it was filled in. */
  wouldSay?: { basis: "result" | "nearest" | "selectors"; annotations: Record<string, string> };
}
export const explainRule = async (name: string): Promise<RuleWhy[]> =>
  (await get<{ rules: RuleWhy[] }>(`api/v2/explain?rule=${q(name)}`)).rules;

/** What lint finds in the text of a rule file. */
export interface Finding {
  severity: "error" | "warning" | "info";
  id: string;
  message: string;
  help?: string;
  line: number;
}
export const lintRules = async (text: string): Promise<Finding[]> =>
  (
    JSON.parse(await call("api/tocsin/lint", { method: "POST", headers: { "Content-Type": "text/yaml" }, body: text })) as {
      problems: Finding[];
    }
  ).problems;

export interface RouteNode {
  matchers: string[];
  key: string;
  receiver: string;
  continue: boolean;
  groupByAll: boolean;
  groupBy: string[];
  muteTimeIntervals: string[];
  activeTimeIntervals: string[];
  groupWait: string;
  groupInterval: string;
  repeatInterval: string;
  groups: number;
  alerts: number;
  routes: RouteNode[];
}
export const routes = async (): Promise<RouteNode | null> => (await get<{ route: RouteNode | null }>("api/tocsin/routes")).route;

export type Sample = [number, string];
export interface Series {
  metric: Labels;
  value?: Sample;
  values?: Sample[];
}
export interface QueryData {
  resultType: "vector" | "matrix" | "scalar" | "string";
  result: Series[] | Sample;
}
export interface QueryAnswer extends QueryData {
  warnings: string[];
  infos: string[];
}
const asked = async (path: string, signal?: AbortSignal): Promise<QueryAnswer> => {
  const r = await prom<QueryData>(path, signal);
  return { ...r.data, warnings: r.warnings ?? [], infos: r.infos ?? [] };
};
export const query = (expr: string, time: number | null, signal?: AbortSignal): Promise<QueryAnswer> =>
  asked(`api/v1/query?query=${q(expr)}${time === null ? "" : `&time=${time / 1000}`}`, signal);
export const queryRange = (expr: string, from: number, to: number, step: number, signal?: AbortSignal): Promise<QueryAnswer> =>
  asked(`api/v1/query_range?query=${q(expr)}&start=${from / 1000}&end=${to / 1000}&step=${step}`, signal);
export const formatQuery = async (expr: string): Promise<string> => (await prom<string>(`api/v1/format_query?query=${q(expr)}`)).data;

export interface StateChange {
  at: string;
  state: "inactive" | "pending" | "firing";
  value: string;
}
/** What the alerts of a rule did, while this process lives. */
export const ruleHistory = async (rule: string): Promise<{ labels: Labels; changes: StateChange[] }[]> =>
  (await prom<{ labels: Labels; changes: StateChange[] }[]>(`api/tocsin/rule_history?rule=${q(rule)}`)).data;
