// Which component it is, where it stands, and the ways on from it.
import { lastSeenOf } from "../components";
import { formatAgo, formatCount, shownName } from "../format";
import type { Health } from "../health";
import { HealthMark, Name, PageLink } from "../parts/marks";
import type { ComponentPage, ComponentScope } from "./page_data";

const RULES: Partial<Record<ComponentPage["component"]["rule"], string>> = {
    stamped: "identified by labels",
    stampedRecord: "identified by labels of records",
    learned: "identified by its pod",
    inferred: "identified by service.name only",
};

function facts(page: ComponentPage, now: number): string[] {
    const { declared, rule, lastSeen } = page.component;
    const versions = [...new Set(page.pods.map((pod) => pod.version).filter((version) => version))];
    const newest = lastSeenOf(lastSeen);
    return [
        declared ? "declared" : "not declared",
        ...(RULES[rule] ? [RULES[rule]] : []),
        ...(versions.length === 1 ? [`version ${shownName(versions[0]!)}`] : []),
        ...(versions.length > 1 ? [`versions ${versions.map((one) => shownName(one!)).join(", ")}`] : []),
        ...(page.pods.length > 0
            ? [`${formatCount(page.pods.length)} pod${page.pods.length === 1 ? "" : "s"}`]
            : []),
        ...(newest ? [`last seen ${formatAgo(newest, now)}`] : []),
    ];
}

export function Head(props: { scope: ComponentScope; health: Health; page?: ComponentPage; now: number }) {
    const { scope, health, page, now } = props;
    return (
        <header className="cb-component-head">
            <div className="cb-component-title">
                <h1>
                    {page ? <HealthMark health={health} /> : null} <Name text={scope.component} />
                </h1>
                <span className="cb-component-place">
                    <PageLink page="overview" params={{ project: undefined, component: undefined }}>
                        <Name text={scope.namespace} />
                    </PageLink>
                    {" / "}
                    <PageLink page="project" params={{ component: undefined }}>
                        <Name text={scope.project} />
                    </PageLink>
                    {" / "}
                    <Name text={scope.environment ?? "all environments"} />
                </span>
                <nav className="cb-component-ways" aria-label="Of this component">
                    <PageLink page="logs" className="cb-button">
                        Logs
                    </PageLink>
                    <PageLink page="traces" className="cb-button">
                        Traces
                    </PageLink>
                    <PageLink page="changes" className="cb-button">
                        Changes
                    </PageLink>
                    <PageLink page="cause" className="cb-button">
                        Cause
                    </PageLink>
                </nav>
            </div>
            <p className="cb-component-facts">{page ? facts(page, now).join(" · ") : "\u00a0"}</p>
        </header>
    );
}
