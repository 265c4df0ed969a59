import { useSignal } from "@preact/signals";
import { type Explanation, explainLabels, type RouteNode, routes } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { type Labels, parseMatchers } from "../../lib/labels";
import { href, place, update } from "../../lib/router";
import { Problem } from "../../parts/Problem";
import { Why } from "../alert/Why";

function Node({ node: n, taken }: { node: RouteNode; taken: Set<string> }) {
  const t = T().routes;
  return (
    <li>
      <div class={`route ${taken.has(n.key) ? "taken" : ""}`}>
        <span>
          {n.matchers.length ? (
            n.matchers.map(m => (
              <span key={m} class="chip mono">
                {m}
              </span>
            ))
          ) : (
            <span class="soft">{t.everything}</span>
          )}{" "}
          →{" "}
          <a href={href("/receivers", { name: n.receiver })}>
            <b>{n.receiver}</b>
          </a>
          {n.continue && <small> · continue</small>}
        </span>
        <a class="num" href={href("/alerts", { receiver: n.receiver })}>
          {t.holds(n.groups, n.alerts)}
        </a>
        <small class="soft">
          {t.by} {n.groupByAll ? "..." : n.groupBy.join(", ") || t.nothing} · {n.groupWait} / {n.groupInterval} / {n.repeatInterval}
          {n.muteTimeIntervals.length > 0 && ` · ${t.mute} ${n.muteTimeIntervals.join(", ")}`}
          {n.activeTimeIntervals.length > 0 && ` · ${t.active} ${n.activeTimeIntervals.join(", ")}`}
        </small>
      </div>
      {n.routes.length > 0 && (
        <ul class="tree">
          {n.routes.map((r, i) => (
            <Node key={`${r.key} ${i}`} node={r} taken={taken} />
          ))}
        </ul>
      )}
    </li>
  );
}

const toText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([n, v]) => `${n}="${v}"`)
    .join(", ");

/** The tree with what it holds now, and where a label set would go. */
export function Routes() {
  const t = T();
  const asked = useAsk(routes, [], 15_000);
  let given: Labels = {};
  try {
    given = JSON.parse(place.value.query.get("labels") ?? "{}") as Labels;
  } catch {
    /* no labels */
  }
  const text = useSignal(toText(given));
  const answer = useSignal<Explanation | null>(null);
  const error = useSignal<Error | null>(null);
  const ask = async (e?: Event) => {
    e?.preventDefault();
    const ms = parseMatchers(text.value);
    if (!ms || ms.some(m => m.isRegex || !m.isEqual) || ms.length === 0) {
      error.value = new Error(t.routes.bad);
      return;
    }
    const labels = Object.fromEntries(ms.map(m => [m.name, m.value]));
    update({ labels: JSON.stringify(labels) }, true);
    try {
      answer.value = await explainLabels(labels);
      error.value = null;
    } catch (problem) {
      error.value = problem as Error;
    }
  };
  useAsk(async () => {
    if (text.value) await ask();
  }, []);
  const taken = new Set(answer.value?.routes.map(r => r.route) ?? []);
  return (
    <>
      <h1>{t.nav.routes}</h1>
      <form class="bar" onSubmit={ask}>
        <label class="wide">
          {t.routes.where}
          <input
            class="mono"
            placeholder={'alertname="Slow", severity="critical"'}
            value={text.value}
            spellcheck={false}
            onInput={e => {
              text.value = e.currentTarget.value;
            }}
          />
        </label>
        <button type="submit" class="btn main">
          {t.routes.ask}
        </button>
      </form>
      <Problem error={error.value ?? asked.error.value} />
      {answer.value && (
        <section class="panel">
          <Why x={answer.value} />
        </section>
      )}
      {asked.data.value === null && asked.error.value === null ? (
        <p class="soft">{t.routes.none}</p>
      ) : (
        asked.data.value && (
          <section class="panel">
            <ul class="tree root">
              <Node node={asked.data.value} taken={taken} />
            </ul>
          </section>
        )
      )}
    </>
  );
}
