// Random PromQL, valid and broken: our parser and Prometheus' grammar for
// editors (@prometheus-io/lezer-promql) must judge it alike. Names of functions
// and types are no part of a grammar.
import { parser } from "@prometheus-io/lezer-promql";
import { judgeAlike } from "./grammar_judge.mjs";
import { vector } from "./promql_random.mjs";

// Found after the grammar was found right.
const types = /expected type|argument\(s\)|bool modifier|must use BOOL|must not occur|must contain|only allowed between|no grouping|set operator|set twice/;
// Found while reading: what follows was not read.
const meanings = /modifier|may not be set|ranges only|before range|duration must be|out of|unknown function|not enabled|wrong number|no arguments|error parsing|unary expression/;
// Where the editor's grammar is not that of Prometheus' parser (the parser of
// Prometheus 2.42 was asked, too): start() and end() elsewhere than behind @,
// signs and arithmetic of durations, the operator atan2 and the word offset as names, a number
// with a letter behind it.
const differs = /(^|[^@\s])\s*\b(start|end)\s*\(|offset\s*[-+]?\s*[-+]|offset\s*-?\s*\(|[[:]\s*[-+(]|\[[^\]]*\w\s*[-+*/%^]|\batan2\b|(^|[-+(,*/%^<>=]|\b(or|and|unless|bool|by|without))\s*offset\b|\b(on|ignoring|by|without|group_left|group_right)\s*\([^)]*\)\s*offset\b|[\d.][A-Za-z_]*offset|[\d.](ms|[smhdwy])?atan2|[\d.](ms|[smhdwy])?(and|or|unless|bool|on|ignoring|by|without|group_left|group_right)\b/;

async function weTake(text) {
  const response = await fetch(process.env.CALLBOARD_EMPTY + "/prometheus/api/v1/query", {
    method: "POST",
    body: new URLSearchParams({ query: text, time: "1700000000" }),
  });
  const answer = await response.json();
  const error = answer.error ?? "";
  if (answer.status === "success" || answer.errorType === "execution" || types.test(error))
    return { takes: true, error };
  return meanings.test(error) ? { error } : { takes: false, error };
}

await judgeAlike({
  parser, differs, weTake,
  make: (random) => vector(random, 1 + random.below(4)).trim(),
  count: 1500, valid: 1500, invalid: 500,
});
