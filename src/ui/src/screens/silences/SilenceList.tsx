import { useSignal } from "@preact/signals";
import { alerts, type Silence, silences } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { matches } from "../../lib/labels";
import { place, update } from "../../lib/router";
import { who } from "../../lib/who";
import { Problem } from "../../parts/Problem";
import { expireAll, extendAll } from "./actions";
import { SilenceCard } from "./SilenceCard";

const TABS = ["active", "pending", "expired"] as const;
const MOST = 200;

const has = (s: Silence, q: string): boolean =>
  `${s.comment}\n${s.createdBy}\n${s.id}\n${s.matchers.map(m => `${m.name}=${m.value}`).join("\n")}`
    .toLowerCase()
    .includes(q.toLowerCase());

export function SilenceList() {
  const t = T();
  const asked = useAsk(
    async () => {
      const [list, all] = await Promise.all([silences(), alerts([])]);
      return { list, all };
    },
    [],
    10_000,
  );
  const chosen = useSignal<Set<string>>(new Set());
  const tab = (place.value.query.get("state") ?? "active") as (typeof TABS)[number];
  const q = place.value.query.get("q") ?? "";
  const idle = place.value.query.get("idle") === "1";
  const list = asked.data.value?.list ?? [];
  const hides = (s: Silence): number => (asked.data.value?.all ?? []).filter(a => matches(s.matchers, a.labels)).length;
  const count = (state: string) => list.filter(s => s.status.state === state).length;
  const shown = list
    .filter(s => s.status.state === tab && (!q || has(s, q)) && (!idle || hides(s) === 0))
    .sort((a, b) => (tab === "expired" ? b.endsAt.localeCompare(a.endsAt) : a.endsAt.localeCompare(b.endsAt)));
  const selected = shown.filter(s => chosen.value.has(s.id));
  const done = () => {
    chosen.value = new Set();
    void asked.again();
  };
  return (
    <>
      <div class="heading">
        <h1>{t.nav.silences}</h1>
        {who.value?.may.silence !== false && (
          <a class="btn main" href="#/silences/new">
            {t.silences.create}
          </a>
        )}
      </div>
      <div class="bar">
        <div class="tabs" role="tablist">
          {TABS.map(s => (
            <button key={s} type="button" role="tab" aria-selected={tab === s} onClick={() => update({ state: s })}>
              {t.silences.states[s]} <span class="num soft">{count(s)}</span>
            </button>
          ))}
        </div>
        <input
          type="search"
          aria-label={t.silences.search}
          placeholder={t.silences.search}
          value={q}
          onInput={e => update({ q: e.currentTarget.value || null }, true)}
        />
        {tab === "active" && (
          <label class="check">
            <input type="checkbox" checked={idle} onChange={e => update({ idle: e.currentTarget.checked ? "1" : null })} />
            {t.silences.onlyIdle}
          </label>
        )}
      </div>
      <Problem error={asked.error.value} retry={asked.again} />
      {selected.length > 0 && (
        <div class="panel bar" role="toolbar" aria-label={t.silences.selected(selected.length)}>
          {t.silences.selected(selected.length)}
          <button type="button" class="btn" onClick={() => void extendAll(selected, 2 * 3_600_000, done)}>
            {t.silences.extend}
          </button>
          <button type="button" class="btn" onClick={() => void expireAll(selected, done)}>
            {t.silences.expire}
          </button>
        </div>
      )}
      {asked.data.value && shown.length === 0 && <p class="empty">{t.silences.none}</p>}
      <div class="cards">
        {shown.slice(0, MOST).map(s => (
          <SilenceCard
            key={s.id}
            silence={s}
            hides={hides(s)}
            checked={chosen.value.has(s.id)}
            onCheck={on => {
              const next = new Set(chosen.value);
              if (on) next.add(s.id);
              else next.delete(s.id);
              chosen.value = next;
            }}
            done={done}
          />
        ))}
      </div>
      {shown.length > MOST && <p class="soft">{t.silences.more(shown.length - MOST)}</p>}
    </>
  );
}
