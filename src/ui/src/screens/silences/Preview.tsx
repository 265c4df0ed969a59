import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { alerts, board, told, type V2Alert } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { type Matcher, matches, printMatcher } from "../../lib/labels";
import { href } from "../../lib/router";
import { Chip } from "../../parts/Chip";
import { Problem } from "../../parts/Problem";

export function AlertChips({ list }: { list: V2Alert[] }) {
  return (
    <ul class="plain">
      {list.slice(0, 20).map(a => (
        <li key={a.fingerprint}>
          <a href={href("/alerts", { alert: a.fingerprint })}>{a.labels.alertname ?? a.fingerprint}</a>{" "}
          {Object.entries(a.labels)
            .filter(([n]) => n !== "alertname")
            .slice(0, 8)
            .map(([n, v]) => (
              <Chip key={n} name={n} value={v} />
            ))}
        </li>
      ))}
      {list.length > 20 && <li class="soft">{T().alerts.more(list.length - 20)}</li>}
    </ul>
  );
}

interface Found {
  list: V2Alert[];
  all: number;
  worst: number;
  past: number;
}

async function look(ms: Matcher[]): Promise<Found> {
  const since = new Date(Date.now() - 24 * 3_600_000).toISOString();
  const filter = new URLSearchParams(ms.map(m => ["filter", printMatcher(m)]));
  const [list, hidden, everything, said] = await Promise.all([
    alerts(ms),
    board(`${filter}&limit=0`),
    board("limit=0"),
    told({ verdict: "notify", since, limit: "1000" }),
  ]);
  return {
    list,
    all: everything.totals.alerts,
    worst: hidden.totals.severities.filter(s => s.rank === 0).reduce((n, s) => n + s.alerts, 0),
    past: said.notifications.filter(n => (n.alerts ?? []).some(a => a.labels && matches(ms, a.labels))).length,
  };
}

/** What it hides now and would have hidden of the last day; a word when that is a page, or everything. */
export function Preview({ matchers }: { matchers: Matcher[] }) {
  const t = T().silences;
  const key = matchers.map(printMatcher).join(",");
  const settled = useSignal(""); // while somebody types nothing is asked
  useEffect(() => {
    const timer = setTimeout(() => {
      settled.value = key;
    }, 300);
    return () => clearTimeout(timer);
  }, [key]);
  const { data: found, error } = useAsk(async () => (settled.value ? look(matchers) : null), [settled.value], 10_000);
  const x = found.value;
  return (
    <section class="panel preview" aria-live="polite">
      <h2>{t.preview}</h2>
      <Problem error={error.value} />
      {matchers.length === 0 && <p class="soft">{t.choose}</p>}
      {x && matchers.length > 0 && (
        <>
          <p>
            <b class="num">{x.list.length}</b> {t.wouldHide(x.list.length)} · {t.wouldHaveHidden(x.past)}
          </p>
          {x.all > 0 && x.list.length === x.all && <p class="problem">{t.everything}</p>}
          {x.worst > 0 && <p class="problem">{t.hidesWorst(x.worst)}</p>}
          <AlertChips list={x.list} />
        </>
      )}
    </section>
  );
}
