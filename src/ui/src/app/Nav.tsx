import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Totals } from "../lib/api";
import { T } from "../lib/i18n";
import { href, place } from "../lib/router";
import { who } from "../lib/who";

export const SCREENS = ["alerts", "silences", "rules", "query", "routes", "notifications", "receivers", "targets", "status"] as const;
export type Screen = (typeof SCREENS)[number];
const ON_PHONE: Screen[] = ["alerts", "silences", "rules", "receivers"];

export const screenOf = (path: string): Screen => SCREENS.find(s => path === `/${s}` || path.startsWith(`/${s}/`)) ?? "alerts";

function Item({ screen, totals, className = "" }: { screen: Screen; totals: Totals | null; className?: string }) {
  const t = T();
  const failing = totals?.failingReceivers.length ?? 0;
  return (
    <a class={className} href={href(`/${screen}`)} aria-current={screenOf(place.value.path) === screen ? "page" : undefined}>
      <span>{t.nav[screen]}</span>
      {screen === "alerts" && totals && <span class="count num">{totals.states.firing}</span>}
      {screen === "receivers" && failing > 0 && <span class="count bad">{t.nav.failing(failing)}</span>}
    </a>
  );
}

export function Nav({ totals, onHelp, onSettings }: { totals: Totals | null; onHelp: () => void; onSettings: () => void }) {
  const t = T();
  const more = useSignal(false);
  const path = place.value.path;
  useEffect(() => {
    more.value = false;
  }, [path]);
  const me = who.value;
  return (
    <nav aria-label={t.nav.label} class={more.value ? "open" : ""}>
      <div class="brand">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
          <path
            d="M10 2c-3 0-5 2.3-5 5.5 0 4-1.6 5.3-2.5 6h15c-.9-.7-2.5-2-2.5-6C15 4.3 13 2 10 2Zm-2 13a2 2 0 0 0 4 0Z"
            fill="currentColor"
          />
        </svg>
        tocsin
      </div>
      <div class="items">
        {SCREENS.map(s => (
          <Item key={s} screen={s} totals={totals} className={ON_PHONE.includes(s) ? "" : "desk"} />
        ))}
        <button
          type="button"
          class="more"
          aria-expanded={more.value}
          onClick={() => {
            more.value = !more.value;
          }}
        >
          {t.nav.more}
        </button>
      </div>
      <div class="foot">
        <div>
          {me?.instance ? `${me.instance} · ` : ""}
          {me ? `v${me.version}` : ""}
        </div>
        {me?.name && (
          <div>
            {t.nav.you} <b>{me.name}</b> ({me.groups || me.scope})
          </div>
        )}
        <div class="row">
          <button type="button" class="quiet" onClick={onSettings}>
            {t.settings.title}
          </button>
          <button type="button" class="quiet" onClick={onHelp}>
            <kbd>?</kbd> {t.nav.keys}
          </button>
        </div>
      </div>
    </nav>
  );
}
