import { T } from "../lib/i18n";

const SLOT = 30 * 60_000;

/** The last 24 hours of a group: a bar a half hour, the higher the more fired. */
export function Strip({ slots }: { slots: string }) {
  const bars = [];
  let spells = 0;
  for (let i = 0; i < slots.length; ) {
    const level = slots.charCodeAt(i) - 48;
    let end = i + 1;
    while (end < slots.length && slots[end] === slots[i]) end++;
    if (level > 0) {
      if (i === 0 || slots[i - 1] === "0") spells++;
      const height = 6 + Math.min(level, 5) * 2.8;
      bars.push(<rect key={i} x={i * 4} width={(end - i) * 4} y={20 - height} height={height} />);
    }
    i = end;
  }
  const firing = slots.at(-1) !== "0";
  const since = slots.length - slots.lastIndexOf("0") - 1;
  return (
    <svg
      class="strip"
      viewBox="0 0 192 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={T().alerts.strip(spells, firing ? since * SLOT : 0)}
    >
      <title>{T().alerts.strip(spells, firing ? since * SLOT : 0)}</title>
      <rect class="back" width="192" height="20" rx="3" />
      {bars}
    </svg>
  );
}
