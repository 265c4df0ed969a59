import { alerts as askAlerts, type Explanation, explain, ruleHistory, type StateChange, type V2Alert } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { exprOfLink } from "../../lib/expr";
import { T } from "../../lib/i18n";
import { isLink, type Labels, matcher, printMatcher } from "../../lib/labels";
import { href } from "../../lib/router";
import { absolute, short } from "../../lib/time";
import { toast } from "../../lib/toasts";
import { shortValue } from "../../lib/value";
import { who } from "../../lib/who";
import { Ago } from "../../parts/Ago";
import { Chip } from "../../parts/Chip";
import { Graph } from "../../parts/LazyGraph";
import { Problem } from "../../parts/Problem";
import { Text } from "../../parts/Text";
import { ToldList } from "../notifications/ToldList";
import { matchersOf, silenceHref } from "../silences/link";
import { markdown } from "./markdown";
import { Why } from "./Why";

interface Whole {
  x: Explanation;
  alert: V2Alert | null;
  similar: V2Alert[];
  changes: StateChange[];
}

async function ask(fingerprint: string): Promise<Whole> {
  const x = await explain(fingerprint);
  if (!x) throw new Error(T().alert.gone);
  const name = x.labels.alertname;
  const [same, past] = name ? await Promise.all([askAlerts([matcher("alertname", "=", name)]), ruleHistory(name)]) : [[], []];
  // outside it has the labels that all have, too
  const own = past.find(h => Object.entries(h.labels).every(([n, v]) => x.labels[n] === v));
  return {
    changes: (own?.changes ?? []).slice(-8).reverse(),
    x,
    alert: same.find(a => a.fingerprint === fingerprint) ?? null,
    similar: same.filter(a => a.fingerprint !== fingerprint),
  };
}

function differing(a: Labels, b: Labels): [string, string][] {
  return Object.entries(a).filter(([n, v]) => b[n] !== v);
}

export function AlertDetail({ fingerprint, onClose }: { fingerprint: string; onClose: () => void }) {
  const t = T().alert;
  const { data, error, again } = useAsk(() => ask(fingerprint), [fingerprint], 10_000);
  const whole = data.value;
  const close = (
    <button type="button" class="quiet close" aria-label={T().close} onClick={onClose}>
      ✕
    </button>
  );
  if (!whole)
    return (
      <aside class="panel detail" aria-label={t.label}>
        {close}
        {error.value ? <Problem error={error.value} retry={again} /> : <p class="soft">{T().loading}</p>}
      </aside>
    );
  const { x, alert, similar, changes } = whole;
  const name = x.labels.alertname ?? t.unnamed;
  const annotations = Object.entries(alert?.annotations ?? {});
  const summary = alert?.annotations.summary ?? alert?.annotations.description;
  const expr = exprOfLink(alert?.generatorURL);
  const copy = async () => {
    const text = markdown(x, alert);
    try {
      await navigator.clipboard.writeText(text);
      toast(t.copied);
    } catch {
      toast(t.notCopied, { isError: true });
    }
  };
  return (
    <aside class="panel detail" aria-label={`${t.label}: ${name}`}>
      {close}
      <h2 class="name">{name}</h2>
      <p class="soft">
        {t.states[x.state]}
        {x.startsAt && (
          <>
            {" · "}
            {t.since} <Ago at={x.startsAt} />
          </>
        )}
      </p>
      <Problem error={error.value} />
      {summary && <p class="summary">{summary}</p>}
      <div class="labels">
        {Object.entries(x.labels)
          .filter(([n]) => n !== "alertname")
          .map(([n, v]) => (
            <Chip key={n} name={n} value={v} />
          ))}
      </div>
      <div class="btns">
        {who.value?.may.silence !== false && (
          <a class="btn main" href={silenceHref(matchersOf(x.labels), "alert")}>
            {t.silence}
          </a>
        )}
        <button type="button" class="btn" onClick={copy}>
          {t.copy}
        </button>
        {alert?.generatorURL && isLink(alert.generatorURL) && (
          <a class="btn" href={expr ? href("/query", { expr, tab: "graph" }) : alert.generatorURL}>
            {t.source}
          </a>
        )}
      </div>
      {expr && <Graph expr={expr} labels={x.labels} hours={3} />}
      <Why x={x} />
      {annotations.filter(([, v]) => v !== summary).length > 0 && (
        <>
          <h3>{t.annotations}</h3>
          <dl class="pairs">
            {annotations
              .filter(([, v]) => v !== summary)
              .map(([n, v]) => (
                <div key={n}>
                  <dt>{n}</dt>
                  <dd>
                    <Text value={v} />
                  </dd>
                </div>
              ))}
          </dl>
        </>
      )}
      {changes.length > 0 && (
        <>
          <h3>{t.changes}</h3>
          <ol class="told short">
            {changes.map(c => (
              <li key={c.at + c.state}>
                <time class="num soft" dateTime={c.at} title={absolute(Date.parse(c.at))}>
                  {short(Date.parse(c.at))}
                </time>
                <span class={`verdict ${c.state === "firing" ? "bad" : c.state === "pending" ? "warn" : "ok"}`}>
                  {T().rules.states[c.state]}
                </span>
                <span class="num soft">{shortValue(c.value)}</span>
              </li>
            ))}
          </ol>
        </>
      )}
      {x.history && x.history.length > 0 && (
        <>
          <h3>{t.history}</h3>
          <ToldList list={x.history.slice(0, 30)} short />
        </>
      )}
      {x.labels.alertname && (
        <p>
          <a href={href("/rules", { q: x.labels.alertname })}>{t.rule}</a>
          {" · "}
          <a href={href("/notifications", { alert: fingerprint })}>{t.allTold}</a>
        </p>
      )}
      {similar.length > 0 && (
        <>
          <h3>{t.similar(similar.length)}</h3>
          <ul class="plain">
            {similar.slice(0, 8).map(a => (
              <li key={a.fingerprint}>
                <a href={href("/alerts", { filter: `{${printMatcher(matcher("alertname", "=", name))}}`, alert: a.fingerprint })}>
                  {differing(a.labels, x.labels)
                    .map(([n, v]) => `${n}=${v}`)
                    .join(", ") || a.fingerprint}
                </a>{" "}
                <small>
                  <Ago at={a.startsAt} plain />
                </small>
              </li>
            ))}
          </ul>
        </>
      )}
    </aside>
  );
}
