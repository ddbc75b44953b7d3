// Nothing of it was ever seen: why that may be, and what next.
import { Name, PageLink } from "../parts/marks";
import { Empty } from "../states";
import { useOtherEnvironments, type ComponentPage, type ComponentScope } from "./page_data";

export function NeverSeen({ page, scope }: { page: ComponentPage; scope: ComponentScope }) {
    const asked = useOtherEnvironments(scope, true);
    const others = (asked.data ?? [])
        .filter((entry) => entry.rule !== "none")
        .map((entry) => entry.environment)
        .filter((name): name is string => name !== undefined && name !== scope.environment);
    const where = scope.environment ? ` in ${scope.environment}` : "";
    const { declared } = page.component;
    return (
        <Empty
            what={
                declared ? `Nothing was received from it yet${where}` : `This component is not known${where}`
            }
            why={
                declared
                    ? "It is declared in the catalogue, but no trace, log or metric has come from it."
                    : "It is not declared in the catalogue, and no trace, log or metric of this name has come. The name may be misspelt."
            }
            next={
                <>
                    {others.length > 0 ? (
                        <p>
                            It was seen in{" "}
                            {others.map((environment, i) => (
                                <span key={environment}>
                                    {i > 0 ? ", " : ""}
                                    <PageLink page="component" params={{ env: environment }}>
                                        <Name text={environment} />
                                    </PageLink>
                                </span>
                            ))}
                            .
                        </p>
                    ) : null}
                    <p>
                        <PageLink page="overview" params={{ component: undefined }}>
                            Components of this project
                        </PageLink>
                        {" · "}
                        <PageLink page="catalog" params={{ component: undefined }}>
                            Senders without a component
                        </PageLink>
                    </p>
                </>
            }
        />
    );
}

// It was seen, but not in this time.
export function NotInThisTime({ newest }: { newest: string }) {
    const around = Date.parse(newest);
    const iso = (at: number) => new Date(at).toISOString();
    return (
        <PageLink
            page="component"
            params={{ from: iso(around - 3_600_000), to: iso(around + 60_000), live: undefined }}
            className="cb-button"
        >
            Show the hour before it was last seen
        </PageLink>
    );
}
