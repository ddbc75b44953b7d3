// Random expressions, valid and broken: our parser and a grammar for editors
// must judge them alike.
import { Random, broken } from "./promql_random.mjs";
import { check, finish } from "./tap.mjs";

function grammarTakes(parser, text) {
  let good = true;
  parser.parse(text).iterate({ enter: (node) => void (good = good && !node.type.isError) });
  return good;
}

// parser: of the grammar. differs: broken expressions that the grammar judges
// otherwise than the language does. make(random): a valid one. weTake(text): what
// we say: { takes: true, false, or nothing if that is not known, error }. count of
// either kind, and how many of them must be valid and invalid.
export async function judgeAlike({ parser, differs, make, weTake, count, valid, invalid }) {
  const seed = Number(process.env.SEED ?? 1);
  console.log(`# SEED=${seed}`);
  const random = new Random(seed);
  const wrong = [];
  const counts = { valid: 0, invalid: 0, skipped: 0 };
  for (let i = 0; i < count; i++) {
    const text = make(random);
    for (const query of [text, broken(random, text).trim()]) {
      if (query === "" || (query !== text && differs.test(query))) {
        counts.skipped++;
        continue;
      }
      const grammar = grammarTakes(parser, query);
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
  check(counts.valid >= valid && counts.invalid >= invalid, "there were valid and invalid ones", counts);
  console.log(`# ${JSON.stringify(counts)} ${wrong.length}`);
  finish();
}
