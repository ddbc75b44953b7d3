"""GET /api/v1/changes: a rollout, its events, what came with it, page by page."""
import analysis_kit as kit
from running import Running, Tap


def rollout(tap, server):
    answer = kit.ask(server, "changes", 20, 40)
    rows = answer["changes"]
    found = {(r["kind"], r["component"]): r for r in rows}
    version = found.get(("version", "checkout"), {})
    tap.same((version.get("from"), version.get("to"), version.get("source")), ("1.4.0", "1.5.0", "events"),
             "the new version is a change")
    release = [r for r in rows if r["kind"] == "release"]
    tap.same([r["phase"] for r in release], ["Succeeded", "Started"], "a release has its phases, newest first")
    tap.check(all(len(r["commit"]) == 40 and "{" not in r["title"] for r in release),
              "commit and phase are shown, no JSON", release)
    tap.check(("scaling", "checkout") in found and found["scaling", "checkout"]["to"] in "012",
              "scaling has the number of pods", found.get(("scaling", "checkout")))
    tap.check(found.get(("image-pull", "checkout"), {}).get("count", 0) > 1 and
              "lastSeen" in found["image-pull", "checkout"], "what repeats is one row",
              found.get(("image-pull", "checkout")))
    tap.check({r["component"] for r in rows if r["kind"] == "version"} == {"checkout"},
              "nothing else has a new version", rows)
    times = [r["timestamp"] for r in rows]
    tap.same(times, sorted(times, reverse=True), "the newest is first")
    tap.same(sum(k["count"] for k in answer["kinds"]), answer["total"], "kinds add up")


def pages(tap, server):
    whole = kit.ask(server, "changes", 20, 40)["changes"]
    seen, cursor = [], {}
    while cursor is not None:
        answer = kit.ask(server, "changes", 20, 40, limit=3, **cursor)
        seen += answer["changes"]
        cursor = {"cursor": answer["nextCursor"]} if "nextCursor" in answer else None
    tap.same(seen, whole, "pages are the list in parts")
    some = kit.ask(server, "changes", 20, 40, kind="version,image", type="Normal")["changes"]
    tap.same(some, [r for r in whole if r["kind"] in ("version", "image")], "kinds and types filter")


def main():
    tap = Tap()
    with Running("--catalog", f"{kit.os.path.dirname(kit.os.path.abspath(__file__))}/../shop/catalog.json") as server:
        kit.play(server, "--duration", "40m", "--rollout", "25m", "--fault", "30m", "--rate", "5")
        rollout(tap, server)
        pages(tap, server)
        quiet = kit.ask(server, "changes", 10, 20)
        tap.check(quiet["total"] == 0 and quiet["empty"]["reason"] == "window",
                  "nothing changes in a quiet time", quiet["changes"])
        filtered = kit.ask(server, "changes", 20, 40, kind="config")
        tap.same(filtered["empty"]["reason"], "filter", "a filter that leaves nothing is named")
        kit.check_empty(tap, server, "changes")
    tap.exit()


main()
