import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { query as askQuery, formatQuery, type QueryAnswer, type Sample, type Series } from "../../lib/api";
import { T } from "../../lib/i18n";
import { queries } from "../../lib/prefs";
import { place, update } from "../../lib/router";
import { Chip } from "../../parts/Chip";
import { Graph } from "../../parts/LazyGraph";
import { Problem } from "../../parts/Problem";
import { Editor } from "./Editor";
import { RuleDraft } from "./RuleDraft";

const HOURS = [0.25, 1, 3, 6, 24] as const;
const MOST = 500;

function Table({ answer }: { answer: QueryAnswer }) {
  const t = T().query;
  if (answer.resultType === "scalar" || answer.resultType === "string") return <p class="big num">{(answer.result as Sample)[1]}</p>;
  const list = answer.result as Series[];
  return (
    <>
      <p class="soft">{t.series(list.length)}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={t.table}>
        <table class="result">
          <tbody>
            {list.slice(0, MOST).map((s, i) => (
              <tr key={i}>
                <td>
                  {s.metric.__name__ && <b class="mono">{s.metric.__name__} </b>}
                  {Object.entries(s.metric)
                    .filter(([n]) => n !== "__name__")
                    .map(([n, v]) => (
                      <Chip key={n} name={n} value={v} />
                    ))}
                </td>
                <td class="num">{s.value?.[1] ?? s.values?.at(-1)?.[1]}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {list.length > MOST && <p class="soft">{t.more(list.length - MOST)}</p>}
    </>
  );
}

export function Query() {
  const t = T();
  const q = place.value.query;
  const expr = q.get("expr") ?? "";
  const tab = q.get("tab") === "graph" ? "graph" : "table";
  const hours = Number(q.get("hours") ?? 1) || 1;
  const text = useSignal(expr);
  const answer = useSignal<QueryAnswer | null>(null);
  const error = useSignal<Error | null>(null);
  const rule = useSignal<string | null>(null);
  useEffect(() => {
    text.value = expr;
    rule.value = null;
    if (!expr || tab !== "table") return;
    const abort = new AbortController();
    askQuery(expr, null, abort.signal).then(
      a => {
        answer.value = a;
        error.value = null;
      },
      e => {
        if (!abort.signal.aborted) error.value = e as Error;
      },
    );
    return () => abort.abort();
  }, [expr, tab]);
  const run = () => {
    const wanted = text.value.trim();
    if (!wanted) return;
    queries.value = [wanted, ...queries.value.filter(x => x !== wanted)].slice(0, 30);
    if (wanted === expr) update({ expr: null }, true);
    update({ expr: wanted }, wanted === expr);
  };
  const format = async () => {
    try {
      text.value = await formatQuery(text.value);
      error.value = null;
    } catch (e) {
      error.value = e as Error;
    }
  };
  return (
    <>
      <h1>{t.nav.query}</h1>
      <Editor
        text={text.value}
        onText={s => {
          text.value = s;
        }}
        onRun={run}
      />
      <div class="bar">
        <button type="button" class="btn main" onClick={run}>
          {t.query.run}
        </button>
        <button type="button" class="btn" onClick={() => void format()}>
          {t.query.format}
        </button>
        <button
          type="button"
          class="btn"
          disabled={!text.value.trim()}
          onClick={() => {
            rule.value = rule.value === null ? text.value.trim() : null;
          }}
        >
          {t.query.makeRule}
        </button>
        <div class="tabs" role="tablist">
          {(["table", "graph"] as const).map(x => (
            <button key={x} type="button" role="tab" aria-selected={tab === x} onClick={() => update({ tab: x })}>
              {t.query[x]}
            </button>
          ))}
        </div>
        {tab === "graph" && (
          <label>
            {t.query.range}
            <select value={String(hours)} onChange={e => update({ hours: e.currentTarget.value })}>
              {HOURS.map(h => (
                <option key={h} value={h}>
                  {h < 1 ? `${h * 60} min` : `${h} h`}
                </option>
              ))}
            </select>
          </label>
        )}
        {queries.value.length > 0 && (
          <label>
            {t.query.earlier}
            <select
              value=""
              onChange={e => {
                if (e.currentTarget.value) update({ expr: e.currentTarget.value });
              }}
            >
              <option value="">…</option>
              {queries.value.map(x => (
                <option key={x} value={x}>
                  {x.slice(0, 80)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <Problem error={tab === "table" ? error.value : null} />
      {rule.value !== null && <RuleDraft key={rule.value} expr={rule.value} />}
      {expr && (
        <section class="panel">
          {tab === "graph" ? <Graph expr={expr} hours={hours} tall /> : answer.value && !error.value && <Table answer={answer.value} />}
          {[...(answer.value?.warnings ?? []), ...(answer.value?.infos ?? [])].map(w => (
            <p key={w} class="caution">
              {w}
            </p>
          ))}
        </section>
      )}
      {!expr && <p class="empty">{t.query.hint}</p>}
    </>
  );
}
