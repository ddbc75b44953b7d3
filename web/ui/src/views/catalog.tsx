// The catalogue: what is declared against what was observed, the worst first, with
// what would declare it; and senders that belong to no component.
import { useMemo } from "react";
import { useParam, useSetParams } from "../address";
import {
    completedCatalog,
    differencesOf,
    type Catalog,
    type Difference,
    type DifferenceKind,
    type Observed,
} from "../catalog/differences";
import { useDeclaredAndObserved, useUnassigned, type DeclaredAndObserved } from "../catalog/ask";
import { Senders } from "../catalog/senders";
import { formatRate } from "../format";
import { usePlace } from "../host";
import { Panel } from "../parts/panel";
import { CopyButton } from "../parts/copy";
import { ChooseScope } from "../parts/choose_scope";
import { CopyText } from "../parts/copy_text";
import { Figure, Figures, Name, PageLink, Section, Time } from "../parts/marks";
import { DataTable, sortOf, sortText, type Column } from "../parts/table";
import { useScope, type Scope } from "../scope";
import { Empty, ErrorNotice, Loading } from "../states";
import { useTimeRange, type TimeRange } from "../time";

const STATE_WORDS = { undeclared: "not declared", unseen: "not seen" } as const;
const RULE_WORDS: Record<string, string> = {
    stamped: "named by the labels of its resource",
    stampedRecord: "named by labels of its records",
    learned: "known by its pod",
    inferred: "named by service.name",
};
// The order of the rows as they are.
const WORST_FIRST = { column: "", descending: false };

function columnsFor(seconds: number, manyProjects: boolean): Column<Difference>[] {
    const project: Column<Difference> = {
        id: "project",
        title: "project",
        width: "minmax(5rem, 9rem)",
        cell: (row) => <Name text={row.project} />,
        sortBy: (row) => row.project,
        hiddenBelow: 800,
    };
    return [
        {
            id: "state",
            title: "difference",
            width: "8rem",
            cell: (row) => (
                <span className={row.state === "undeclared" ? "cb-text-warning" : "cb-text-silent"}>
                    <span aria-hidden="true">{row.state === "undeclared" ? "▲" : "○"}</span>{" "}
                    {STATE_WORDS[row.state]}
                </span>
            ),
            sortBy: (row) => row.state,
        },
        {
            id: "kind",
            title: "kind",
            width: "7rem",
            cell: (row) => row.kind,
            sortBy: (row) => row.kind,
            hiddenBelow: 560,
        },
        {
            id: "name",
            title: "what",
            width: "minmax(8rem, 1fr)",
            cell: (row) => <Name text={row.name} />,
            sortBy: (row) => row.name,
        },
        ...(manyProjects ? [project] : []),
        {
            id: "environment",
            title: "environment",
            width: "8rem",
            cell: (row) => <Name text={row.environments.join(", ")} />,
            hiddenBelow: 900,
        },
        {
            id: "traffic",
            title: "requests",
            width: "6.5rem",
            align: "end",
            cell: (row) => (row.state === "unseen" ? "–" : formatRate(row.requests / seconds)),
            sortBy: (row) => row.requests,
            hiddenBelow: 420,
        },
        {
            id: "first",
            title: "first seen",
            width: "8.5rem",
            cell: (row) => (row.firstSeen ? <Time at={row.firstSeen} /> : "–"),
            sortBy: (row) => row.firstSeen,
            hiddenBelow: 900,
        },
    ];
}

function DifferenceDetails(props: { difference: Difference; onClose: () => void }) {
    const { difference } = props;
    const { state, kind } = difference;
    const json = JSON.stringify(difference.declaration, null, 2);
    return (
        <Panel
            label="The difference that is opened"
            title={<Name text={difference.name} />}
            onClose={props.onClose}
        >
            <p>
                {state === "undeclared"
                    ? `This ${kind} has traffic and is not in the catalogue.`
                    : `This ${kind} is in the catalogue and was not seen in this time.`}{" "}
                {difference.rule && RULE_WORDS[difference.rule]
                    ? `The component is ${RULE_WORDS[difference.rule]}.`
                    : null}
            </p>
            <p>
                {state === "undeclared" ? "This declares it, in " : "Declared so, in "}
                <Name text={difference.where} />:
            </p>
            <CopyText text={json} />
            {kind === "endpoint" && state === "undeclared" ? (
                <p className="cb-quiet">Fill in the port: it is not in the telemetry.</p>
            ) : null}
            <p>
                <PageLink
                    page="component"
                    params={{
                        ns: difference.namespace,
                        project: difference.project,
                        component: difference.component,
                    }}
                >
                    Open the component
                </PageLink>
            </p>
        </Panel>
    );
}

function Kinds(props: { differences: readonly Difference[] }) {
    const { params } = usePlace();
    const set = useSetParams();
    const count = (name: "kind" | "state", value: string) =>
        props.differences.filter((one) => one[name] === value).length;
    const button = (name: "kind" | "state", value: string, text: string) => (
        <button
            key={value}
            type="button"
            className="cb-button"
            aria-pressed={params[name] === value}
            onClick={() => set({ [name]: params[name] === value ? undefined : value, at: undefined })}
        >
            {text} <small>{count(name, value)}</small>
        </button>
    );
    const kinds: DifferenceKind[] = ["component", "endpoint", "dependency"];
    return (
        <div className="cb-change-kinds" role="group" aria-label="Which differences">
            {button("state", "undeclared", "▲ not declared")}
            {button("state", "unseen", "○ not seen")}
            {kinds.map((kind) => button("kind", kind, kind === "dependency" ? "dependencies" : `${kind}s`))}
        </div>
    );
}

