import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { labelNames } from "../../lib/api";
import { T } from "../../lib/i18n";
import { defaultView, views } from "../../lib/prefs";
import { place, update } from "../../lib/router";

/** Questions that are kept by name, the one to begin with, and lanes by a label. */
export function Views() {
  const t = T().views;
  const name = useSignal("");
  const names = useSignal<string[]>([]);
  const box = useRef<HTMLDetailsElement>(null);
  const query = new URLSearchParams(place.value.query);
  query.delete("alert");
  const here = query.toString();
  const save = (e: Event) => {
    e.preventDefault();
    const n = name.value.trim();
    if (!n) return;
    views.value = [...views.value.filter(v => v.name !== n), { name: n, query: here }];
    name.value = "";
  };
  return (
    <details
      class="menu"
      ref={box}
      onToggle={async () => {
        if (box.current?.open) names.value = (await labelNames("").catch(() => [])).map(n => n.name);
      }}
      onKeyDown={e => {
        if (e.key === "Escape" && box.current) box.current.open = false;
      }}
    >
      <summary>{t.title}</summary>
      <div class="pop form">
        {views.value.map(v => (
          <div key={v.name} class="row">
            <a href={`#/alerts?${v.query}`} aria-current={v.query === here ? "true" : undefined}>
              {v.name}
            </a>
            <button
              type="button"
              class="quiet"
              aria-pressed={defaultView.value === v.query}
              onClick={() => {
                defaultView.value = defaultView.value === v.query ? "" : v.query;
              }}
            >
              {defaultView.value === v.query ? t.isDefault : t.makeDefault}
            </button>
            <button
              type="button"
              class="quiet"
              aria-label={t.forget(v.name)}
              onClick={() => {
                views.value = views.value.filter(x => x.name !== v.name);
              }}
            >
              ✕
            </button>
          </div>
        ))}
        <form class="row" onSubmit={save}>
          <input
            aria-label={t.name}
            placeholder={t.name}
            value={name.value}
            onInput={e => {
              name.value = e.currentTarget.value;
            }}
          />
          <button type="submit" class="btn">
            {t.save}
          </button>
        </form>
        <label>
          {t.lanes}
          <select value={place.value.query.get("by") ?? ""} onChange={e => update({ by: e.currentTarget.value || null })}>
            <option value="">{t.noLanes}</option>
            {[...new Set([place.value.query.get("by") ?? "", ...names.value])].filter(Boolean).map(n => (
              <option key={n}>{n}</option>
            ))}
          </select>
        </label>
      </div>
    </details>
  );
}
