// Random TraceQL, valid and broken: our parser and Grafana's grammar for its
// editor (@grafana/lezer-traceql) must judge it alike. Types are no part of a
// grammar, nor is what we name as not supported.
import { parser } from "@grafana/lezer-traceql";
import { judgeAlike } from "./grammar_judge.mjs";
import { traceql } from "./traceql_random.mjs";

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

async function weTake(text) {
  const response = await fetch(`${process.env.CALLBOARD_EMPTY}/tempo/api/search?${new URLSearchParams({ q: text })}`);
  const error = await response.text();
  if (response.ok)
    return { takes: true };
  return meanings.test(error) ? { error } : { takes: false, error };
}

await judgeAlike({ parser, differs, weTake, make: traceql, count: 1000, valid: 500, invalid: 200 });
