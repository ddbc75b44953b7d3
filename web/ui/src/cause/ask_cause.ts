// The question for the root cause, as the project and the cause page ask it.
import { useAsk, type Asked } from "../ask";
import type { Schemas } from "../client";
import type { Scope } from "../scope";
import { rfc3339 } from "../time";

export type Cause = Schemas["CauseResponse"];
export type Suspect = Schemas["CauseSuspect"];
export type Evidence = Schemas["CauseEvidence"];

export interface Span {
    from: number; // milliseconds since 1970
    to: number;
}

export interface CauseQuestion {
    scope: Scope;
    window: Span;
    baseline?: Span;
}

export function causeBody({ scope, window, baseline }: CauseQuestion) {
    return {
        searchScope: {
            namespace: scope.namespace ?? "",
            project: scope.project ?? "",
            environment: scope.environment,
            component: scope.component,
        },
        startTime: rfc3339(window.from),
        endTime: rfc3339(window.to),
        baseline: baseline && { startTime: rfc3339(baseline.from), endTime: rfc3339(baseline.to) },
    };
}

export function useCause(question: CauseQuestion, enabled = true): Asked<Cause> {
    const body = causeBody(question);
    return useAsk(["cause", body], (client, signal) => client.POST("/api/v1/cause", { body, signal }), {
        enabled: enabled && body.searchScope.namespace !== "" && body.searchScope.project !== "",
    });
}

// Whole minutes, as the analysis counts: so that a page that follows the time asks
// once a minute.
export function wholeMinutes(start: Date, end: Date): Span {
    const minute = 60_000;
    return {
        from: Math.floor(start.getTime() / minute) * minute,
        to: Math.ceil(end.getTime() / minute) * minute,
    };
}
