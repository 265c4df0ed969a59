import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { absolute, countdown, now, slowNow, span } from "../lib/time";

export function Countdown({ at }: { at: string }) {
  const t = Date.parse(at);
  const text = useMemo(() => computed(() => (t - slowNow.value < 3_600_000 ? countdown(t - now.value) : span(t - slowNow.value))), [t]);
  return (
    <time class="num" dateTime={at} title={absolute(t)}>
      {text}
    </time>
  );
}
