// Random PromQL expressions, from a seed: valid ones by a grammar, others by
// exchanging, repeating or leaving out a word of those.
export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  // A number below n (mulberry32).
  below(n) {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  }

  of(...choices) {
    return choices[this.below(choices.length)];
  }
}

const names = ["up", "http_requests_total", "job:rate:sum", "sum", "by", "or", "avg", "start", "end"];
const durations = ["5m", "1h30m", "10s", "1w2d", "300", "1.5", "250ms"];
const labels = ["job", "le", "on", "by", "bool", "group_left", '"service.name"'];

function list(random, items, least = 0) {
  const count = least + random.below(3);
  const text = Array.from({ length: count }, () => random.of(...items)).join(random.of(", ", ","));
  return "(" + text + (count > 0 && random.below(5) === 0 ? "," : "") + ")";
}

function matchers(random) {
  const one = () =>
    `${random.of("job", "le", "by", "sum", "offset", '"a.b"', '"x y"')}${random.of("=", "!=", "=~", "!~")}` +
    random.of('"a"', "'b'", "`c`", '""', '"a|b.*"', '"#"');
  const first = random.below(6) === 0 ? ['"metric.name"'] : [];
  const all = first.concat(Array.from({ length: random.below(3) }, one));
  return "{" + all.join(random.of(",", " , ")) + (all.length && random.below(4) === 0 ? "," : "") + "}";
}

function selector(random) {
  const braces = matchers(random);
  return random.of(random.of(...names), random.of(...names) + braces, braces === "{}" ? '{a="b"}' : braces);
}

function shift(random) {
  const offset = ` offset ${random.of("", "-")}${random.of(...durations)}`;
  const at = ` @ ${random.of("1609746000", "-1.5", "start()", "end()", "+3")}`;
  return random.of("", "", "", offset, at, offset + at, at + offset);
}

function range(random, depth) {
  return random.below(3) === 0
    ? `(${vector(random, depth - 1)})[${random.of(...durations)}:${random.of("", ...durations)}]${shift(random)}`
    : `${selector(random)}[${random.of(...durations)}]${shift(random)}`;
}

function scalar(random, depth) {
  if (depth <= 0)
    return random.of("1", "0.5", "0x1F", "1e3", "1_000", "Inf", "NaN", "-2", "5m", ".5");
  return random.of(
    () => `scalar(${vector(random, depth - 1)})`,
    () => `(${scalar(random, depth - 1)} ${random.of("+", "-", "*", "/", "^", "%")} ${scalar(random, 0)})`,
    () => `${scalar(random, 0)} ${random.of("==", "<", ">=")} bool ${scalar(random, depth - 1)}`,
    () => "time()",
  )();
}

function aggregate(random, depth) {
  const op = random.of("sum", "avg", "count", "min", "max", "group", "stddev", "topk", "quantile");
  const args = `(${op === "topk" || op === "quantile" ? scalar(random, 0) + ", " : ""}${vector(random, depth - 1)})`;
  const grouping = `${random.of("by", "without", "BY")} ${list(random, labels)}`;
  return random.of(`${op}${args}`, `${op} ${grouping} ${args}`, `${op}${args} ${grouping}`);
}

function binary(random, depth) {
  const set = random.below(4) === 0;
  const op = set ? random.of("and", "or", "unless") : random.of("+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<=", ">");
  const bool = /[=<>]/.test(op) ? random.of("", " bool") : "";
  const match = random.of("", ` ${random.of("on", "ignoring")} ${list(random, labels)}`);
  const right = vector(random, depth - 1);
  let group = "";
  if (match && !set && random.below(2) === 0) {
    const include = list(random, ['"x"', "y"]);
    // Parentheses behind group_left are its labels.
    group = ` ${random.of("group_left", "group_right")}${right.startsWith("(") ? include : random.of("", " " + include)}`;
  }
  return `${vector(random, depth - 1)} ${op}${bool}${match}${group} ${right}`;
}

export function vector(random, depth) {
  if (depth <= 0)
    return selector(random) + shift(random);
  return random.of(
    () => selector(random) + shift(random),
    () => `${random.of("rate", "increase", "avg_over_time", "changes")}(${range(random, depth)})`,
    () => `${random.of("abs", "sort", "timestamp", "absent")}(${vector(random, depth - 1)})`,
    () => `clamp_max(${vector(random, depth - 1)}, ${scalar(random, depth - 1)})`,
    () => `histogram_quantile(${scalar(random, 0)}, ${vector(random, depth - 1)})`,
    () => `label_replace(${vector(random, depth - 1)}, "a", "$1", "b", "(.*)")`,
    () => aggregate(random, depth),
    () => aggregate(random, depth),
    () => binary(random, depth),
    () => binary(random, depth),
    () => `(${vector(random, depth - 1)})`,
    () => `-${vector(random, depth - 1)}`,
    () => `vector(${scalar(random, depth - 1)})`,
    () => `${vector(random, depth - 1)} # comment\n`,
  )();
}

const word = /"[^"]*"|'[^']*'|`[^`]*`|[A-Za-z_:][\w:]*|[\d.][\w.]*|[=!<>]=?~?|\s+|[^\s\w]/g;
const others = ["(", ")", "{", "}", "[", "]", ",", ":", "=", "==", "=~", "!", "+", "-", "@", "offset", "by", "on", "bool",
                "group_left", "1", "5m", '"x"', "foo", "sum", "and", "atan2", "start", ";", "$"];

// One word of it is changed.
export function broken(random, text) {
  const words = text.match(word) ?? [text];
  const at = random.below(words.length);
  const change = random.of(
    () => words.splice(at, 1),
    () => words.splice(at, 0, words[at]),
    () => words.splice(at, 1, random.of(...others)),
    () => words.splice(at, 0, random.of(...others), " "),
    () => words.splice(at),
  );
  change();
  return words.join("");
}
