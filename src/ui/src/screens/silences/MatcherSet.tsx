import type { Signal } from "@preact/signals";
import { readMatchers } from "../../lib/api";
import { T } from "../../lib/i18n";
import { type Matcher, parseMatchers, printMatcher } from "../../lib/labels";
import { Problem } from "../../parts/Problem";

export interface Line {
  matcher: Matcher;
  on: boolean;
}

/** What one silence matches: a line a matcher, and what is being typed. */
export interface Matching {
  lines: Signal<Line[]>;
  text: Signal<string>;
  error: Signal<Error | null>;
}

export const chosenOf = (m: Matching): Matcher[] => m.lines.value.filter(l => l.on).map(l => l.matcher);

/** Takes what is typed into the lines; false: it is none. */
export async function takeTyped(m: Matching): Promise<boolean> {
  const typed = m.text.value.trim();
  if (!typed) return true;
  try {
    const found = parseMatchers(typed) ?? (await readMatchers(typed));
    m.lines.value = [...m.lines.value, ...found.map(matcher => ({ matcher, on: true }))];
    m.text.value = "";
    m.error.value = null;
    return true;
  } catch (e) {
    m.error.value = e as Error;
    return false;
  }
}

export function MatcherSet({ of: m, name, onDrop }: { of: Matching; name: string; onDrop: (() => void) | null }) {
  const t = T().silences;
  return (
    <fieldset>
      <legend>{name}</legend>
      {m.lines.value.map((l, i) => (
        <label key={printMatcher(l.matcher) + String(i)} class="check mono">
          <input
            type="checkbox"
            checked={l.on}
            onChange={e => {
              const on = e.currentTarget.checked;
              m.lines.value = m.lines.value.map((x, k) => (k === i ? { ...x, on } : x));
            }}
          />
          {printMatcher(l.matcher)}
        </label>
      ))}
      <div class="row">
        <input
          aria-label={t.matcher}
          class="mono"
          placeholder={'severity="warning", instance=~"gpu-1.*"'}
          value={m.text.value}
          spellcheck={false}
          onInput={e => {
            m.text.value = e.currentTarget.value;
          }}
          onKeyDown={e => {
            if (e.key !== "Enter" || !m.text.value.trim()) return;
            e.preventDefault();
            void takeTyped(m);
          }}
        />
        <button type="button" class="btn" onClick={() => void takeTyped(m)}>
          {t.add}
        </button>
        {onDrop && (
          <button type="button" class="btn" onClick={onDrop}>
            {t.drop}
          </button>
        )}
      </div>
      <Problem error={m.error.value} />
    </fieldset>
  );
}
