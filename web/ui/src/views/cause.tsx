// What broke, since when, whom it hurts, and what shows it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParam, withParams, keptParams } from "../address";
import {
    causeBody,
    causeKey,
    useCause,
    useWholeMinutes,
    type Cause,
    type CauseScope,
    type Window,
} from "../cause";
import { CauseAnswer } from "../cause/answer";
import { causeMarkdown } from "../cause/markdown";
import { Question } from "../cause/question";
import { Waiting } from "../cause/waiting";
import { baselineText, clipBaseline, defaultBaseline, parseBaseline } from "../cause/windows";
import { dataOf, type ApiError, type Schemas } from "../client";
import { useComponents } from "../components";
import { shownName } from "../format";
import { useHost, usePlace } from "../host";
import { ChooseScope } from "../parts/choose_scope";
import { CopyButton } from "../parts/copy";
import { Name, PageLink } from "../parts/marks";
import { Answer, Empty, ErrorNotice } from "../states";
import { useScope } from "../scope";
import { advanceClock, rfc3339, useTimeRange } from "../time";
import { environmentOf } from "../topology";

// The address of this answer: its times do not move on.
function useFixedAddress(window: Window, baseline: Window | undefined): string {
    const host = useHost();
    const place = usePlace();
    const params = withParams(keptParams(place.params), {
        from: rfc3339(window.start),
        to: rfc3339(window.end),
        live: undefined,
        base: baseline && baselineText(baseline),
    });
    const href = host.href("cause", params);
    return href ? new URL(href, document.baseURI).href : "";
}

function Keep(props: { scope: CauseScope; window: Window; baseline?: Window }) {
    const { scope, window, baseline } = props;
    const host = useHost();
    const place = usePlace();
    const { environment } = scope;
    const keep = useMutation<Schemas["KeptReport"], ApiError>({
        mutationFn: () => {
            const body = causeBody(scope, window, baseline);
            return dataOf(
                host.client.POST("/api/v1/rca-agent/reports", {
                    body: { ...body, searchScope: { ...body.searchScope, environment: environment ?? "" } },
                }),
            );
        },
        onSuccess: (kept) =>
            host.go("report", withParams(keptParams(place.params), { id: kept.reportId, env: environment })),
    });
    return (
        <>
            <button
                type="button"
                className="cb-button"
                disabled={keep.isPending || !environment}
                onClick={() => keep.mutate()}
            >
                {keep.isPending ? "Keeping …" : "Keep as report"}
            </button>
            {keep.error ? <ErrorNotice error={keep.error} again={() => keep.mutate()} /> : null}
        </>
    );
}

function Tools(props: { cause: Cause; scope: CauseScope; window: Window; baseline?: Window }) {
    const { cause, scope, window, baseline } = props;
    const link = useFixedAddress(window, baseline);
    const names = [scope.namespace, scope.project, scope.component, scope.environment];
    return (
        <div className="cb-toolbar cb-cause-tools">
            <button type="button" className="cb-button" onClick={() => advanceClock()}>
                Ask again
            </button>
            <CopyButton text={() => link} label="Copy link" />
            <CopyButton
                text={() => causeMarkdown(cause, names.filter(Boolean).join(" / "), link)}
                label="Copy as text"
            />
            <Keep scope={scope} window={window} baseline={baseline} />
            <PageLink page="reports" params={{ component: undefined }} className="cb-link">
                Kept reports
            </PageLink>
        </div>
    );
}

function Asked(props: { scope: CauseScope; window: Window; baseline?: Window }) {
    const { scope, window, baseline } = props;
    const asked = useCause(scope, window, true, { baseline, keep: false });
    const queries = useQueryClient();
    const [cancelled, setCancelled] = useState(false);
    const again = () => {
        setCancelled(false);
        void asked.refetch();
    };
    const cancel = () => {
        setCancelled(true);
        void queries.cancelQueries({ queryKey: causeKey(scope, window, baseline) });
    };
    if (asked.data === undefined && asked.isFetching && !asked.error)
        return <Waiting what="Comparing the time in question with before …" onCancel={cancel} />;
    if (asked.data === undefined && cancelled)
        return (
            <Empty
                what="Cancelled."
                why="Nothing was read to its end."
                next={
                    <button type="button" className="cb-button" onClick={again}>
                        Ask again
                    </button>
                }
            />
        );
    return (
        <Answer asked={asked} height={160}>
            {(cause) => (
                <>
                    <Tools cause={cause} scope={scope} window={window} baseline={baseline} />
                    <CauseAnswer cause={cause} scope={scope} />
                </>
            )}
        </Answer>
    );
}

export default function CausePage() {
    const scope = useScope();
    const window = useWholeMinutes(useTimeRange());
    const [base, setBase] = useParam("base");
    const [, setComponent] = useParam("component");
    const known = useComponents(
        { namespace: scope.namespace, project: scope.project },
        { ...useTimeRange(), ...window },
        scope.project !== undefined && scope.environment === undefined,
    );
    if (!scope.namespace || !scope.project)
        return (
            <ChooseScope
                of="project"
                what="No project is chosen."
                why="The cause is looked for among the components of one project, and those that they call."
            />
        );
    if (!scope.environment && known.asked.isPending)
        return <Waiting what="Looking …" onCancel={() => undefined} />;
    const chosen = parseBaseline(base);
    const own = chosen && clipBaseline(chosen, window);
    const asked: CauseScope = {
        namespace: scope.namespace,
        project: scope.project,
        component: scope.component,
        environment: environmentOf(scope, known.rows),
    };
    const where = (name: string | undefined) => (name ? <Name text={name} /> : null);
    return (
        <div className="cb-cause-page">
            <h1>
                What broke in {where(scope.project)}
                {asked.environment ? (
                    <span className="cb-quiet">
                        {" / "}
                        {where(asked.environment)}
                    </span>
                ) : null}
            </h1>
            {scope.component ? (
                <p>
                    Only what <Name text={scope.component} /> and those that it calls explain.{" "}
                    <button type="button" className="cb-button" onClick={() => setComponent(undefined)}>
                        The whole project
                    </button>
                </p>
            ) : null}
            {base && !own ? (
                <p className="cb-text-warning">
                    The time to compare with, {shownName(base)}, does not lie before the time in question; the
                    usual one is taken.{" "}
                    <button type="button" className="cb-button" onClick={() => setBase(undefined, "replace")}>
                        Drop it
                    </button>
                </p>
            ) : null}
            <Question
                scope={asked}
                window={window}
                baseline={own ?? defaultBaseline(window)}
                ownBaseline={own !== undefined}
            />
            <Asked key={JSON.stringify([asked, window, own])} scope={asked} window={window} baseline={own} />
        </div>
    );
}
