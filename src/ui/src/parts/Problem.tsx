import { T } from "../lib/i18n";

/** A failure, beside what it is about. */
export function Problem({ error, retry }: { error: Error | null; retry?: () => void }) {
  if (!error) return null;
  return (
    <p class="problem" role="alert">
      {error.message}
      {retry && (
        <button type="button" class="quiet" onClick={retry}>
          {T().again}
        </button>
      )}
    </p>
  );
}
