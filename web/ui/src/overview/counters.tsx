// How many components are in which state; each is a filter.
import type { ComponentRow } from "../components";
import { formatCount } from "../format";
import { HEALTH_ORDER, type Health } from "../health";
import { HealthMark, PageLink } from "../parts/marks";

const MEANS: Partial<Record<Health, string>> = {
    bad: "many requests fail, or p99 is much higher than before",
    warning: "some requests fail, or p99 is higher than before",
    silent: "requests before and none now, or declared and never seen",
    ok: "nothing stands out",
};

export function Counters(props: {
    rows: readonly ComponentRow[];
    chosen: readonly Health[];
    choose: (health: Health) => void;
    unassigned: number;
}) {
    const counts = new Map<Health, number>();
    for (const row of props.rows) counts.set(row.health, (counts.get(row.health) ?? 0) + 1);
    return (
        <div className="cb-counters" role="group" aria-label="Components by health">
            {HEALTH_ORDER.filter((health) => health !== "unknown").map((health) => (
                <button
                    key={health}
                    type="button"
                    className={`cb-counter cb-counter-${counts.get(health) ? health : "none"}`}
                    aria-pressed={props.chosen.includes(health)}
                    title={MEANS[health]}
                    onClick={() => props.choose(health)}
                >
                    <HealthMark health={health} hidden />
                    <span className="cb-counter-count">{formatCount(counts.get(health) ?? 0)}</span> {health}
                </button>
            ))}
            {props.unassigned > 0 ? (
                <PageLink page="catalog" className="cb-counter cb-counter-link" section="senders">
                    <span className="cb-counter-count">{formatCount(props.unassigned)}</span> senders without
                    a component →
                </PageLink>
            ) : null}
        </div>
    );
}
