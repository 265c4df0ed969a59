import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { putSilence, silence } from "../../lib/api";
import { T } from "../../lib/i18n";
import { isVolatile, parseMatchers } from "../../lib/labels";
import { creator } from "../../lib/prefs";
import { go, place } from "../../lib/router";
import { fromInput, now, parseSpan, toInput } from "../../lib/time";
import { toast } from "../../lib/toasts";
import { who } from "../../lib/who";
import { Problem } from "../../parts/Problem";
import { chosenOf, type Line, MatcherSet, type Matching, takeTyped } from "./MatcherSet";
import { Preview } from "./Preview";

const PRESETS = ["30m", "1h", "2h", "4h", "8h", "1d", "3d", "1w"];

const matching = (lines: Line[], text = ""): Matching => ({ lines: signal(lines), text: signal(text), error: signal(null) });

export function SilenceForm({ id }: { id?: string }) {
  const t = T().silences;
  const query = place.value.query;
  const isOfAlert = query.get("from") === "alert";
  const given = query.get("filter") ?? "";
  const read = given ? parseMatchers(given) : [];
  // several are made at once, of the same times and comment
  const sets = useSignal<Matching[]>([
    matching(
      (read ?? []).map(m => ({ matcher: m, on: !(isOfAlert && isVolatile(m.name)) })),
      read ? "" : given,
    ),
  ]);
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
        sets.value = [matching(s.matchers.map(m => ({ matcher: m, on: true })))];
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

  const from = () => (start.value ? fromInput(start.value) : Date.now());
  const until = () => {
    const ms = parseSpan(lasts.value);
    return Number.isNaN(ms) ? fromInput(end.value) : from() + ms;
  };
  const save = async (set: Matching, to: number): Promise<string> => {
    const made = await putSilence({
      ...(id ? { id } : {}),
      matchers: chosenOf(set),
      startsAt: new Date(from()).toISOString(),
      endsAt: new Date(to).toISOString(),
      createdBy: by.value,
      comment: comment.value,
    });
    sets.value = sets.value.length > 1 ? sets.value.filter(x => x !== set) : sets.value; // what fails stays, to be mended
    return made;
  };
  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy.value || !(await Promise.all(sets.value.map(takeTyped))).every(Boolean)) return;
    const to = until();
    const empty = sets.value.find(x => chosenOf(x).length === 0);
    if (empty) empty.error.value = new Error(t.choose);
    else if (!Number.isFinite(to)) error.value = new Error(t.badEnd);
    else if (to <= Date.now()) error.value = new Error(t.endsBefore);
    else {
      busy.value = true;
      try {
        if (!isFixed) creator.value = by.value;
        const made: string[] = [];
        for (const set of sets.value) made.push(await save(set, to));
        toast(made.length > 1 ? t.savedAll(made.length) : t.saved);
        go(made.length > 1 ? "/silences" : `/silences/${made[0]}`);
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
          {sets.value.map((set, i) => (
            <MatcherSet
              key={i}
              of={set}
              name={sets.value.length > 1 ? `${t.which} (${i + 1})` : t.which}
              onDrop={
                sets.value.length > 1
                  ? () => {
                      sets.value = sets.value.filter(x => x !== set);
                    }
                  : null
              }
            />
          ))}
          {!id && (
            <p>
              <button
                type="button"
                class="link"
                onClick={() => {
                  sets.value = [...sets.value, matching([])];
                }}
              >
                {t.another}
              </button>
            </p>
          )}
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
        <div class="previews">
          {sets.value.map((set, i) => (
            <Preview key={i} matchers={chosenOf(set)} />
          ))}
        </div>
      </div>
    </>
  );
}
