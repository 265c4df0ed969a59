import { effect, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { mustLogIn, type Totals } from "../lib/api";
import { T } from "../lib/i18n";
import { useKeys } from "../lib/keys";
import { useBoard } from "../lib/live";
import { order, theme } from "../lib/prefs";
import { place } from "../lib/router";
import { Fence } from "../parts/Fence";
import { Alerts } from "../screens/alerts/Alerts";
import { Notifications } from "../screens/notifications/Notifications";
import { Receivers } from "../screens/receivers/Receivers";
import { Routes } from "../screens/routes/Routes";
import { Rules } from "../screens/rules/Rules";
import { Silences } from "../screens/silences/Silences";
import { Status } from "../screens/status/Status";
import { Targets } from "../screens/targets/Targets";
import { Help } from "./Help";
import { Login } from "./Login";
import { type ComponentType, lazy } from "./lazy";
import { Nav, type Screen, screenOf } from "./Nav";
import { Settings } from "./Settings";
import { Toasts } from "./Toasts";

const SCREENS: Record<Screen, ComponentType> = {
  alerts: Alerts,
  silences: Silences,
  rules: Rules,
  query: lazy(() => import("../screens/query/Query").then(m => m.Query)),
  routes: Routes,
  notifications: Notifications,
  receivers: Receivers,
  targets: Targets,
  status: Status,
};

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

/** How bad it is, in the title: seen in a tab that is not shown. */
function title(totals: Totals | null, screen: string): string {
  const worst = totals?.severities.filter(s => s.rank === 0).reduce((n, s) => n + s.alerts, 0) ?? 0;
  const firing = totals?.states.firing ?? 0;
  return `${worst ? `◆${worst} ` : firing ? `▲${firing} ` : ""}tocsin: ${screen}`;
}

/** The same in the tab's icon: a red diamond, an amber triangle, or the bell. */
function icon(totals: Totals | null): string {
  const worst = Math.min(9, ...(totals?.severities ?? []).map(s => s.rank));
  const shape =
    worst <= 1 ? '<path d="M16 2 30 16 16 30 2 16Z" fill="#d0233f"/>' : worst === 2 ? '<path d="M16 3 31 29H1Z" fill="#e09010"/>' : null;
  return shape
    ? `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shape}</svg>`)}`
    : "ui/icon.svg";
}

export function App() {
  const t = T();
  const help = useSignal(false);
  const settings = useSignal(false);
  const all = useBoard(order.value.trim() ? `limit=0&order=${encodeURIComponent(order.value.replace(/\s/g, ""))}` : "limit=0");
  const totals = useComputed(() => all.value?.totals ?? null);
  const screen = screenOf(place.value.path);
  document.title = title(totals.value, t.nav[screen]);
  const badge = icon(totals.value);
  useEffect(() => document.querySelector("link[rel=icon]")?.setAttribute("href", badge), [badge]);
  useKeys({
    "?": () => {
      help.value = true;
    },
  });
  if (mustLogIn.value) return <Login />;
  const Shown = SCREENS[screen];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        {t.nav.skip}
      </button>
      <Nav
        totals={totals.value}
        onHelp={() => {
          help.value = true;
        }}
        onSettings={() => {
          settings.value = true;
        }}
      />
      <main id="main" tabIndex={-1} key={screen}>
        <Fence>
          <Shown />
        </Fence>
      </main>
      {help.value && (
        <Help
          onClose={() => {
            help.value = false;
          }}
        />
      )}
      {settings.value && (
        <Settings
          onClose={() => {
            settings.value = false;
          }}
        />
      )}
      <Toasts />
    </>
  );
}
