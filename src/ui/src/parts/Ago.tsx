import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { T } from "../lib/i18n";
import { absolute, now, slowNow, span } from "../lib/time";

/** "47 min", with the whole time on hover. Of what is near, seconds count. Only its text changes, whatever shows it. */
export function Ago({ at, plain = false }: { at: string | number; plain?: boolean }) {
  const t = typeof at === "number" ? at : Date.parse(at);
  const text = useMemo(
    () =>
      computed(() => {
        const near = Math.abs(slowNow.value - t) < 120_000;
        const ms = (near ? now.value : slowNow.value) - t;
        return plain ? span(ms) : ms >= 0 ? T().ago(span(ms)) : T().inTime(span(ms));
      }),
    [t, plain],
  );
  return (
    <time dateTime={new Date(t).toISOString()} title={absolute(t)}>
      {text}
    </time>
  );
}
