// What is likely to be at fault, in a card: only where something is wrong.
import { useMemo, type ReactNode } from "react";
import { useCause, type CauseScope } from "../cause";
import { shownName } from "../format";
import { foremost, useCauseWindow, useIncidents, type Incident } from "../incidents";
import { CauseSentence } from "../parts/cause_sentence";
import { Name } from "../parts/marks";
import { useScope } from "../scope";
import { Answer } from "../states";
import { useTimeRange } from "../time";

function isAbout({ component, project, environment }: CauseScope) {
    return (incident: Incident) =>
        component === undefined ||
        [incident, ...incident.components].some(
            (one) =>
                one.component === component &&
                one.project === project &&
                (!environment || one.environment === environment),
        );
}

// frame: draws the card around what it is given; it is not called where nothing is wrong.
export function CauseCard(props: { frame: (content: ReactNode) => ReactNode }) {
    const { namespace = "", project = "", component, environment } = useScope();
    const scope = useMemo(
        () => ({ namespace, project, component, environment }),
        [namespace, project, component, environment],
    );
    const range = useTimeRange();
    const incidents = useIncidents(scope, range);
    const incident = foremost((incidents.data?.incidents ?? []).filter(isAbout(scope)));
    const window = useCauseWindow(incident, range);
    const cause = useCause(scope, window, incident !== undefined);
    if (!incident) return null;
    return props.frame(
        <>
            <p className="cb-card-sentence">
                <Name text={incident.component} /> {shownName(incident.text)}.
            </p>
            <Answer asked={cause} height={60}>
                {(data) => (
                    <p>
                        <CauseSentence cause={data} scope={scope} asked={window} />
                    </p>
                )}
            </Answer>
        </>,
    );
}
