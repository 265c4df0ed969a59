import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Finding, lintRules } from "../../lib/api";
import { drawn } from "../../lib/expr";
import { T } from "../../lib/i18n";
import { toast } from "../../lib/toasts";
import { Problem } from "../../parts/Problem";

/** The expression as a rule, to be put into a file. */
function asRule(expr: string): string {
  const { threshold } = drawn(expr);
  return [
    "groups:",
    "  - name: my-group",
    "    rules:",
    "      - alert: MyAlert",
    "        expr: |",
    ...expr.split("\n").map(l => `          ${l}`),
    "        for: 5m",
    "        labels:",
    "          severity: warning",
    "        annotations:",
    `          summary: "{{ $value }}${threshold === null ? "" : ` (threshold ${threshold})`}"`,
    "",
  ].join("\n");
}

const CLASSES = { error: "problem", warning: "caution", info: "soft" } as const;

/** A rule to be edited and taken along, with what lint says to it as one types. */
export function RuleDraft({ expr }: { expr: string }) {
  const t = T();
  const text = useSignal(asRule(expr));
  const found = useSignal<Finding[] | null>(null);
  const error = useSignal<Error | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(
      () =>
        lintRules(text.value).then(
          list => {
            if (!isCurrent) return;
            found.value = list;
            error.value = null;
          },
          e => {
            if (isCurrent) error.value = e as Error;
          },
        ),
      300,
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text.value]);
  return (
    <section class="panel draft">
      <textarea
        class="mono"
        aria-label={t.query.makeRule}
        rows={text.value.split("\n").length}
        spellcheck={false}
        value={text.value}
        onInput={e => {
          text.value = e.currentTarget.value;
        }}
      />
      <div aria-live="polite">
        <Problem error={error.value} />
        {found.value?.length === 0 && <p class="soft">{t.query.lintClean}</p>}
        {found.value?.map(f => (
          <p key={`${f.id} ${f.line} ${f.message}`} class={CLASSES[f.severity]}>
            {t.query.lintLine(f.line)} {f.message} <small class="mono">{f.id}</small>
            {f.help && <span class="note-text">{f.help}</span>}
          </p>
        ))}
      </div>
      <button
        type="button"
        class="btn"
        onClick={() =>
          navigator.clipboard?.writeText(text.value).then(
            () => toast(t.alert.copied),
            () => toast(t.alert.notCopied, { isError: true }),
          )
        }
      >
        {t.query.copy}
      </button>
    </section>
  );
}
