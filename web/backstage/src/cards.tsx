// Cards on the page of an entity: one for each of its components.
import { EntityInfoCard, useEntity } from "@backstage/plugin-catalog-react";
import { CauseCard, ErrorsCard, HealthCard } from "@callboard/ui/cards";
import type { ReactNode } from "react";
import { useEntityPath } from "./entity_paths";
import { BackstageHost } from "./host";
import { TAB_PATH } from "./links";
import { Allowed } from "./permission";
import { nameOf, targetsOf, type Target } from "./target";
import { COMPONENT_TABS, pagesOf, PROJECT_TABS } from "./views";

const COMPONENT_PAGES = pagesOf(COMPONENT_TABS);
const PROJECT_PAGES = pagesOf(PROJECT_TABS);

type Content = (frame: (content: ReactNode) => ReactNode) => ReactNode;

function Cards(props: { title: string; wholeProjects?: boolean; content: Content }) {
    const { entity } = useEntity();
    const own = useEntityPath()(entity) ?? "";
    const all = targetsOf(entity);
    const targets = all.filter((target) => props.wholeProjects || target.component !== undefined);
    const titleOf = ({ component, project }: Target) =>
        targets.length > 1 ? `${props.title}: ${component ?? project}` : props.title;
    return (
        <Allowed otherwise={null}>
            {targets.map((target) => (
                <BackstageHost
                    key={nameOf(target)}
                    target={target}
                    of={target === all[0] ? undefined : nameOf(target)}
                    pages={target.component ? COMPONENT_PAGES : PROJECT_PAGES}
                    path={own + TAB_PATH}
                    tabPath={TAB_PATH}
                    fixedPlace
                    className="cb-card"
                >
                    {props.content((content) => (
                        <EntityInfoCard title={titleOf(target)}>{content}</EntityInfoCard>
                    ))}
                </BackstageHost>
            ))}
        </Allowed>
    );
}

export function EntityCallboardHealthCard() {
    return <Cards title="Health" content={(frame) => frame(<HealthCard />)} />;
}

export function EntityCallboardErrorsCard() {
    return <Cards title="Recent errors" content={(frame) => frame(<ErrorsCard />)} />;
}

export function EntityCallboardCauseCard() {
    return <Cards title="Root cause" wholeProjects content={(frame) => <CauseCard frame={frame} />} />;
}
