// Severity by shape and colour: who sees no colours sees the shape.
const SHAPES = ["◆", "■", "▲", "●", "○"];
export const CLASSES = ["crit", "err", "warn", "info", "none"];

export const rankClass = (rank: number, held = false): string => (held ? "held" : (CLASSES[rank] ?? "info"));

export function Shape({ rank, held = false }: { rank: number; held?: boolean }) {
  return (
    <span class={`shape ${rankClass(rank, held)}`} aria-hidden="true">
      {held ? "◌" : (SHAPES[rank] ?? "●")}
    </span>
  );
}
