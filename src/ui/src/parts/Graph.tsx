import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { queryRange, type Series } from "../lib/api";
import { useAsk } from "../lib/ask";
import { drawn } from "../lib/expr";
import { T } from "../lib/i18n";
import type { Labels } from "../lib/labels";
import { theme } from "../lib/prefs";
import { minute } from "../lib/time";
import { Problem } from "./Problem";

export interface GraphProps {
  expr: string;
  labels?: Labels; // only series that have these, of what they have at all
  hours: number;
  end?: number;
  tall?: boolean;
}

const MAX = 20;
const COLOURS = ["--crit", "--info", "--warn", "--ok", "--held"];

const nameOf = (s: Series): string => {
  const { __name__, ...rest } = s.metric;
  const text = Object.entries(rest)
    .map(([n, v]) => `${n}="${v}"`)
    .join(", ");
  return `${__name__ ?? ""}${text ? `{${text}}` : ""}` || "value";
};

/** Series as columns over all their times. */
export function columns(list: Series[]): uPlot.AlignedData {
  const times = [...new Set(list.flatMap(s => (s.values ?? []).map(v => v[0])))].sort((a, b) => a - b);
  const at = new Map(times.map((t, i) => [t, i]));
  const rows = list.map(s => {
    const row: (number | null)[] = new Array(times.length).fill(null);
    for (const [t, v] of s.values ?? []) {
      const n = Number(v);
      row[at.get(t) ?? 0] = Number.isFinite(n) ? n : null;
    }
    return row;
  });
  return [times, ...rows] as uPlot.AlignedData;
}

/** What tells a series from the others. */
function legendOf(s: Series, all: Series[]): string {
  const own = Object.entries(s.metric).filter(([n, v]) => all.some(o => o.metric[n] !== v));
  return own.map(([n, v]) => (n === "__name__" ? v : `${n}=${v}`)).join(", ") || nameOf(s);
}

export function Graph({ expr, labels, hours, end, tall }: GraphProps) {
  const box = useRef<HTMLDivElement>(null);
  const { expr: shown, threshold } = drawn(expr);
  const step = Math.max(15, Math.ceil((hours * 3600) / 240 / 15) * 15);
  const asked = useAsk(
    async () => {
      const to = end ?? Date.now();
      const from = to - hours * 3_600_000;
      return { from, to, ...(await queryRange(shown, from, to, step)) };
    },
    [shown, hours, end],
    end ? 0 : 30_000,
  );
  const result = asked.data.value?.result as Series[] | undefined;
  const fits = (s: Series) =>
    !labels || Object.entries(s.metric).every(([n, v]) => n === "__name__" || labels[n] === undefined || labels[n] === v);
  const list = (result ?? []).filter(fits).slice(0, MAX);
  const isEmpty = result !== undefined && list.length === 0;
  const colours = theme.value;
  useEffect(() => {
    const e = box.current;
    if (!e || list.length === 0) return;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const data = columns(list);
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: colour("--soft"), grid, ticks: grid, font: "11px system-ui" };
    const plot = new uPlot(
      {
        width: e.clientWidth,
        height: tall ? 320 : 140,
        legend: { show: false },
        cursor: { y: false },
        scales: {
          x: { range: [(asked.data.value?.from ?? 0) / 1000, (asked.data.value?.to ?? 0) / 1000] },
          y: {
            range: (_u, min, max) => uPlot.rangeNum(Math.min(min, threshold ?? min), Math.max(max, threshold ?? max), 0.1, true),
          },
        },
        axes: [
          { ...axis, values: (_u: uPlot, at: number[]) => at.map(x => minute(x * 1000)) },
          { ...axis, size: 56 },
        ],
        series: [
          {},
          ...list.map((s, i) => ({
            label: nameOf(s),
            stroke: colour(COLOURS[i % COLOURS.length] ?? "--info"),
            width: 1.5,
            spanGaps: false,
            points: { show: list.length === 1 && (s.values?.length ?? 0) < 30 },
          })),
        ],
        hooks: {
          draw: [
            u => {
              if (threshold === null) return;
              const y = u.valToPos(threshold, "y", true);
              u.ctx.save();
              u.ctx.strokeStyle = colour("--soft");
              u.ctx.setLineDash([4, 4]);
              u.ctx.beginPath();
              u.ctx.moveTo(u.bbox.left, y);
              u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
              u.ctx.stroke();
              u.ctx.restore();
            },
          ],
        },
      },
      data,
      e,
    );
    const sized = new ResizeObserver(() => plot.setSize({ width: e.clientWidth, height: tall ? 320 : 140 }));
    sized.observe(e);
    return () => {
      sized.disconnect();
      plot.destroy();
    };
  }, [result, colours, tall]);
  return (
    <figure class="graph">
      <div ref={box} role="img" aria-label={T().graph.label(shown)} />
      <Problem error={asked.error.value} />
      {list.length > 1 && (
        <ul class="legend">
          {list.slice(0, 10).map((s, i) => (
            <li key={nameOf(s)}>
              <span style={{ background: `var(${COLOURS[i % COLOURS.length]})` }} /> {legendOf(s, list)}
            </li>
          ))}
        </ul>
      )}
      {isEmpty && <p class="soft">{T().graph.empty}</p>}
      <figcaption class="mono soft">
        {shown}
        {threshold !== null && ` · ${T().graph.threshold} ${threshold}`}
        {(result?.length ?? 0) > MAX && ` · ${T().graph.more((result?.length ?? 0) - MAX)}`}
      </figcaption>
    </figure>
  );
}
