import { T } from "../lib/i18n";

/** A label: a click includes it in the filter, one with alt excludes it. */
export function Chip({
  name,
  value,
  onPick,
}: {
  name: string;
  value: string;
  onPick?: (name: string, value: string, exclude: boolean) => void;
}) {
  const text = (
    <>
      <i>{name}=</i>
      {value}
    </>
  );
  if (!onPick) return <span class="chip">{text}</span>;
  return (
    <button type="button" class="chip pick" title={T().alerts.pick} onClick={e => onPick(name, value, e.altKey)}>
      {text}
    </button>
  );
}
