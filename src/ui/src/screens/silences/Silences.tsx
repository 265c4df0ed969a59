import { place } from "../../lib/router";
import { SilenceForm } from "./SilenceForm";
import { SilenceList } from "./SilenceList";
import { SilenceView } from "./SilenceView";

/** The list, one of them, or the form: by the path, as links of Alertmanager's page have it. */
export function Silences() {
  const parts = place.value.path.split("/").filter(Boolean);
  if (parts[1] === "new") return <SilenceForm key={place.value.query.toString()} />;
  if (parts[1] && parts[2] === "edit") return <SilenceForm key={parts[1]} id={parts[1]} />;
  if (parts[1]) return <SilenceView key={parts[1]} id={parts[1]} />;
  return <SilenceList />;
}
