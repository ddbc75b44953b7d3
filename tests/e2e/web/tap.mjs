// Lines of TAP.
let count = 0;
let failed = 0;

export function check(good, name, seen) {
  console.log(`${good ? "ok" : "not ok"} ${++count} - ${name}`);
  if (good)
    return;
  failed++;
  if (seen !== undefined)
    console.log("# saw: " + JSON.stringify(seen, null, 1).slice(0, 4000).replaceAll("\n", "\n# "));
}

// Ends the program.
export function finish() {
  process.exit(failed ? 1 : 0);
}
