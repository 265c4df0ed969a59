import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { receivers, type Told, told } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { place, update } from "../../lib/router";
import { Problem } from "../../parts/Problem";
import { ToldList } from "./ToldList";

const SPANS = { "1h": 3600e3, "6h": 6 * 3600e3, "24h": 24 * 3600e3, "7d": 7 * 24 * 3600e3 } as const;
const VERDICTS = ["notify", "delivered", "retry", "failed", "silenced", "inhibited", "muted", "outside active time", "dropped"] as const;

/** What went out, failed, was held back, and why. */
export function Notifications() {
  const t = T();
  const q = place.value.query;
  const names = useAsk(receivers, []);
  const older = useSignal<Told[]>([]);
  const next = useSignal<string | null>(null);
  const error = useSignal<Error | null>(null);
  const pick = (name: string) => q.get(name) ?? "";
  const span = (q.get("span") ?? "24h") as keyof typeof SPANS;
  const params = (cursor: string | null): Record<string, string> => {
    const p: Record<string, string> = { limit: "100", since: new Date(Date.now() - (SPANS[span] ?? SPANS["24h"])).toISOString() };
    for (const n of ["receiver", "group", "alert", "verdict"]) if (pick(n)) p[n] = pick(n);
    if (cursor) p.cursor = cursor;
    return p;
  };
  const first = useAsk(() => told(params(null)), [q.toString()], 15_000);
  useEffect(() => {
    older.value = [];
    next.value = null;
  }, [q.toString()]);
  const more = async () => {
    try {
      const page = await told(params(next.value ?? first.data.value?.next ?? null));
      older.value = [...older.value, ...page.notifications];
      next.value = page.next ?? "";
      error.value = null;
    } catch (e) {
      error.value = e as Error;
    }
  };
  const list = [...(first.data.value?.notifications ?? []), ...older.value];
  const hasMore = next.value === null ? first.data.value?.next : next.value;
  return (
    <>
      <h1>{t.nav.notifications}</h1>
      <div class="bar">
        <label>
          {t.told.receiver}
          <select value={pick("receiver")} onChange={e => update({ receiver: e.currentTarget.value || null })}>
            <option value="">{t.any}</option>
            {(names.data.value ?? []).map(r => (
              <option key={r.name}>{r.name}</option>
            ))}
          </select>
        </label>
        <label>
          {t.told.verdict}
          <select value={pick("verdict")} onChange={e => update({ verdict: e.currentTarget.value || null })}>
            <option value="">{t.any}</option>
            {VERDICTS.map(v => (
              <option key={v} value={v}>
                {t.told.verdicts[v]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t.told.span}
          <select value={span} onChange={e => update({ span: e.currentTarget.value })}>
            {Object.keys(SPANS).map(s => (
              <option key={s}>{s}</option>
            ))}
          </select>
        </label>
        {(["group", "alert"] as const)
          .filter(n => pick(n))
          .map(n => (
            <button key={n} type="button" class="chip" aria-label={t.search.remove(n)} onClick={() => update({ [n]: null })}>
              <i>{n}=</i>
              {pick(n)} ×
            </button>
          ))}
      </div>
      <Problem error={first.error.value ?? error.value} retry={first.again} />
      {first.data.value && list.length === 0 && <p class="empty">{t.told.none}</p>}
      <div class="panel">
        <ToldList list={list} />
      </div>
      {hasMore && (
        <button type="button" class="btn" onClick={more}>
          {t.told.older}
        </button>
      )}
    </>
  );
}
