import type { Target } from "../../lib/api";
import { targets } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { place, update } from "../../lib/router";
import { Ago } from "../../parts/Ago";
import { Chip } from "../../parts/Chip";
import { Problem } from "../../parts/Problem";

const ORDER = { down: 0, unknown: 1, up: 2 };
const MOST = 300;

function Row({ target: x }: { target: Target }) {
  const t = T().targets;
  return (
    <article class={`target ${x.health}`}>
      <span class={x.health === "up" ? "verdict ok" : x.health === "down" ? "verdict bad" : "verdict"}>{t.health[x.health]}</span>
      <div>
        <p>
          <b>{x.scrapePool}</b> <span class="mono">{x.scrapeUrl}</span>
        </p>
        <div class="labels">
          {Object.entries(x.labels)
            .filter(([n]) => n !== "job")
            .map(([n, v]) => (
              <Chip key={n} name={n} value={v} />
            ))}
        </div>
        {x.lastError && <p class="bad">{x.lastError}</p>}
      </div>
      <span class="soft num">
        {Date.parse(x.lastScrape) > 0 ? (
          <>
            <Ago at={x.lastScrape} /> · {(x.lastScrapeDuration * 1000).toFixed(0)} ms
          </>
        ) : (
          t.never
        )}
      </span>
    </article>
  );
}

export function Targets() {
  const t = T();
  const asked = useAsk(targets, [], 10_000);
  const q = (place.value.query.get("q") ?? "").toLowerCase();
  const downOnly = place.value.query.get("down") === "1";
  const all = asked.data.value?.activeTargets ?? [];
  const down = all.filter(x => x.health === "down").length;
  const list = all
    .filter(
      x =>
        (!downOnly || x.health === "down") &&
        (!q || JSON.stringify([x.labels, x.scrapeUrl, x.scrapePool, x.lastError]).toLowerCase().includes(q)),
    )
    .sort(
      (a, b) => ORDER[a.health] - ORDER[b.health] || a.scrapePool.localeCompare(b.scrapePool) || a.scrapeUrl.localeCompare(b.scrapeUrl),
    );
  const bad = (asked.data.value?.targetLists ?? []).filter(l => l.lastError);
  return (
    <>
      <h1>{t.nav.targets}</h1>
      <div class="bar">
        <input
          type="search"
          aria-label={t.targets.search}
          placeholder={t.targets.search}
          value={place.value.query.get("q") ?? ""}
          onInput={e => update({ q: e.currentTarget.value || null }, true)}
        />
        <button type="button" class="pill crit" aria-pressed={downOnly} onClick={() => update({ down: downOnly ? null : "1" })}>
          <b>{down}</b> {t.targets.health.down}
        </button>
        <span class="soft">{t.targets.count(all.length)}</span>
      </div>
      <Problem error={asked.error.value} retry={asked.again} />
      {bad.map(l => (
        <p key={`${l.scrapePool}${l.subject}`} class="problem">
          {t.targets.listRefused} <b>{l.scrapePool}</b> {l.kind} {l.subject}: {l.lastError}
        </p>
      ))}
      {asked.data.value && all.length === 0 && <p class="empty">{t.targets.none}</p>}
      <div class="cards">
        {list.slice(0, MOST).map(x => (
          <Row key={`${x.scrapePool} ${x.scrapeUrl}`} target={x} />
        ))}
      </div>
      {list.length > MOST && <p class="soft">{t.targets.more(list.length - MOST)}</p>}
    </>
  );
}
