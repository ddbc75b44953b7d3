// Where a view is of one namespace or project and none is chosen: those that there
// are, the worst first. If there is only one, it is taken.
import { useEffect, useMemo } from "react";
import { useSetParams } from "../address";
import { useComponents, type ComponentRow } from "../components";
import { HEALTH_ORDER, type Health } from "../health";
import { usePlace } from "../host";
import { useScope } from "../scope";
import { Empty } from "../states";
import { useTimeRange } from "../time";
import { HealthMark, Name, PageLink } from "./marks";

interface Choice {
    namespace: string;
    project?: string;
    health: Health;
}

const rank = (one: Choice) => HEALTH_ORDER.indexOf(one.health);

export function choicesOf(rows: readonly ComponentRow[], of: "namespace" | "project"): Choice[] {
    const found = new Map<string, Choice>();
    for (const { namespace, project, health } of rows) {
        const key = of === "project" ? `${namespace}\u0000${project}` : namespace;
        const before = found.get(key);
        found.set(key, {
            namespace,
            project: of === "project" ? project : undefined,
            health: before && rank(before) < HEALTH_ORDER.indexOf(health) ? before.health : health,
        });
    }
    return [...found.values()].sort(
        (a, b) =>
            rank(a) - rank(b) ||
            a.namespace.localeCompare(b.namespace) ||
            (a.project ?? "").localeCompare(b.project ?? ""),
    );
}

const SHOWN = 50;

export function ChooseScope(props: { of: "namespace" | "project"; what: string; why: string }) {
    const scope = useScope();
    const { page } = usePlace();
    const set = useSetParams();
    const { asked, rows } = useComponents(
        { namespace: scope.namespace, environment: scope.environment },
        useTimeRange(),
    );
    const choices = useMemo(() => choicesOf(rows, props.of), [rows, props.of]);
    const only = asked.isSuccess && choices.length === 1 ? choices[0] : undefined;
    useEffect(() => {
        if (only) set({ ns: only.namespace, project: only.project }, "replace");
        // eslint-disable-next-line react-hooks/exhaustive-deps -- once for what is found
    }, [only?.namespace, only?.project]);
    return (
        <Empty
            what={props.what}
            why={props.why}
            next={
                choices.length > 0 ? (
                    <ul className="cb-choices">
                        {choices.slice(0, SHOWN).map((one) => (
                            <li key={`${one.namespace}/${one.project}`}>
                                <HealthMark health={one.health} hidden />{" "}
                                <PageLink page={page} params={{ ns: one.namespace, project: one.project }}>
                                    <Name text={one.project ?? one.namespace} />
                                </PageLink>{" "}
                                {one.project && !scope.namespace ? (
                                    <span className="cb-quiet">
                                        of <Name text={one.namespace} />
                                    </span>
                                ) : null}
                            </li>
                        ))}
                    </ul>
                ) : (
                    <PageLink page="overview">To the overview</PageLink>
                )
            }
        />
    );
}
