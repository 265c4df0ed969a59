import { isLink } from "../lib/labels";

/** Text of others: never markup; a link only when it is one of the web. */
export function Text({ value }: { value: string }) {
  if (isLink(value))
    return (
      <a href={value} target="_blank" rel="noreferrer noopener">
        {value}
      </a>
    );
  return <>{value}</>;
}
