// The tab on the page of a Component or System.
import { useEntity } from "@backstage/plugin-catalog-react";
import { Notice } from "@callboard/ui";
import { Link, useLocation } from "react-router-dom";
import { readOf } from "./address";
import { useEntityPath } from "./entity_paths";
import { Frame } from "./frame";
import { BackstageHost } from "./host";
import { TAB_PATH } from "./links";
import { NoTarget } from "./no_target";
import { Allowed } from "./permission";
import { nameOf, targetsOf, type Target } from "./target";
import { COMPONENT_TABS, pagesOf, PROJECT_TABS } from "./views";

const COMPONENT_PAGES = pagesOf(COMPONENT_TABS);
const PROJECT_PAGES = pagesOf(PROJECT_TABS);

// The components of an entity that has several: one sub-tab each. The time stays.
function Targets({ targets, target }: { targets: readonly Target[]; target: Target }) {
    const { search } = useLocation();
    const to = (one: Target, first: boolean) => {
        const query = new URLSearchParams(search);
        for (const name of [...query.keys()])
            if (name.startsWith("cb-") && !["cb-from", "cb-to", "cb-live"].includes(name)) query.delete(name);
        if (!first) query.set("cb-of", nameOf(one));
        return { search: query.toString() };
    };
    return (
        <nav className="cb-subtabs cb-targets" aria-label="Components of this entity">
            {targets.map((one, i) => (
                <Link
                    key={nameOf(one)}
                    to={to(one, i === 0)}
                    title={nameOf(one)}
                    className={one === target ? "cb-subtab cb-subtab-here" : "cb-subtab"}
                    aria-current={one === target ? "page" : undefined}
                >
                    <bdi>{one.component ?? one.project}</bdi>
                </Link>
            ))}
        </nav>
    );
}

function Refused() {
    return (
        <div className="cb-root">
            <Notice kind="refused" title="You may not see this">
                <p>It needs the permission callboard.read. Ask the administrators of this portal.</p>
            </Notice>
        </div>
    );
}

function Content() {
    const { entity } = useEntity();
    const { pathname, search } = useLocation();
    const pathOf = useEntityPath();
    const targets = targetsOf(entity);
    const of = readOf(search);
    const target = targets.find((one) => nameOf(one) === of) ?? targets[0];
    if (!target) return <NoTarget entity={entity} />;
    const own = pathOf(entity);
    const tabs = target.component ? COMPONENT_TABS : PROJECT_TABS;
    return (
        <BackstageHost
            key={nameOf(target)}
            target={target}
            of={target === targets[0] ? undefined : nameOf(target)}
            pages={target.component ? COMPONENT_PAGES : PROJECT_PAGES}
            path={pathname}
            tabPath={own && pathname.startsWith(own + "/") ? pathname.slice(own.length) : TAB_PATH}
        >
            <Frame tabs={tabs} scope={["env"]}>
                {targets.length > 1 ? <Targets targets={targets} target={target} /> : null}
            </Frame>
        </BackstageHost>
    );
}

export function EntityCallboardContent() {
    return (
        <Allowed otherwise={<Refused />}>
            <Content />
        </Allowed>
    );
}
