// Random TraceQL, from a seed, of what is served; the words of the grammar are
// those that Grafana's search builder and people write.
const attributes = ["span.http.status_code", "resource.service.name", ".a", "parent.b", "event.x", "link.y", "instrumentation.z",
                    'span."a b"', "resource.k8s-pod/name", "parent.span.q"];
const texts = ["name", "statusMessage", "rootName", "rootServiceName", "span:name", "span:id", "span:parentID", "trace:id",
               "trace:rootName", "trace:rootService", "event:name", "link:spanID", "instrumentation:version", "span:statusMessage"];
const durations = ["duration", "traceDuration", "span:duration", "trace:duration", "event:timeSinceStart"];

function number(random) {
  return random.of("1", "200", "0.5", "-3", "100ms", "1.5s", "2h", "30us", "10ns", "5m");
}

function text(random) {
  return random.of('"GET"', '"a\\"b"', '""', "`raw \\d`", '"ü"', '".*x|y"');
}

function comparison(random) {
  return random.of(
    () => `${random.of(...attributes)}${space(random)}${random.of("=", "!=", ">", ">=", "<", "<=")}${space(random)}${random.of(number(random), text(random))}`,
    () => `${random.of(...attributes, ...texts)} ${random.of("=~", "!~")} ${random.of('"a.*"', '"x|y"', "`\\d+`")}`,
    () => `${random.of(...texts)} ${random.of("=", "!=")} ${text(random)}`,
    () => `${random.of(...durations)} ${random.of(">", ">=", "<", "<=", "=")} ${random.of("100ms", "1.5s", "2h", "10ns")}`,
    () => `${random.of("status", "span:status")} ${random.of("=", "!=")} ${random.of("error", "ok", "unset")}`,
    () => `${random.of("kind", "span:kind")}${random.of("=", "!=")}${random.of("server", "client", "internal", "producer", "consumer", "unspecified")}`,
    () => `${random.of(...attributes)} ${random.of("=", "!=")} ${random.of("nil", "true", "false")}`,
    () => `${random.of(...attributes)} ${random.of("+", "-", "*", "/", "%", "^")} 2 ${random.of(">", "=")} ${random.of(...attributes)}`,
    () => random.of(...attributes, "true", "false"),
  )();
}

const space = (random) => random.of("", " ", "  ");

function condition(random, depth) {
  if (depth <= 0)
    return comparison(random);
  return random.of(
    () => comparison(random),
    () => `${condition(random, depth - 1)} ${random.of("&&", "||")} ${condition(random, depth - 1)}`,
    () => `(${condition(random, depth - 1)})`,
    () => `!(${condition(random, depth - 1)})`,
  )();
}

function set(random, depth) {
  if (depth <= 0)
    return random.of(() => "{}", () => "{ }", () => `{${condition(random, 2)}}`, () => `{ ${condition(random, 1)} }`)();
  return random.of(
    () => set(random, 0),
    () => `${set(random, depth - 1)} ${random.of("&&", "||", ">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~")} ${set(random, depth - 1)}`,
    () => `(${set(random, depth - 1)})`,
  )();
}

function stage(random) {
  const fields = Array.from({ length: 1 + random.below(3) }, () => random.of(...attributes, ...durations, "status", "kind", "name"));
  return random.of(
    () => `select(${fields.join(random.of(",", ", "))})`,
    () => `by(${random.of(...attributes, "name", "status")})`,
    () => "coalesce()",
    () => `count() ${random.of(">", ">=", "=", "!=", "<")} 2`,
    () => `${random.of("min", "max", "avg", "sum")}(${random.of("duration", "span.x", ".y")}) ${random.of(">", "<=")} ${random.of("1s", "5", "0.5")}`,
    () => set(random, 0),
  )();
}

export function traceql(random) {
  const stages = Array.from({ length: random.below(3) }, () => ` ${random.of("|", "| ")}${stage(random)}`);
  const hints = random.below(8) ? "" : " with(most_recent=true)";
  return set(random, random.below(3)) + stages.join("") + hints;
}
