import { useSignal } from "@preact/signals";
import { type Rule, type RuleCondition, type RuleGroup, type RuleHealth, rules, rulesHealth } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { matcher, printMatchers } from "../../lib/labels";
import { href, place, update } from "../../lib/router";
import { span } from "../../lib/time";
import { shortValue } from "../../lib/value";
import { Ago } from "../../parts/Ago";
import { Chip } from "../../parts/Chip";
import { Graph } from "../../parts/LazyGraph";
import { Problem } from "../../parts/Problem";
import { Why } from "./Why";

const STATES = ["firing", "pending", "inactive", "recording", "err"] as const;
type RuleState = (typeof STATES)[number];
const MOST = 300;
/** Conditions that somebody should know of; what fails has a state of its own. */
const CONDITIONS = ["dead", "always_firing", "never_matched", "slow"] as const;
type Noted = (typeof CONDITIONS)[number];
const noted = (c: RuleCondition | undefined): Noted | null => CONDITIONS.find(x => x === c) ?? null;

const stateOf = (r: Rule): RuleState => (r.health === "err" ? "err" : r.type === "recording" ? "recording" : (r.state ?? "inactive"));
const classOf: Record<RuleState, string> = { firing: "bad", err: "bad", pending: "warn", inactive: "ok", recording: "" };

function RuleRow({ rule: r, group: g, health }: { rule: Rule; group: RuleGroup; health: RuleHealth | undefined }) {
  const t = T().rules;
  const open = useSignal(false);
  const why = useSignal(false);
  const condition = noted(health?.condition);
  const state = stateOf(r);
  const firing = (r.alerts ?? []).filter(a => a.state === "firing").length;
  return (
    <article class="rule">
      <span class={`verdict ${classOf[state]}`}>{t.states[state]}</span>
      <div>
        <p>
          <button
            type="button"
            class="fold"
            aria-expanded={open.value}
            onClick={() => {
              open.value = !open.value;
            }}
          >
            {r.name}
          </button>{" "}
          {r.duration ? <small>for {span(r.duration * 1000)}</small> : null}{" "}
          {condition && (
            <span class={`verdict ${condition === "never_matched" ? "" : "warn"}`}>
              {t.conditions[condition]}
              {health?.since && (
                <>
                  {" "}
                  <Ago at={health.since} />
                </>
              )}
            </span>
          )}{" "}
          {firing > 0 && (
            <a href={href("/alerts", { filter: printMatchers([matcher("alertname", "=", r.name)]) })}>{T().alerts.count(firing)}</a>
          )}
        </p>
        <pre class="expr" tabIndex={0}>
          {r.query}
        </pre>
        {r.lastError && <p class="problem">{r.lastError}</p>}
        {r.heldBecause && (
          <p class="problem">
            {t.held} {r.heldBecause}
          </p>
        )}
        {[...(r.warnings ?? []), ...(r.infos ?? [])].map(w => (
          <p key={w} class="caution">
            {w}
          </p>
        ))}
        {open.value && (
          <>
            <div class="labels">
              {Object.entries(r.labels).map(([n, v]) => (
                <Chip key={n} name={n} value={v} />
              ))}
            </div>
            {Object.entries(r.annotations ?? {}).map(([n, v]) => (
              <p key={n} class="note-text">
                <i>{n}</i> {v}
              </p>
            ))}
            {(r.alerts ?? []).slice(0, 10).map(a => (
              <p key={JSON.stringify(a.labels)} class="note-text">
                {t.states[a.state]} <Ago at={a.activeAt} /> · {t.value} {shortValue(a.value)}{" "}
                {Object.entries(a.labels)
                  .filter(([n]) => n !== "alertname")
                  .map(([n, v]) => (
                    <Chip key={n} name={n} value={v} />
                  ))}
              </p>
            ))}
            <Graph expr={r.query} hours={1} />
            {why.value && <Why name={r.name} group={g.name} file={g.file} />}
            <div class="btns">
              <button
                type="button"
                class="btn"
                aria-expanded={why.value}
                onClick={() => {
                  why.value = !why.value;
                }}
              >
                {t.why}
              </button>
              <a class="btn" href={href("/query", { expr: r.query, tab: "graph" })}>
                {t.query}
              </a>
              <a class="btn" href={href("/routes", { labels: JSON.stringify({ alertname: r.name, ...r.labels }) })}>
                {t.route}
              </a>
            </div>
            <p class="soft">
              {g.file} · {g.name}
            </p>
          </>
        )}
      </div>
      <span class="soft num">
        {Date.parse(r.lastEvaluation) > 0 ? <Ago at={r.lastEvaluation} /> : t.never} · {(r.evaluationTime * 1000).toFixed(1)} ms
        {r.lastSamples !== undefined && <> · {t.samples(r.lastSamples)}</>}
      </span>
    </article>
  );
}

