import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Fresh } from "../../app/Fresh";
import type { BoardGroup, BoardPage } from "../../lib/api";
import { T } from "../../lib/i18n";
import { useKeys } from "../../lib/keys";
import { useBoard } from "../../lib/live";
import { defaultView } from "../../lib/prefs";
import { go, place, update } from "../../lib/router";
import { shareGroup } from "../../lib/share";
import { Fence } from "../../parts/Fence";
import { AlertDetail } from "../alert/AlertDetail";
import { silenceHref } from "../silences/link";
import { Failing } from "./Failing";
import { Group } from "./Group";
import { Pending } from "./Pending";
import { SearchBar } from "./SearchBar";
import { boardQuery, filterQuery, readState } from "./state";
import { TotalsBar } from "./TotalsBar";

const STEPS = [50, 100, 200, 350, 500];

/** Groups of several receivers that have the same alerts stand as one. */
function merged(list: BoardGroup[]): BoardGroup[][] {
  const found = new Map<string, BoardGroup[]>();
  for (const g of list) {
    const key = JSON.stringify([g.labels, g.counts, g.alerts.map(a => a.fingerprint)]);
    const same = found.get(key);
    if (same) same.push(g);
    else found.set(key, [g]);
  }
  return [...found.values()];
}

/** Groups of each value of a label beside each other; those that have several stand last. */
function lanes(list: BoardGroup[], label: string): [string, BoardGroup[]][] {
  const found = new Map<string, BoardGroup[]>();
  for (const g of list) {
    const value = g.shared[label] ?? "";
    found.set(value, [...(found.get(value) ?? []), g]);
  }
  return [...found].sort(([a], [b]) => Number(a === "") - Number(b === ""));
}

/** The page's groups in order; those that say the same as before are the same objects, so that nothing of them is rendered. */
function useSameGroups(page: BoardPage | null): BoardGroup[] {
  const before = useRef(new Map<string, BoardGroup>());
  const list: BoardGroup[] = [];
  const kept = new Map<string, BoardGroup>();
  for (const key of page?.order ?? []) {
    const g = page?.groups[key];
    const old = before.current.get(key);
    if (!g) continue;
    const one = old ? shareGroup(old, g) : g;
    list.push(one);
    kept.set(key, one);
  }
  before.current = kept;
  return list;
}

/** What is focused stays focused when rows change places. */
function useKeptFocus() {
  const last = useRef<HTMLElement | null>(null);
  useEffect(() => {
    const note = (e: FocusEvent) => {
      last.current = e.target instanceof HTMLElement ? e.target : null;
    };
    const forget = () => {
      last.current = null;
    };
    addEventListener("focusin", note);
    addEventListener("pointerdown", forget);
    return () => {
      removeEventListener("focusin", note);
      removeEventListener("pointerdown", forget);
    };
  }, []);
  useLayoutEffect(() => {
    if (document.activeElement === document.body && last.current?.isConnected) last.current.focus({ preventScroll: true });
  });
}

function focusRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex(r => r.contains(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const focused = (): HTMLElement | null => document.activeElement?.closest<HTMLElement>("[data-row]") ?? null;

export function Alerts() {
  const t = T().alerts;
  const query = place.value.query.toString();
  const s = useMemo(() => readState(new URLSearchParams(query)), [query]);
  const step = useSignal(0);
  const offset = Number(place.value.query.get("offset") ?? 0) || 0;
  const limit = STEPS[step.value] ?? 500;
  const page = useBoard(boardQuery(s, limit, offset)).value;
  const kept = useRef<BoardPage | null>(null);
  if (page) kept.current = page;
  const shown = page ?? kept.current; // what was there before stays until the new answer is
  const end = useRef<HTMLDivElement>(null);
  useKeptFocus();

  // a default view is where who comes without a question begins
  useEffect(() => {
    if (defaultView.value && [...place.value.query].length === 0) location.replace(`#/alerts?${defaultView.value}`);
  }, []);

  // the list grows as its end comes near
  const total = shown?.totals.groups ?? 0;
  useEffect(() => {
    const e = end.current;
    if (!e || step.value >= STEPS.length - 1 || total <= limit) return;
    const o = new IntersectionObserver(
      seen => {
        if (seen.some(x => x.isIntersecting)) step.value++;
      },
      { rootMargin: "600px" },
    );
    o.observe(e);
    return () => o.disconnect();
  }, [total, limit]);

  useKeys({
    j: () => focusRow(1),
    k: () => focusRow(-1),
    e: () => {
      const fp = focused()?.dataset.row;
      if (fp) update({ alert: fp });
    },
    s: () => {
      const a = focused()?.querySelector<HTMLAnchorElement>("a[data-silence]");
      if (a) location.hash = a.hash;
      else go("/silences/new");
    },
    g: () => focused()?.closest("section")?.querySelector<HTMLButtonElement>("[data-collapse]")?.click(),
    "/": () => document.querySelector<HTMLInputElement>("#search")?.focus(),
    Escape: () => update({ alert: null }),
  });

  const filters = filterQuery(s);
  const groups = (list: BoardGroup[]) =>
    merged(list).map(
      ([g, ...others], i) => g && <Group key={g.key} group={g} others={others} first={i < 12} state={s} filters={filters} />,
    );
  const all = useSameGroups(shown);
  const isFiltered = s.matchers.length > 0 || s.q !== "" || s.receiver !== "" || s.severities !== null || s.states.length < 3;

  return (
    <>
      <h1 class="away">{T().nav.alerts}</h1>
      <SearchBar state={s} />
      <div class="totals">
        <TotalsBar totals={shown?.totals ?? null} state={s} />
        <Fresh />
      </div>
      {shown && <Failing list={shown.totals.failingReceivers} />}
      <div class={s.alert ? "with-panel" : ""}>
        <div class="list" aria-busy={shown === null}>
          {s.pending && <Pending matchers={s.matchers} />}
          {s.lanes && shown ? (
            <div class="lanes">
              {lanes(all, s.lanes).map(([value, list]) => (
                <div key={value} class="lane">
                  <h2>
                    {value || t.noValue(s.lanes)} <small class="num">{list.length}</small>
                  </h2>
                  {groups(list)}
                </div>
              ))}
            </div>
          ) : (
            groups(all)
          )}
          {shown && all.length === 0 && (
            <div class="empty">
              <p>{isFiltered ? t.noneMatch : t.none}</p>
              {isFiltered && s.matchers.length > 0 && (
                <p>
                  <a href={silenceHref(s.matchers)}>{t.silenceThese}</a>
                </p>
              )}
            </div>
          )}
          {!shown && <p class="soft">{T().loading}</p>}
          <div ref={end} />
          {total > offset + all.length && (
            <p class="soft more-groups">
              {t.moreGroups(total - offset - all.length)}{" "}
              {step.value >= STEPS.length - 1 && (
                <button type="button" class="quiet" onClick={() => update({ offset: String(offset + all.length) })}>
                  {t.nextPage}
                </button>
              )}
            </p>
          )}
        </div>
        {s.alert && (
          <Fence key={s.alert}>
            <AlertDetail fingerprint={s.alert} onClose={() => update({ alert: null })} />
          </Fence>
        )}
      </div>
    </>
  );
}