function HowToDeclare(props: { catalog: Catalog; differences: readonly Difference[]; namespace: string }) {
    const { catalog, differences, namespace } = props;
    const missing = differences.filter((one) => one.state === "undeclared").length;
    if (missing === 0) return null;
    const text = () => JSON.stringify(completedCatalog(catalog, differences), null, 2) + "\n";
    const address = `/api/v1/catalog?namespace=${encodeURIComponent(namespace)}`;
    return (
        <details className="cb-declare">
            <summary>Declare all {missing} of them at once</summary>
            <p>
                Copy the catalogue of this namespace with them as <code>catalog.json</code>, fill in ports
                that are 0, and put it, which replaces the catalogue of the namespace:
            </p>
            <CopyButton text={text} label={`Copy the catalogue with ${missing} additions`} />
            <CopyText
                text={`curl -X PUT -H 'Content-Type: application/json' --data @catalog.json "$CALLBOARD${address}"`}
            />
            <p className="cb-quiet">
                Where the server reads a file (<code>--catalog</code>) or a control plane sends the catalogue,
                change it there: what is put here would be replaced.
            </p>
        </details>
    );
}

function Differences(props: {
    catalog: Catalog;
    declared: Catalog;
    observed: Observed;
    range: TimeRange;
    scope: Scope;
}) {
    const { catalog, declared, observed, range, scope } = props;
    const { params } = usePlace();
    const [at, setAt] = useParam("at");
    const [sort, setSort] = useParam("sort");
    const all = useMemo(() => differencesOf(declared, observed), [declared, observed]);
    const shown = useMemo(
        () =>
            all.filter(
                (one) =>
                    (!params.kind || one.kind === params.kind) &&
                    (!params.state || one.state === params.state),
            ),
        [all, params.kind, params.state],
    );
    const seconds = (range.end.getTime() - range.start.getTime()) / 1000;
    const columns = useMemo(() => columnsFor(seconds, !scope.project), [seconds, scope.project]);
    const opened = all.find((one) => one.key === at);
    const declaredCount = declared.components?.length ?? 0;
    const count = (state: Difference["state"]) => all.filter((one) => one.state === state).length;
    const silent = all.filter((one) => one.kind === "component" && one.state === "unseen").length;
    return (
        <>
            <Figures label="Declared against observed">
                <Figure name="Declared components" value={String(declaredCount)} />
                <Figure name="Of them seen" value={String(declaredCount - silent)} />
                <Figure
                    name="Not declared"
                    value={String(count("undeclared"))}
                    health={count("undeclared") > 0 ? "warning" : "ok"}
                    title="Components, endpoints and dependencies that were seen"
                />
                <Figure
                    name="Not seen"
                    value={String(count("unseen"))}
                    title="Components, endpoints and dependencies that are declared"
                />
            </Figures>
            {declaredCount === 0 && all.length === 0 ? (
                <Empty
                    what="Nothing is declared, and nothing was seen"
                    why="The catalogue has no component of this scope, and none sent anything in this time."
                />
            ) : all.length === 0 ? (
                <p className="cb-agree">
                    <span className="cb-health-ok" aria-hidden="true">
                        ●
                    </span>{" "}
                    What was seen is what is declared.
                </p>
            ) : (
                <>
                    <Kinds differences={all} />
                    <HowToDeclare catalog={catalog} differences={all} namespace={scope.namespace ?? ""} />
                    <div className={opened ? "cb-split" : undefined}>
                        {opened ? (
                            <DifferenceDetails difference={opened} onClose={() => setAt(undefined)} />
                        ) : null}
                        <DataTable
                            label="Differences, the worst first"
                            rows={shown}
                            columns={columns}
                            keyOf={(row) => row.key}
                            sort={sortOf(sort, WORST_FIRST)}
                            onSort={(next) => setSort(sortText(next))}
                            onOpen={(row) => setAt(row.key === at ? undefined : row.key)}
                            selected={at}
                            height="60vh"
                            empty={<Empty what="No difference of this kind" />}
                        />
                    </div>
                </>
            )}
        </>
    );
}

function State(props: { both: DeclaredAndObserved; range: TimeRange; scope: Scope }) {
    const { both, range, scope } = props;
    const failed = both.asked.find((one) => one.error && one.data === undefined);
    if (failed?.error) return <ErrorNotice error={failed.error} again={() => void failed.refetch()} />;
    if (!both.catalog || !both.declared || !both.observed) return <Loading height={320} rows={8} />;
    return (
        <>
            <Differences
                catalog={both.catalog}
                declared={both.declared}
                observed={both.observed}
                range={range}
                scope={scope}
            />
            {both.environmentsLeftOut > 0 ? (
                <p className="cb-quiet">
                    Calls of {both.environments.join(", ")} were read; {both.environmentsLeftOut} more
                    environments were not. Choose one to see it.
                </p>
            ) : null}
        </>
    );
}

function CatalogOf(props: { scope: Scope }) {
    const { scope } = props;
    const range = useTimeRange();
    const both = useDeclaredAndObserved(scope, range);
    return (
        <Section id="differences" title="Declared against observed">
            <State both={both} range={range} scope={scope} />
        </Section>
    );
}

export default function CatalogView() {
    const scope = useScope();
    const senders = useUnassigned(scope, useTimeRange());
    return (
        <div className="cb-catalog">
            {scope.namespace ? (
                <CatalogOf scope={scope} />
            ) : (
                <ChooseScope
                    of="namespace"
                    what="Choose a namespace"
                    why="The catalogue is compared one namespace at a time."
                />
            )}
            <Senders asked={senders} />
        </div>
    );
}
