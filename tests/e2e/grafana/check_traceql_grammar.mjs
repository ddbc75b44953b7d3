// Random TraceQL, valid and broken: our parser and Grafana's grammar for its
// editor (@grafana/lezer-traceql) must judge it alike. Types are no part of a
// grammar, nor is what we name as not supported.
import { parser } from "@grafana/lezer-traceql";
import { Random, broken } from "./promql_random.mjs";
import { traceql } from "./traceql_random.mjs";
import { check, finish } from "./tap.mjs";

const COUNT = 1000; // of either kind
const seed = Number(process.env.SEED ?? Date.now() % 1000000);
console.log(`# SEED=${seed}`);

// What no grammar says: types, limits, what is not served.
const meanings = /compared with|arithmetic needs|combine conditions|have no order|needs a (condition|number)|not supported|regular expression|compare strings|too (deep|long|many)|too many/;

// Where the editor's grammar is not that of Tempo's parser: durations of several
// units, hints of any name, $variables, the word parent and empty names, stages
// behind an operator or before one, conditions in select().
const differs = new RegExp([
  String.raw`\d(ns|us|ms|s|m|h)\d`, String.raw`with\s*\(`, String.raw`\$`, String.raw`\bparent\b(?!\.)`,
  String.raw`\.span\.`, String.raw`\b(span|resource|event|link|instrumentation)\.[^A-Za-z_"]`, String.raw`(^|[\s({!])\.[^\w"]`,
  String.raw`(\|\||&&|[<>~])\s*\(*\s*(by|select|coalesce|count|min|max|avg|sum)\b`,
  String.raw`\b(by|select|coalesce|count|min|max|avg|sum)\b[^|{]*(\|\||&&|~)`,
  String.raw`select\s*\(([^)]*,)?\s*["\x60\d-]`, String.raw`select\s*\([^)]*[=<>!~+*/^%-]`,
].join("|"));

function grammarTakes(text) {
  let good = true;
  parser.parse(text).iterate({ enter: (node) => void (good = good && !node.type.isError) });
  return good;
}

// true, false, or nothing if that is not known.
async function weTake(text) {
  const response = await fetch(`${process.env.CALLBOARD_EMPTY}/tempo/api/search?${new URLSearchParams({ q: text })}`);
  const error = await response.text();
  if (response.ok)
    return { takes: true };
  return meanings.test(error) ? { error } : { takes: false, error };
}

const random = new Random(seed);
const wrong = [];
const counts = { valid: 0, invalid: 0, skipped: 0 };
for (let i = 0; i < COUNT; i++) {
  const text = traceql(random);
  for (const query of [text, broken(random, text).trim()]) {
    if (query === "" || (query !== text && differs.test(query))) {
      counts.skipped++;
      continue;
    }
    const grammar = grammarTakes(query);
    const { takes, error } = await weTake(query);
    if (takes === undefined)
      counts.skipped++;
    else if (takes !== grammar)
      wrong.push({ query, grammar, error });
    else
      counts[takes ? "valid" : "invalid"]++;
    if (query === text && !grammar)
      wrong.push({ query, error: "the generator made it, the grammar refuses it" });
  }
}
check(wrong.length === 0, "expressions are judged alike", wrong.slice(0, 10));
check(counts.valid >= COUNT / 2 && counts.invalid >= COUNT / 5, "there were valid and invalid ones", counts);
console.log(`# ${JSON.stringify(counts)} ${wrong.length}`);
finish();
