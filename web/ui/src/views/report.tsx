// A kept report: the answer as it was given, and what is to be done.
import { useAsk } from "../ask";
import { useParam } from "../address";
import { CauseAnswer } from "../cause/answer";
import { causeMarkdown } from "../cause/markdown";
import { Actions, OldReport, reportText, type RcaReport } from "../cause/report_parts";
import { shownName } from "../format";
import { useHost, usePlace } from "../host";
import { CopyButton } from "../parts/copy";
import { Name, PageLink, Section, Time } from "../parts/marks";
import { Answer, Empty, Notice } from "../states";
import { useScope } from "../scope";

function Context(props: { report: RcaReport }) {
    const { alert_context: alert } = props.report;
    const place = [alert.project, alert.component, alert.environment].filter(Boolean).join(" / ");
    return (
        <p className="cb-quiet">
            {alert.alert_name ? `${shownName(alert.alert_name)}, ` : ""}
            {shownName(place)}, asked <Time at={alert.triggered_at} />
        </p>
    );
}

function Whole(props: { reportId: string; report: RcaReport }) {
    const { reportId, report } = props;
    const scope = useScope();
    const place = usePlace();
    const host = useHost();
    const { alert_context: alert, cause } = report;
    const answered = {
        namespace: scope.namespace ?? "",
        project: scope.project ?? alert.project,
        environment: scope.environment ?? alert.environment,
    };
    const names = `${answered.namespace} / ${answered.project} / ${answered.environment}`;
    const href = host.href("report", place.params);
    const link = href ? new URL(href, document.baseURI).href : "";
    const actions = (
        <Section id="actions" title="What to do">
            <Actions reportId={reportId} recommendations={report.result.recommendations} />
        </Section>
    );
    return (
        <>
            <h1>
                Report of <Name text={answered.project} />
                <span className="cb-quiet">
                    {" / "}
                    <Name text={answered.environment} />
                </span>
            </h1>
            {cause ? null : <p className="cb-cause-sentence">{reportText(report.summary)}</p>}
            <Context report={report} />
            <div className="cb-toolbar cb-cause-tools">
                <CopyButton text={() => link} label="Copy link" />
                {cause ? (
                    <CopyButton text={() => causeMarkdown(cause, names, link)} label="Copy as text" />
                ) : null}
                {cause ? (
                    <PageLink
                        page="cause"
                        params={{
                            project: answered.project,
                            env: answered.environment,
                            from: cause.window.startTime,
                            to: cause.window.endTime,
                        }}
                        className="cb-button"
                    >
                        Ask again for this time
                    </PageLink>
                ) : null}
                <PageLink page="reports">All reports</PageLink>
            </div>
            {cause ? (
                <>
                    <CauseAnswer cause={cause} scope={answered} />
                    {actions}
                </>
            ) : (
                <>
                    {actions}
                    <OldReport report={report} namespace={answered.namespace} />
                </>
            )}
        </>
    );
}

export default function Report() {
    const [id] = useParam("id");
    const asked = useAsk(
        ["report", id ?? ""],
        (client, signal) =>
            client.GET("/api/v1/rca-agent/reports/{reportId}", {
                params: { path: { reportId: id ?? "" } },
                signal,
            }),
        { enabled: id !== undefined },
    );
    if (!id)
        return <Empty what="No report is chosen." next={<PageLink page="reports">All reports</PageLink>} />;
    if (asked.error?.status === 404)
        return (
            <Empty
                what={`There is no report ${shownName(id)}.`}
                why="The oldest reports make room for new ones."
                next={<PageLink page="reports">All reports</PageLink>}
            />
        );
    return (
        <Answer asked={asked} height={320}>
            {(data) =>
                data.report ? (
                    <Whole reportId={id} report={data.report} />
                ) : (
                    <Notice kind="error" title="The analysis failed">
                        <p>
                            It was asked <Time at={data.timestamp} /> and has no answer.
                        </p>
                        <PageLink page="cause" className="cb-button">
                            Ask again
                        </PageLink>
                    </Notice>
                )
            }
        </Answer>
    );
}
