import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { labelNames, labelValues } from "../../lib/api";
import { T } from "../../lib/i18n";
import { type Matcher, matcher, type Op, opOf, parseMatchers, printMatcher, sameMatcher } from "../../lib/labels";
import { update } from "../../lib/router";
import { silenceHref } from "../silences/link";
import { type AlertsState, filterText } from "./state";
import { Views } from "./Views";

const PARTIAL = /^\s*"?([^\s=!~"]+)"?\s*(=~|!~|!=|=)\s*"?(.*?)"?$/;

export function addMatcher(ms: Matcher[], m: Matcher): void {
  const rest = ms.filter(x => !sameMatcher(x, m));
  update({ filter: filterText([...rest, m]), offset: null });
}

interface Offer {
  text: string;
  count: number;
  take: () => void;
}

/** Chips of matchers, free text, and what can be chosen while one types. */
export function SearchBar({ state }: { state: AlertsState }) {
  const t = T().search;
  const text = useSignal(state.bad ?? state.q);
  const offers = useSignal<Offer[]>([]);
  const chosen = useSignal(-1);
  const error = useSignal(state.bad ? t.unreadable : "");
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const turn = useRef(0);

  // what the URL says is what stands here, but for what is being typed
  useEffect(() => {
    if (document.activeElement !== input.current) text.value = state.bad ?? state.q;
  }, [state.q, state.bad]);

  const set = (s: string) => {
    text.value = s;
    input.current?.focus();
    void offer(s);
  };
  const add = (name: string, op: Op, value: string) => {
    text.value = "";
    offers.value = [];
    addMatcher(state.matchers, matcher(name, op, value));
  };
  const offer = async (s: string) => {
    const mine = ++turn.current;
    const m = PARTIAL.exec(s);
    try {
      const found: Offer[] = m
        ? (await labelValues(m[1] ?? "", m[2]?.endsWith("~") ? "" : (m[3] ?? ""))).slice(0, 12).map(v => ({
            text: `${m[1]}${m[2]}${v.value}`,
            count: v.alerts,
            take: () => add(m[1] ?? "", m[2] as Op, v.value),
          }))
        : s.trim()
          ? (await labelNames(s.trim())).slice(0, 12).map(n => ({ text: `${n.name}=`, count: n.alerts, take: () => set(`${n.name}=`) }))
          : [];
      if (mine !== turn.current) return;
      offers.value = found;
      chosen.value = -1;
    } catch {
      offers.value = [];
    }
  };
  const typed = (s: string) => {
    text.value = s;
    error.value = "";
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      void offer(s);
      if (!PARTIAL.test(s) && !/[{}"]/.test(s) && state.bad === null) update({ q: s.trim() || null, offset: null }, true);
    }, 250);
  };
  const enter = () => {
    const offered = offers.value[chosen.value];
    clearTimeout(timer.current);
    if (offered) {
      offered.take();
      return;
    }
    offers.value = [];
    if (!/[=!{]/.test(text.value)) {
      update({ q: text.value.trim() || null, offset: null });
      return;
    }
    const ms = parseMatchers(text.value);
    if (!ms) {
      error.value = t.unreadable;
      return;
    }
    text.value = "";
    const kept = state.matchers.filter(x => !ms.some(m => sameMatcher(m, x)));
    update({ filter: filterText([...kept, ...ms]), q: null, offset: null });
  };
  const key = (e: KeyboardEvent) => {
    const n = offers.value.length;
    if (e.isComposing) return;
    if (e.key === "Enter") {
      e.preventDefault();
      enter();
    } else if (e.key === "ArrowDown" && n) {
      e.preventDefault();
      chosen.value = (chosen.value + 1) % n;
    } else if (e.key === "ArrowUp" && n) {
      e.preventDefault();
      chosen.value = (chosen.value + n) % (n + 1) === n ? n - 1 : (chosen.value - 1 + n) % n;
    } else if (e.key === "Escape") {
      if (n) offers.value = [];
      else input.current?.blur();
    } else if (e.key === "Backspace" && text.value === "" && state.matchers.length) {
      update({ filter: filterText(state.matchers.slice(0, -1)), offset: null });
    }
  };
  const remove = (m: Matcher) => update({ filter: filterText(state.matchers.filter(x => !sameMatcher(x, m))), offset: null });

  return (
    <search class="searching">
      <div class="search">
        {state.receiver && (
          <button type="button" class="chip" onClick={() => update({ receiver: null })} aria-label={t.remove(`receiver ${state.receiver}`)}>
            <i>{t.receiver}</i> {state.receiver} ×
          </button>
        )}
        {state.matchers.map(m => (
          <button
            key={printMatcher(m)}
            type="button"
            class={m.isEqual ? "chip" : "chip not"}
            aria-label={t.remove(printMatcher(m))}
            onClick={() => remove(m)}
          >
            <i>
              {m.name}
              {opOf(m)}
            </i>
            {m.value} ×
          </button>
        ))}
        <input
          id="search"
          ref={input}
          type="text"
          role="combobox"
          aria-label={t.label}
          aria-expanded={offers.value.length > 0}
          aria-controls="offers"
          aria-autocomplete="list"
          aria-activedescendant={chosen.value >= 0 ? `offer-${chosen.value}` : undefined}
          aria-invalid={error.value !== ""}
          aria-describedby={error.value ? "search-error" : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={t.placeholder}
          value={text.value}
          onInput={e => typed(e.currentTarget.value)}
          onKeyDown={key}
          onBlur={() =>
            setTimeout(() => {
              offers.value = [];
            }, 150)
          }
        />
        {state.matchers.length > 0 && (
          <a class="quiet" href={silenceHref(state.matchers)}>
            {T().alerts.silenceThese}
          </a>
        )}
        <Views />
        <kbd>/</kbd>
      </div>
      {error.value && (
        <p id="search-error" class="problem" role="alert">
          {error.value}
        </p>
      )}
      <div id="offers" class="offers" role="listbox" aria-label={t.offers} hidden={offers.value.length === 0}>
        {offers.value.map((o, i) => (
          <div
            key={o.text}
            id={`offer-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen.value}
            onMouseDown={e => {
              e.preventDefault();
              o.take();
            }}
          >
            <span>{o.text}</span>
            <small class="num">{o.count}</small>
          </div>
        ))}
      </div>
    </search>
  );
}