export function Rules() {
  const t = T();
  const asked = useAsk(rules, [], 15_000);
  const healths = useAsk(rulesHealth, [], 60_000);
  const healthOf = new Map((healths.data.value ?? []).map(h => [`${h.file} ${h.group} ${h.name}`, h]));
  const health = (g: RuleGroup, r: Rule) => healthOf.get(`${g.file} ${g.name} ${r.name}`);
  const condition = place.value.query.get("condition") as Noted | null;
  const q = place.value.query.get("q") ?? "";
  const state = (place.value.query.get("state") ?? "") as RuleState | "";
  const groups = asked.data.value ?? [];
  const all = groups.flatMap(g => g.rules.map(r => ({ g, r })));
  const fits = ({ g, r }: { g: RuleGroup; r: Rule }) =>
    (!state || stateOf(r) === state) &&
    (!condition || health(g, r)?.condition === condition) &&
    (!q || `${r.name} ${r.query} ${g.name} ${g.file}`.toLowerCase().includes(q.toLowerCase()));
  let left = MOST;
  const total = all.filter(fits).length;
  return (
    <>
      <h1>{t.nav.rules}</h1>
      <div class="bar">
        <input
          type="search"
          aria-label={t.rules.search}
          placeholder={t.rules.search}
          value={q}
          onInput={e => update({ q: e.currentTarget.value || null }, true)}
        />
        {STATES.map(s => {
          const n = all.filter(x => stateOf(x.r) === s).length;
          return (
            (n > 0 || state === s) && (
              <button
                key={s}
                type="button"
                class="pill"
                aria-pressed={state === s}
                onClick={() => update({ state: state === s ? null : s })}
              >
                <b>{n}</b> {t.rules.states[s]}
              </button>
            )
          );
        })}
        {CONDITIONS.map(c => {
          const n = all.filter(x => health(x.g, x.r)?.condition === c).length;
          return (
            (n > 0 || condition === c) && (
              <button
                key={c}
                type="button"
                class="pill"
                aria-pressed={condition === c}
                onClick={() => update({ condition: condition === c ? null : c })}
              >
                <b>{n}</b> {t.rules.conditions[c]}
              </button>
            )
          );
        })}
      </div>
      <Problem error={asked.error.value} retry={asked.again} />
      {asked.data.value && all.length === 0 && <p class="empty">{t.rules.none}</p>}
      {all.length > 0 && total === 0 && <p class="empty">{t.rules.noneMatch}</p>}
      {groups.map(g => {
        const shown = g.rules.filter(r => fits({ g, r })).slice(0, left);
        left -= shown.length;
        if (shown.length === 0) return null;
        return (
          <section key={`${g.file} ${g.name}`} class="panel rules">
            <header>
              <h2>{g.name}</h2> <small class="mono">{g.file}</small>{" "}
              <small>
                {t.rules.every} {span(g.interval * 1000)} · {(g.evaluationTime * 1000).toFixed(1)} ms
              </small>
            </header>
            {shown.map((r, i) => (
              <RuleRow key={`${r.name} ${i}`} rule={r} group={g} health={health(g, r)} />
            ))}
          </section>
        );
      })}
      {total > MOST && <p class="soft">{t.rules.more(total - MOST)}</p>}
    </>
  );
}
