// The ten newest error lines of a component in a card.
import { LogLines } from "../component/log_lines";
import { useErrorLines, type ComponentScope } from "../component/page_data";
import { formatCount } from "../format";
import { PageLink } from "../parts/marks";
import { Answer } from "../states";
import { useTimeRange } from "../time";
import { useComponentScope } from "./scope";

const MOST = 10;

function OneCard({ scope }: { scope: ComponentScope }) {
    const asked = useErrorLines(scope, useTimeRange(), MOST);
    return (
        <Answer asked={asked} height={MOST * 26} rows={MOST}>
            {({ logs, total, totalIsLowerBound }) =>
                logs.length === 0 ? (
                    <p className="cb-quiet">No error line in this time.</p>
                ) : (
                    <>
                        <LogLines entries={logs} label="Newest error lines" />
                        <p className="cb-card-foot">
                            <PageLink page="logs" params={{ level: "ERROR" }}>
                                All {totalIsLowerBound ? "more than " : ""}
                                {formatCount(total)} error lines
                            </PageLink>
                        </p>
                    </>
                )
            }
        </Answer>
    );
}

export default function ErrorsCard() {
    const scope = useComponentScope();
    return scope ? <OneCard key={Object.values(scope).join("\u0000")} scope={scope} /> : null;
}
