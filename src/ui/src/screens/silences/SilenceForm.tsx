import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { putSilence, readMatchers, silence } from "../../lib/api";
import { T } from "../../lib/i18n";
import { isVolatile, type Matcher, parseMatchers, printMatcher } from "../../lib/labels";
import { creator } from "../../lib/prefs";
import { go, place } from "../../lib/router";
import { fromInput, now, parseSpan, toInput } from "../../lib/time";
import { toast } from "../../lib/toasts";
import { who } from "../../lib/who";
import { Problem } from "../../parts/Problem";
import { Preview } from "./Preview";

const PRESETS = ["30m", "1h", "2h", "4h", "8h", "1d", "3d", "1w"];

interface Line {
  matcher: Matcher;
  on: boolean;
}

export function SilenceForm({ id }: { id?: string }) {
  const t = T().silences;
  const query = place.value.query;
  const isOfAlert = query.get("from") === "alert";
  const given = query.get("filter") ?? "";
  const read = given ? parseMatchers(given) : [];
  const lines = useSignal<Line[]>((read ?? []).map(m => ({ matcher: m, on: !(isOfAlert && isVolatile(m.name)) })));
  const text = useSignal(read ? "" : given);
  const lasts = useSignal("2h");
  const end = useSignal(toInput(Date.now() + 2 * 3_600_000));
  const start = useSignal("");
  const by = useSignal(who.value?.name || creator.value);
  const comment = useSignal(query.get("comment") ?? "");
  const error = useSignal<Error | null>(null);
  const busy = useSignal(false);
  const isFixed = Boolean(who.value?.name);

  useEffect(() => {
    if (!id) return;
    silence(id).then(
      s => {
        lines.value = s.matchers.map(m => ({ matcher: m, on: true }));
        comment.value = s.comment;
        by.value = s.createdBy;
        lasts.value = "";
        end.value = toInput(Date.parse(s.endsAt));
        if (s.status.state === "pending") start.value = toInput(Date.parse(s.startsAt));
      },
      e => {
        error.value = e as Error;
      },
    );
  }, [id]);

  const add = async () => {
    const typed = text.value.trim();
    if (!typed) return true;
    try {
      const found = parseMatchers(typed) ?? (await readMatchers(typed));
      lines.value = [...lines.value, ...found.map(m => ({ matcher: m, on: true }))];
      text.value = "";
      error.value = null;
      return true;
    } catch (e) {
      error.value = e as Error;
      return false;
    }
  };
  const from = () => (start.value ? fromInput(start.value) : Date.now());
  const until = () => {
    const ms = parseSpan(lasts.value);
    return Number.isNaN(ms) ? fromInput(end.value) : from() + ms;
  };
  const chosen = lines.value.filter(l => l.on).map(l => l.matcher);
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy.value || !(await add())) return;
    const matchers = lines.value.filter(l => l.on).map(l => l.matcher);
    const to = until();
    if (matchers.length === 0) error.value = new Error(t.choose);
    else if (!Number.isFinite(to)) error.value = new Error(t.badEnd);
    else if (to <= Date.now()) error.value = new Error(t.endsBefore);
    else {
      busy.value = true;
      try {
        if (!isFixed) creator.value = by.value;
        const made = await putSilence({
          ...(id ? { id } : {}),
          matchers,
          startsAt: new Date(from()).toISOString(),
          endsAt: new Date(to).toISOString(),
          createdBy: by.value,
          comment: comment.value,
        });
        toast(t.saved);
        go(`/silences/${made}`);
      } catch (problem) {
        error.value = problem as Error;
      }
      busy.value = false;
    }
  };
  return (
    <>
      <h1>{id ? t.editTitle : t.create}</h1>
      <div class="with-panel form-panel">
        <form class="form panel" onSubmit={submit}>
          <fieldset>
            <legend>{t.which}</legend>
            {lines.value.map((l, i) => (
              <label key={printMatcher(l.matcher) + String(i)} class="check mono">
                <input
                  type="checkbox"
                  checked={l.on}
                  onChange={e => {
                    const on = e.currentTarget.checked;
                    lines.value = lines.value.map((x, k) => (k === i ? { ...x, on } : x));
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
                value={text.value}
                spellcheck={false}
                onInput={e => {
                  text.value = e.currentTarget.value;
                }}
                onKeyDown={e => {
                  if (e.key !== "Enter" || !text.value.trim()) return;
                  e.preventDefault();
                  void add();
                }}
              />
              <button type="button" class="btn" onClick={() => void add()}>
                {t.add}
              </button>
            </div>
          </fieldset>
          <fieldset>
            <legend>{t.howLong}</legend>
            <div class="presets">
              {PRESETS.map(p => (
                <button
                  key={p}
                  type="button"
                  class="pill"
                  aria-pressed={lasts.value === p}
                  onClick={() => {
                    lasts.value = p;
                    end.value = toInput((start.value ? fromInput(start.value) : now.value) + parseSpan(p));
                  }}
                >
                  {p}
                </button>
              ))}
            </div>
            <div class="row">
              <label>
                {t.startsAt}
                <input
                  type="datetime-local"
                  value={start.value}
                  onInput={e => {
                    start.value = e.currentTarget.value;
                  }}
                />
              </label>
              <label>
                {t.endsAt}
                <input
                  type="datetime-local"
                  value={end.value}
                  onInput={e => {
                    end.value = e.currentTarget.value;
                    lasts.value = "";
                  }}
                />
              </label>
            </div>
          </fieldset>
          <label>
            {t.who}
            <input
              required
              readOnly={isFixed}
              value={by.value}
              onInput={e => {
                by.value = e.currentTarget.value;
              }}
            />
          </label>
          <label>
            {t.why}
            <input
              required
              value={comment.value}
              onInput={e => {
                comment.value = e.currentTarget.value;
              }}
            />
          </label>
          <Problem error={error.value} />
          <div class="btns">
            <button type="submit" class="btn main" disabled={busy.value}>
              {id ? t.save : t.submit}
            </button>
            <button type="button" class="btn" onClick={() => history.back()}>
              {T().cancel}
            </button>
          </div>
        </form>
        <Preview matchers={chosen} />
      </div>
    </>
  );
}
