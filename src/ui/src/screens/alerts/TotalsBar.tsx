import type { State, Totals } from "../../lib/api";
import { T } from "../../lib/i18n";
import { update } from "../../lib/router";
import { rankClass, Shape } from "../../parts/Shape";
import { type AlertsState, STATES } from "./state";

const toggle = <X,>(list: X[], x: X): X[] => (list.includes(x) ? list.filter(y => y !== x) : [...list, x]);

/** How many there are; each is a filter. */
export function TotalsBar({ totals, state }: { totals: Totals | null; state: AlertsState }) {
  const t = T().alerts;
  if (!totals) return null;
  const severity = (name: string) => {
    const next = toggle(state.severities ?? [], name);
    update({ severity: next.length ? next.join(",") : null, offset: null });
  };
  const held = (s: State) => {
    const only = state.states.length === 1 && state.states[0] === s;
    update({ state: only ? null : s, active: null, silenced: null, inhibited: null, offset: null });
  };
  const known = new Set(totals.severities.map(s => s.severity));
  const gone = (state.severities ?? []).filter(s => !known.has(s)).map(s => ({ severity: s, rank: 3, alerts: 0 }));
  return (
    <>
      {[...totals.severities, ...gone].map(s => (
        <button
          key={s.severity}
          type="button"
          class={`pill ${rankClass(s.rank)}`}
          aria-pressed={state.severities?.includes(s.severity) ?? false}
          onClick={() => severity(s.severity)}
        >
          <Shape rank={s.rank} />
          <b>{s.alerts}</b> {s.severity || t.noSeverity}
        </button>
      ))}
      {STATES.filter(s => s !== "firing" && (totals.states[s] > 0 || state.states.length === 1)).map(s => (
        <button
          key={s}
          type="button"
          class="pill held"
          aria-pressed={state.states.length === 1 && state.states[0] === s}
          onClick={() => held(s)}
        >
          <Shape rank={4} held />
          <b>{totals.states[s]}</b> {t.states[s]}
        </button>
      ))}
      {(totals.states.pending > 0 || state.pending) && (
        <button type="button" class="pill" aria-pressed={state.pending} onClick={() => update({ pending: state.pending ? null : "1" })}>
          <b>{totals.states.pending}</b> {t.states.pending}
        </button>
      )}
    </>
  );
}
