import { explainRule, type RuleWhy } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { Problem } from "../../parts/Problem";
import { Text } from "../../parts/Text";

function One({ why }: { why: RuleWhy }) {
  const t = T().rules;
  const said = why.wouldSay?.annotations ?? {};
  return (
    <>
      {why.error && <p class="problem">{why.error}</p>}
      {why.causes.map(c => (
        <p key={c.part + c.text} class="caution">
          <code>{c.part}</code>: {c.text}
        </p>
      ))}
      {why.wouldSay && Object.keys(said).length > 0 && (
        <>
          <p class="soft">{t.wouldSay[why.wouldSay.basis]}</p>
          <dl class="pairs">
            {Object.entries(said).map(([name, text]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <Text value={text} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      {why.watched && <p class="soft">{t.watched}</p>}
      {why.parts.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t.parts}>
          <table class="result">
            <thead>
              <tr>
                <th>{t.part}</th>
                <th>{t.seriesNow}</th>
              </tr>
            </thead>
            <tbody>
              {why.parts.map((p, i) => (
                <tr key={i}>
                  <td class="mono" style={{ paddingLeft: `${p.depth + 0.5}em` }}>
                    {p.part}
                  </td>
                  <td class="num">{p.series}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Why the rule has fired or not: found out when it is asked. */
export function Why({ name, group, file }: { name: string; group: string; file: string }) {
  const asked = useAsk(() => explainRule(name), [name]);
  const mine = (asked.data.value ?? []).filter(w => w.group === group && w.file === file);
  return (
    <section class="why">
      <Problem error={asked.error.value} retry={asked.again} />
      {asked.data.value === null && !asked.error.value && <p class="soft">{T().loading}</p>}
      {mine.map((w, i) => (
        <One key={i} why={w} />
      ))}
    </section>
  );
}
